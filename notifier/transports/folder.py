"""A Maildir on disk: whole files under names that follow from the Message-ID, so that a repeat has the same name."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,119}")


class Folder:
    """The Maildir at `path`; only `new/` is ever written to."""

    def __init__(self, path: Path, *, is_durable: bool = True) -> None:
        """`is_durable`: a written message outlives a power cut (fsync of file and folder); costs milliseconds each."""
        self.path = path
        self._is_durable = is_durable

    def make(self) -> None:
        """Make the folders that are missing, for the owner's eyes only. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in ("tmp", "new", "cur"):
            (self.path / part).mkdir(mode=0o700, exist_ok=True)

    def put(self, name: str, content: bytes) -> Path:
        """The file in `new/` that now holds exactly `content`; an older one of that name is replaced whole.

        Raises OSError: then nothing new is in `new/`.
        """
        draft = self.path / "tmp" / f"{name}.{os.getpid()}.{threading.get_ident()}"
        target = self.path / "new" / name
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                if self._is_durable:
                    file.flush()
                    os.fsync(file.fileno())
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return target

    def sync(self) -> None:
        """Make the names in `new/` outlive a power cut. Raises OSError: whether they do is not known."""
        if not self._is_durable:
            return
        directory = os.open(self.path / "new", os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def file_name(message_id: str) -> str:
    """The file name of a message: its id as it is, or a hash of it where it would not make a safe name."""
    bare = message_id.strip().removeprefix("<").removesuffix(">")
    if _PLAIN.fullmatch(bare):
        return bare
    return hashlib.blake2b(message_id.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
