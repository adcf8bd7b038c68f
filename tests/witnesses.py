"""Independent programs that judge what we make: where they are, and what to say where one is missing.

A missing witness skips its tests with the reason; with NOTIFIER_REQUIRE_WITNESSES=1 it fails them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]
SCRATCH = ROOT / "build/witness"
#: Pinned, as the specification of the checks names them.
PACKAGES = ("axe-core@4.14.1", "playwright-core@1.65.1", "html-validate@10.17.0", "ical.js@2")
TOOLS = Path(__file__).parent / "tools"


def program(name: str) -> str:
    """The path of a program of this machine."""
    found = shutil.which(name)
    return found or missing(f"{name} is not installed")


def node_modules() -> Path:
    """The folder from which node takes the judges; filled on first use, by one process at a time."""
    program("node")
    npm = program("npm")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with (SCRATCH.parent / "witness.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all((SCRATCH / "node_modules" / name.rpartition("@")[0]).is_dir() for name in PACKAGES):
            options = ("--silent", "--no-audit", "--no-fund", "--prefix", str(SCRATCH))
            done = run(npm, "install", *options, *PACKAGES)
            if done.returncode:
                missing(f"npm install failed: {done.stderr.strip()[:200]}")
    return SCRATCH / "node_modules"


def run(*command: str, timeout_s: int = 300, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def missing(what: str) -> NoReturn:
    if os.environ.get("NOTIFIER_REQUIRE_WITNESSES"):
        pytest.fail(f"witness: {what}")
    pytest.skip(f"witness: {what}")
