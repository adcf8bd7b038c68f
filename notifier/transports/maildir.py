"""Mail into a folder on this machine: for samples, for a first look, and for programs that read a Maildir.

The file is the message's own bytes: no Return-Path, no Received, nothing of the envelope.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from notifier.errors import DeliveryError
from notifier.mail.outbox import Outcome, Receipt
from notifier.mail.page import Message
from notifier.transports import gate
from notifier.transports.folder import Folder, file_name

SCHEME = "maildir:"


class MaildirTransport:
    """The Maildir at `path`, made where it is missing."""

    takes_samples = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> MaildirWire:
        folder = Folder(self.path)
        try:
            folder.make()
        except OSError as error:
            raise DeliveryError(
                f"{self.path}: {error.strerror}", temporary=False, server=str(self.path)
            ) from error
        return MaildirWire(folder)


def from_url(url: str, *, password: str = "", tls: str = "required", root: Path = Path()) -> MaildirTransport:
    """The transport of `maildir:FOLDER`, relative to `root`; password and TLS have no meaning here.

    Raises:
        ValueError: no folder is named.
    """
    if not url.startswith(SCHEME) or not (name := unquote(url.removeprefix(SCHEME))):
        raise ValueError('write "maildir:" and the folder')
    return MaildirTransport(root / name)


class MaildirWire:
    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def send(self, message: Message, before_content: Callable[[], None]) -> Receipt:
        """Accepted once the file and its name are on the disk; the same message again replaces itself.

        Raises:
            GateError: see `gate.check`.
        """
        gate.check(message)
        before_content()
        try:
            self._folder.put(file_name(message.message_id), message.content)
        except OSError as error:
            return self._receipt(Outcome.DEFERRED, error.strerror or "not written", enhanced="4.3.1")
        try:
            self._folder.sync()
        except OSError as error:
            return self._receipt(Outcome.UNKNOWN, error.strerror or "written, perhaps not for long")
        return self._receipt(Outcome.ACCEPTED, "written", 250, "2.0.0")

    def _receipt(self, outcome: Outcome, text: str, code: int = 0, enhanced: str = "") -> Receipt:
        return Receipt(outcome, code, enhanced, text, "content", str(self._folder.path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
