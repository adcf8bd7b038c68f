"""The subscriber: an address, what it chose, and how it agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EVERYTHING = ("*",)
KINDS = ("announcement", "reminder", "update", "cancellation", "followup", "digest")
FREQUENCIES = ("each", "weekly", "biweekly", "monthly")


class Standing(StrEnum):
    """Where a subscriber stands; only `confirmed` is ever written to."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    LEFT = "left"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Consent:
    """How the subscriber agreed; without all four the row stays pending and silent."""

    at: datetime  # aware
    basis: str
    source: str
    text: str  # version of the wording


@dataclass(frozen=True)
class Subscriber:
    """One subscriber. Choices are keys; ("*",) is everything."""

    email: str  # as typed
    address: str  # normalised, the unique key: folded local part @ A-label domain
    languages: tuple[str, ...]
    name: str = ""
    newsletters: tuple[str, ...] = EVERYTHING
    projects: tuple[str, ...] = EVERYTHING
    series: tuple[str, ...] = EVERYTHING
    topics: tuple[str, ...] = EVERYTHING
    regions: tuple[str, ...] = EVERYTHING
    kinds: tuple[str, ...] = KINDS
    frequency: str = "biweekly"  # of digests; each: notices, no digest
    timezone: str = ""  # IANA; empty: the organisation's
    country: str = ""  # ISO 3166
    groups: tuple[str, ...] = ()
    wants_invitations: bool = False
    standing: Standing = Standing.PENDING
    consent: Consent | None = None
    public_id: str = ""  # 16 hex digits, random; what links carry
    id: int = 0  # the store's number; 0 before it is stored


@dataclass(frozen=True)
class Variant:
    """What a group of recipients gets alike: languages in order, and the events that concern them."""

    languages: tuple[
        str, ...
    ]  # the reader's, then the organisation's; no duplicates; first = language of the page
    uids: tuple[str, ...]  # in the edition's order
    key: str  # short hash of the two


@dataclass(frozen=True)
class Recipient:
    """A subscriber in the audience of an edition, with the reason in words."""

    subscriber: Subscriber
    variant: Variant
    reason: str
