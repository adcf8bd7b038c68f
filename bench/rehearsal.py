"""How long the demo's rehearsal takes, 2014 to 2020, as a whole process."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import report


def main() -> None:
    """Three rounds of `init --demo` and `rehearse`."""
    wall: list[float] = []
    cpu: list[float] = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            demo = Path(folder) / "demo"
            begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            notifier = [sys.executable, "-m", "notifier", "-q"]
            subprocess.run([*notifier, "init", "--demo", str(demo), "--yes", "-q"], check=True)
            data = [
                "--history",
                str(demo / "data/demo/history.toml"),
                "--subscribers",
                str(demo / "data/samples/subscribers.csv"),
            ]
            period = ["--from", "2014-12-01", "--to", "2020-12-31", "--out", str(demo / "out")]
            subprocess.run(
                [*notifier, "--config", str(demo / "config.toml"), "rehearse", *period, *data], check=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall.append(time.perf_counter() - begin)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    report("rehearsal", [("init and rehearse, wall", wall, "s"), ("init and rehearse, CPU", cpu, "s")])


if __name__ == "__main__":
    main()
