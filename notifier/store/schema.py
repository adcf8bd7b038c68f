"""The tables of the memory: one MetaData for every database.

Times are UTC and aware (`Utc` refuses naive ones), states are text with a named CHECK, positions count from 1.
`sqlite.py` holds what only SQLite can do; nothing here may.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

from notifier.editions.base import Kind, State
from notifier.mail.outbox import EntryState
from notifier.subscribers.subscriber import Standing

#: The newest revision in migrations/versions; revisions are counted, so that a newer one can be told from a strange one.
HEAD = "0001"

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Utc(TypeDecorator[datetime]):
    """An aware datetime, stored and given in UTC. A naive one is refused: nobody knows which hour it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Choice(TypeDecorator[StrEnum]):
    """A member of a StrEnum, stored as its text; the CHECK beside it keeps strangers out."""

    impl = String(20)
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.members(value)


def _one_of(column: str, members: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(m.value) for m in members)})", name=column)


def _text(name: str, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **more)


def _key(name: str = "id") -> Column[int]:
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _ref(name: str, to: str, **more: Any) -> Column[int]:
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), ForeignKey(to), nullable=False, **more)


def _time(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Utc, nullable=nullable)


metadata = MetaData(naming_convention=NAMES)

#: Small texts by name: instance, planned_until, hold, last_tick ...
note = Table("note", metadata, Column("name", Text, primary_key=True), _text("value"))

# The event stays JSON, not JSONB: the order of its languages has a meaning (the first is the last fallback).
snapshot = Table(
    "snapshot",
    metadata,
    Column("uid", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    _time("published_at"),
    _time("revised_at"),
    Column("is_baseline", Boolean, nullable=False),
    Column("event", JSON, nullable=False),
    PrimaryKeyConstraint("uid", "revision"),
)

subscriber = Table(
    "subscriber",
    metadata,
    _key(),
    _text("address"),
    _text("email"),
    _text("name"),
    Column("languages", JSON, nullable=False),
    Column("newsletters", JSON, nullable=False),
    Column("projects", JSON, nullable=False),
    Column("series", JSON, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("regions", JSON, nullable=False),
    Column("kinds", JSON, nullable=False),
    _text("frequency"),
    _text("timezone"),
    _text("country"),
    Column("groups", JSON, nullable=False),
    Column("wants_invitations", Boolean, nullable=False),
    Column("standing", Choice(Standing), nullable=False),
    _text("public_id"),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("address"),
    UniqueConstraint("public_id"),
    _one_of("standing", Standing),
)

# Append-only: a withdrawal is a new row, and so is a new wording.
consent = Table(
    "consent",
    metadata,
    _key(),
    _ref("subscriber_id", "subscriber.id", index=True),
    _text("act"),  # given | withdrawn
    _time("at"),
    _text("basis"),
    _text("source"),  # of a withdrawal: how it came
    _text("text"),
    _time("noted_at"),
    CheckConstraint("act IN ('given', 'withdrawn')", name="act"),
)

edition = Table(
    "edition",
    metadata,
    _key(),
    _text("key"),
    Column("kind", Choice(Kind), nullable=False),
    _text("newsletter"),
    Column("state", Choice(State), nullable=False),
    _text("mode"),
    _time("due"),
    _time("prepare_at", nullable=True),
    _time("useful_until"),
    _text("slot"),
    _text("cadence"),
    _text("offset"),
    _text("reason"),
    _text("approved_by"),
    _time("approved_at", nullable=True),
    _text("content_hash"),
    _time("date", nullable=True),
    _time("changed_at", nullable=True),
    UniqueConstraint("key"),
    Index(None, "state", "due"),
    _one_of("kind", Kind),
    _one_of("state", State),
    CheckConstraint("mode IN ('at-least-once', 'at-most-once')", name="mode"),
)

mention = Table(
    "mention",
    metadata,
    _ref("edition_id", "edition.id"),
    Column("ordinal", Integer, nullable=False),
    _text("uid", index=True),
    Column("revision", Integer, nullable=False),
    _text("occurrence"),
    _text("section"),
    PrimaryKeyConstraint("edition_id", "ordinal"),
)

page = Table(
    "page",
    metadata,
    _ref("edition_id", "edition.id"),
    Column("variant", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("edition_id", "variant"),
)

entry = Table(
    "entry",
    metadata,
    _ref("edition_id", "edition.id"),
    Column("position", Integer, nullable=False),
    _ref("subscriber_id", "subscriber.id", index=True),
    _text("variant"),
    Column("state", Choice(EntryState), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("doubt", Integer, nullable=False),
    _text("sender"),  # the process that claimed it last
    _text("token"),  # new with each claim
    _time("not_before", nullable=True),
    _text("reason"),
    _text("reply"),
    _text("message_id"),
    _time("updated_at"),
    PrimaryKeyConstraint("edition_id", "position"),
    UniqueConstraint("edition_id", "subscriber_id"),
    _one_of("state", EntryState),
    CheckConstraint("position > 0", name="position"),
)

#: Entries that still may move. Written with literals, not parameters: only so may a database use the partial index.
unfinished = entry.c.state.in_([literal_column(repr(s.value)) for s in EntryState if not s.is_final])
# PostgreSQL gets the same condition from its own module: naming it here would import that dialect for everybody.
Index(
    "ix_entry_unfinished",
    entry.c.edition_id,
    entry.c.position,
    sqlite_where=unfinished,
)

# Append-only: who did what, for `log` and for the one who asks a year later.
act = Table(
    "act",
    metadata,
    _key(),
    _time("at", nullable=False),
    _text("who"),
    _text("what"),
    _text("about"),  # an edition's key, a subscriber's public id, or empty
    _text("detail"),
    Index(None, "at"),
)

run = Table(
    "run",
    metadata,
    _key(),
    _time("started"),
    _time("ended", nullable=True),
    _text("host"),
    Column("pid", Integer, nullable=False),
    Column("summary", JSON, nullable=True),
    Index(None, "started"),
)

#: Alembic's own table, apart from the rest, so that creating a database needs no Alembic.
version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
