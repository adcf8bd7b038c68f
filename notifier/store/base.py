"""The socket for stores: what the rest of the house asks of the memory, whatever keeps it.

All times are aware and come in as arguments. Every method that writes is one transaction and may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from notifier.editions.base import Edition, Mention, State
from notifier.events.event import Snapshot
from notifier.mail.outbox import Entry, EntryState
from notifier.subscribers.subscriber import Consent, Recipient, Standing, Subscriber


@dataclass(frozen=True)
class Told:
    """That a subscriber was sent an edition which speaks of an event."""

    edition: str
    kind: str
    mention: Mention
    state: EntryState
    message_id: str
    at: datetime


@dataclass(frozen=True)
class Act:
    """What a person did."""

    at: datetime
    who: str
    what: str  # a verb
    about: str = ""  # an edition's key, a subscriber's public id, or empty
    detail: str = ""


@dataclass(frozen=True)
class Run:
    """One run of the jobs; one that has not `ended` is under way or was killed."""

    number: int
    started: datetime
    ended: datetime | None
    host: str
    pid: int
    summary: Mapping[str, Any]


class EventRecords(Protocol):
    def current(self) -> dict[str, Snapshot]:
        """Newest snapshot of every event ever published, by UID."""
        ...

    def history(self, uid: str) -> list[Snapshot]:
        """All snapshots of one event, oldest first."""
        ...

    def fingerprint(self) -> str:
        """A short text that differs after every publication; cheap, for those who keep what they rendered."""
        ...

    def publish(self, snapshots: Sequence[Snapshot]) -> int:
        """Store new snapshots, unique by (uid, revision); how many were new."""
        ...


class EditionRecords(Protocol):
    def planned_until(self) -> datetime | None: ...

    def plan(self, editions: Iterable[Edition], until: datetime) -> int:
        """Store editions (existing keys stay as they are) and advance `planned_until`, which never falls; how many were new."""
        ...

    def get(self, key: str) -> Edition | None: ...

    def list(
        self, states: Iterable[State] | None = None, *, kind: str | None = None, limit: int | None = None
    ) -> list[Edition]:
        """Editions by due time, oldest first; `limit` keeps the newest."""
        ...

    def turn_back(self, now: datetime) -> None:
        """Let `planned_until` fall to `now`, because a person said that the clock was ahead before."""
        ...

    def freeze(
        self,
        key: str,
        mentions: Sequence[Mention],
        content_hash: str,
        now: datetime,
        *,
        useful_until: datetime | None = None,
    ) -> None:
        """Store what the edition speaks of, the hash of its content, and until when it is of use; clears an approval of another hash."""
        ...

    def move(
        self, key: str, to: State, *, of: Iterable[State], now: datetime, reason: str = "", who: str = ""
    ) -> bool:
        """Change the state if it is one of `of` (compare and set); whether it did. Entries of a cancelled edition are superseded, of an expired one expired."""
        ...

    def approve(self, key: str, content_hash: str, who: str, now: datetime) -> bool:
        """Note the approval of exactly this content; whether the edition was still waiting or held for it."""
        ...

    def hasten(self, edition: Edition, who: str, now: datetime) -> bool:
        """A person sends an unsent edition now: due, of use, spoken of, offset and content become as in `edition`, approved; whether it was still unsent."""
        ...

    def page(self, key: str, variant: str) -> bytes | None: ...

    def pages(self, key: str) -> dict[str, bytes]: ...


class OutboxRecords(Protocol):
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

        With `content_hash` only if the edition is still frozen with this content. The edition's stored Date becomes `now`. An edition without recipients goes straight to done. 0 when it was open already.
        """
        ...

    def claim(self, sender: str, now: datetime, limit: int) -> list[Entry]:
        """Entries that are due (planned, or deferred with not_before passed), of open editions not past useful_until
        and not under hold --all, whose subscriber is still confirmed. They become claimed under a new fencing token."""
        ...

    def hand(self, entry: Entry, now: datetime, *, message_id: str = "") -> bool:
        """claimed -> handed, committed durably before content leaves. False: the claim was lost, the edition is no longer
        open, everything is on hold, or the subscriber left; then nothing may be sent. The message id is kept at once."""
        ...

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
        """Note the outcome if the entry's token still matches; whether it did. UNKNOWN always counts as a doubt."""
        ...

    def release(self, sender: str, now: datetime) -> int:
        """claimed -> planned for what this sender did not hand over; how many."""
        ...

    def recover(self, is_alive: Mapping[str, bool], now: datetime) -> tuple[int, int]:
        """For senders that are dead: claimed -> planned, handed -> unknown; (returned, unknown)."""
        ...

    def resend_unknown(self, now: datetime, *, not_before: datetime | None = None) -> int:
        """unknown -> deferred for open at-least-once editions, at most twice an entry; how many."""
        ...

    def settle_unknown(self, key: str, position: int, *, as_sent: bool, who: str, now: datetime) -> bool:
        """What a person decided about an unknown entry: treat it as sent, or send it again; whether that was possible."""
        ...

    def finish(self, now: datetime) -> list[str]:
        """Expire entries and editions past useful_until; open editions whose entries are all final or settled as unknown
        become done; the keys that changed."""
        ...

    def senders(self) -> list[str]:
        """Senders that hold claimed or handed entries."""
        ...

    def entries(
        self,
        *,
        edition: str | None = None,
        states: Iterable[EntryState] | None = None,
        subscriber: int | None = None,
        limit: int | None = None,
    ) -> list[Entry]: ...

    def counts(self, edition: str | None = None) -> dict[EntryState, int]: ...

    def has_due(self, now: datetime) -> bool:
        """Whether a sender would find something to claim now."""
        ...

    def next_retry(self) -> datetime | None: ...

    def oldest_waiting(self) -> datetime | None:
        """Since when the longest waiting entry has been due."""
        ...

    def told(self, subscriber: int, uids: Iterable[str] | None = None) -> list[Told]:
        """What a subscriber was sent (accepted or unknown) about events, oldest first."""
        ...


