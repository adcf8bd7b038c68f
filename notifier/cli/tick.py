"""`notifier tick`: everything that is due, once. By the idle stamp an idle tick costs next to nothing.

This module reads the stamp with click and the standard library alone; all else is imported only if there is work.
"""

from __future__ import annotations

import json
import os
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import click

from notifier.cli import exits

STAMP = "idle"


@click.command(
    epilog=exits.epilog(
        exits.IN_PART,
        exits.NEEDS_CONFIRMATION,
        exits.NO_PROJECT,
        exits.LOCKED,
        exits.CONFIG,
        exits.CONTENT,
        exits.UNREACHABLE,
        examples=(
            "notifier tick",
            "*/5 * * * *  /opt/notifier/bin/notifier --config /etc/notifier/config.toml tick",
        ),
    )
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Hand over at most N messages.")
@click.option("--max-time", metavar="4m", help="Begin no new message after so long.")
@click.option("--wait", metavar="30s", help="Wait so long for another run to end.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change and send nothing.")
@click.option(
    "--accept-clock",
    is_flag=True,
    help="The clock is right now, though it jumped or stood long: go on by it.",
)
@click.pass_obj
def command(shared: dict[str, Any], /, **options: Any) -> int:
    """Do everything that is due: read events, plan, address, deliver, tidy. Locked, idempotent, silent when all is well."""
    config = _config(shared)
    looks = options["dry_run"] or options["accept_clock"] or shared["at"]
    if config and not looks and is_idle(config):
        return exits.DONE
    from notifier.cli import ticking

    return ticking.tick(shared, **options)


def _config(shared: dict[str, Any]) -> Path | None:
    given = shared["config"] or os.environ.get("NOTIFIER_CONFIG")
    places = [given] if given else ["config.toml", "/etc/notifier/config.toml"]
    return next((path for place in places if (path := Path(place)).is_file()), None)


def stamp(config: Path) -> Path:
    """Where the last full tick left its word: in the state folder, which may be named by the file or the environment."""
    named = os.environ.get("NOTIFIER__PATHS__STATE")
    if named is None:
        named = (
            tomllib.loads(config.read_text(encoding="utf-8-sig")).get("paths", {}).get("state", "data/state")
        )
    return config.resolve().parent / str(named) / STAMP


def is_idle(config: Path) -> bool:
    """Whether the last full tick left word that nothing is due yet and nothing has changed; touches the stamp as heartbeat."""
    try:
        path = stamp(config)
        word = json.loads(path.read_text())
        fresh = (
            word["program"] == program()
            and time.time() < word["next_due"]
            and abs(time.time() - word["written"]) < word["valid_s"]
            and abs((time.time() - clock_boot()) - word["wall_minus_boot"]) < 300
            and word["environment"] == environment()
            and word["fingerprint"] == fingerprint(word["watched"])
            and not os.listdir(word["senders"])  # noqa: PTH208 - see fingerprint
        )
        if fresh:
            os.utime(path)
        return fresh
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # no stamp, or settings of no use
        return False


def clock_boot() -> float:
    """Seconds since boot, suspend included where the system can say so."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def program() -> str:
    """Which notifier wrote the stamp: another version never trusts it."""
    own = Path(__file__).stat()
    return f"{sys.version_info[:3]}-{own.st_mtime_ns}"


def environment() -> dict[str, str]:
    """The overrides that are part of the configuration."""
    return {k: v for k, v in os.environ.items() if k.startswith("NOTIFIER__")}


def fingerprint(watched: list[str]) -> list[list[int | str]]:
    """Names, sizes and times of all watched files and folders, sorted; any change of content or of a name changes it."""
    found: list[list[int | str]] = []
    for top in watched:
        path = Path(top)
        if path.is_dir():
            for folder, folders, files in os.walk(path):
                folders[:] = sorted(f for f in folders if not f.startswith("."))
                for name in sorted(files):
                    found += _seen(os.path.join(folder, name))  # noqa: PTH118 - see _seen
        else:
            found += _seen(top)
    return found


def _seen(path: str) -> list[list[int | str]]:
    """Name, size and time; nothing for what is gone meanwhile, and for a link into nowhere (editors lock files so)."""
    try:
        status = os.stat(path)  # noqa: PTH116 - twice as fast, and this is the idle path
    except OSError:
        return []
    return [[path, status.st_size, status.st_mtime_ns]]
