"""What a tick costs when nothing is due: by the stamp, and with a stale one over 100 events and 1,000 subscribers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import report

ROOT = Path(__file__).parents[1]
EVENTS, SUBSCRIBERS, ROUNDS = 100, 1000, 7
CONFIG = """\
[organisation]
name = "Cooperation Office"
sender = "events@region.example"
postal_address = "1 Sample Street, 00-000 Sampletown"
languages = ["en", "pl"]
timezone = "Europe/Warsaw"
[transports]
url = "maildir:outbox"
"""


def main() -> None:
    """CPU time of whole processes, user and system."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder)
        _cost(folder, "tick")
        _cost(folder, "subscribers", "import", "people.csv", "--accept-consent")
        _cost(folder, "tick")
        idle = [_cost(folder, "tick") for _ in range(ROUNDS)]
        stale = [_cost(folder, "tick") for _ in _each(folder / "data/state/idle")]
        bare = [_cost(folder, "--version") for _ in range(ROUNDS)]
    rows = [
        ("python and click alone (--version)", bare, "s"),
        ("tick by the stamp (goal 0.1)", idle, "s"),
        (f"tick, stale stamp, {EVENTS} events, {SUBSCRIBERS:,} readers (goal 0.6)", stale, "s"),
    ]
    report("idle", rows)


def _each(stamp: Path) -> Iterator[int]:
    for number in range(ROUNDS):
        stamp.unlink(missing_ok=True)
        yield number


def _fill(folder: Path) -> None:
    """Events over the next year, each with a Polish translation beside it; nothing becomes due while we measure."""
    (folder / "config.toml").write_text(CONFIG)
    first = datetime.now(UTC).date() + timedelta(days=20)
    for number in range(EVENTS):
        day = first + timedelta(days=3 * number)
        file = folder / f"data/events/{day.year}/{day}-meeting-{number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        head = f"uid: meeting-{number}@events.region.example\ntitle: Meeting {number}\nwhen: {day}..{day + timedelta(days=1)}\ntype: meeting\n"
        more = "summary: What clusters need.\nplace: {name: Town hall, city: Sampletown, country: PL}\n"
        file.write_text(f"---\n{head}{more}---\nWe meet, **talk** and write down what was agreed.\n")
        file.with_suffix(".pl.md").write_text(
            f"---\ntitle: Spotkanie {number}\nsummary: Potrzeby klastrów.\n---\nSpotykamy się.\n"
        )
    rows = [f"r{n}@example.org;en;weekly;2020-01-07;consent;paper form;form-v1" for n in range(SUBSCRIBERS)]
    head = "email;languages;frequency;consent_at;consent_basis;consent_source;consent_text"
    (folder / "people.csv").write_text("\n".join([head, *rows]) + "\n")


def _cost(folder: Path, *words: str) -> float:
    """CPU seconds of one run of `notifier`.

    Raises:
        RuntimeError: it ended with another code than 0.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NOTIFIER")}
    child = subprocess.Popen(
        [sys.executable, "-m", "notifier", *words],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"notifier {' '.join(words)} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
