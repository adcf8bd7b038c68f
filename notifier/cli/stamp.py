"""The idle stamp's writing side; its reading side is in tick.py, which imports nothing else."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

from notifier.cli import tick
from notifier.config import Config

WOKEN = "woken"  # grows with every act of a person


def leave(config: Config, next_due: datetime | None, *, fingerprint: list[list[int | str]]) -> None:
    """Note that nothing is due before `next_due` (None: nothing at all), as long as what was read stays as it was.

    `fingerprint` is of the moment before reading, so that an edit during the tick is seen by the next one.
    """
    now = time.time()
    word = {
        "program": tick.program(),
        "written": now,
        # Twice in each `hold_after` a tick notes itself in the ledger, whatever becomes of the heartbeat.
        "valid_s": min(86400.0, config.engines.hold_after.total_seconds() / 2),
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
    """Something came from outside: the next tick must look, also if one is under way that has not seen it.

    Such a tick leaves its stamp only afterwards. It is stale at once, because `woken` has grown since.
    """
    config.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (config.state / WOKEN).open("ab") as file:
        file.write(b".")
    lift(config)


def lift(config: Config) -> datetime | None:
    """Take the stamp away, for a tick that looks itself; its last heartbeat."""
    path = config.state / tick.STAMP
    try:
        beat = path.stat().st_mtime
        path.unlink()
    except FileNotFoundError:
        return None
    return datetime.fromtimestamp(beat, UTC)


def watched(config: Config) -> list[str]:
    """Files and folders whose change makes work: settings, events, notes, templates. Of the state only `woken`."""
    data = [str(config.data / name) for name in ("events", "projects", "series", "notes", "attachments")]
    return [str(config.file.resolve()), *data, str(config.templates), str(config.state / WOKEN)]
