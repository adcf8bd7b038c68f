"""The memory in a database: open it, bring it up to date, make sure that it is ours."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from notifier.errors import StoreError
from notifier.store import base, notes, schema, sqlite
from notifier.store.act_records import ActRecords
from notifier.store.database import Database
from notifier.store.edition_records import EditionRecords
from notifier.store.event_records import EventRecords
from notifier.store.outbox_records import OutboxRecords
from notifier.store.state import instance_of, make_instance, put_instance
from notifier.store.subscriber_records import SubscriberRecords


class SqlStore:
    """The whole memory on one database; `open_store` gives it."""

    def __init__(self, database: Database, instance_id: str) -> None:
        self._database = database
        self._instance_id = instance_id
        self.events: base.EventRecords = EventRecords(database)
        self.editions: base.EditionRecords = EditionRecords(database)
        self.outbox: base.OutboxRecords = OutboxRecords(database)
        self.subscribers: base.SubscriberRecords = SubscriberRecords(database)
        self.acts: base.ActRecords = ActRecords(database)

    @property
    def instance_id(self) -> str:
        return self._instance_id

    def note(self, name: str, value: str | None) -> None:
        with self._database.write() as connection:
            notes.put(connection, name, value)

    def noted(self, name: str) -> str | None:
        with self._database.read() as connection:
            return notes.get(connection, name)

    def hold_all(self, reason: str | None, now: datetime) -> None:
        with self._database.write() as connection:
            notes.put(connection, notes.HOLD, reason)
            notes.put(connection, notes.HOLD_SINCE, None if reason is None else now.isoformat())

    @property
    def hold(self) -> str | None:
        return self.noted(notes.HOLD)

    def close(self) -> None:
        self._database.close()


def open_store(
    url: str, state: Path, *, read_only: bool = False, create: bool = True, check: bool = False
) -> SqlStore:
    """The memory at `url`, up to date; a relative SQLite path lies in `state`.

    A missing database is created unless `read_only` or not `create`; an older one is backed up beside itself and
    upgraded. `check` reads every page of the file first (seconds for a large one).

    Raises:
        StoreError: it is missing, damaged, of a newer schema, or belongs to another state folder.
    """
    path = _path(url, state)
    if not path.exists():
        if read_only or not create:
            raise _no_database(path)
        sqlite.make_file(path)
    database = Database(sqlite.engine(path, read_only=read_only), str(path))
    try:
        with database.read() as connection:
            found = _version(connection)
            if check:
                sqlite.quick_check(connection)
        if found != schema.HEAD:
            _bring_up_to_date(database, path, state, found, may_write=create and not read_only)
        return SqlStore(database, _owned(database, state))
    except BaseException:
        database.close()
        raise


def adopt(url: str, state: Path) -> str:
    """Make this state folder the owner of the database; its new id. Whoever owned it before is refused from now on."""
    path = _path(url, state)
    if not path.exists():
        raise _no_database(path)
    database = Database(sqlite.engine(path), str(path))
    try:
        instance = secrets.token_hex(8)
        with database.write() as connection:
            if _version(connection) is None:
                raise _no_database(path)
            notes.put(connection, notes.INSTANCE, instance)
        put_instance(state, instance)
        return instance
    finally:
        database.close()


def _path(url: str, state: Path) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"not a database URL: {url!r}; write for example sqlite:///notifier.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(
            f"no store for {parsed.get_backend_name()}: this version keeps its memory in SQLite, sqlite:///notifier.db"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(
            f"{url}: the memory needs a file that stays; write for example sqlite:///notifier.db"
        )
    return state / parsed.database


def _no_database(path: Path) -> StoreError:
    return StoreError(f"{path}: there is no database yet; `notifier tick` makes it")


def _version(connection: Connection) -> str | None:
    """The revision of the schema; None for a database without tables of ours."""
    if not inspect(connection).has_table(schema.version.name):
        return None
    found: str | None = connection.scalar(select(schema.version.c.version_num))
    return found


def _bring_up_to_date(
    database: Database, path: Path, state: Path, found: str | None, *, may_write: bool
) -> None:
    if found is None:
        if not may_write:
            raise _no_database(path)
        _create(database, make_instance(state))
    elif not found.isdecimal() or found > schema.HEAD:
        raise StoreError(
            f"{path}: the database has schema {found}, this program knows {schema.HEAD} and older; "
            "install the notifier that wrote it, or restore a backup from before its upgrade"
        )
    elif not may_write:
        raise StoreError(
            f"{path}: the database has schema {found}, this program needs {schema.HEAD}; `notifier tick` upgrades it"
        )
    else:
        from notifier.store.upgrade import (
            upgrade,
        )  # Alembic costs a third of a second: only when there is work

        upgrade(database, path)


def _create(database: Database, instance: str) -> None:
    """All tables at once; what the migrations would make, which a test compares."""
    with database.write() as connection:
        if _version(connection) is not None:
            return  # another process was faster
        if inspect(connection).get_table_names():
            raise StoreError(f"{database.place}: a database of another program; choose another file")
        schema.metadata.create_all(connection, checkfirst=False)
        schema.version.create(connection)
        connection.execute(insert(schema.version).values(version_num=schema.HEAD))
        notes.put(connection, notes.INSTANCE, instance)


def _owned(database: Database, state: Path) -> str:
    with database.read() as connection:
        stored = notes.get(connection, notes.INSTANCE) or ""
    here = instance_of(state)
    if stored != here:
        raise StoreError(
            f"{database.place} belongs to another state folder (its instance is {stored or 'none'}, that of {state} is "
            f"{here or 'none'}): a copy must not send. If this host owns it now, run `notifier db adopt`"
        )
    return stored
