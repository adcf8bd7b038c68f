"""The run lock: of all that would tick on this store at once, one does."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notifier.errors import LockedError
from notifier.store.state import make_folder

FILE = "notifier.lock"
_POLL_S = 0.1


class RunLock:
    """The lock on a state folder. The kernel frees it with the process that holds it, however that ends.

    The file stays and names its last holder; only the lock on it counts.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._descriptor = -1

    def acquire(self, wait_s: float = 0.0) -> None:
        """Hold the lock, after waiting up to `wait_s` seconds for another to let go.

        Raises:
            LockedError: another run holds it; with its host, pid and since when.
        """
        if self._descriptor >= 0:
            return
        make_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_s
        while not _take(descriptor):
            if time.monotonic() >= deadline:
                holder = _read(descriptor)
                os.close(descriptor)
                raise _locked(self._path, holder)
            time.sleep(_POLL_S)
        _sign(descriptor)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; nothing if it was not held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int) -> None:
    """Write who holds it. "Since" is the file's own time, so that no clock is asked here."""
    os.ftruncate(descriptor, 0)
    os.utime(descriptor)
    since = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC).isoformat(timespec="seconds")
    words = {"host": socket.gethostname(), "pid": os.getpid(), "since": since}
    os.pwrite(descriptor, json.dumps(words).encode() + b"\n", 0)


def _read(descriptor: int) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(os.pread(descriptor, 4096, 0))
        if isinstance(found, dict):
            return found
    return {}  # taken this moment, not yet signed


def _locked(path: Path, holder: dict[str, Any]) -> LockedError:
    host, pid, since = str(holder.get("host", "")), int(holder.get("pid", 0)), str(holder.get("since", ""))
    who = f"process {pid} on {host}, since {since}" if pid else "another process, this moment"
    return LockedError(f"another run holds {path}: {who}", host=host, pid=pid, since=since)
