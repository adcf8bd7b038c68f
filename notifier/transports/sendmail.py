"""Mail through the machine's own `sendmail` program: the relay's address, login and queue are that program's business."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from notifier.errors import DeliveryError
from notifier.mail.outbox import Outcome, Receipt
from notifier.mail.page import Message
from notifier.transports import gate
from notifier.transports.dialogue import readable

SCHEME = "sendmail:"
USUAL = Path("/usr/sbin/sendmail")
TIMEOUT_S = 600.0

#: Exit codes (sysexits.h) that speak of this message; all others but 0 speak of the program or its machine: later.
_OF_THE_MESSAGE = {
    os.EX_TEMPFAIL: (Outcome.DEFERRED, "4.0.0"),
    os.EX_NOUSER: (Outcome.REFUSED, "5.1.1"),
    os.EX_NOHOST: (Outcome.REFUSED, "5.1.2"),
    os.EX_DATAERR: (Outcome.REFUSED, "5.6.0"),
    os.EX_NOPERM: (Outcome.REFUSED, "5.7.1"),
}


class SendmailTransport:
    """`program -i -f SENDER -- RECIPIENT`, once for each message."""

    takes_samples = False

    def __init__(self, program: Path = USUAL, *, timeout_s: float = TIMEOUT_S) -> None:
        self.program, self._timeout_s = program, timeout_s

    def open(self) -> SendmailWire:
        if not os.access(self.program, os.X_OK):
            raise DeliveryError(
                f"{self.program}: no such program, or it may not be run",
                temporary=False,
                server=str(self.program),
            )
        return SendmailWire(self.program, self._timeout_s)


def from_url(
    url: str, *, password: str = "", tls: str = "required", root: Path = Path()
) -> SendmailTransport:
    """The transport of `sendmail:` or `sendmail:/path/of/program`, relative to `root`. Raises ValueError: another URL."""
    if not url.startswith(SCHEME):
        raise ValueError('write "sendmail:", and behind it the program if it is not /usr/sbin/sendmail')
    name = unquote(url.removeprefix(SCHEME))
    return SendmailTransport(root / name if name else USUAL)


class SendmailWire:
    def __init__(self, program: Path, timeout_s: float) -> None:
        self._program, self._timeout_s = program, timeout_s

    def send(self, message: Message, before_content: Callable[[], None]) -> Receipt:
        """Accepted when the program took the message into its queue (exit code 0).

        Raises:
            GateError: see `gate.check`.
            DeliveryError: the program does not start.
        """
        gate.check(message)
        if message.needs_smtputf8:
            return self._receipt(Outcome.REFUSED, "5.6.7", "the program is not asked to carry SMTPUTF8")
        try:
            child = self._started(message)
        except OSError as error:
            raise DeliveryError(
                f"{self._program}: {error.strerror}", temporary=True, server=str(self._program)
            ) from error
        with child:
            try:
                before_content()
            except BaseException:
                _kill(child)  # before its input ends: an end of input would send an empty message
                raise
            return self._given(child, message.content)

    def _started(self, message: Message) -> subprocess.Popen[bytes]:
        command = [str(self._program), "-i", "-f", message.sender, "--", message.recipient]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that a wrapper script ends with what it started
        )

    def _given(self, child: subprocess.Popen[bytes], content: bytes) -> Receipt:
        try:
            # The program reads lines of this machine; it writes CRLF to the wire itself.
            _, errors = child.communicate(content.replace(b"\r\n", b"\n"), timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            _kill(child)
            return self._receipt(Outcome.UNKNOWN, "", "no end in time")
        words = readable(errors.decode("utf-8", "replace").strip()) or f"exit code {child.returncode}"
        if child.returncode == os.EX_OK:
            return self._receipt(Outcome.ACCEPTED, "2.0.0", "queued")
        if child.returncode < 0:
            return self._receipt(Outcome.UNKNOWN, "", words)
        outcome, enhanced = _OF_THE_MESSAGE.get(child.returncode, (Outcome.DEFERRED, "4.3.0"))
        return self._receipt(outcome, enhanced, words)

    def _receipt(self, outcome: Outcome, enhanced: str, text: str) -> Receipt:
        return Receipt(outcome, 0, enhanced, text, "content", str(self._program))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
