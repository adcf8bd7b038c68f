"""The state folder: who may enter it, and which database it belongs to (a copy on another host must not send)."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

FILE = "instance"


def make_folder(folder: Path) -> None:
    """A folder of mode 0700; one that is there stays as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def instance_of(state: Path) -> str:
    """The id that the folder carries; empty if it has none."""
    try:
        return (state / FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def make_instance(state: Path) -> str:
    """The id of the folder, made if there is none. Of two processes that make one at once, both get the first."""
    make_folder(state)
    if not instance_of(state):
        draft = _draft(state, secrets.token_hex(8))
        with suppress(FileExistsError):
            os.link(draft, state / FILE)  # unlike a rename it never replaces what another has put there
        draft.unlink()
    return instance_of(state)


def put_instance(state: Path, instance: str) -> None:
    """Write the id, over another if there is one."""
    make_folder(state)
    _draft(state, instance).replace(state / FILE)


def _draft(state: Path, instance: str) -> Path:
    path = state / f".{FILE}.{secrets.token_hex(4)}"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(instance + "\n")
        file.flush()
        os.fsync(file.fileno())
    return path
