"""How entries and editions come to their end when nobody sends them any more.

Each function works within the transaction of its caller; `OutboxRecords` is their face.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, not_, or_, select, update

from notifier.editions.base import State
from notifier.mail.outbox import MAX_REPEATS, EntryState
from notifier.store.edition_records import LEFT_OVER, UNSENT, end_entries
from notifier.store.entry_rows import HELD_BY_SENDER, SENDS, UNCLAIMED, give_back, query, supersede_gone
from notifier.store.schema import edition as editions
from notifier.store.schema import entry as entries
from notifier.store.schema import unfinished


def recover(connection: Connection, dead: list[str], now: datetime) -> tuple[int, int]:
    """What dead senders held: claimed -> planned, handed -> unknown with one doubt more; (returned, unknown)."""
    unknown = connection.execute(
        update(entries)
        .where(unfinished, entries.c.sender.in_(dead), entries.c.state == EntryState.HANDED)
        .values(state=EntryState.UNKNOWN, doubt=entries.c.doubt + 1, updated_at=now)
    )
    return give_back(connection, dead, now), unknown.rowcount


def resend_unknown(connection: Connection, at: datetime, now: datetime) -> int:
    """unknown -> deferred until `at`, where the policy lets it; how many."""
    sendable = select(editions.c.id).where(
        editions.c.id == entries.c.edition_id,
        editions.c.mode == "at-least-once",
        editions.c.state == State.OPEN,
        editions.c.useful_until > at,
    )
    again = connection.execute(
        update(entries)
        .where(
            unfinished,
            entries.c.state == EntryState.UNKNOWN,
            entries.c.doubt <= MAX_REPEATS,
            sendable.exists(),
        )
        .values(state=EntryState.DEFERRED, not_before=at, sender="", token="", updated_at=now)
    )
    return again.rowcount


def settle_unknown(connection: Connection, key: str, position: int, *, as_sent: bool, now: datetime) -> bool:
    """unknown -> accepted or deferred by a person's word; whether that was possible."""
    wanted = and_(editions.c.key == key, entries.c.position == position)
    row = connection.execute(query().where(wanted).with_for_update(of=entries)).first()
    if row is None or row.state is not EntryState.UNKNOWN:
        return False
    if not as_sent and (row.edition_state not in SENDS or row.useful_until <= now):
        return False
    values: dict[str, Any] = {"state": EntryState.ACCEPTED}
    if not as_sent:
        values = {"state": EntryState.DEFERRED, "not_before": now, "sender": "", "token": ""}
    connection.execute(
        update(entries)
        .where(entries.c.edition_id == row.edition_id, entries.c.position == position)
        .values(**values, updated_at=now)
    )
    return True


def finish(connection: Connection, now: datetime) -> set[str]:
    """Entries and editions whose time is over, and editions that have nothing left to send; keys that changed."""
    changed = _end_late_entries(connection, now)
    supersede_gone(connection, now, unfinished)
    late = and_(editions.c.state.in_(UNSENT), editions.c.useful_until <= now)
    changed |= _end_editions(connection, late, State.EXPIRED, now)
    is_over = or_(editions.c.state == State.OPEN, editions.c.useful_until <= now)
    over = and_(editions.c.state.in_([State.OPEN, State.PAUSED]), is_over, not_(_has_work(now)))
    changed |= _end_editions(connection, over, State.DONE, now)
    drained = and_(editions.c.state == State.DRAINING, not_(_has_work(now)))
    changed |= _end_editions(connection, drained, State.SUPERSEDED, now)
    return changed


def _end_late_entries(connection: Connection, now: datetime) -> set[str]:
    """Expire what came too late, and let go what a sender gave back after its edition had ended."""
    ended = [State.SUPERSEDED, State.CANCELLED, State.EXPIRED]
    late = connection.execute(
        select(editions.c.id, editions.c.key, editions.c.state).where(
            or_(editions.c.useful_until <= now, editions.c.state.in_(ended)),
            exists()
            .where(entries.c.edition_id == editions.c.id, unfinished, entries.c.state.in_(UNCLAIMED))
            .correlate(editions),
        )
    ).all()
    for row in late:
        state = LEFT_OVER[row.state] if row.state in ended else EntryState.EXPIRED
        end_entries(connection, row.id, state, now)
    return {row.key for row in late}


def _has_work(now: datetime) -> ColumnElement[bool]:
    """Whether an edition has an entry that may still be sent without a person's word."""
    again = and_(
        entries.c.state == EntryState.UNKNOWN,
        entries.c.doubt <= MAX_REPEATS,
        editions.c.mode == "at-least-once",
        editions.c.useful_until > now,
    )
    return (
        exists()
        .where(
            entries.c.edition_id == editions.c.id,
            unfinished,
            or_(entries.c.state.in_([*UNCLAIMED, *HELD_BY_SENDER]), again),
        )
        .correlate(editions)
    )


def _end_editions(
    connection: Connection, which: ColumnElement[bool], state: State, now: datetime
) -> set[str]:
    found = connection.execute(select(editions.c.id, editions.c.key).where(which).with_for_update()).all()
    if found:
        connection.execute(
            update(editions)
            .where(editions.c.id.in_([row.id for row in found]))
            .values(state=state, changed_at=now)
        )
    return {row.key for row in found}
