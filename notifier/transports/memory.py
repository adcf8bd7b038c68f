"""Mail into memory: the smallest transport, and the one to copy for a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from notifier.mail.outbox import Outcome, Receipt
from notifier.mail.page import Message
from notifier.transports import gate


class MemoryTransport:
    """Keeps every message in `sent`, in the order of sending; all wires share it."""

    takes_samples = True

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def open(self) -> MemoryWire:
        return MemoryWire(self.sent)


def from_url(url: str, *, password: str = "", tls: str = "required", root: Path = Path()) -> MemoryTransport:
    """A transport of its own for `memory:`; nothing else has a meaning here. Raises ValueError: another URL."""
    if url != "memory:":
        raise ValueError('write "memory:" and nothing behind it')
    return MemoryTransport()


class MemoryWire:
    def __init__(self, sent: list[Message]) -> None:
        self._sent = sent

    def send(self, message: Message, before_content: Callable[[], None]) -> Receipt:
        """Always accepted. Raises GateError: see `gate.check`."""
        gate.check(message)
        before_content()
        self._sent.append(message)
        return Receipt(Outcome.ACCEPTED, 250, "2.0.0", "kept", "content", "memory")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