class SubscriberRecords(Protocol):
    def all(self, standing: Iterable[Standing] | None = None) -> Iterator[Subscriber]: ...

    def get(self, id: int) -> Subscriber | None: ...

    def by_address(self, address: str) -> Subscriber | None:
        """By normalised address (subscriber.normalise gives it)."""
        ...

    def by_public_id(self, public_id: str) -> Subscriber | None: ...

    def put(self, subscribers: Iterable[Subscriber], now: datetime) -> tuple[int, int]:
        """Insert or update by address, all or none; (new, changed). Someone who left or is suppressed stays so."""
        ...

    def leave(self, public_id: str, now: datetime, *, how: str) -> bool:
        """confirmed or pending -> left, with the consent record's withdrawal; planned and deferred entries become superseded
        in the same transaction. False if there is nobody, or they had left before."""
        ...

    def suppress(self, id: int, reason: str, now: datetime) -> bool:
        """confirmed or pending -> suppressed: mail came back for good. False if they had left or were suppressed before."""
        ...

    def counts(self) -> dict[Standing, int]: ...

    def consents(self, id: int) -> list[tuple[str, Consent]]:
        """The whole record of one subscriber, oldest first: ("given" | "withdrawn", what was noted)."""
        ...


class ActRecords(Protocol):
    def note(self, who: str, what: str, now: datetime, *, about: str = "", detail: str = "") -> None:
        """Add to the log of people's acts; it is never changed. `move` with `who`, `approve` and `settle_unknown` do it themselves."""
        ...

    def list(self, *, about: str | None = None, limit: int = 100) -> tuple[Act, ...]:
        """The newest acts, newest first."""
        ...

    def begin_run(self, now: datetime, *, host: str, pid: int) -> int:
        """Note that a run has begun; its number for `end_run`."""
        ...

    def end_run(self, number: int, now: datetime, summary: Mapping[str, Any]) -> None: ...

    def runs(self, *, limit: int = 20) -> tuple[Run, ...]:
        """The newest runs, newest first."""
        ...


class Store(Protocol):
    """The memory. Closed by `close`; the run lock is not its business but on PostgreSQL."""

    events: EventRecords
    editions: EditionRecords
    outbox: OutboxRecords
    subscribers: SubscriberRecords
    acts: ActRecords

    @property
    def instance_id(self) -> str: ...

    def note(self, name: str, value: str | None) -> None:
        """Remember a small text (last_tick, hold, data_fingerprint ...); None forgets it."""
        ...

    def noted(self, name: str) -> str | None: ...

    def hold_all(self, reason: str | None, now: datetime) -> None:
        """Stop all sending with a reason, or go on (None)."""
        ...

    @property
    def hold(self) -> str | None: ...

    def close(self) -> None: ...
