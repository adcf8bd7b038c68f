"""A relay by its URL: where it is, what it speaks, who logs in, and whether the way there may be in the clear."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import unquote, urlsplit

from notifier.errors import DeliveryError

Tls = Literal["required", "none"]

_PORTS = {"smtp": 25, "smtps": 465, "lmtp": 24}
SUBMISSION = 587


@dataclass(frozen=True)
class Relay:
    """One relay. `path` is a Unix socket (LMTP only); then host and port are empty."""

    scheme: str  # smtp smtps lmtp
    host: str
    port: int
    user: str = ""  # empty: no login
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Relay:
        """The relay of `smtp://user@host:port`, `smtps://`, `lmtp://host` or `lmtp:///path/to/socket`.

        Without a port: 25, with a user 587; smtps 465; lmtp 24.

        Raises:
            ValueError: not such a URL, or one that holds a password; the text never repeats it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # its text would show what may be a password
            raise ValueError("the host or port of the relay's URL cannot be read") from None
        if parts.scheme not in _PORTS:
            raise ValueError("write smtp://, smtps:// or lmtp:// and the name of the relay")
        if parts.password is not None:
            raise ValueError('a password does not belong into the URL; write password = "credential:NAME"')
        user, host = unquote(parts.username or ""), parts.hostname or ""
        if parts.query or parts.fragment or any(ord(c) <= 32 or ord(c) == 127 for c in user + host):
            raise ValueError("a relay's URL is scheme, user, host and port, nothing else")
        if not host and parts.scheme == "lmtp" and parts.path.startswith("/"):
            return cls("lmtp", "", 0, user, parts.path)
        if not host or parts.path not in ("", "/"):
            raise ValueError("name the host of the relay, and nothing behind its port")
        usual = SUBMISSION if user and parts.scheme == "smtp" else _PORTS[parts.scheme]
        return cls(parts.scheme, host, port or usual, user)

    @property
    def name(self) -> str:
        """For messages, receipts and logs."""
        return self.path or f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """On this machine, by its address or its name of the standards, not by what a name server says."""
        return bool(self.path) or is_loopback(self.host)

    def connect(self, timeout_s: float, *, must_be_local: bool) -> socket.socket:
        """A connected socket.

        Raises:
            DeliveryError: no connection; or it would leave this machine and must not.
        """
        try:
            if self.path:
                sock = socket.socket(socket.AF_UNIX)
                sock.settimeout(timeout_s)
                sock.connect(self.path)
                return sock
            sock = socket.create_connection((self.host, self.port), timeout=timeout_s)
            peer = sock.getpeername()[0]
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise DeliveryError(
                f"{self.name}: no connection: {why}", temporary=True, server=self.name
            ) from error
        if must_be_local and not is_loopback(peer):
            sock.close()
            raise DeliveryError(
                f"{self.name}: leads away from this machine, and not without TLS",
                temporary=False,
                server=self.name,
            )
        return sock


def is_loopback(host: str) -> bool:
    if host == "localhost":  # RFC 6761 6.3: never another machine
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
