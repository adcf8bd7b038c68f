"""The socket for transports: open a wire, send messages, get receipts."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from notifier.mail.outbox import Outcome, Receipt
from notifier.mail.page import Message

__all__ = ["Message", "Outcome", "Receipt", "Transport", "Wire"]


class Wire(Protocol):
    """An open way out. One message at a time; a wire that broke is closed and opened anew by its owner."""

    def send(self, message: Message, before_content: Callable[[], None]) -> Receipt:
        """The receipt of one message.

        `before_content` is called once, directly before the first byte of content leaves (after MAIL, RCPT and DATA
        were accepted). If it raises, no content is sent and the exception passes through.

        Raises:
            DeliveryError: the relay as a whole refuses work (login, sender, TLS); no recipient is to blame.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Transport(Protocol):
    """A configured way out."""

    #: Sample addresses (example.org, .test ...) may be written to: a folder, memory, or a relay on loopback.
    takes_samples: bool

    def open(self) -> Wire:
        """An open wire.

        Raises:
            DeliveryError: no connection, no TLS, or the login was refused.
        """
        ...
