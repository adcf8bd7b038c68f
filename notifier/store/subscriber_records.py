"""Who has agreed to hear from us, how, and until when."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, select, update

from notifier.mail.outbox import EntryState
from notifier.store.database import Database, Found
from notifier.store.schema import consent, entry, subscriber
from notifier.subscribers.subscriber import Consent, Standing, Subscriber

#: How many rows one read takes; between two reads nobody waits for us.
CHUNK = 1000
GONE = frozenset({Standing.LEFT, Standing.SUPPRESSED})
_LISTS = ("languages", "newsletters", "projects", "series", "topics", "regions", "kinds", "groups")
_PLAIN = ("address", "email", "name", "frequency", "timezone", "country", "wants_invitations")


class SubscriberRecords:
    """Subscribers, unique by address and by public id; their consent is append-only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, standing: Iterable[Standing] | None = None) -> Iterator[Subscriber]:
        """Subscribers by number, read in chunks."""
        query = _query() if standing is None else _query().where(subscriber.c.standing.in_(list(standing)))
        last = 0
        while True:
            page = query.where(subscriber.c.id > last).order_by(subscriber.c.id).limit(CHUNK)
            with self._database.read() as connection:
                found = [_subscriber(row) for row in connection.execute(page)]
            yield from found
            if len(found) < CHUNK:
                return
            last = found[-1].id

    def get(self, id: int) -> Subscriber | None:
        with self._database.read() as connection:
            return _one(connection, _query().where(subscriber.c.id == id))

    def by_address(self, address: str) -> Subscriber | None:
        """By normalised address (subscriber.normalise gives it)."""
        with self._database.read() as connection:
            return _by_address(connection, address)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        with self._database.read() as connection:
            return _one(connection, _query().where(subscriber.c.public_id == public_id))

    def put(self, subscribers: Iterable[Subscriber], now: datetime) -> tuple[int, int]:
        """Insert or update by address, all or none; (new, changed).

        Whoever left or is suppressed stays exactly as he is. Nobody is confirmed without a consent, nor made pending
        again by a list that lacks it. A consent that differs from the last is added to it; none leaves it standing.
        """
        rows = list(subscribers)
        new = changed = 0
        with self._database.write() as connection:
            for given in rows:
                known = _by_address(connection, given.address)
                if known is None:
                    _insert(connection, given, now)
                    new += 1
                else:
                    changed += _change(connection, known, given, now)
        return new, changed

    def leave(self, public_id: str, now: datetime, *, how: str) -> bool:
        """confirmed or pending -> left, with the consent record's withdrawal.

        Planned and deferred entries become superseded in the same transaction. False if there is nobody, or they had
        left before.
        """
        with self._database.write() as connection:
            id = connection.scalar(select(subscriber.c.id).where(subscriber.c.public_id == public_id))
            return id is not None and _part(connection, id, Standing.LEFT, how, now)

    def suppress(self, id: int, reason: str, now: datetime) -> bool:
        """confirmed or pending -> suppressed, with the reason as withdrawal; nothing planned for them is sent any more.

        False if they were suppressed or had left before.
        """
        with self._database.write() as connection:
            return _part(connection, id, Standing.SUPPRESSED, f"suppressed: {reason}", now)

    def counts(self) -> dict[Standing, int]:
        """How many there are of each standing, zeros too."""
        query = select(subscriber.c.standing, func.count()).group_by(subscriber.c.standing)
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {standing: found.get(standing, 0) for standing in Standing}

    def consents(self, id: int) -> list[tuple[str, Consent]]:
        """The whole record of one subscriber, oldest first: ("given" | "withdrawn", what was noted)."""
        query = select(consent).where(consent.c.subscriber_id == id).order_by(consent.c.id)
        with self._database.read() as connection:
            return [(r.act, Consent(r.at, r.basis, r.source, r.text)) for r in connection.execute(query)]


