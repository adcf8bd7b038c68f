"""Planned sendings: their keys, their states, what they speak of, and their pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from notifier.editions.base import FINAL, Edition, Mention, State
from notifier.mail.outbox import EntryState
from notifier.store import act_records, notes
from notifier.store.database import Database, Found, insert_new
from notifier.store.schema import edition, entry, mention
from notifier.store.schema import page as pages

Editions = list[Edition]

#: States in which the content may still change.
UNSENT = frozenset({State.PLANNED, State.WAITING, State.HELD})
#: What becomes of entries that nobody has claimed when their edition ends.
LEFT_OVER = {
    State.DONE: EntryState.SUPERSEDED,
    State.SUPERSEDED: EntryState.SUPERSEDED,
    State.CANCELLED: EntryState.SUPERSEDED,
    State.EXPIRED: EntryState.EXPIRED,
}
#: From where a state can be reached by `move`. Only `address` opens an edition for the first time, which fills its
#: outbox; only `finish` ends an open one as done, when its entries are.
REACHED_FROM = dict.fromkeys(State, frozenset(State) - FINAL) | {
    State.PLANNED: UNSENT,
    State.WAITING: UNSENT,
    State.HELD: UNSENT,
    State.OPEN: frozenset({State.PAUSED, State.DRAINING}),
    State.PAUSED: frozenset({State.OPEN}),
    State.DRAINING: frozenset({State.OPEN, State.PAUSED}),
    State.DONE: UNSENT,
}
_FIELDS = (
    "key",
    "kind",
    "newsletter",
    "due",
    "useful_until",
    "prepare_at",
    "slot",
    "cadence",
    "offset",
    "mode",
    "state",
    "reason",
    "approved_by",
    "content_hash",
    "date",
)


class EditionRecords:
    """Editions, unique by key for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def planned_until(self) -> datetime | None:
        with self._database.read() as connection:
            return notes.get_time(connection, notes.PLANNED_UNTIL)

    def plan(self, editions: Iterable[Edition], until: datetime) -> int:
        """Store editions and advance `planned_until`, which never falls; how many were new.

        An edition whose key is there stays as it is, whatever became of it.
        """
        wanted = list(editions)
        with self._database.write() as connection:
            new = sum(_insert(connection, one) for one in wanted)
            notes.advance(connection, notes.PLANNED_UNTIL, until)
        return new

    def turn_back(self, now: datetime) -> None:
        """Let `planned_until` fall to `now`: a person has said that the clock was ahead before and is right now."""
        with self._database.write() as connection:
            until = notes.get_time(connection, notes.PLANNED_UNTIL)
            if until is not None and until > now:
                notes.set_time(connection, notes.PLANNED_UNTIL, now)

    def get(self, key: str) -> Edition | None:
        with self._database.read() as connection:
            row = connection.execute(select(edition).where(edition.c.key == key)).first()
            return None if row is None else _with_mentions(connection, [row])[0]

    def list(
        self, states: Iterable[State] | None = None, *, kind: str | None = None, limit: int | None = None
    ) -> Editions:
        """Editions by due time, oldest first; `limit` keeps the newest."""
        query = select(edition).order_by(edition.c.due.desc(), edition.c.id.desc()).limit(limit)
        if states is not None:
            query = query.where(edition.c.state.in_([*states]))
        if kind is not None:
            query = query.where(edition.c.kind == kind)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            return _with_mentions(connection, rows[::-1])

    def freeze(
        self,
        key: str,
        mentions: Sequence[Mention],
        content_hash: str,
        now: datetime,
        *,
        useful_until: datetime | None = None,
    ) -> None:
        """Store what the edition speaks of, the hash of its content, and until when that is of use (None: as before).

        Another hash than before clears the approval. Once it is open, nothing changes.
        """
        with self._database.write() as connection:
            row = _locked(connection, key)
            if row is None or row.state not in UNSENT:
                return
            _put_mentions(connection, row.id, mentions)
            if useful_until is not None and useful_until != row.useful_until:
                _set(connection, row.id, now, useful_until=useful_until)
            if row.content_hash != content_hash:
                _set(
                    connection,
                    row.id,
                    now,
                    content_hash=content_hash,
                    approved_by="",
                    approved_at=None,
                )

    def move(
        self, key: str, to: State, *, of: Iterable[State], now: datetime, reason: str = "", who: str = ""
    ) -> bool:
        """Change the state if it is one of `of`; whether it did. With `who` it is noted as that person's act.

        A move that REACHED_FROM does not know is not made; final states stay. Entries that nobody has claimed end with
        their edition: expired with an expired one, else superseded.
        """
        lawful = set(of) & REACHED_FROM[to]
        with self._database.write() as connection:
            row = _locked(connection, key)
            if row is None or row.state not in lawful:
                return False
            _set(connection, row.id, now, state=to, reason=reason)
            if to in LEFT_OVER:
                end_entries(connection, row.id, LEFT_OVER[to], now)
            if who:
                act_records.add(connection, who, to.value, now, about=key, detail=reason)
        return True

    def approve(self, key: str, content_hash: str, who: str, now: datetime) -> bool:
        """Note the approval of exactly this content; whether the edition was still waiting or held for it.

        A held edition waits again, approved, so that `address` may open it when it is due.
        """
        with self._database.write() as connection:
            row = _locked(connection, key)
            if row is None or row.state not in (State.WAITING, State.HELD):
                return False
            if not content_hash or row.content_hash != content_hash:
                return False
            _set(connection, row.id, now, state=State.WAITING, reason="", approved_by=who, approved_at=now)
            act_records.add(connection, who, "approve", now, about=key, detail=content_hash)
        return True

    def hasten(self, edition: Edition, who: str, now: datetime) -> bool:
        """Make a stored edition due as a person sends it by hand, and note the act; whether it was still unsent.

        Whoever sends it has seen it: what `edition` speaks of and its hash are approved with it.
        """
        with self._database.write() as connection:
            row = _locked(connection, edition.key)
            if row is None or row.state not in UNSENT:
                return False
            _put_mentions(connection, row.id, edition.mentions)
            names = ("due", "useful_until", "prepare_at", "offset", "content_hash")
            _set(
                connection,
                row.id,
                now,
                **{name: getattr(edition, name) for name in names},
                state=State.WAITING,
                reason="",
                approved_by=who,
                approved_at=now,
            )
            act_records.add(connection, who, "send", now, about=edition.key, detail=edition.content_hash)
        return True

    def page(self, key: str, variant: str) -> bytes | None:
        query = select(pages.c.content).join(edition).where(edition.c.key == key, pages.c.variant == variant)
        with self._database.read() as connection:
            found: bytes | None = connection.scalar(query)
        return found

    def pages(self, key: str) -> dict[str, bytes]:
        query = (
            select(pages.c.variant, pages.c.content)
            .join(edition)
            .where(edition.c.key == key)
            .order_by(pages.c.variant)
        )
        with self._database.read() as connection:
            return {row.variant: row.content for row in connection.execute(query)}


