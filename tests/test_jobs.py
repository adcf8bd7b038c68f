"""The jobs together: from events to messages, with a real store, and whatever happens in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers import a_span, a_subscriber, an_app, an_event

from notifier import jobs
from notifier.app import App
from notifier.editions.base import State
from notifier.errors import Problem
from notifier.events.event import Deadline, Event, Material, Status
from notifier.facts import look
from notifier.mail.outbox import EntryState
from notifier.sources.base import Reading
from notifier.subscribers.subscriber import Subscriber

START = datetime(2020, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
KNOWN = START + timedelta(hours=1)


class Days:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Days:
    return Days(START)


def an_office(
    folder: Path, clock: Days, *events: Event, people: tuple[Subscriber, ...] = (), **sections: object
) -> App:
    """An app after its baseline, with subscribers; the events become known with the next tick."""
    app = an_app(folder, **({"engines": {"hold_after": "400d"}} | sections))
    app.store.subscribers.put(people or (a_subscriber(),), START)
    jobs.tick(app, clock)
    tell(app, *events)
    return app


def tell(app: App, *events: Event, problems: tuple[Problem, ...] = (), broken: tuple[str, ...] = ()) -> None:
    """What the files say from now on."""
    before = app.reading()
    told = replace(before, events=events, problems=problems, broken=broken)
    app.read = lambda: told


def tick(app: App, clock: Days, at: datetime | str) -> jobs.Outcomes:
    clock.now = datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at
    outcomes, _ = jobs.tick(app, clock)
    return outcomes


def play(app: App, clock: Days, until: datetime) -> None:
    """Tick at every instant at which something is due."""
    while clock.now < until:
        _, facts = jobs.tick(app, clock)
        assert facts
        clock.now = jobs.next_due(app, facts, clock.now, timedelta(days=62)) or until


def kinds(app: App) -> list[str]:
    """Kind of each edition that somebody got, by due time."""
    return [
        e.kind.value
        for e in app.store.editions.list({State.DONE, State.OPEN})
        if app.store.outbox.entries(edition=e.key)
    ]


def sent(app: App) -> list[str]:
    return [m.recipient for m in app.transport.sent]  # type: ignore[attr-defined]


def test_what_is_there_at_the_first_refresh_is_announced_by_nobody(tmp_path, clock):
    app = an_app(tmp_path, [an_event()])
    app.store.subscribers.put([a_subscriber()], START)
    for day in range(3):
        tick(app, clock, START + timedelta(days=day))
    assert [e.key for e in app.store.editions.list(kind="announcement")] == []


def test_a_new_event_is_announced_digested_and_reminded_and_never_after_it_began(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    clock.now = KNOWN
    play(app, clock, datetime(2020, 5, 10, tzinfo=UTC))
    begins = an_event().span.starts_at
    assert {"announcement", "digest", "reminder"} == set(kinds(app))
    assert kinds(app).count("reminder") == 2
    assert all(e.date < begins for e in app.store.editions.list({State.DONE}))
    assert len(sent(app)) == len(app.store.outbox.entries()) > 5


def test_a_tick_repeated_sends_nothing_again(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tick(app, clock, KNOWN + timedelta(minutes=20))
    before = sent(app)
    for _ in range(3):
        tick(app, clock, clock.now)
    assert before == sent(app) == ["office@example.org"]


def test_a_digest_waits_for_approval_and_is_never_sent_unseen(tmp_path, clock):
    # Given digests that need an approval, asked for a day ahead
    app = an_office(tmp_path, clock, an_event(), editions={"announcement": {"approval": "none"}})
    tick(app, clock, KNOWN)
    # When the day before has come, and then the hour itself
    waiting = tick(app, clock, "2020-03-09T07:00").waiting
    tick(app, clock, "2020-03-10T06:31")
    # Then it is held, and goes out once it is approved
    key = "digest/events/2020-W11-2w"
    assert waiting == [key]  # and not the weekly one, which nobody would get
    held = app.store.editions.get(key)
    assert (held.state, held.reason.split(":")[0]) == (State.HELD, "approval")
    assert not app.store.outbox.entries(edition=key)
    app.store.editions.approve(key, held.content_hash, "officer", clock.now)
    tick(app, clock, "2020-03-10T07:00")
    assert app.store.editions.get(key).state is State.DONE


def test_a_change_after_the_approval_makes_it_void(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), editions={"announcement": {"approval": "none"}})
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-03-09T07:00")
    key = "digest/events/2020-W11-2w"
    app.store.editions.approve(key, app.store.editions.get(key).content_hash, "officer", clock.now)
    # When the event is moved before the digest is due
    tell(app, an_event(span=a_span("2020-05-05", "2020-05-06", zone="Europe/Rome")))
    tick(app, clock, "2020-03-10T06:31")
    # Then nobody gets what was approved for other dates
    held = app.store.editions.get(key)
    assert held.state is State.HELD
    assert "changed after it was approved" in held.reason


def test_a_broken_file_holds_only_the_editions_that_would_contain_it(tmp_path, clock):
    # Given two events with a reminder due on the same morning
    other = an_event("2020-04-28-other", title={"en": "Other meeting"}, project="smarty")
    app = an_office(tmp_path, clock, an_event(), other)
    tick(app, clock, KNOWN)
    # When the file of one cannot be read any more
    problem = Problem(
        "data/events/2020/2020-04-28-calabria.md", 4, 7, "E010", "not a date", subject="2020-04-28-calabria"
    )
    tell(app, other, problems=(problem,), broken=("2020-04-28-calabria",))
    outcomes = tick(app, clock, "2020-04-21T06:00")
    # Then only its own reminder and the digest are held, with words
    reminders = {e.key: e.state for e in app.store.editions.list(kind="reminder")}
    assert [state for key, state in reminders.items() if "calabria" in key and key.endswith("P7D")] == [
        State.HELD
    ]
    assert [state for key, state in reminders.items() if "other" in key and key.endswith("P7D")] == [
        State.DONE
    ]
    assert set(outcomes.held.values()) == {"2020-04-28-calabria cannot be read"}
    # And they go out when it is mended
    tell(app, an_event(), other)
    tick(app, clock, "2020-04-21T07:00")
    mended = [e.state for e in app.store.editions.list(kind="reminder") if e.key.endswith("P7D")]
    assert mended == [State.DONE, State.DONE]


def test_a_published_event_that_is_gone_is_a_problem_and_not_a_silent_loss(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tell(app)
    outcomes = tick(app, clock, "2020-04-21T06:00")
    assert [p.code for p in outcomes.problems] == ["E040"]
    assert "status: cancelled" in outcomes.problems[0].fix
    assert all("is gone" in words for words in outcomes.held.values()) and outcomes.held


def test_a_published_event_keeps_its_uid(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tell(app, an_event(uid="another@events.region.example"))
    outcomes = tick(app, clock, "2020-04-21T06:00")
    assert [(p.code, p.fix) for p in outcomes.problems] == [("E041", f"uid: {an_event().uid}")]
    assert list(app.store.events.current()) == [an_event().uid]


def test_a_moved_event_is_reminded_of_its_new_date_only(tmp_path, clock):
    app = an_office(
        tmp_path,
        clock,
        an_event(),
        editions={"digest": {"approval": "none", "empty": "skip"}, "announcement": {"approval": "none"}},
    )
    tick(app, clock, KNOWN)
    tell(app, an_event(span=a_span("2020-05-05", zone="Europe/Rome")))
    play(app, clock, datetime(2020, 5, 12, tzinfo=UTC))
    done = [e.key.split("/")[2:] for e in app.store.editions.list({State.DONE}, kind="reminder")]
    assert done == [["20200504T220000Z", "P7D"], ["20200504T220000Z", "P1D"]]


def test_a_cancelled_event_is_not_reminded(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tell(app, an_event(status=Status.CANCELLED))
    play(app, clock, datetime(2020, 5, 10, tzinfo=UTC))
    assert "reminder" not in kinds(app)


def test_hold_all_stops_everything_and_resume_misses_nobody(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    app.store.hold_all("wrong logo", clock.now)
    tick(app, clock, KNOWN + timedelta(minutes=30))
    assert sent(app) == []
    app.store.hold_all(None, clock.now)
    tick(app, clock, KNOWN + timedelta(minutes=40))
    assert sent(app) == ["office@example.org"]


def test_a_reader_of_one_project_gets_only_that(tmp_path, clock):
    smarty = an_event("2020-04-29-smarty", title={"en": "Smarty meeting"}, project="smarty")
    people = (
        a_subscriber("all@example.org", public_id="0" * 15 + "1"),
        a_subscriber("smarty@example.org", projects=("smarty",), public_id="0" * 15 + "2"),
    )
    app = an_office(tmp_path, clock, an_event(), smarty, people=people)
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-03-10T06:31")
    digests = {m.recipient: m.content for m in app.transport.sent if b":digest:" in m.content}  # type: ignore[attr-defined]
    assert set(digests) == {"all@example.org", "smarty@example.org"}
    assert (
        b"Calabria meeting" in digests["all@example.org"] and b"Smarty meeting" in digests["all@example.org"]
    )
    assert (
        b"Calabria meeting" not in digests["smarty@example.org"]
        and b"Smarty meeting" in digests["smarty@example.org"]
    )


def test_a_pending_reader_gets_nothing(tmp_path, clock):
    people = (replace(a_subscriber("new@example.org"), standing="pending", consent=None),)
    app = an_office(tmp_path, clock, an_event(), people=people)
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-03-10T06:31")
    assert sent(app) == []


def test_who_leaves_between_planning_and_sending_gets_nothing(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    app.store.subscribers.leave("00112233aabbccdd", clock.now, how="page")
    tick(app, clock, KNOWN + timedelta(minutes=30))
    assert sent(app) == []


def test_after_a_gap_missed_digests_wait_for_a_word_and_a_reminder_still_goes(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), engines={"hold_after": "1d"})
    for day in range(2, 32):
        tick(app, clock, datetime(2020, 3, 10, 7, 0, tzinfo=UTC) + timedelta(days=day))
    outcomes = tick(app, clock, "2020-04-21T08:00")
    digest = app.store.editions.get("digest/events/2020-W17-2w")
    assert (digest.state, digest.reason.split(":")[0]) == (State.HELD, "gap")
    assert [key.split("/")[0] for key in outcomes.opened] == ["reminder"]
    # Given a broken file beside it, mended later, a person is asked all the same
    tell(
        app,
        problems=(Problem("x.md", 1, 1, "E010", "not a date", subject="2020-04-28-calabria"),),
        broken=("2020-04-28-calabria",),
    )
    tick(app, clock, "2020-04-21T09:00")
    tell(app, an_event())
    tick(app, clock, "2020-04-21T10:00")
    digest = app.store.editions.get("digest/events/2020-W17-2w")
    assert (digest.state, digest.reason.split(":")[0]) == (State.HELD, "gap")


def test_an_idle_tick_is_a_sign_of_life(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), engines={"hold_after": "1d"})
    tick(app, clock, "2020-03-09T06:00")
    # When only idle ticks ran for a day, and then the digest is due
    clock.now = datetime(2020, 3, 10, 6, 31, tzinfo=UTC)
    outcomes, _ = jobs.tick(app, clock, heartbeat=clock.now - timedelta(minutes=5))
    assert "digest/events/2020-W11-2w" in outcomes.opened


def test_a_clock_that_jumps_holds_everything_until_a_person_says_it_is_right(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    jobs.tick(app, clock, boot=("boot", 1000.0))
    clock.now += timedelta(days=365)
    outcomes, facts = jobs.tick(app, clock, boot=("boot", 1060.0))
    assert outcomes.clock_jumped and facts is None
    assert app.store.editions.planned_until() < clock.now - timedelta(days=300)
    assert jobs.tick(app, clock, boot=("boot", 1061.0))[0].clock_jumped
    # When a person accepts it, or a restart explains it, work goes on
    assert not jobs.tick(app, clock, boot=("boot", 1062.0), accept_clock=True)[0].clock_jumped
    assert not jobs.tick(app, clock, boot=("other", 5.0))[0].clock_jumped


def test_a_clock_that_ran_ahead_silences_nothing_once_it_is_accepted(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), engines={"hold_after": "1d"})
    right = clock.now
    clock.now += timedelta(days=20)
    jobs.tick(app, clock)
    # When the clock is set back, and a person says that it is right now
    clock.now = right + timedelta(hours=1)
    jobs.tick(app, clock, boot=("boot", 5.0), accept_clock=True)
    assert app.store.editions.planned_until() <= clock.now


def test_a_month_without_a_run_waits_for_a_person(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), engines={"hold_after": "1d"})
    outcomes = tick(app, clock, START + timedelta(days=31))
    assert "31 days ago" in outcomes.clock_jumped
    assert app.store.editions.planned_until() < clock.now - timedelta(days=30)


def test_what_is_over_fills_a_digest_but_makes_none(tmp_path, clock):
    # Given a meeting that is over, with its slides, and a standing call
    slides = (Material(title={"en": "Slides"}, link="https://example.org/s"),)
    call = (Deadline(what={"en": "Good practices"}),)
    past = an_event(
        "2020-03-03-past",
        title={"en": "Past meeting"},
        span=a_span("2020-03-03"),
        materials=slides,
        deadlines=call,
    )
    app = an_office(tmp_path, clock, past)
    clock.now = datetime(2020, 3, 4, 7, 0, tzinfo=UTC)
    play(app, clock, datetime(2020, 3, 20, tzinfo=UTC))
    assert "digest" not in kinds(app)
    # When another one lies ahead, the digest tells of both
    tell(app, past, an_event())
    play(app, clock, datetime(2020, 3, 25, tzinfo=UTC))
    digest = next(m.content for m in app.transport.sent if b":digest:" in m.content)  # type: ignore[attr-defined]
    assert b"Calabria meeting" in digest and b"Past meeting" in digest


def test_the_same_revision_with_other_words_is_another_content(tmp_path, clock):
    # Given an approval of an edit that no refresh has stored yet
    app = an_office(tmp_path, clock, an_event(), editions={"announcement": {"approval": "none"}})
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-03-09T07:00")
    key = "digest/events/2020-W11-2w"

    def seen() -> tuple[object, ...]:
        desk = jobs.Desk(app, look(app, clock.now), jobs.Outcomes())
        current = jobs.current_edition(desk, app.store.editions.get(key))
        return current.mentions, desk.press.content_hash(current)

    tell(app, an_event(title={"en": "Second words"}))
    mentions, content = seen()
    app.store.editions.freeze(key, mentions, content, clock.now)
    app.store.editions.approve(key, content, "officer", clock.now)
    # When the file changes once more before the next tick
    tell(app, an_event(title={"en": "Third words, seen by nobody"}))
    tick(app, clock, "2020-03-10T06:31")
    assert app.store.editions.get(key).state is State.HELD


def test_an_edition_that_needs_no_approval_any_more_goes_out(tmp_path, clock):
    # Given a digest that waits, because two readers are more than one
    people = (a_subscriber(), a_subscriber("other@example.org", public_id="0" * 16))
    rules = {"digest": {"approval": "over:1"}, "announcement": {"approval": "none"}}
    app = an_office(tmp_path, clock, an_event(), people=people, editions=rules)
    tick(app, clock, KNOWN)
    assert tick(app, clock, "2020-03-09T07:00").waiting
    # When one of them leaves
    app.store.subscribers.leave("0" * 16, clock.now, how="page")
    outcomes = tick(app, clock, "2020-03-10T06:31")
    assert outcomes.opened == ["digest/events/2020-W11-2w"]


def test_a_schedule_that_is_moved_loses_no_digest(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), editions={"announcement": {"approval": "none"}})
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-03-09T07:00")
    key = "digest/events/2020-W11-2w"
    app.store.editions.approve(key, app.store.editions.get(key).content_hash, "officer", clock.now)
    # When config.toml names an earlier hour between approval and due
    letter = app.config.newsletter[0]
    moved = letter.model_copy(
        update={"schedule": {**letter.schedule, "biweekly": "every 2 weeks on Tue at 07:00"}}
    )
    app.config = app.config.model_copy(update={"newsletter": (moved,)})
    tick(app, clock, "2020-03-10T06:31")
    # Then it is asked about again, because its settings changed, and not lost
    assert app.store.editions.get(key).state is State.HELD


def test_an_event_postponed_and_confirmed_again_is_announced(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tell(app, an_event(status=Status.POSTPONED))
    tick(app, clock, KNOWN + timedelta(minutes=20))
    assert sent(app) == []
    tell(app, an_event())
    tick(app, clock, KNOWN + timedelta(minutes=40))
    assert sent(app) == ["office@example.org"]


def test_an_announcement_approved_too_late_is_not_sent_after_the_event_began(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), editions={"digest": {"approval": "none"}})
    tick(app, clock, KNOWN)
    # Given an announcement that waits while its event is moved to this afternoon
    tell(app, an_event(span=a_span("2020-03-02", at="13:00", until="15:00")))
    tick(app, clock, "2020-03-02T11:00")
    held = app.store.editions.list(kind="announcement")[0]
    app.store.editions.approve(held.key, held.content_hash, "officer", clock.now)
    tick(app, clock, "2020-03-02T12:30")
    assert sent(app) == []


def test_a_person_s_hold_is_not_lifted_by_a_mended_file(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-03-09T07:00")
    # Given a reminder that a person holds, with words that begin like a machine's
    tick(app, clock, "2020-04-21T05:00")
    app.store.hold_all("wait", clock.now)
    tick(app, clock, "2020-04-21T05:40")
    app.store.hold_all(None, clock.now)
    key = app.store.editions.list({State.PLANNED}, kind="reminder")[0].key
    reason = f"{jobs.BY_PERSON}content: wrong place"
    assert app.store.editions.move(key, State.HELD, of={State.PLANNED}, now=clock.now, reason=reason)
    tick(app, clock, "2020-04-21T06:00")
    assert app.store.editions.get(key).state is State.HELD


def test_one_address_that_fits_no_header_stops_nobody_else(tmp_path, clock):
    people = (a_subscriber("a=?utf-8?q?x?=@example.org", public_id="0" * 16), a_subscriber())
    app = an_office(tmp_path, clock, an_event(), people=people)
    tick(app, clock, KNOWN)
    outcomes = tick(app, clock, KNOWN + timedelta(minutes=20))
    assert sent(app) == ["office@example.org"]
    assert outcomes.sent.failed == 1


def test_a_note_that_cannot_be_read_holds_its_digest(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    bad = Problem(
        "data/notes/events/2020-W11-2w.pl.md", 1, 1, "E007", "not UTF-8", subject="notes/events/2020-W11-2w"
    )
    tell(app, an_event(), problems=(bad,))
    outcomes = tick(app, clock, "2020-03-10T06:31")
    assert "digest/events/2020-W11-2w" in outcomes.held


def test_with_on_invalid_skip_a_broken_event_is_left_out(tmp_path, clock):
    other = an_event("2020-04-28-other", title={"en": "Other meeting"})
    app = an_office(tmp_path, clock, an_event(), other)
    skips = app.config.events.model_copy(update={"on_invalid": "skip"})
    app.config = app.config.model_copy(update={"events": skips})
    tick(app, clock, KNOWN)
    tell(app, other, broken=("2020-04-28-calabria",))
    tick(app, clock, "2020-04-21T06:00")
    assert [
        k for k in (e.key for e in app.store.editions.list({State.DONE}, kind="reminder")) if "calabria" in k
    ] == []


def test_a_reminder_is_of_no_use_once_a_nearer_one_is_due(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    tick(app, clock, "2020-04-21T06:00")
    farther = next(e for e in app.store.editions.list(kind="reminder") if e.offset == "P7D")
    assert farther.useful_until == datetime(2020, 4, 27, 5, 30, tzinfo=UTC)


@pytest.mark.slow
def test_next_due_is_never_later_than_the_next_work(tmp_path, clock):
    """Jumping from one due instant to the next does the same as looking every half an hour."""
    stepped, jumped = (
        an_office(tmp_path / "a", clock, an_event()),
        an_office(tmp_path / "b", Days(START), an_event()),
    )
    end = datetime(2020, 5, 1, tzinfo=UTC)
    at = KNOWN
    while at < end:
        tick(stepped, clock, at)
        at += timedelta(minutes=30)
    play(jumped, Days(KNOWN), end)
    assert kinds(stepped) == kinds(jumped)


def test_a_reminder_answers_the_announcement(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    clock.now = KNOWN
    play(app, clock, datetime(2020, 4, 28, tzinfo=UTC))
    sent = {m.content.split(b"Feedback-ID: ")[1].split(b":")[2]: m for m in app.transport.sent}  # type: ignore[attr-defined]
    announced = sent[b"announcement"].message_id.encode()
    assert b"References: " + announced in sent[b"reminder"].content
    assert b"References" not in sent[b"digest"].content


def test_with_completeness_block_a_missing_translation_waits_for_a_person(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event(), mail={"completeness": "block"})
    tick(app, clock, KNOWN)
    tick(app, clock, KNOWN + timedelta(minutes=20))
    announcement = app.store.editions.list(kind="announcement")[0]
    assert (announcement.state, announcement.reason.split(":")[0]) == (State.HELD, "approval")


def test_an_entry_in_doubt_is_sent_again_with_the_same_id(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    tick(app, clock, KNOWN)
    # Given a sender that died between handing over and the reply
    clock.now = KNOWN + timedelta(minutes=30)
    facts = jobs.refresh(app, clock.now)
    desk = jobs.Desk(app, facts, jobs.Outcomes())
    jobs.plan(app, facts, clock.now)
    jobs.address(desk, clock.now)
    entry = app.store.outbox.claim("dead-sender", clock.now, 10)[0]
    assert app.store.outbox.hand(entry, clock.now, message_id="<x@example.org>")
    # When the next tick runs
    outcomes = tick(app, clock, clock.now + timedelta(minutes=1))
    # Then it was found in doubt, and sent again
    assert outcomes.recovered == (0, 1)
    assert sent(app) == ["office@example.org"]
    assert [(e.state, e.doubt) for e in app.store.outbox.entries()] == [(EntryState.ACCEPTED, 1)]


def test_what_the_reading_says_of_projects_reaches_the_page(tmp_path, clock):
    app = an_office(tmp_path, clock, an_event())
    assert isinstance(app.reading(), Reading)
    tick(app, clock, KNOWN)
    tick(app, clock, KNOWN + timedelta(minutes=30))
    assert b"COHES3ION" in app.transport.sent[0].content  # type: ignore[attr-defined]


def test_a_broken_template_is_told_when_approval_is_asked_and_not_when_it_is_due(tmp_path, clock):
    # Given an own digest template that names what does not exist
    (tmp_path / "templates/mail").mkdir(parents=True)
    (tmp_path / "templates/mail/digest.html").write_text(
        '{% extends "base.html" %}{% block main %}{{ page.nam }}{% endblock %}'
    )
    app = an_office(tmp_path, clock, an_event(), editions={"announcement": {"approval": "none"}})
    tick(app, clock, KNOWN)
    # When the digest is prepared
    outcomes = tick(app, clock, "2020-03-09T07:00")
    key = "digest/events/2020-W11-2w"
    assert not outcomes.waiting and "digest.html:1" in outcomes.held[key]
    # Then it is asked about as soon as the template is mended
    (tmp_path / "templates/mail/digest.html").unlink()
    assert tick(app, clock, "2020-03-09T08:00").waiting == [key]
