"""Small texts by name, for use within a transaction."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from notifier.store.database import insert_new
from notifier.store.schema import note

INSTANCE = "instance"
HOLD = "hold"
HOLD_SINCE = "hold_since"
PLANNED_UNTIL = "planned_until"

#: True while nothing may be sent; for the WHERE of whatever sends.
on_hold: ColumnElement[bool] = exists().where(note.c.name == HOLD)


def get(connection: Connection, name: str) -> str | None:
    found: str | None = connection.scalar(select(note.c.value).where(note.c.name == name))
    return found


def put(connection: Connection, name: str, value: str | None) -> None:
    """Keep the text in the place of the one before; None forgets it."""
    if value is None:
        connection.execute(delete(note).where(note.c.name == name))
    elif not insert_new(connection, note, [{"name": name, "value": value}]):
        connection.execute(update(note).where(note.c.name == name).values(value=value))


def get_time(connection: Connection, name: str) -> datetime | None:
    text = get(connection, name)
    return None if text is None else datetime.fromisoformat(text)


def advance(connection: Connection, name: str, to: datetime) -> None:
    """Keep the later of `to` and what is there, also when two advance it at once."""
    if to.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {to.isoformat()}")
    text = to.astimezone(UTC).isoformat(
        timespec="microseconds"
    )  # of one form, so that texts compare as times do
    if not insert_new(connection, note, [{"name": name, "value": text}]):
        connection.execute(update(note).where(note.c.name == name, note.c.value < text).values(value=text))


def set_time(connection: Connection, name: str, to: datetime) -> None:
    """Keep `to`, also if it is earlier than what is there."""
    put(connection, name, to.astimezone(UTC).isoformat(timespec="microseconds"))
