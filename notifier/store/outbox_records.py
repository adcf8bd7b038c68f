"""The ledger: one entry per (edition, subscriber), and every step it takes on its way out.

Each step is one transaction that names the state it expects and, while somebody has the entry, his token; so a step
that comes twice, late, or from a sender that was given up changes nothing (spec: delivery, section 3).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    exists,
    func,
    insert,
    not_,
    select,
    update,
)

from notifier.editions.base import State
from notifier.mail.outbox import Entry, EntryState
from notifier.store import act_records, endings, notes
from notifier.store.base import Told
from notifier.store.database import Database, Found, insert_new
from notifier.store.entry_rows import (
    HELD_BY_SENDER,
    SENDS,
    UNCLAIMED,
    as_entry,
    as_told,
    give_back,
    is_confirmed,
    is_due,
    is_row,
    new_rows,
    query,
    supersede_gone,
)
from notifier.store.schema import edition as editions
from notifier.store.schema import entry as entries
from notifier.store.schema import mention as mentions
from notifier.store.schema import page as page_rows
from notifier.store.schema import unfinished
from notifier.subscribers.subscriber import Recipient

Entries = list[Entry]

#: From which states a sender may settle into which. UNKNOWN: a late reply is a proof of what became of it.
SETTLES = {
    EntryState.ACCEPTED: (EntryState.HANDED, EntryState.UNKNOWN),
    EntryState.FAILED: (EntryState.CLAIMED, EntryState.HANDED, EntryState.UNKNOWN),
    EntryState.UNKNOWN: (EntryState.HANDED,),
    EntryState.DEFERRED: (EntryState.CLAIMED, EntryState.HANDED),
    EntryState.PLANNED: (EntryState.CLAIMED, EntryState.HANDED),
    EntryState.SUPERSEDED: (EntryState.CLAIMED,),
    EntryState.EXPIRED: (EntryState.CLAIMED,),
}
MAX_REPLY = 500

_MENTION = ("uid", "revision", "occurrence", "section")


class OutboxRecords:
    """Entries of all editions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # The way out

    def address(
        self,
        key: str,
        recipients: Iterable[Recipient],
        now: datetime,
        *,
        pages: Mapping[str, bytes] | None = None,
        content_hash: str | None = None,
    ) -> int:
        """Fill the outbox of an edition, keep its pages and open it, all in one transaction and once; how many entries it made.

        `pages`: variant -> page. With `content_hash`, only if this is what the edition was frozen with: another run
        may have frozen something else since. Only a planned edition, or a waiting one that was approved, opens. Its stored Date becomes `now`. Without
        recipients it goes straight to done. 0 when it was open already. Who left since the audience was chosen keeps a
        place, superseded.
        """
        chosen = {r.subscriber.id: r for r in recipients}  # each once, in order
        with self._database.write() as connection:
            found = connection.execute(
                select(editions.c.id, editions.c.state, editions.c.approved_by, editions.c.content_hash)
                .where(editions.c.key == key)
                .with_for_update()
            ).first()
            if found is None or not _may_open(found):
                return 0
            if content_hash is not None and found.content_hash != content_hash:
                return 0
            kept = [
                {"edition_id": found.id, "variant": v, "content": raw} for v, raw in (pages or {}).items()
            ]
            if kept:
                insert_new(connection, page_rows, kept)
            opened = State.OPEN if chosen else State.DONE
            connection.execute(
                update(editions)
                .where(editions.c.id == found.id)
                .values(state=opened, date=now, reason="", changed_at=now)
            )
            if chosen:
                connection.execute(insert(entries), new_rows(found.id, chosen.values(), now))
                supersede_gone(connection, now, entries.c.edition_id == found.id)
        return len(chosen)

    def claim(self, sender: str, now: datetime, limit: int) -> Entries:
        """Entries that are due, at most `limit`, in order; each goes to one sender, under a new fencing token.

        Due: planned, or deferred with not_before passed, of open editions not past useful_until and not under
        hold --all, whose subscriber is still confirmed.
        """
        token = secrets.token_hex(8)
        with self._database.write() as connection:
            rows = connection.execute(
                query()
                .where(is_due(now))
                .order_by(editions.c.due, entries.c.edition_id, entries.c.position)
                .limit(limit)
                .with_for_update(of=entries, skip_locked=True)
            ).all()
            for edition_id, of_one in groupby(rows, key=lambda row: row.edition_id):
                connection.execute(
                    update(entries)
                    .where(
                        entries.c.edition_id == edition_id,
                        entries.c.position.in_([row.position for row in of_one]),
                        entries.c.state.in_(UNCLAIMED),
                    )
                    .values(
                        state=EntryState.CLAIMED,
                        sender=sender,
                        token=token,
                        attempt=entries.c.attempt + 1,
                        not_before=None,
                        updated_at=now,
                    )
                )
        return [as_entry(row, claimed_under=token, now=now) for row in rows]

    def hand(self, entry: Entry, now: datetime, *, message_id: str = "") -> bool:
        """claimed -> handed, committed durably before content leaves.

        False: the claim was lost, the edition is no longer open or useful, everything is on hold, or the subscriber
        left; then nothing may be sent. `message_id` is kept at once, so that an entry whose sender dies has it.
        """
        with self._database.write() as connection:
            handed = connection.execute(
                update(entries)
                .where(
                    is_row(entry),
                    entries.c.token == entry.token,
                    entries.c.state == EntryState.CLAIMED,
                    exists().where(
                        editions.c.id == entries.c.edition_id,
                        editions.c.state.in_(SENDS),
                        editions.c.useful_until > now,
                    ),
                    is_confirmed,
                    not_(notes.on_hold),
                )
                .values(
                    state=EntryState.HANDED, message_id=message_id or entries.c.message_id, updated_at=now
                )
            )
        return handed.rowcount == 1

    def settle(
        self,
        entry: Entry,
        state: EntryState,
        now: datetime,
        *,
        reply: str = "",
        not_before: datetime | None = None,
        counts_as_doubt: bool = False,
        message_id: str = "",
    ) -> bool:
        """Note the outcome if the entry's token still matches and the state can be reached from where it is; whether it did.

        What content was sent of without a final reply is UNKNOWN and always counts as a doubt; DEFERRED counts when it
        is said. PLANNED gives the entry back as if it had not been tried. A reply that comes after recovery gave the
        sender up still settles the unknown entry, until that is sent again.
        """
        if state is EntryState.DEFERRED and not_before is None:
            raise ValueError("a deferred entry needs the time of its next attempt")
        is_doubt = state is EntryState.UNKNOWN or (state is EntryState.DEFERRED and counts_as_doubt)
        values: dict[str, Any] = {
            "state": state,
            "reply": reply[:MAX_REPLY] or entries.c.reply,
            "not_before": not_before if state is EntryState.DEFERRED else None,
            "doubt": entries.c.doubt + (1 if is_doubt else 0),
            "attempt": entries.c.attempt - (1 if state is EntryState.PLANNED else 0),
            "message_id": message_id or entries.c.message_id,
            "updated_at": now,
        }
        if state in UNCLAIMED:
            values |= {"sender": "", "token": ""}
        with self._database.write() as connection:
            settled = connection.execute(
                update(entries)
                .where(
                    is_row(entry),
                    entries.c.token == entry.token,
                    entries.c.token != "",
                    entries.c.state.in_(SETTLES.get(state, ())),
                )
                .values(**values)
            )
        return settled.rowcount == 1

    def release(self, sender: str, now: datetime) -> int:
        """claimed -> planned for what this sender did not hand over; how many."""
        with self._database.write() as connection:
            return give_back(connection, [sender], now)

    # What went wrong

    def senders(self) -> list[str]:
        """Senders that hold claimed or handed entries."""
        query = (
            select(entries.c.sender)
            .where(unfinished, entries.c.state.in_(HELD_BY_SENDER))
            .distinct()
            .order_by(entries.c.sender)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def recover(self, is_alive: Mapping[str, bool], now: datetime) -> tuple[int, int]:
        """For senders that are dead: claimed -> planned, handed -> unknown with one doubt more; (returned, unknown).

        A sender that is not named counts as alive: ask for `senders()` first, then who of them lives. So nobody who
        begins in between is taken for dead.
        """
        dead = [sender for sender, lives in is_alive.items() if not lives]
        if not dead:
            return 0, 0
        with self._database.write() as connection:
            return endings.recover(connection, dead, now)

    def resend_unknown(self, now: datetime, *, not_before: datetime | None = None) -> int:
        """unknown -> deferred for open at-least-once editions, at most twice an entry; how many.

        An entry in doubt for the third time stays listed: a server that accepts and always cuts is not fed for ever.
        """
        with self._database.write() as connection:
            return endings.resend_unknown(connection, not_before or now, now)

    def settle_unknown(self, key: str, position: int, *, as_sent: bool, who: str, now: datetime) -> bool:
        """What a person decided about an unknown entry: treat it as sent, or send it again; whether that was possible.

        It is noted as that person's act. Sent again it can be while the edition is useful.
        """
        with self._database.write() as connection:
            done = endings.settle_unknown(connection, key, position, as_sent=as_sent, now=now)
            if done:
                what = "treat as sent" if as_sent else "send again"
                act_records.add(connection, who, what, now, about=key, detail=f"entry {position}")
        return done

    # The end

    def finish(self, now: datetime) -> list[str]:
        """Bring to an end what has come to it; the keys of the editions that changed, in order.

        Unclaimed entries expire after useful_until, and are superseded with their edition or when their subscriber
        is gone. Editions that never opened expire; open ones with nothing left that could still be sent are done.
        """
        with self._database.write() as connection:
            return sorted(endings.finish(connection, now))

    # Questions

    def entries(
        self,
        *,
        edition: str | None = None,
        states: Iterable[EntryState] | None = None,
        subscriber: int | None = None,
        limit: int | None = None,
    ) -> Entries:
        """Entries by edition and position."""
        asked = query().order_by(entries.c.edition_id, entries.c.position).limit(limit)
        if edition is not None:
            asked = asked.where(_key_is(edition))
        if states is not None:
            asked = asked.where(entries.c.state.in_(list(states)))
        if subscriber is not None:
            asked = asked.where(entries.c.subscriber_id == subscriber)
        with self._database.read() as connection:
            return [as_entry(row) for row in connection.execute(asked)]

    def counts(self, edition: str | None = None) -> dict[EntryState, int]:
        """How many there are of each state, zeros too."""
        query = select(entries.c.state, func.count()).group_by(entries.c.state)
        if edition is not None:
            query = query.where(entries.c.edition_id == _id_of(edition))
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in EntryState}

    def has_due(self, now: datetime) -> bool:
        """Whether a sender would find something to claim now."""
        due = select(entries.c.position).select_from(entries.join(editions)).where(is_due(now)).limit(1)
        with self._database.read() as connection:
            return connection.execute(due).first() is not None

    def next_retry(self) -> datetime | None:
        """When the next deferred entry is due."""
        query = (
            select(func.min(entries.c.not_before))
            .select_from(entries.join(editions))
            .where(unfinished, entries.c.state == EntryState.DEFERRED, editions.c.state.in_(SENDS))
        )
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(query)
        return found

    def oldest_waiting(self) -> datetime | None:
        """Since when the longest waiting entry has been due: the due time of its edition."""
        query = (
            select(func.min(editions.c.due))
            .select_from(entries.join(editions))
            .where(unfinished, entries.c.state.in_([*UNCLAIMED, *HELD_BY_SENDER]))
        )
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(query)
        return found

    def told(self, subscriber: int, uids: Iterable[str] | None = None) -> list[Told]:
        """What a subscriber was sent (accepted or unknown) about events, oldest first."""
        query = (
            select(
                editions.c.key,
                editions.c.kind,
                *(mentions.c[name] for name in _MENTION),
                entries.c.state,
                entries.c.message_id,
                entries.c.updated_at,
            )
            .select_from(entries.join(editions).join(mentions, mentions.c.edition_id == editions.c.id))
            .where(
                entries.c.subscriber_id == subscriber,
                entries.c.state.in_([EntryState.ACCEPTED, EntryState.UNKNOWN]),
            )
            .order_by(entries.c.updated_at, entries.c.edition_id, mentions.c.ordinal)
        )
        if uids is not None:
            query = query.where(mentions.c.uid.in_(list(uids)))
        with self._database.read() as connection:
            return [as_told(row) for row in connection.execute(query)]


def _may_open(found: Found) -> bool:
    is_approved = found.state is State.WAITING and bool(found.approved_by)
    return found.state is State.PLANNED or is_approved


def _key_is(key: str) -> ColumnElement[bool]:
    return editions.c.key == key


def _id_of(key: str) -> ScalarSelect[int]:
    return select(editions.c.id).where(editions.c.key == key).scalar_subquery()
