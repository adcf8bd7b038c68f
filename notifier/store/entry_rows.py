"""The rows of the ledger: how they are made, asked for and read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, not_, or_, select, update

from notifier.editions.base import Mention, State
from notifier.mail.outbox import Entry, EntryState
from notifier.store import notes
from notifier.store.base import Told
from notifier.store.database import Found
from notifier.store.schema import edition as editions
from notifier.store.schema import entry as entries
from notifier.store.schema import subscriber as subscribers
from notifier.store.schema import unfinished
from notifier.subscribers.subscriber import Recipient, Standing

UNCLAIMED = (EntryState.PLANNED, EntryState.DEFERRED)
HELD_BY_SENDER = (EntryState.CLAIMED, EntryState.HANDED)
#: An open edition sends; a finished one only what a person sent again by hand.
SENDS = (State.OPEN, State.DONE)

is_confirmed = (
    exists()
    .where(subscribers.c.id == entries.c.subscriber_id, subscribers.c.standing == Standing.CONFIRMED)
    .correlate(entries)
)


def new_rows(edition_id: int, recipients: Iterable[Recipient], now: datetime) -> list[dict[str, Any]]:
    """Planned entries, numbered from 1 in the order of `recipients`."""
    return [
        {
            "edition_id": edition_id,
            "position": position,
            "subscriber_id": r.subscriber.id,
            "variant": r.variant.key,
            "state": EntryState.PLANNED,
            "attempt": 0,
            "doubt": 0,
            "sender": "",
            "token": "",
            "reason": r.reason,
            "reply": "",
            "message_id": "",
            "updated_at": now,
        }
        for position, r in enumerate(recipients, start=1)
    ]


def query() -> Select[Any]:
    """Entries with what `as_entry` needs of their edition."""
    columns = (editions.c.key, editions.c.state.label("edition_state"), editions.c.useful_until)
    return select(entries, *columns).select_from(entries.join(editions))


def is_due(now: datetime) -> ColumnElement[bool]:
    """Whether an entry may be claimed; for a query that joins its edition."""
    waited = and_(entries.c.state == EntryState.DEFERRED, entries.c.not_before <= now)
    return and_(
        unfinished,
        or_(entries.c.state == EntryState.PLANNED, waited),
        editions.c.state.in_(SENDS),
        editions.c.useful_until > now,
        is_confirmed,
        not_(notes.on_hold),
    )


def is_row(entry: Entry) -> ColumnElement[bool]:
    return and_(entries.c.edition_id == entry.edition_id, entries.c.position == entry.position)


def give_back(connection: Connection, senders: list[str], now: datetime) -> int:
    """claimed -> planned, as if it had not been tried; how many."""
    returned = connection.execute(
        update(entries)
        .where(unfinished, entries.c.sender.in_(senders), entries.c.state == EntryState.CLAIMED)
        .values(state=EntryState.PLANNED, sender="", token="", attempt=entries.c.attempt - 1, updated_at=now)
    )
    return returned.rowcount


def supersede_gone(connection: Connection, now: datetime, which: ColumnElement[bool]) -> None:
    """Unclaimed entries of people who left, or are suppressed, or were never confirmed."""
    connection.execute(
        update(entries)
        .where(which, entries.c.state.in_(UNCLAIMED), not_(is_confirmed))
        .values(state=EntryState.SUPERSEDED, not_before=None, updated_at=now)
    )


def as_entry(row: Found, *, claimed_under: str = "", now: datetime | None = None) -> Entry:
    """The row as a value; just claimed, with the token and the time that the UPDATE gave it."""
    return Entry(
        edition=row.key,
        edition_id=row.edition_id,
        position=row.position,
        subscriber=row.subscriber_id,
        variant=row.variant,
        state=EntryState.CLAIMED if claimed_under else row.state,
        attempt=row.attempt + 1 if claimed_under else row.attempt,
        doubt=row.doubt,
        token=claimed_under or row.token,
        not_before=None if claimed_under else row.not_before,
        reason=row.reason,
        reply=row.reply,
        updated_at=now or row.updated_at,
    )


def as_told(row: Found) -> Told:
    spoken = Mention(row.uid, row.revision, row.occurrence, row.section)
    return Told(row.key, row.kind.value, spoken, row.state, row.message_id, row.updated_at)
