"""The idle stamp's writing side; its reading side is in tick.py, which imports nothing else."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime

from notifier.cli import tick
from notifier.config import Config


def leave(config: Config, next_due: datetime | None, *, fingerprint: list[list[int | str]]) -> None:
    """Note that nothing is due before `next_due` (None: nothing at all), as long as what was read stays as it was.

    `fingerprint` is of the moment before reading, so that an edit during the tick is seen by the next one.
    """
    now = time.time()
    word = {
        "program": tick.program(),
        "written": now,
        "valid_s": min(86400.0, config.engines.hold_after.total_seconds()),
        "next_due": next_due.timestamp() if next_due else now + 86400,
        "wall_minus_boot": now - tick.clock_boot(),
        "environment": tick.environment(),
        "watched": watched(config),
        "fingerprint": fingerprint,
        "senders": str(config.state / "senders"),
    }
    (config.state / "senders").mkdir(parents=True, exist_ok=True, mode=0o700)
    path = config.state / tick.STAMP
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(word))
    draft.replace(path)


def forget(config: Config) -> None:
    """Unlink the stamp: something came from outside, the next tick must look."""
    (config.state / tick.STAMP).unlink(missing_ok=True)


def watched(config: Config) -> list[str]:
    """Files and folders whose change makes work: settings, events, notes, templates. Not the state."""
    data = [
        str(path)
        for name in ("events", "projects", "series", "notes", "attachments")
        if (path := config.data / name)
    ]
    return [str(config.file.resolve()), *data, str(config.templates)]
