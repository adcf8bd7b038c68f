"""A connection to the memory that knows reading from writing, and says in words what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from notifier.errors import StoreError

#: The execution option that a writing transaction carries; sqlite.py takes the write lock at its start.
WRITES = "notifier_writes"

#: One row of an answer, whatever was asked for.
Found = Row[*tuple[Any, ...]]


class Database:
    """Transactions on one database. `write` commits at the end of its block, or leaves no trace."""

    def __init__(self, engine: Engine, place: str) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self.place = place  # as a person would name it, without a password

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view."""
        with self._in_words(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, durable when the block has ended."""
        with self._in_words(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise  # ours, not the database's: a bug must look like one
        except DatabaseError as error:
            raise StoreError(f"{self.place}: {error.orig}; {_way_out(str(error.orig))}") from error


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose keys are not there yet; how many that were."""
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    statement = insert(table).on_conflict_do_nothing()
    return sum(connection.execute(statement, dict(row)).rowcount for row in rows)


def _way_out(words: str) -> str:
    if "locked" in words or "busy" in words:
        return "another process writes for longer than the store waits; try again"
    if "full" in words:
        return "free some space and run it again: nothing was lost"
    if "readonly" in words or "read-only" in words:
        return "the file or its folder may not be written by this user"
    if "not a database" in words or "malformed" in words:
        return "the file is damaged: stop everything, keep a copy of it and restore the last backup"
    return "look at the disk and the file's rights, then run it again"
