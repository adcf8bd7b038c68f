"""The outbox entry: one row per (edition, subscriber), its states, and what a receipt makes of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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


class Fault(StrEnum):
    """Whose fault a receipt is; it decides who is charged."""

    NONE = "none"
    RECIPIENT = "recipient"
    RELAY = "relay"  # also the connection to it
    SENDER = "sender"  # our address, our domain's records, our reputation
    DOMAIN = "domain"  # of the recipient: greylisting, too much at once
    MESSAGE = "message"  # too large, or of a form that is not taken
    ADDRESS = "address"  # cannot be written on this wire
    US = "us"  # the conversation went out of step


class Action(StrEnum):
    """What follows from a receipt beyond the entry's own state."""

    NONE = "none"
    SUPPRESS = "suppress"  # at once
    SUPPRESS_SECOND = "suppress_second"  # when a second edition meets the same answer
    SOFT = "soft"  # one more on the soft counter
    THROTTLE = "throttle"  # halve rate and connections, recover slowly
    STEP_DOWN = "step_down"  # one step less pipelining; the second time without any: pause_run
    PAUSE_DOMAIN = "pause_domain"  # two domains: pause_run
    PAUSE_RUN = "pause_run"  # nothing more goes out until somebody has looked
    STOP_EDITION = "stop_edition"  # nobody gets it until a person decides


@dataclass(frozen=True)
class Verdict:
    """What a receipt makes of its entry. PLANNED: back, as if it had not been tried."""

    state: EntryState
    fault: Fault = Fault.NONE
    action: Action = Action.NONE
    words: str = ""  # for people, in English, without the server's own text


#: Retries after the listed ones come at this distance.
LAST_RETRY = timedelta(hours=6)
#: A server that accepts and always cuts is not fed for ever.
MAX_REPEATS = 2

_STEPS_TO_LOGIN = frozenset({"connect", "ehlo", "starttls", "auth"})
_OUT_OF_STEP = frozenset({500, 502, 503, 504, 555})

