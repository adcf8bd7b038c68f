"""One connection to a relay: commands go out, whole replies come in, and nothing is ever read out of step."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from notifier.errors import DeliveryError

log = logging.getLogger(__name__)

MAX_LINE = 2_048  # bytes of one reply line; RFC 5321 asks for 512, EHLO lists are longer
MAX_REPLY = 16_384  # bytes of one reply
MAX_TEXT = 200  # characters of it that we keep
BLOCK = 65_536  # bytes per write, so that the time-out is one of a block and not of a message

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


class LostError(DeliveryError):
    """The connection ended, or the time did, before a whole reply was read."""

    def __init__(self, text: str, server: str) -> None:
        super().__init__(f"{server}: {text}", temporary=True, server=server)


class OutOfStepError(DeliveryError):
    """What came is no reply to what was said; nothing on this connection can be trusted any more."""

    def __init__(self, text: str, server: str) -> None:
        # The status is ours (RFC 3463: other or undefined protocol status); the server gave none that we can read.
        super().__init__(f"{server}: {text}", temporary=True, enhanced="5.5.0", server=server)


@dataclass(frozen=True)
class Reply:
    """A whole reply of a server."""

    code: int  # 200..599
    enhanced: str  # RFC 3463, "" where there is none
    text: str  # the words, one line, printable, at most 200 characters
    lines: tuple[str, ...]  # as they came, without code, for EHLO


def readable(text: str) -> str:
    """Text of a stranger on one line of at most 200 characters; what would move a terminal is shown as an escape."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown[:MAX_TEXT]


def parse(lines: Sequence[bytes]) -> Reply | None:
    """The reply that these lines (without line ends) make, or None: they make none."""
    found = [_LINE.fullmatch(line) for line in lines]
    codes = {m[1] for m in found if m}
    if not found or None in found or len(codes) != 1:
        return None
    words = [(m[3] or b"").decode("utf-8", "backslashreplace") for m in found if m]
    code = int(codes.pop())
    status = _ENHANCED.match(words[0])
    bare = [_ENHANCED.sub("", w, count=1) if _ENHANCED.match(w) else w for w in words]
    return Reply(
        code, status[1] if status else "", readable(" ".join(w.strip() for w in bare).strip()), tuple(words)
    )


class Dialogue:
    """Commands and replies over a connected socket. Every failure closes it."""

    def __init__(self, sock: socket.socket, server: str) -> None:
        self._sock: socket.socket | None = sock
        self._buffer = b""
        self.server = server

    @property
    def is_open(self) -> bool:
        return self._sock is not None

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.version() is not None

    def say(self, command: str, timeout_s: float, *, secrets: Sequence[str] = ()) -> Reply:
        """The reply to one command; `secrets` are shown to nobody, even if the server says them back.

        Raises:
            LostError, OutOfStepError: the connection is closed.
        """
        if self._buffer:  # it spoke unasked
            early = self.reply(timeout_s)
            self.close()
            if early.code == 421:
                raise LostError(f"closed the connection: 421 {early.text}", self.server)
            raise OutOfStepError(f"spoke out of turn: {early.code} {early.text}", self.server)
        log.debug("%s < %s", self.server, _masked(command.encode(), secrets).decode())
        try:
            self.write(command.encode() + b"\r\n", timeout_s)
        except LostError:
            self.close()
            raise
        return self.reply(timeout_s, secrets)

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data`, each block within `timeout_s`. Raises LostError; then what has arrived can still be read once."""
        try:
            for start in range(0, len(data), BLOCK):
                self._open_socket().settimeout(timeout_s)
                self._open_socket().sendall(data[start : start + BLOCK])
        except OSError as error:
            raise LostError(_why(error), self.server) from error

    def reply(self, timeout_s: float, secrets: Sequence[str] = ()) -> Reply:
        """The next whole reply, within `timeout_s` from now however slowly it drips.

        Raises:
            LostError, OutOfStepError: the connection is closed.
        """
        try:
            return self._reply(time.monotonic() + timeout_s, secrets)
        except (LostError, OutOfStepError):
            self.close()
            raise

    def _reply(self, deadline: float, secrets: Sequence[str]) -> Reply:
        lines: list[bytes] = []
        size = 0
        while True:
            line = self._line(deadline)
            size += len(line)
            lines.append(_masked(line.rstrip(b"\r\n"), secrets))
            if size > MAX_REPLY:
                raise OutOfStepError(f"a reply of more than {MAX_REPLY} bytes", self.server)
            if line[3:4] != b"-" or not _LINE.fullmatch(lines[-1]):
                break
        reply = parse(lines)
        if reply is None:
            raise OutOfStepError(
                f"not a reply: {readable(lines[-1].decode('utf-8', 'replace'))}", self.server
            )
        log.debug("%s > %s %s %s", self.server, reply.code, reply.enhanced, reply.text)
        return reply

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer[:MAX_LINE]:
            if len(self._buffer) >= MAX_LINE:
                raise OutOfStepError(f"a reply line of more than {MAX_LINE} bytes", self.server)
            self._buffer += self._received(deadline)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def _received(self, deadline: float) -> bytes:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise LostError("no reply in time", self.server)
        try:
            self._open_socket().settimeout(remaining)
            data = self._open_socket().recv(MAX_LINE)
        except OSError as error:
            raise LostError(_why(error), self.server) from error
        if not data:
            raise LostError("the connection was cut", self.server)
        return data

    def encrypt(self, context: ssl.SSLContext, host: str, timeout_s: float) -> None:
        """Go on under TLS with the verified `host`.

        Raises:
            DeliveryError: bytes in clear text lie behind the reply (somebody put them there), or TLS failed.
        """
        sock = self._open_socket()
        if self._buffer:
            self.close()
            raise DeliveryError(
                f"{self.server}: clear text behind the reply to STARTTLS; somebody is in between",
                temporary=False,
                server=self.server,
            )
        try:
            sock.settimeout(timeout_s)
            self._sock = context.wrap_socket(sock, server_hostname=host)
        except (OSError, ValueError) as error:
            self.close()
            reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else _why(error)
            cut = isinstance(error, ssl.SSLEOFError) or not isinstance(error, (ssl.SSLError, ValueError))
            raise DeliveryError(
                f"{self.server}: TLS failed: {readable(reason)}", temporary=cut, server=self.server
            ) from error

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
        self._sock, self._buffer = None, b""

    def _open_socket(self) -> socket.socket:
        if self._sock is None:
            raise OSError("the connection is closed")
        return self._sock


def _masked(text: bytes, secrets: Sequence[str]) -> bytes:
    for secret in filter(None, secrets):
        text = text.replace(secret.encode(), b"***")
    return text


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
