"""Who is sending now, and whether it still lives: one locked file per sender process.

The lock is the proof of life: the kernel frees it with the process, also after kill -9, and nothing else does. A file
is born under another name and renamed when it is locked and written, so nobody finds one that only looks dead.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from notifier.store.state import make_folder

FOLDER = "senders"
#: How long a sender of another host is believed to live after its last sign: its lock says nothing here.
HOST_GRACE = timedelta(minutes=10)


class Sender:
    """A sender's sign of life, from its birth to `close`. `token` names it in the ledger."""

    def __init__(self, state: Path, now: datetime) -> None:
        folder = state / FOLDER
        make_folder(state)
        make_folder(folder)
        self.token = secrets.token_hex(8)
        self._path = folder / self.token
        draft = folder / f".{self.token}"
        self._descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sign = {"host": host_id(), "pid": os.getpid(), "since": now.isoformat()}
        os.write(self._descriptor, json.dumps(sign).encode() + b"\n")
        self.beat(now)
        draft.rename(self._path)

    def beat(self, now: datetime) -> None:
        """A sign for other hosts; each minute or so is enough."""
        os.utime(self._descriptor, (now.timestamp(), now.timestamp()))

    def close(self) -> None:
        """The end; only after `release` of what it had claimed."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def alive(
    state: Path, now: datetime, *, of: Iterable[str] = (), host_grace: timedelta = HOST_GRACE
) -> dict[str, bool]:
    """Every sender that has a file, and those of `of`, and whether it lives.

    Take `of` from the ledger (`outbox.senders()`) before asking: whoever is named there has made its file before, so
    one without a file is gone. A sender of another host lives until `host_grace` after its last sign.
    """
    folder = state / FOLDER
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    tokens = {*of, *(name for name in found if not name.startswith("."))}
    return {token: _lives(folder / token, now, host_grace) for token in sorted(tokens)}


def bury(state: Path, tokens: Iterable[str]) -> None:
    """Remove the files of dead senders, after the ledger has recovered what they held."""
    for token in tokens:
        path = state / FOLDER / token
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if _is_free(descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)


def host_id() -> str:
    """What tells this host from others that may share the folder."""
    with suppress(OSError):
        return Path("/etc/machine-id").read_text(encoding="ascii").strip() or socket.gethostname()
    return socket.gethostname()


def _lives(path: Path, now: datetime, host_grace: timedelta) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if not _is_free(descriptor):
            return True
        if _host(descriptor) == host_id():
            return False
        return now.timestamp() - os.fstat(descriptor).st_mtime < host_grace.total_seconds()
    finally:
        os.close(descriptor)  # and with it the lock that the probe took


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _host(descriptor: int) -> str:
    """The host that wrote the file; ours if it is torn, because then its writer died here or nobody can tell."""
    try:
        return str(json.loads(os.read(descriptor, 4096))["host"])
    except (ValueError, KeyError, TypeError):
        return host_id()
