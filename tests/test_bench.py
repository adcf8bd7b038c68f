"""The measurements still measure; what they say is for people to judge."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["compile", "feed", "idle", "rehearsal"])
def test_a_measurement_prints_and_keeps_its_figures(name: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", name], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads((ROOT / f"build/bench/{name}.json").read_text())["rows"]
    assert rows and all(len(row["rounds"]) >= 3 and min(row["rounds"]) > 0 for row in rows)
