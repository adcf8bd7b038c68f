"""The socket for engines: something that calls the tick again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol


class Engine(Protocol):
    """Calls `tick` at once and then every `every`, never two at a time, until it is told to stop."""

    def __call__(
        self, tick: Callable[[], object], *, every: timedelta, for_s: float | None = None
    ) -> None: ...
