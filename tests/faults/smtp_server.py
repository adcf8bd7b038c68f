"""An SMTP server on a raw socket that answers by script: wrong, late, too much, or not at all.

It keeps every byte of content as it came, so that a test sees what a careless server could take for a second message.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

Stage = Literal["banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "inside", "dot", "rset", "quit"]
#: Bytes are written instead of the usual reply; the words are what happens to the connection.
#: "drip" sends the usual reply its first ten bytes one each 80 ms; "late" answers as usual, after the client's patience (`late_s`).
#: "552 and deaf" refuses the size inside the content and reads no further.
Act = bytes | Literal["cut", "rst", "hang", "drip", "late", "552 and deaf"]

USUAL: dict[str, bytes] = {
    "banner": b"220 test ESMTP\r\n",
    "starttls": b"220 2.0.0 go\r\n",
    "auth": b"235 2.7.0 welcome\r\n",
    "mail": b"250 2.1.0 sender ok\r\n",
    "rcpt": b"250 2.1.5 recipient ok\r\n",
    "data": b"354 go on\r\n",
    "dot": b"250 2.0.0 queued as 1\r\n",
    "rset": b"250 2.0.0 forgotten\r\n",
    "quit": b"221 2.0.0 bye\r\n",
}
OFFERS = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
#: How many bytes of content are read before the fault "inside".
INSIDE = 50


class _EndError(Exception):
    """This connection is over."""


@dataclass
class FaultServer:
    """Listen on 127.0.0.1 from `with` to its end. A fault holds for every connection, or for the first `only_first`."""

    faults: Mapping[str, Act] = field(default_factory=dict)
    offers: Sequence[str] = OFFERS
    offers_in_tls: Sequence[str] | None = None  # None: the same
    tls: ssl.SSLContext | None = None  # offers STARTTLS, if `faults` and `offers` do not say otherwise
    is_implicit: bool = False
    behind_starttls: bytes = b""  # injected in clear text
    only_first: int = 10**9
    late_s: float = 1.0
    commands: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)  # as on the wire, up to and with the final dot
    accepted: int = 0
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    @property
    def url(self) -> str:
        return f"{'smtps' if self.is_implicit else 'smtp'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            faults = dict(self.faults) if self.connections <= self.only_first else {}
            thread = threading.Thread(target=_Talk(self, sock, faults).run, daemon=True)
            self._threads.append(thread)
            thread.start()


class _Talk:
    def __init__(self, server: FaultServer, sock: socket.socket, faults: dict[str, Act]) -> None:
        self.server, self.sock, self.faults = server, sock, faults
        self.buffer = b""
        self.is_encrypted = False

    def run(self) -> None:
        try:
            if self.server.is_implicit:
                self._encrypt()
            self._answer("banner")
            while True:
                self._command(self._line())
        except (_EndError, OSError):
            pass
        finally:
            self.sock.close()

    def _command(self, line: bytes) -> None:
        self.server.commands.append(line.decode("utf-8", "replace"))
        verb = line.upper().split(b" ")[0]
        if verb in (b"EHLO", b"LHLO"):
            self._answer("ehlo", self._greeting())
        elif verb == b"STARTTLS":
            self._answer("starttls", USUAL["starttls"] + self.server.behind_starttls)
            self._encrypt()
        elif verb == b"AUTH" and line.upper() == b"AUTH LOGIN":
            for prompt in (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"):
                self.sock.sendall(prompt)
                self.server.commands.append(self._line().decode())
            self._answer("auth")
        elif verb == b"DATA":
            if self._answer("data").startswith(b"354"):
                self._content()
        elif verb == b"QUIT":
            self._answer("quit")
            raise _EndError
        elif verb in (b"AUTH", b"MAIL", b"RCPT", b"RSET"):
            self._answer(verb.decode().lower())
        else:
            self.sock.sendall(b"500 5.5.2 what?\r\n")

    def _greeting(self) -> bytes:
        offers = list(self.server.offers)
        if self.is_encrypted and self.server.offers_in_tls is not None:
            offers = list(self.server.offers_in_tls)
        if self.server.tls and not self.is_encrypted:
            offers.append("STARTTLS")
        lines = ["test", *offers]
        return b"".join(
            f"250{'-' if n < len(lines) - 1 else ' '}{w}\r\n".encode() for n, w in enumerate(lines)
        )

    def _content(self) -> None:
        if "inside" in self.faults:
            while len(self.buffer) < INSIDE:
                self._receive()
            self._answer("inside")
        while not (self.buffer.startswith(b".\r\n") or b"\r\n.\r\n" in self.buffer):
            self._receive()
        end = 3 if self.buffer.startswith(b".\r\n") else self.buffer.index(b"\r\n.\r\n") + 5
        content, self.buffer = self.buffer[:end], self.buffer[end:]
        self.server.contents.append(content)
        if self._answer("dot").startswith(b"2"):
            self.server.accepted += 1

    def _answer(self, stage: Stage, usual: bytes | None = None) -> bytes:
        """What was written."""
        usual = USUAL.get(stage, b"") if usual is None else usual
        act = self.faults.get(stage)
        if act is None or isinstance(act, bytes):
            self.sock.sendall(usual if act is None else act)
            return usual if act is None else act
        if act == "drip":
            for n in range(10):
                self.sock.sendall(usual[n : n + 1])
                self._wait(0.08)
            self.sock.sendall(usual[10:])
            return usual
        if act == "late":
            self._wait(self.server.late_s)
            self.sock.sendall(usual)
            return usual
        if act == "552 and deaf":
            self.sock.sendall(b"552 5.3.4 too large\r\n")
            self.server._stopped.wait()
        if act == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if act == "hang":
            while not self.server._stopped.is_set():
                if select.select([self.sock], [], [], 0.02)[0] and not self.sock.recv(65536):
                    break
        raise _EndError

    def _wait(self, seconds: float) -> None:
        if self.server._stopped.wait(seconds):
            raise _EndError

    def _encrypt(self) -> None:
        assert self.server.tls is not None
        self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
        self.buffer, self.is_encrypted = b"", True

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._receive()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _receive(self) -> None:
        while not self.server._stopped.is_set():
            pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
            if pending or select.select([self.sock], [], [], 0.02)[0]:
                data = self.sock.recv(65536)
                if not data:
                    raise _EndError
                self.buffer += data
                return
        raise _EndError
