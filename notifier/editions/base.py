"""The edition: one planned sending, its key, its states, and what it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

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
