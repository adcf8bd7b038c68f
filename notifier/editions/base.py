"""The edition: one planned sending, its key, its states, and what it speaks of.

The socket for kinds: a module with a `plan` of the form `Plan`. `planning` composes them; they do not know each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol
from urllib.parse import quote

from notifier.config import Config, EditionSettings
from notifier.events.event import Event, Snapshot

Mode = Literal["at-least-once", "at-most-once"]


class Kind(StrEnum):
    DIGEST = "digest"
    ANNOUNCEMENT = "announcement"
    REMINDER = "reminder"
    UPDATE = "update"
    CANCELLATION = "cancellation"
    FOLLOWUP = "followup"
    CONFIRM = "confirm"


class State(StrEnum):
    PLANNED = "planned"
    WAITING = "waiting"
    HELD = "held"
    OPEN = "open"
    PAUSED = "paused"
    DRAINING = "draining"
    DONE = "done"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({State.DONE, State.SUPERSEDED, State.EXPIRED, State.CANCELLED})

Section = Literal["events", "deadlines", "recent", "changes"]


@dataclass(frozen=True, order=True)
class Mention:
    """That an edition speaks of an event, at a revision, in a section."""

    uid: str
    revision: int
    occurrence: str = ""  # start in UTC, e.g. 20200907T220000Z
    section: str = "events"


@dataclass(frozen=True)
class Edition:
    """One planned sending. The key is unique for ever, so planning it twice plans it once."""

    key: str  # digest/events/2020-W16, reminder/<uid>/<occurrence start UTC>/P7D, announcement/<uid>
    kind: Kind
    newsletter: str
    due: datetime  # UTC
    useful_until: datetime  # UTC; after it the edition expires unsent
    mentions: tuple[Mention, ...]
    prepare_at: datetime | None = (
        None  # UTC; when it is frozen and approval is asked; None: no approval needed
    )
    slot: str = ""  # of digests: 2020-W16, 2020-W15-2w, 2020-04
    cadence: str = ""  # of digests: weekly | biweekly | monthly
    offset: str = ""  # of reminders: P7D, P1D
    mode: Mode = "at-least-once"
    state: State = State.PLANNED
    reason: str = ""  # why it is held or cancelled, in words
    approved_by: str = ""
    content_hash: str = ""  # of what was frozen; approval names it
    date: datetime | None = None  # the stored Date header, set when it is opened
    id: int = 0  # the store's number; 0 before it is stored


class Plan(Protocol):
    """What a kind of edition brings."""

    def __call__(
        self, snapshots: Sequence[Snapshot], since: datetime, until: datetime, settings: Config
    ) -> Iterable[Edition]:
        """The editions of this kind that are due after `since` and must be known by `until`, in any order.

        Known means due, or for what needs an approval: to be prepared. An edition is given again as long as both
        hold, so planning may stop, repeat and overlap: the same snapshots give the same editions.
        """
        ...


def digest_key(newsletter: str, slot: str) -> str:
    return f"digest/{newsletter}/{slot}"


def announcement_key(event: Event) -> str:
    return f"announcement/{encoded(event.uid)}"


def reminder_key(event: Event, before: timedelta) -> str:
    """The key holds the start and not the revision: a moved event is reminded anew, an edited one is not."""
    return f"reminder/{encoded(event.uid)}/{occurrence(event)}/{duration(before)}"


def encoded(uid: str) -> str:
    """A UID as it stands in keys: a foreign one may hold "/" or worse, so all but letters, digits, "-._~@" is escaped."""
    return quote(uid, safe="@")


def occurrence(event: Event) -> str:
    """The start of an event in UTC as keys and mentions write it; of whole days local midnight: 20200907T220000Z."""
    return f"{event.span.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def mention(snapshot: Snapshot, section: Section = "events") -> Mention:
    return Mention(snapshot.event.uid, snapshot.revision, occurrence(snapshot.event), section)


def duration(span: timedelta) -> str:
    """P7D, PT2H, P1DT12H (ISO 8601); whole seconds."""
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{span.days}D" if span.days else ""
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return f"P{days}T{clock}" if clock else f"P{days or '0D'}"


def prepare_at(rules: EditionSettings, asked_at: datetime) -> datetime | None:
    """`asked_at`, if this kind needs an approval; else None.

    "over:N" counts recipients, which nobody knows before the edition is prepared: it is asked for and may be waived.
    """
    return None if rules.approval_over is None else asked_at