_NOBODY = re.compile(
    r"(user|recipient|mailbox|address|account)\b.{0,40}?\b(unknown|not (found|exist|known)|n[o']t exist|"
    r"does ?n[o']t exist|invalid|rejected: undeliverable)|unknown (user|recipient|mailbox|local)|"
    r"no such (user|recipient|mailbox|person|address)|no mailbox here|invalid (recipient|mailbox)",
    re.IGNORECASE,
)
_RECORDS = re.compile(r"\b(SPF|DKIM|DMARC|PTR|reverse DNS|reverse hostname)\b", re.IGNORECASE)
_REPUTATION = re.compile(
    r"spam|block ?list|black ?list|\bRBL\b|DNSBL|spamhaus|reputation|relay(ing)? (access )?(is )?(denied|not)|"
    r"not permitted to relay|unable to relay",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\b(message|mail|content)\b.{0,20}\b(size|large|big|long)\b", re.IGNORECASE)

_RECORD_CODES = frozenset({"7.26", "7.27", "7.509", "7.515", *(f"7.{n}" for n in range(20, 26))})


def is_temporary(code: int, enhanced: str = "") -> bool:
    """Whether a refusal asks for another try: 4yz, or 5yz with a 4.x.x code; without a reply the enhanced code says."""
    return 400 <= code < 500 or enhanced.startswith("4.")


def classify(receipt: Receipt) -> Verdict:
    """Whose fault a receipt is, and what follows: the enhanced code first, then reply and stage, then the words.

    Status codes of delivery reports are judged alike: give them as a receipt with `code=0` and no stage.
    Source: RFC 3463, RFC 5321 4.2, and the answers of large providers.
    """
    if receipt.outcome is Outcome.ACCEPTED:
        return Verdict(EntryState.ACCEPTED)
    back = EntryState.UNKNOWN if receipt.outcome is Outcome.UNKNOWN else EntryState.PLANNED
    if receipt.outcome in (Outcome.UNKNOWN, Outcome.RETURNED):
        if receipt.enhanced.startswith("5.5."):
            return Verdict(back, Fault.US, Action.STEP_DOWN, "the conversation went out of step")
        return Verdict(back, Fault.RELAY, Action.THROTTLE, "the connection was lost")
    temporary = is_temporary(receipt.code, receipt.enhanced)
    if not receipt.code and not receipt.enhanced:
        temporary = receipt.outcome is Outcome.DEFERRED
    detail = receipt.enhanced.partition(".")[2]
    return (
        _by_relay(receipt, detail, temporary)
        or _by_mailbox(receipt, detail, temporary)
        or _by_message(receipt, detail, temporary)
        or _by_sender(receipt, detail, temporary)
        or _by_words(receipt, detail, temporary)
        or _otherwise(receipt, detail, temporary)
    )


def _by_relay(receipt: Receipt, detail: str, temporary: bool) -> Verdict | None:
    """The connection, the greeting, TLS, the login: nobody is charged."""
    untouched = EntryState.PLANNED
    if receipt.stage in _STEPS_TO_LOGIN:
        if receipt.code == 421 or (receipt.stage == "auth" and receipt.code == 454):
            return Verdict(untouched, Fault.RELAY, Action.THROTTLE, "the relay asks to come back later")
        return Verdict(untouched, Fault.RELAY, Action.PAUSE_RUN, "the relay refuses to work with us")
    if 530 <= receipt.code <= 539 or detail in ("7.8", "7.9", "7.11"):
        return Verdict(untouched, Fault.RELAY, Action.PAUSE_RUN, "the relay wants another login")
    lost = detail == "3.2" or (detail.startswith("4.") and detail != "4.7")
    if receipt.code == 421 or (temporary and lost):
        return Verdict(untouched, Fault.RELAY, Action.THROTTLE, "the relay asks to come back later")
    return None


def _by_mailbox(receipt: Receipt, detail: str, temporary: bool) -> Verdict | None:
    """Codes that speak of one mailbox."""
    if detail in ("1.7", "1.8"):  # many relays answer these at RCPT only
        return _sender_refused()
    if receipt.stage == "mail":  # nobody was named yet: no mailbox can be meant
        return None
    if detail in ("1.1", "1.2", "1.3", "1.6", "1.10") and not temporary:
        return Verdict(EntryState.FAILED, Fault.RECIPIENT, Action.SUPPRESS, "there is no such mailbox")
    if detail == "2.1" and not temporary:
        return Verdict(EntryState.FAILED, Fault.RECIPIENT, Action.SUPPRESS_SECOND, "the mailbox is disabled")
    if detail == "2.3" and not temporary:
        return Verdict(EntryState.FAILED, Fault.RECIPIENT, Action.NONE, "too long for this mailbox")
    if detail == "2.2":
        return _soft(temporary, "the mailbox is full")
    if detail == "4.7" or (detail.startswith("4.") and not temporary):
        return _soft(temporary, "the recipient's server cannot be reached")
    if detail.startswith("1.") and temporary:
        return _soft(temporary, "the address could not be checked")
    return None


def _by_message(receipt: Receipt, detail: str, temporary: bool) -> Verdict | None:
    """Codes that speak of the message or of the conversation."""
    if temporary:
        return None
    if detail in ("6.7", "6.8", "6.9"):
        return Verdict(
            EntryState.FAILED, Fault.ADDRESS, Action.NONE, "the relay cannot carry this address (SMTPUTF8)"
        )
    too_large = receipt.code == 552 and (
        receipt.stage == "mail" or (not detail and _SIZE.search(receipt.text))
    )
    if detail == "3.4" or detail.startswith("6.") or too_large:
        return Verdict(
            EntryState.FAILED, Fault.MESSAGE, Action.STOP_EDITION, "the message itself is not taken"
        )
    if detail.startswith("5.") or (receipt.code in _OUT_OF_STEP and not detail):
        return Verdict(EntryState.PLANNED, Fault.US, Action.STEP_DOWN, "the conversation went out of step")
    return None


def _by_sender(receipt: Receipt, detail: str, temporary: bool) -> Verdict | None:
    """Codes that speak of us."""
    if temporary:
        return None
    if detail in _RECORD_CODES or (_speaks_freely(detail) and _RECORDS.search(receipt.text)):
        return Verdict(
            EntryState.DEFERRED, Fault.SENDER, Action.PAUSE_RUN, "our domain's records are not trusted"
        )
    if receipt.stage == "mail" and (detail == "7.1" or receipt.code == 553):
        return _sender_refused()
    if detail.startswith("7."):
        return _distrusted()
    return None


def _by_words(receipt: Receipt, detail: str, temporary: bool) -> Verdict | None:
    """Refusals without a telling code, by what they say."""
    if temporary or detail not in ("", "0.0"):
        return None
    if _REPUTATION.search(receipt.text):
        return _distrusted()
    if receipt.stage != "mail" and _NOBODY.search(receipt.text):
        return Verdict(EntryState.FAILED, Fault.RECIPIENT, Action.SUPPRESS, "there is no such mailbox")
    return None


def _otherwise(receipt: Receipt, detail: str, temporary: bool) -> Verdict:
    if receipt.stage == "mail" and not temporary:
        return _sender_refused()
    if temporary:
        return Verdict(EntryState.DEFERRED, Fault.DOMAIN, Action.THROTTLE, "not now")
    if receipt.code == 552:
        return _soft(temporary, "the mailbox is full")
    return _soft(temporary, "refused for a reason that is not known")


def _speaks_freely(detail: str) -> bool:
    """Whether the code leaves the reason to the words."""
    return detail in ("", "0.0") or detail.startswith("7.")


def _soft(temporary: bool, words: str) -> Verdict:
    state = EntryState.DEFERRED if temporary else EntryState.FAILED
    return Verdict(state, Fault.RECIPIENT, Action.SOFT, words)


def _sender_refused() -> Verdict:
    return Verdict(EntryState.PLANNED, Fault.SENDER, Action.PAUSE_RUN, "the relay refuses our sender address")


def _distrusted() -> Verdict:
    return Verdict(
        EntryState.DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN, "the recipient's server distrusts us"
    )


def may_repeat(entry: Entry) -> bool:
    """Whether an unknown entry of an at-least-once edition goes out again; `entry.doubt` counts the doubt just noted."""
    return entry.doubt <= MAX_REPEATS


def next_attempt(
    entry: Entry,
    verdict: Verdict,
    now: datetime,
    retry: Sequence[timedelta],
    useful_until: datetime,
    jitter: float,
) -> datetime | None:
    """When `entry` is to be tried again; None: never, it is final, or it would come too late.

    `entry.attempt` counts the attempt just made (1 after the first). `retry` are the distances of the first tries,
    every later one comes after `LAST_RETRY`. `jitter` is -1.0 to 1.0 and
    moves a distance by up to 20 %; `jitter_of(entry)` gives the same value for the same try.
    What came back unharmed may go at once: it is the relay that has to wait, not the entry.
    """
    if verdict.state is EntryState.PLANNED:
        at = now
    elif verdict.state in (EntryState.DEFERRED, EntryState.UNKNOWN):
        at = now + _distance(entry.attempt, retry) * (1 + 0.2 * max(-1.0, min(1.0, jitter)))
    else:
        return None
    return at if at < useful_until else None


def jitter_of(entry: Entry) -> float:
    """-1.0 to 1.0, even over entries and tries, and the same for the same try."""
    seed = f"{entry.edition_id}.{entry.position}.{entry.attempt}".encode()
    return int.from_bytes(hashlib.blake2b(seed, digest_size=4).digest(), "big") / (2**32 - 1) * 2 - 1


def _distance(attempt: int, retry: Sequence[timedelta]) -> timedelta:
    tries = max(attempt, 1)
    return retry[tries - 1] if tries <= len(retry) else LAST_RETRY
