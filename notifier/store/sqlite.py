"""Everything that only SQLite can do: the file, its rights, its locks, its backup."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from notifier.errors import StoreError
from notifier.store.database import WRITES
from notifier.store.state import make_folder

#: RETURNING, and the window functions and row values that the statements use.
OLDEST = (3, 35, 0)
BUSY_MS = 10_000
CACHE_KIB = 16_384


def engine(path: Path, *, read_only: bool = False) -> Engine:
    """Connections to the file at `path`: WAL, synchronous FULL, foreign keys, writers take the lock at BEGIN.

    A transaction that begins by reading and writes later fails at once with "database is locked", whatever the
    timeout, when another has written in between; so writers say BEGIN IMMEDIATE.
    """
    check_library(sqlite3.sqlite_version_info)

    def connect() -> sqlite3.Connection:
        mode = "ro" if read_only else "rw"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,  # BEGIN is ours to say
            check_same_thread=False,  # the pool lends a connection to one thread at a time
            timeout=BUSY_MS / 1000,
        )
        try:
            _settle_in(connection, read_only=read_only)
        except BaseException:
            connection.close()
            raise
        return connection

    made = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=5, max_overflow=20)
    event.listen(made, "begin", _begin)
    return made


def make_file(path: Path) -> None:
    """An empty file that only its owner may read, in a folder that only its owner may enter; one that is there stays."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # the files beside it (-wal, -shm) take over its rights
    finally:
        os.close(descriptor)


def backup(source: Engine, to: Path) -> None:
    """A copy of one moment, mode 0600, while others read and write. `to` must not exist."""
    descriptor = os.open(to, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    os.close(descriptor)  # VACUUM INTO takes an empty file and keeps its rights
    with source.connect() as connection:
        _driver(connection).execute("VACUUM INTO ?", (str(to),))


def quick_check(connection: Connection) -> None:
    """Nothing, if the pages of the file hang together.

    Raises:
        StoreError: they do not.
    """
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise StoreError(
            f"the database is damaged ({'; '.join(found)}): stop everything, keep a copy of it and restore the last backup"
        )


def check_foreign_keys(connection: Connection) -> None:
    """Nothing, if every reference finds its row; for the end of an upgrade, which works without the check."""
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if found:
        raise StoreError(
            f"the upgrade would leave {len(found)} rows without what they refer to; it was undone"
        )


def foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch the check of references; outside a transaction only, inside one SQLite ignores it."""
    _driver(connection).execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _driver(connection: Connection) -> sqlite3.Connection:
    """The connection below SQLAlchemy's, for what may not run inside a transaction."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _settle_in(connection: sqlite3.Connection, *, read_only: bool) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    # Every commit reaches the disk: a message is handed over only after that (NORMAL would lose it in a power cut).
    connection.execute("PRAGMA synchronous = FULL")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"cannot keep a write-ahead log here (journal mode {mode})")


def _begin(connection: Connection) -> None:
    writes: Any = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def check_library(found: tuple[int, ...]) -> None:
    if found < OLDEST:
        have, need = (".".join(map(str, v)) for v in (found, OLDEST))
        raise StoreError(f"SQLite {have} is too old: {need} or newer is needed; install a newer Python")