def end_entries(connection: Connection, edition_id: int, state: EntryState, now: datetime) -> int:
    """Entries of an edition that nobody has claimed come to their end; how many."""
    ended = connection.execute(
        update(entry)
        .where(entry.c.edition_id == edition_id, entry.c.state.in_([EntryState.PLANNED, EntryState.DEFERRED]))
        .values(state=state, not_before=None, updated_at=now)
    )
    return ended.rowcount


def _insert(connection: Connection, one: Edition) -> int:
    row = {name: getattr(one, name) for name in _FIELDS}
    if not insert_new(connection, edition, [row]):
        return 0
    _put_mentions(connection, _id(connection, one.key), one.mentions)
    return 1


def _id(connection: Connection, key: str) -> int:
    id: int = connection.execute(select(edition.c.id).where(edition.c.key == key)).scalar_one()
    return id


def _locked(connection: Connection, key: str) -> Found | None:
    """The edition's row, for this transaction alone."""
    return connection.execute(select(edition).where(edition.c.key == key).with_for_update()).first()


def _set(connection: Connection, id: int, now: datetime, **values: Any) -> None:
    connection.execute(update(edition).where(edition.c.id == id).values(**values, changed_at=now))


def _put_mentions(connection: Connection, id: int, mentions: Sequence[Mention]) -> None:
    connection.execute(delete(mention).where(mention.c.edition_id == id))
    rows = [
        {
            "edition_id": id,
            "ordinal": ordinal,
            "uid": m.uid,
            "revision": m.revision,
            "occurrence": m.occurrence,
            "section": m.section,
        }
        for ordinal, m in enumerate(mentions)
    ]
    if rows:
        connection.execute(insert(mention), rows)


def _with_mentions(connection: Connection, rows: Sequence[Found]) -> Editions:
    spoken: dict[int, list[Mention]] = {row.id: [] for row in rows}
    query = (
        select(mention)
        .where(mention.c.edition_id.in_(list(spoken)))
        .order_by(mention.c.edition_id, mention.c.ordinal)
    )
    for m in connection.execute(query):
        spoken[m.edition_id].append(Mention(m.uid, m.revision, m.occurrence, m.section))
    return [
        Edition(**{name: row._mapping[name] for name in _FIELDS}, mentions=tuple(spoken[row.id]), id=row.id)
        for row in rows
    ]
