"""What we remember: revisions, editions, subscribers, the outbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifier.store.base import Store

__all__ = ["open_store"]


def open_store(url: str, state: Path, *, read_only: bool = False, create: bool = True) -> Store:
    """The memory at `url`; a relative SQLite path lies in `state`. See `sql.open_store`."""
    from notifier.store import sql  # a run that finds nothing due shall not pay for a database library

    return sql.open_store(url, state, read_only=read_only, create=create)