def _query() -> Select[Any]:
    """Subscribers with their last consent."""
    newest = (
        select(func.max(consent.c.id))
        .where(consent.c.subscriber_id == subscriber.c.id, consent.c.act == "given")
        .correlate(subscriber)
        .scalar_subquery()
    )
    columns = [
        c.label(f"consent_{c.name}")
        for c in (consent.c.at, consent.c.basis, consent.c.source, consent.c.text)
    ]
    return select(subscriber, *columns).select_from(
        subscriber.outerjoin(
            consent, and_(consent.c.subscriber_id == subscriber.c.id, consent.c.id == newest)
        )
    )


def _one(connection: Connection, query: Select[Any]) -> Subscriber | None:
    row = connection.execute(query).first()
    return None if row is None else _subscriber(row)


def _by_address(connection: Connection, address: str) -> Subscriber | None:
    return _one(connection, _query().where(subscriber.c.address == address))


def _subscriber(row: Found) -> Subscriber:
    told = dict(row._mapping)
    agreed = None
    if told["consent_at"] is not None:
        agreed = Consent(
            told["consent_at"], told["consent_basis"], told["consent_source"], told["consent_text"]
        )
    choices: dict[str, Any] = {n: told[n] for n in _PLAIN} | {n: tuple(told[n]) for n in _LISTS}
    return Subscriber(
        **choices,
        standing=told["standing"],
        consent=agreed,
        public_id=told["public_id"],
        id=told["id"],
    )


def _insert(connection: Connection, given: Subscriber, now: datetime) -> None:
    id = connection.scalar(
        insert(subscriber)
        .values(
            **_choices(given),
            standing=_agreed(given.standing, given.consent),
            public_id=given.public_id or secrets.token_hex(8),
            created_at=now,
            updated_at=now,
        )
        .returning(subscriber.c.id)
    )
    if given.consent and id:
        _add_consent(connection, id, "given", given.consent, now)


def _change(connection: Connection, known: Subscriber, given: Subscriber, now: datetime) -> bool:
    if known.standing in GONE:
        return False
    agreed = given.consent or known.consent
    standing = _agreed(given.standing, agreed)
    if (known.standing, standing) == (Standing.CONFIRMED, Standing.PENDING):
        standing = Standing.CONFIRMED
    is_same = _choices(known) == _choices(given) and known.standing == standing and known.consent == agreed
    if is_same:
        return False
    connection.execute(
        update(subscriber)
        .where(subscriber.c.id == known.id)
        .values(**_choices(given), standing=standing, updated_at=now)
    )
    if agreed and agreed != known.consent:
        _add_consent(connection, known.id, "given", agreed, now)
    if standing in GONE:
        _add_consent(connection, known.id, "withdrawn", Consent(now, "", standing.value, ""), now)
        _supersede_entries(connection, known.id, now)
    return True


def _part(connection: Connection, id: int, standing: Standing, how: str, now: datetime) -> bool:
    """Nothing is sent to this subscriber from here on; whether they were still with us."""
    parted = connection.execute(
        update(subscriber)
        .where(subscriber.c.id == id, subscriber.c.standing.not_in(list(GONE)))
        .values(standing=standing, updated_at=now)
    )
    if not parted.rowcount:
        return False
    _add_consent(connection, id, "withdrawn", Consent(now, "", how, ""), now)
    _supersede_entries(connection, id, now)
    return True


def _choices(of: Subscriber) -> dict[str, Any]:
    return {n: getattr(of, n) for n in _PLAIN} | {n: list(getattr(of, n)) for n in _LISTS}


def _agreed(standing: Standing, agreed: Consent | None) -> Standing:
    return Standing.PENDING if standing is Standing.CONFIRMED and agreed is None else standing


def _add_consent(connection: Connection, id: int, what: str, given: Consent, now: datetime) -> None:
    connection.execute(
        insert(consent).values(
            subscriber_id=id,
            act=what,
            at=given.at,
            basis=given.basis,
            source=given.source,
            text=given.text,
            noted_at=now,
        )
    )


def _supersede_entries(connection: Connection, id: int, now: datetime) -> None:
    connection.execute(
        update(entry)
        .where(entry.c.subscriber_id == id, entry.c.state.in_([EntryState.PLANNED, EntryState.DEFERRED]))
        .values(state=EntryState.SUPERSEDED, updated_at=now)
    )
