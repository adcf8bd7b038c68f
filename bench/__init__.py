"""Measurements. Nothing here is asserted: speed is printed and written down, tests judge behaviour."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Iterable
from pathlib import Path

OUT = Path(__file__).parents[1] / "build/bench"


def report(name: str, rows: Iterable[tuple[str, list[float], str]]) -> None:
    """Print (what, figures of all rounds, unit) as median with range, and write every round to build/bench/NAME.json."""
    table = list(rows)
    for what, figures, unit in table:
        print(
            f"  {what:<58} {statistics.median(figures):>9.3f} {unit:<4} ({min(figures):.3f} to {max(figures):.3f}, {len(figures)} rounds)"
        )
    OUT.mkdir(parents=True, exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
    data = {"machine": machine, "rows": [{"what": w, "rounds": f, "unit": u} for w, f, u in table]}
    (OUT / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
