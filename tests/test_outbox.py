"""What a receipt makes of an entry, row by row, and when the entry is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.mail import outbox
from notifier.mail.outbox import Action, Entry, EntryState, Fault, Outcome, Receipt, Verdict

NOW = datetime(2020, 4, 21, 5, 30, tzinfo=UTC)
RETRY = tuple(timedelta(minutes=m) for m in (5, 15, 60, 180, 360))
FAR = NOW + timedelta(days=30)

PLANNED, DEFERRED, FAILED = EntryState.PLANNED, EntryState.DEFERRED, EntryState.FAILED
UNKNOWN, ACCEPTED = EntryState.UNKNOWN, EntryState.ACCEPTED


def refused(stage: str, code: int, enhanced: str = "", text: str = "") -> Receipt:
    """As the SMTP transport makes it."""
    outcome = Outcome.DEFERRED if outbox.is_temporary(code, enhanced) else Outcome.REFUSED
    return Receipt(outcome, code, enhanced, text, stage, "mail.region.example")


# stage, code, enhanced, text -> state, fault, action; one block per row of the table
TABLE: list[tuple[str, int, str, str, EntryState, Fault, Action]] = [
    # 421, 4.3.2, 4.4.x
    ("rcpt", 421, "", "closing", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("mail", 421, "4.7.0", "too many connections", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("content", 421, "4.3.0", "", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("connect", 421, "", "busy", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("rcpt", 450, "4.3.2", "", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("rcpt", 451, "4.4.1", "", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("content", 451, "4.4.2", "", PLANNED, Fault.RELAY, Action.THROTTLE),
    # greeting, EHLO, TLS
    ("connect", 554, "5.7.1", "no", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    ("ehlo", 550, "", "user unknown", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    ("starttls", 454, "4.7.0", "", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    # the login
    ("auth", 535, "5.7.8", "", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    ("auth", 534, "5.7.9", "", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    ("auth", 538, "5.7.11", "", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    ("auth", 454, "4.7.0", "", PLANNED, Fault.RELAY, Action.THROTTLE),
    ("mail", 530, "5.7.0", "authentication required", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    ("rcpt", 530, "", "must issue STARTTLS", PLANNED, Fault.RELAY, Action.PAUSE_RUN),
    # MAIL refused
    ("mail", 550, "5.1.7", "", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("mail", 550, "5.1.8", "", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("mail", 550, "5.7.1", "", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("mail", 553, "", "not your address", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("mail", 550, "5.1.1", "user unknown", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("mail", 550, "", "user unknown", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("rcpt", 550, "5.1.8", "sender's domain not found", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    ("rcpt", 450, "4.1.8", "sender's domain not found", PLANNED, Fault.SENDER, Action.PAUSE_RUN),
    # SPF, DKIM, DMARC, PTR
    *(
        ("content", 550, f"5.7.{n}", "", DEFERRED, Fault.SENDER, Action.PAUSE_RUN)
        for n in (20, 21, 22, 23, 24, 25, 26, 27, 509, 515)
    ),
    ("content", 550, "", "fails DMARC policy", DEFERRED, Fault.SENDER, Action.PAUSE_RUN),
    ("content", 550, "5.7.1", "SPF check failed", DEFERRED, Fault.SENDER, Action.PAUSE_RUN),
    ("rcpt", 554, "5.0.0", "no PTR record", DEFERRED, Fault.SENDER, Action.PAUSE_RUN),
    # other 5.7.x, block lists, relaying
    ("rcpt", 554, "5.7.1", "relay access denied", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    ("rcpt", 550, "5.7.133", "", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    ("content", 550, "5.7.1", "user unknown", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    ("content", 554, "", "looks like spam", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    ("rcpt", 550, "", "listed at zen.spamhaus.org", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    ("rcpt", 550, "", "relaying denied", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    ("rcpt", 503, "5.7.1", "sender rejected", DEFERRED, Fault.SENDER, Action.PAUSE_DOMAIN),
    # nobody there
    *(("rcpt", 550, f"5.1.{n}", "", FAILED, Fault.RECIPIENT, Action.SUPPRESS) for n in (1, 2, 3, 6, 10)),
    ("rcpt", 550, "", "User unknown", FAILED, Fault.RECIPIENT, Action.SUPPRESS),
    ("rcpt", 550, "", "no such user here", FAILED, Fault.RECIPIENT, Action.SUPPRESS),
    ("content", 550, "5.0.0", "mailbox does not exist", FAILED, Fault.RECIPIENT, Action.SUPPRESS),
    ("rcpt", 501, "5.1.3", "bad address syntax", FAILED, Fault.RECIPIENT, Action.SUPPRESS),
    ("rcpt", 450, "5.1.1", "", DEFERRED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "4.1.1", "not verified", DEFERRED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 450, "", "user unknown", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    # disabled
    ("rcpt", 550, "5.2.1", "disabled", FAILED, Fault.RECIPIENT, Action.SUPPRESS_SECOND),
    # full, unreachable, not otherwise known
    ("rcpt", 452, "4.2.2", "", DEFERRED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 552, "5.2.2", "", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 552, "", "quota exceeded", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 450, "4.4.7", "", DEFERRED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "5.4.1", "", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "5.4.4", "", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "", "go away", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("content", 554, "5.0.0", "transaction failed", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "5.3.0", "see our page on SPF", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "5.3.0", "user unknown", FAILED, Fault.RECIPIENT, Action.SOFT),
    ("rcpt", 550, "4.2.2", "", DEFERRED, Fault.RECIPIENT, Action.SOFT),
    # greylisting and haste
    ("rcpt", 450, "4.2.0", "greylisted", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    ("rcpt", 450, "4.2.1", "", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    ("rcpt", 451, "4.7.1", "come back later", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    ("content", 451, "4.7.26", "unauthenticated", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    ("mail", 452, "4.3.1", "no space", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    ("rcpt", 451, "", "", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    ("rcpt", 550, "4.7.1", "", DEFERRED, Fault.DOMAIN, Action.THROTTLE),
    # the message
    ("mail", 552, "5.3.4", "", FAILED, Fault.MESSAGE, Action.STOP_EDITION),
    ("mail", 552, "", "too large", FAILED, Fault.MESSAGE, Action.STOP_EDITION),
    ("content", 552, "", "message size exceeds the limit", FAILED, Fault.MESSAGE, Action.STOP_EDITION),
    ("content", 554, "5.6.0", "", FAILED, Fault.MESSAGE, Action.STOP_EDITION),
    ("content", 554, "5.6.6", "", FAILED, Fault.MESSAGE, Action.STOP_EDITION),
    ("rcpt", 550, "5.2.3", "", FAILED, Fault.RECIPIENT, Action.NONE),
    # the address
    *(("rcpt", 550, f"5.6.{n}", "", FAILED, Fault.ADDRESS, Action.NONE) for n in (7, 8, 9)),
    ("rcpt", 0, "5.6.7", "the relay does not offer SMTPUTF8", FAILED, Fault.ADDRESS, Action.NONE),
    # us
    ("rcpt", 503, "5.5.1", "bad sequence", PLANNED, Fault.US, Action.STEP_DOWN),
    ("data", 503, "", "bad sequence", PLANNED, Fault.US, Action.STEP_DOWN),
    ("mail", 555, "5.5.4", "", PLANNED, Fault.US, Action.STEP_DOWN),
    ("mail", 500, "", "what?", PLANNED, Fault.US, Action.STEP_DOWN),
]


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "text", "state", "fault", "action"), TABLE, ids=lambda v: str(v)
)
def test_each_row_of_the_table_names_the_fault_and_what_follows(
    stage: str, code: int, enhanced: str, text: str, state: EntryState, fault: Fault, action: Action
) -> None:
    verdict = outbox.classify(refused(stage, code, enhanced, text))
    assert (verdict.state, verdict.fault, verdict.action) == (state, fault, action)
    assert verdict.words


@pytest.mark.parametrize(
    ("receipt", "expected"),
    [
        (Receipt(Outcome.ACCEPTED, 250, "2.0.0"), (ACCEPTED, Fault.NONE, Action.NONE)),
        (Receipt(Outcome.UNKNOWN, stage="content"), (UNKNOWN, Fault.RELAY, Action.THROTTLE)),
        (Receipt(Outcome.RETURNED, stage="rcpt"), (PLANNED, Fault.RELAY, Action.THROTTLE)),
        (Receipt(Outcome.UNKNOWN, 0, "5.5.0", "250250", "content"), (UNKNOWN, Fault.US, Action.STEP_DOWN)),
        (Receipt(Outcome.RETURNED, 0, "5.5.0", "garbage", "mail"), (PLANNED, Fault.US, Action.STEP_DOWN)),
        (Receipt(Outcome.DEFERRED), (DEFERRED, Fault.DOMAIN, Action.THROTTLE)),
        (Receipt(Outcome.REFUSED), (FAILED, Fault.RECIPIENT, Action.SOFT)),
    ],
)
def test_what_ended_without_a_readable_reply(
    receipt: Receipt, expected: tuple[EntryState, Fault, Action]
) -> None:
    verdict = outbox.classify(receipt)
    assert (verdict.state, verdict.fault, verdict.action) == expected


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("5.1.1", Action.SUPPRESS),
        ("5.2.2", Action.SOFT),
        ("4.4.7", Action.SOFT),
        ("5.7.1", Action.PAUSE_DOMAIN),
    ],
)
def test_status_codes_of_reports_are_judged_by_the_same_table(status: str, action: Action) -> None:
    outcome = Outcome.DEFERRED if status.startswith("4") else Outcome.REFUSED
    assert outbox.classify(Receipt(outcome, 0, status)).action is action


@given(
    st.sampled_from(["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "content", ""]),
    st.integers(400, 599),
    st.one_of(st.just(""), st.from_regex(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)),
    st.sampled_from(["", "user unknown", "SPF", "spam", "message too large"]),
)
def test_nobody_is_suppressed_for_what_is_temporary_or_was_said_before_a_recipient_was_named(
    stage: str, code: int, enhanced: str, text: str
) -> None:
    verdict = outbox.classify(refused(stage, code, enhanced, text))
    if outbox.is_temporary(code, enhanced):
        assert verdict.state in (PLANNED, DEFERRED)
    if outbox.is_temporary(code, enhanced) or stage in ("connect", "ehlo", "starttls", "auth", "mail"):
        assert verdict.action not in (Action.SUPPRESS, Action.SUPPRESS_SECOND)


def entry(attempt: int = 1, **fields: int) -> Entry:
    return Entry("digest/events/2020-W16", 3, fields.pop("position", 7), 1, "en", attempt=attempt, **fields)


LATER = Verdict(DEFERRED)


@pytest.mark.parametrize(
    ("attempt", "minutes"), [(0, 5), (1, 5), (2, 15), (3, 60), (4, 180), (5, 360), (6, 360), (40, 360)]
)
def test_each_try_waits_longer_and_the_last_distance_stays(attempt: int, minutes: int) -> None:
    at = outbox.next_attempt(entry(attempt), LATER, NOW, RETRY, FAR, 0.0)
    assert at == NOW + timedelta(minutes=minutes)


def test_jitter_moves_a_try_by_a_fifth_at_most() -> None:
    at = [outbox.next_attempt(entry(), LATER, NOW, RETRY, FAR, j) for j in (-9.0, -1.0, 0.5, 1.0, 9.0)]
    assert at == [NOW + timedelta(minutes=m) for m in (4, 4, 5.5, 6, 6)]


def test_jitter_is_the_same_for_the_same_try_and_spread_over_entries() -> None:
    assert outbox.jitter_of(entry(2)) == outbox.jitter_of(entry(2)) != outbox.jitter_of(entry(3))
    drawn = [outbox.jitter_of(entry(position=n)) for n in range(1000)]
    assert min(drawn) < -0.95 and max(drawn) > 0.95
    assert abs(sum(drawn) / 1000) < 0.1


def test_nothing_is_tried_again_when_it_is_of_no_use_any_more() -> None:
    in_five_minutes = NOW + timedelta(minutes=5)
    assert outbox.next_attempt(entry(), LATER, NOW, RETRY, in_five_minutes, 0.0) is None
    assert outbox.next_attempt(entry(), LATER, NOW, RETRY, in_five_minutes + timedelta(seconds=1), 0.0)
    assert outbox.next_attempt(entry(), Verdict(PLANNED), NOW, RETRY, NOW, 0.0) is None


def test_what_came_back_unharmed_may_go_at_once_and_what_is_final_never() -> None:
    assert outbox.next_attempt(entry(4), Verdict(PLANNED), NOW, RETRY, FAR, 1.0) == NOW
    for state in (ACCEPTED, FAILED, EntryState.SUPERSEDED, EntryState.EXPIRED):
        assert outbox.next_attempt(entry(), Verdict(state), NOW, RETRY, FAR, 0.0) is None


def test_an_unknown_entry_is_repeated_twice_at_most() -> None:
    assert [outbox.may_repeat(entry(doubt=n)) for n in (1, 2, 3)] == [True, True, False]
    assert outbox.next_attempt(entry(), Verdict(UNKNOWN), NOW, RETRY, FAR, 0.0) == NOW + RETRY[0]


def test_without_distances_every_try_waits_the_longest() -> None:
    assert outbox.next_attempt(entry(), LATER, NOW, (), FAR, 0.0) == NOW + outbox.LAST_RETRY
