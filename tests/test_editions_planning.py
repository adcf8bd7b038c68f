"""The plan as a whole: pure, the same however time is cut, and in time for the real meetings of 2020."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import a_snapshot, a_span, an_event, an_office

from notifier.config import (
    AnnouncementSettings,
    Config,
    DigestSettings,
    Editions,
    Newsletter,
    ReminderSettings,
)
from notifier.editions import planning
from notifier.editions.base import Edition, Kind
from notifier.events.event import Event, Material, Snapshot, Status

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2020, 3, 1, tzinfo=UTC)
APPROVAL = st.sampled_from(["none", "required"])


def unasked(**fields: Any) -> Config:
    """Nothing needs an approval."""
    editions = Editions(
        digest=DigestSettings(approval="none"), announcement=AnnouncementSettings(approval="none")
    )
    return an_office(**({"editions": editions} | fields))


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[Snapshot, ...]:
    """Up to six events from March to June 2020, of any kind, known at any minute of March and April."""
    found = []
    for n in range(draw(st.integers(0, 6))):
        first = date(2020, 3, 1) + timedelta(days=draw(st.integers(0, 120)))
        span = a_span(
            first.isoformat(), at=draw(st.sampled_from(["", "00:30", "10:00", "23:00"])), zone="Europe/Rome"
        )
        known = START + MINUTE * draw(st.integers(0, 60 * 24 * 60) | st.sampled_from([600, 605, 610]))
        event = an_event(
            f"{first}-{n}",
            span=span,
            status=draw(st.sampled_from(Status)),
            project=draw(st.sampled_from(["", "smarty", "cohes3ion"])),
            materials=draw(st.sampled_from([(), (Material(title={"en": "Slides"}),)])),
        )
        found.append(
            a_snapshot(event, published_at=known, revised_at=known, is_baseline=draw(st.booleans()), revision=draw(st.integers(1, 2)))
        )  # fmt: skip
    return tuple(found)


@given(
    known=snapshots(),
    cuts=st.lists(st.integers(0, 100 * 24 * 60), min_size=1, max_size=5),
    extra=st.lists(st.tuples(st.integers(0, 100 * 24 * 60), st.integers(0, 100 * 24 * 60)), max_size=4),
    order=st.randoms(use_true_random=False),
    approvals=st.tuples(APPROVAL, APPROVAL, APPROVAL),
)
@settings(max_examples=60, deadline=None)
def test_planning_in_any_order_and_overlap_equals_planning_once(
    known: tuple[Snapshot, ...],
    cuts: list[int],
    extra: list[tuple[int, int]],
    order: Any,
    approvals: tuple[str, str, str],
) -> None:
    # Given a time cut into parts, and more parts that overlap them
    config = an_office(
        newsletter=(Newsletter(projects=("smarty",), name="smarty"), Newsletter()),
        editions=Editions(
            digest=DigestSettings(approval=approvals[0]),
            announcement=AnnouncementSettings(approval=approvals[1]),
            reminder=ReminderSettings(approval=approvals[2]),
        ),
    )
    ends = [0, *sorted(cuts), 100 * 24 * 60]
    parts = [*pairwise(ends), *((a, b) for a, b in (sorted(pair) for pair in extra))]
    order.shuffle(parts)
    # When each is planned, in any order, and what has a known key is left as it is
    stored: dict[str, Edition] = {}
    for since, until in parts:
        shuffled = list(known)
        order.shuffle(shuffled)
        for edition in planning.plan(shuffled, START + MINUTE * since, START + MINUTE * until, config):
            assert stored.setdefault(edition.key, edition) == edition
    # Then it is what planning the whole at once gives
    whole = planning.plan(known, START, START + 100 * DAY, config)
    assert stored == {edition.key: edition for edition in whole}
    assert [e.key for e in whole] == [e.key for e in sorted(whole, key=lambda e: (e.due, e.key))]


@given(known=snapshots(), step=st.integers(1, 30 * 24 * 60))
@settings(max_examples=40, deadline=None)
def test_a_plan_never_speaks_of_what_is_unknown_or_over(known: tuple[Snapshot, ...], step: int) -> None:
    by_uid = {s.event.uid: s for s in known}
    for edition in planning.plan(known, START, START + 130 * DAY, an_office()):
        assert edition.due < edition.useful_until
        assert edition.prepare_at is None or edition.prepare_at <= edition.due
        for mention in edition.mentions:
            snapshot = by_uid[mention.uid]
            assert snapshot.published_at <= edition.due
            if mention.section == "events":
                assert edition.due < snapshot.event.span.starts_at
                if snapshot.event.status not in (Status.CANCELLED, Status.POSTPONED):
                    assert edition.useful_until <= snapshot.event.span.starts_at


@given(known=snapshots(), after=st.integers(0, 90 * 24 * 60), horizon=st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_nothing_is_to_be_done_before_the_next_due_instant(
    known: tuple[Snapshot, ...], after: int, horizon: int
) -> None:
    # Given any moment
    now, config = START + MINUTE * after, an_office()
    # When the next instant is asked for
    following = planning.next_due(known, now, horizon * DAY, config)
    # Then until just before it no tick finds anything new to store, prepare or open, and at it there is something
    end = following - timedelta(microseconds=1) if following else now + horizon * DAY
    instants = [t for e in planning.plan(known, now, end, config) for t in (e.prepare_at, e.due) if t]
    assert [t for t in instants if now < t <= end] == []
    if following:
        assert following in {
            t for e in planning.plan(known, now, following, config) for t in (e.prepare_at, e.due)
        }


def test_next_due_is_the_preparation_where_that_comes_first() -> None:
    # Given a meeting that was announced long ago, and Sunday 5 April
    known = [a_snapshot(is_baseline=True)]
    sunday = datetime(2020, 4, 5, 12, 0, tzinfo=UTC)
    # Then digests of Tuesday are to be prepared on Monday at 07:30, and are due a day later
    assert planning.next_due(known, sunday, 10 * DAY, an_office()) == datetime(2020, 4, 6, 5, 30, tzinfo=UTC)
    assert planning.next_due(known, sunday, 10 * DAY, unasked()) == datetime(2020, 4, 7, 5, 30, tzinfo=UTC)
    assert planning.next_due(known, sunday, 6 * HOUR, an_office()) is None
    # And between the two, an hour holds nothing
    assert planning.next_due(known, sunday + DAY, HOUR, an_office()) is None


def test_an_event_known_while_its_digest_is_prepared_joins_it() -> None:
    # Given a digest that is prepared from Monday 07:30, when there was nothing to say
    monday, tuesday = datetime(2020, 4, 6, 5, 30, tzinfo=UTC), datetime(2020, 4, 7, 5, 30, tzinfo=UTC)
    late = a_snapshot(published_at=monday + HOUR, revised_at=monday + HOUR, is_baseline=True)
    assert planning.plan([], monday - MINUTE, monday, an_office()) == ()
    # When an event becomes known an hour later
    found = planning.plan([late], monday + HOUR, monday + 2 * HOUR, an_office())
    # Then the digests of Tuesday are planned still
    assert {e.due for e in found} == {tuesday}


def test_settings_that_cannot_be_planned_by_are_told_all_at_once_with_their_keys() -> None:
    # Given a schedule, a cadence, a day off, an hour and quiet hours that are none
    newsletters = (
        Newsletter(),
        Newsletter(schedule={"weekly": "Tuesdays", "daily": "Tue 07:30"}, **{"except": ("24.12.2026",)}),
    )
    wrong = an_office(
        newsletter=newsletters, editions=Editions(reminder=ReminderSettings(at="7", quiet_hours="night"))
    )
    # Then each is named, with what may be written
    found = dict(planning.faults(wrong))
    assert list(found) == [
        ("newsletter", 1, "schedule", "weekly"),
        ("newsletter", 1, "schedule", "daily"),
        ("newsletter", 1, "except"),
        ("editions", "reminder", "at"),
        ("editions", "reminder", "quiet_hours"),
    ]
    assert all("write " in words for words in found.values())
    # And the usual settings have none
    assert list(planning.faults(an_office())) == []


# The real meetings of 2020: whole days; when each became known is ours.
ESSEN = an_event("2020-01-15-cohes3ion-essen", span=a_span("2020-01-15", "2020-01-16", zone="Europe/Berlin"))
CALABRIA = an_event(
    "2020-04-28-cohes3ion-calabria", span=a_span("2020-04-28", "2020-04-29", zone="Europe/Rome")
)
STAKEHOLDERS = an_event("2020-07-14-smarty-rgi-2", span=a_span("2020-07-14"), project="smarty")
SEMINAR = an_event("2020-09-08-smarty-seminar-2", span=a_span("2020-09-08", "2020-09-09"), project="smarty")
HISTORY = {
    ESSEN.uid: datetime(2019, 11, 27, 9, 0, tzinfo=UTC),
    CALABRIA.uid: datetime(2020, 1, 27, 9, 0, tzinfo=UTC),
    STAKEHOLDERS.uid: datetime(2020, 6, 17, 8, 0, tzinfo=UTC),
    SEMINAR.uid: datetime(2020, 7, 20, 8, 0, tzinfo=UTC),
}


@pytest.fixture(scope="module")
def the_year() -> tuple[Edition, ...]:
    """All that is planned over the four meetings, a day at a time, each known from its time on only."""
    found: dict[str, Edition] = {}
    day = datetime(2019, 11, 1, tzinfo=UTC)
    while day < datetime(2020, 12, 31, tzinfo=UTC):
        known = [
            a_snapshot(event, published_at=HISTORY[event.uid], revised_at=HISTORY[event.uid])
            for event in (ESSEN, CALABRIA, STAKEHOLDERS, SEMINAR)
            if HISTORY[event.uid] <= day
        ]
        for edition in planning.plan(known, day - DAY, day, an_office()):
            found.setdefault(edition.key, edition)
        day += DAY
    return tuple(found.values())


@pytest.mark.parametrize(
    ("event", "announced", "reminded", "first_weekly"),
    [
        (ESSEN, "2019-11-27", ["2020-01-08", "2020-01-14"], "2019-W49"),
        (CALABRIA, "2020-01-27", ["2020-04-21", "2020-04-27"], "2020-W10"),
        (STAKEHOLDERS, "2020-06-17", ["2020-07-07", "2020-07-13"], "2020-W26"),
        (SEMINAR, "2020-07-20", ["2020-09-01", "2020-09-07"], "2020-W30"),
    ],
    ids=lambda value: value.slug if isinstance(value, Event) else None,
)
def test_each_real_meeting_is_announced_digested_and_reminded_in_time(
    the_year: tuple[Edition, ...], event: Event, announced: str, reminded: list[str], first_weekly: str
) -> None:
    # Given what was planned over the year
    of_event = [e for e in the_year if any(m.uid == event.uid and m.section == "events" for m in e.mentions)]
    days: dict[Kind, list[str]] = {}
    for edition in sorted(of_event, key=lambda e: e.due):
        days.setdefault(edition.kind, []).append(f"{edition.due:%Y-%m-%d}")
    # Then it is announced once, reminded twice, and in every digest from the window on
    assert days[Kind.ANNOUNCEMENT] == [announced]
    assert days[Kind.REMINDER] == reminded
    weekly = [e.slot for e in of_event if e.cadence == "weekly"]
    assert min(weekly) == first_weekly
    assert {e.cadence for e in of_event if e.kind is Kind.DIGEST} == {"weekly", "biweekly", "monthly"}
    # And never after it began
    assert all(e.due < e.useful_until <= event.span.starts_at for e in of_event)


def test_the_night_of_the_clock_change_keeps_the_local_hour(the_year: tuple[Edition, ...]) -> None:
    dues = {e.slot: e.due for e in the_year if e.cadence == "weekly"}
    assert dues["2020-W13"] == datetime(2020, 3, 24, 6, 30, tzinfo=UTC)
    assert dues["2020-W14"] == datetime(2020, 3, 31, 5, 30, tzinfo=UTC)


def test_months_without_anything_to_say_have_no_digest(the_year: tuple[Edition, ...]) -> None:
    slots = {e.slot for e in the_year if e.cadence == "weekly"}
    assert "2020-W05" not in slots  # Essen is over, Calabria more than 60 days ahead
    assert "2020-W40" not in slots
