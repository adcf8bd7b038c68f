"""When the window of a feed takes an event up and lets it go."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from makers import a_snapshot, a_span, an_event

from notifier.events import calendar
from notifier.events.calendar import CalendarSettings
from notifier.events.event import Snapshot, Status

SETTINGS = CalendarSettings(organiser_name="Office", organiser_mail="events@region.example")
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def a_meeting(first: date, days: int, status: Status) -> Snapshot:
    span = a_span(str(first), str(first + timedelta(days=days)))
    return a_snapshot(an_event(span=span, status=status), revised_at=LONG_AGO)


@given(
    st.dates(date(2003, 6, 1), date(2040, 1, 1)),
    st.integers(0, 5),
    st.sampled_from(Status),
    st.integers(-800, 200),
)
@example(date(2024, 2, 29), 0, Status.CONFIRMED, -729)
@example(date(2024, 2, 29), 0, Status.CONFIRMED, -730)
@example(date(2024, 2, 29), 0, Status.CONFIRMED, -731)
@example(date(2020, 4, 28), 0, Status.CANCELLED, 31)
@example(date(2020, 4, 28), 0, Status.CONFIRMED, 91)
def test_a_feed_changed_on_just_the_days_that_take_an_event_up_or_let_it_go(
    first: date, length: int, status: Status, after_days: int
) -> None:
    snapshot = a_meeting(first, length, status)
    today = datetime.combine(first + timedelta(days=after_days), time(12), UTC)

    shown, before = (
        calendar.in_window([snapshot], now=now, settings=SETTINGS)
        for now in (today, today - timedelta(days=1))
    )
    changed = calendar.changed_at([snapshot], now=today, settings=SETTINGS)

    assert (changed == datetime.combine(today.date(), time(0), UTC)) == (shown != before)


def test_a_revision_counts_when_it_is_newer_than_the_last_turn() -> None:
    snapshot = a_snapshot()
    now = snapshot.revised_at + timedelta(days=3)

    assert calendar.changed_at([snapshot], now=now, settings=SETTINGS) == snapshot.revised_at
    assert calendar.changed_at([], now=now, settings=SETTINGS) is None
