"""The ledger on a disk that is full, or held by somebody for too long: it says so, sends nothing, and goes on later."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers import a_subscriber, an_edition
from sqlalchemy.exc import IntegrityError

from notifier.errors import StoreError
from notifier.mail.outbox import EntryState
from notifier.store import open_store, sqlite
from notifier.store.database import Database
from notifier.store.sql import SqlStore
from notifier.subscribers.subscriber import Recipient, Variant

NOW = datetime(2020, 4, 21, 6, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A store with one open entry, through one pooled connection whose limits a test may set."""
    store = open_store("sqlite:///notifier.db", tmp_path)
    store.subscribers.put([a_subscriber()], NOW)
    store.editions.plan([an_edition()], NOW)
    chosen = [Recipient(s, Variant(("en",), (), "v"), "") for s in store.subscribers.all()]
    store.outbox.address(an_edition().key, chosen, NOW)
    store.close()
    opened = Database(sqlite.engine(tmp_path / "notifier.db"), str(tmp_path / "notifier.db"))
    yield opened
    opened.close()


def limit(database: Database, pragma: str) -> None:
    with database.read() as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")


def test_a_full_disk_refuses_the_step_and_loses_nothing(database: Database) -> None:
    store = SqlStore(database, "")
    limit(database, "max_page_count = 1")  # not smaller than it is: no page may be added

    with pytest.raises(StoreError, match=r"full; free some space"):
        for n in range(99):
            store.note(f"n{n}", "x" * 4000)
    kept = store.noted("n0")
    limit(database, "max_page_count = 100000")
    store.note("after", "x" * 4000)

    assert kept in (None, "x" * 4000)
    assert store.noted("after")
    assert [e.state for e in store.outbox.entries()] == [EntryState.PLANNED]


def test_a_store_that_another_holds_for_too_long_says_so_and_hands_nothing_over(
    database: Database, tmp_path: Path
) -> None:
    # Given a claimed entry, and a process that holds the write lock
    store = SqlStore(database, "")
    (entry,) = store.outbox.claim("s", NOW, 1)
    limit(database, "busy_timeout = 50")
    other = sqlite3.connect(tmp_path / "notifier.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    # When the entry is to be handed over, it is not, and reading goes on
    with pytest.raises(StoreError, match="another process writes"):
        store.outbox.hand(entry, NOW)
    assert [e.state for e in store.outbox.entries()] == [EntryState.CLAIMED]

    # Then it can be once the lock is free
    other.execute("ROLLBACK")
    other.close()
    assert store.outbox.hand(entry, NOW)


def test_our_own_mistakes_are_not_blamed_on_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.exec_driver_sql("UPDATE entry SET state = 'lost'")
