"""`make bench`: every module of this folder that measures; each prints a table and writes build/bench/NAME.json."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

for found in sorted(pkgutil.iter_modules(bench.__path__), key=lambda m: m.name):
    if found.name.startswith("_") or (sys.argv[1:] and found.name not in sys.argv[1:]):
        continue
    print(f"== {found.name}", flush=True)
    importlib.import_module(f"bench.{found.name}").main()
