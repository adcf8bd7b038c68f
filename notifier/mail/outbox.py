"""The outbox entry: one row per (edition, subscriber), its states, and what a receipt makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EntryState(StrEnum):
    PLANNED = "planned"
    CLAIMED = "claimed"  # a live sender has it, no content was sent
    HANDED = "handed"  # content may have left
    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # again at not_before
    FAILED = "failed"
    UNKNOWN = "unknown"  # content left, no final reply was read
    SUPERSEDED = "superseded"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({EntryState.ACCEPTED, EntryState.FAILED, EntryState.SUPERSEDED, EntryState.EXPIRED})


class Outcome(StrEnum):
    """What a transport says of one message (Receipt.outcome)."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # refused for now
    REFUSED = "refused"  # refused for good
    UNKNOWN = "unknown"  # content began, no final reply
    RETURNED = "returned"  # nothing of the content was sent, and it is not the recipient's fault


@dataclass(frozen=True)
class Receipt:
    """What the server answered now, or that it did not."""

    outcome: Outcome
    code: int = 0  # SMTP reply, 0 when there was none
    enhanced: str = ""  # enhanced status code (RFC 3463)
    text: str = ""  # the server's own words, at most 200 characters, printable
    stage: str = ""  # connect ehlo starttls auth mail rcpt data content quit
    server: str = ""


@dataclass(frozen=True)
class Entry:
    """One recipient's row in the outbox."""

    edition: str  # key
    edition_id: int
    position: int  # 1.. within the edition
    subscriber: int
    variant: str
    state: EntryState = EntryState.PLANNED
    attempt: int = 0  # how often it was claimed and tried
    doubt: int = 0  # attempts that ended without our knowing
    token: str = ""  # fencing token of the sender that claimed it
    not_before: datetime | None = None
    reason: str = ""  # why this person is in the audience
    reply: str = ""  # of the last receipt: "250 2.0.0 text"
    updated_at: datetime | None = None
