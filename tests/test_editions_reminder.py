"""When a reminder is due: whole days, hours, quiet hours and clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import a_snapshot, a_span, an_event, an_office

from notifier.config import Config, Editions, Newsletter, ReminderSettings
from notifier.editions import reminder
from notifier.editions.base import Edition
from notifier.events.event import Snapshot, Status

EPOCH, END = datetime(2014, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def planned(snapshot: Snapshot, settings: Config | None = None) -> dict[str, Edition]:
    """offset -> reminder, of all time."""
    return {e.offset: e for e in reminder.plan([snapshot], EPOCH, END, settings or an_office())}


def old(**fields: Any) -> Snapshot:
    return a_snapshot(an_event(**fields), published_at=EPOCH, revised_at=EPOCH)


def with_reminder(**fields: Any) -> Config:
    return an_office(editions=Editions(reminder=ReminderSettings(**fields)))


def local(instant: datetime, zone: str = "Europe/Warsaw") -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def test_whole_days_are_reminded_in_the_morning_of_the_organisation() -> None:
    # Given a meeting of whole days in Sofia, where it is an hour later than in Warsaw
    found = planned(old(span=a_span("2020-04-28", "2020-04-29", zone="Europe/Sofia")))
    # Then it is 07:30 in Warsaw, 7 days and 1 day before
    assert {offset: local(e.due) for offset, e in found.items()} == {
        "P7D": "2020-04-21 07:30",
        "P1D": "2020-04-27 07:30",
    }
    # And of use until the nearer one is due, or local midnight in Sofia
    assert {offset: e.useful_until for offset, e in found.items()} == {
        "P7D": found["P1D"].due,
        "P1D": datetime(2020, 4, 27, 21, 0, tzinfo=UTC),
    }


def test_the_key_holds_the_start_in_utc_and_the_offset() -> None:
    found = planned(old(span=a_span("2020-09-08", "2020-09-09")))
    assert found["P7D"].key == "reminder/20200428calabria@events.region.example/20200907T220000Z/P7D"


def test_a_moved_event_is_reminded_anew_and_an_edited_one_is_not() -> None:
    keys = {e.key for e in planned(old()).values()}
    edited = old(title={"en": "Another title"}).model_copy(update={"revision": 2})
    moved = old(span=a_span("2020-05-05"), status=Status.MOVED)
    assert {e.key for e in planned(edited).values()} == keys
    assert not {e.key for e in planned(moved).values()} & keys


def test_an_event_with_hours_is_reminded_that_long_before_its_start() -> None:
    found = planned(old(span=a_span("2020-04-28", at="10:00", until="13:00", zone="Europe/Rome")))
    assert [local(e.due, "Europe/Rome") for e in found.values()] == ["2020-04-21 10:00", "2020-04-27 10:00"]


@pytest.mark.parametrize(
    ("at", "before", "due"),
    [
        ("10:00", DAY, "2020-04-27 10:00"),
        ("07:00", DAY, "2020-04-27 07:00"),  # quiet ends
        ("06:00", DAY, "2020-04-27 07:00"),  # later
        ("20:00", DAY, "2020-04-27 20:00"),  # quiet begins
        ("20:01", DAY, "2020-04-28 07:00"),  # over the night
        ("22:00", DAY, "2020-04-28 07:00"),
        ("07:00", HOUR, "2020-04-27 20:00"),  # the end of quiet would be the start: the evening before
        ("00:30", HOUR, "2020-04-27 20:00"),  # due on the evening before itself
        ("07:01", HOUR, "2020-04-28 07:00"),
    ],
)
def test_quiet_hours_move_a_reminder_later_or_before_them(at: str, before: timedelta, due: str) -> None:
    event = an_event(span=a_span("2020-04-28", at=at, zone="Europe/Rome"))
    assert local(reminder.due_at(event, before, an_office()), "Europe/Rome") == due


def test_quiet_hours_within_a_day_or_none_are_possible() -> None:
    event = an_event(span=a_span("2020-04-28", at="13:00"))
    midday, none = with_reminder(quiet_hours="12:00–14:00"), with_reminder(quiet_hours="")
    assert local(reminder.due_at(event, DAY, midday)) == "2020-04-27 14:00"
    assert local(reminder.due_at(event, HOUR / 2, midday)) == "2020-04-28 12:00"
    assert local(reminder.due_at(event, DAY, none)) == "2020-04-27 13:00"


def test_a_part_of_a_day_before_whole_days_is_the_day_before() -> None:
    due = reminder.due_at(an_event(), timedelta(hours=12), an_office())
    assert local(due) == "2020-04-27 07:30"


@pytest.mark.parametrize(
    ("status", "count"),
    [("tentative", 2), ("confirmed", 2), ("moved", 2), ("postponed", 0), ("cancelled", 0)],
)
def test_only_what_takes_place_is_reminded(status: str, count: int) -> None:
    assert len(planned(old(status=Status(status)))) == count


def test_a_month_without_a_day_is_not_reminded() -> None:
    span = replace(a_span("2020-11-01", "2020-11-30"), is_month=True)
    assert planned(old(span=span)) == {}


@pytest.mark.parametrize(("seconds", "offsets"), [(0, {"P7D", "P1D"}), (1, {"P1D"})])
def test_what_was_not_yet_published_then_is_not_reminded(seconds: int, offsets: set[str]) -> None:
    # Given that the event became known as the first reminder was due, or a second later
    at = datetime(2020, 4, 21, 5, 30, seconds, tzinfo=UTC)
    assert set(planned(a_snapshot(published_at=at, revised_at=at))) == offsets
    assert set(planned(old(publish_after=at))) == offsets


def test_reminders_need_no_approval_unless_asked_for() -> None:
    assert {e.prepare_at for e in planned(old()).values()} == {None}
    (weekly, daily) = planned(old(), with_reminder(approval="required")).values()
    assert (weekly.prepare_at, daily.prepare_at) == (weekly.due - DAY, daily.due - DAY)


def test_a_reminder_belongs_to_the_first_newsletter_that_covers_the_event() -> None:
    two = (Newsletter(name="smarty", projects=("smarty",)), Newsletter(name="all"))
    assert {e.newsletter for e in planned(old(), an_office(newsletter=two)).values()} == {"all"}
    assert planned(old(), an_office(newsletter=two[:1])) == {}


@pytest.mark.parametrize("text", ["20-07", "20:00", "25:00-07:00", "evening"])
def test_quiet_hours_that_are_none_are_refused_with_what_may_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="20:00-07:00"):
        reminder.parse_quiet_hours(text)


@pytest.mark.parametrize("text", ["7:30", "0730", "24:00", ""])
def test_an_hour_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="07:30"):
        reminder.parse_at(text)


@given(
    day=st.dates(datetime(2020, 3, 20).date(), datetime(2020, 4, 10).date())
    | st.dates(datetime(2020, 10, 17).date(), datetime(2020, 11, 5).date()),
    clock=st.none() | st.times().map(lambda t: f"{t:%H:%M}"),
    zone=st.sampled_from(["Europe/Warsaw", "Europe/Berlin", "Europe/Sofia"]),
    before=st.integers(1, 14 * 24).map(lambda hours: timedelta(hours=hours)),
)
def test_no_reminder_falls_into_quiet_hours_or_after_the_start(
    day: Any, clock: str | None, zone: str, before: timedelta
) -> None:
    # Given any event around the days on which clocks change
    span = a_span(day.isoformat(), at=clock or "", zone=zone)
    # When its reminder is due
    due = reminder.due_at(an_event(span=span), before, an_office())
    # Then it is ahead of the start and, on the clock of its zone, between 07:00 and 20:00
    assert due < span.starts_at
    shown = due.astimezone(ZoneInfo(zone if clock else "Europe/Warsaw"))
    assert "07:00" <= f"{shown:%H:%M}" <= "20:00"
    if not clock:
        assert f"{shown:%H:%M}" == "07:30"
