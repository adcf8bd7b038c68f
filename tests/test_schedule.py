"""When a digest is due: the grammar, the clock changes, the slots."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.editions import schedule

WARSAW = "Europe/Warsaw"
ZONES = st.sampled_from(["Europe/Warsaw", "Europe/Berlin", "Europe/Sofia"])
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
#: Around the days on which the three zones change their clocks.
CHANGES = st.sampled_from([date(2020, 3, 29), date(2020, 10, 25), date(2026, 3, 29), date(2026, 10, 25)])


def days_of(text: str, first: str, last: str) -> list[str]:
    """Local days in Warsaw on which `text` is due."""
    since = datetime.fromisoformat(f"{first}T00:00+00:00") - timedelta(hours=12)
    until = datetime.fromisoformat(f"{last}T23:59+00:00")
    dues = schedule.parse(text).due_between(since, until, WARSAW)
    return [due.astimezone(ZoneInfo(WARSAW)).strftime("%a %d %H:%M") for due in dues]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue 07:30", ["Tue 07 07:30", "Tue 14 07:30", "Tue 21 07:30", "Tue 28 07:30"]),
        ("tuesday at 07:30", ["Tue 07 07:30", "Tue 14 07:30", "Tue 21 07:30", "Tue 28 07:30"]),
        ("every 2 weeks on Tue at 07:30", ["Tue 07 07:30", "Tue 21 07:30"]),
        ("1st Tue at 07:30", ["Tue 07 07:30"]),
        ("3rd Wed at 18:00", ["Wed 15 18:00"]),
        ("4th Thu at 09:00", ["Thu 23 09:00"]),
        ("last Thu at 09:00", ["Thu 30 09:00"]),
        ("cron: 30 7 * * TUE", ["Tue 07 07:30", "Tue 14 07:30", "Tue 21 07:30", "Tue 28 07:30"]),
        ("cron: 30 7 * * 2", ["Tue 07 07:30", "Tue 14 07:30", "Tue 21 07:30", "Tue 28 07:30"]),
        ("cron: 0 9 15 * *", ["Wed 15 09:00"]),
        ("cron: 0 9 1-20/9 apr *", ["Wed 01 09:00", "Fri 10 09:00", "Sun 19 09:00"]),
        ("cron: 0 9 * 5 *", []),
        ("cron: 0 6 * * FRI-SUN", ["Fri 03 06:00", "Sat 04 06:00", "Sun 05 06:00"] + [
            f"{day} {n:02} 06:00" for n, day in (
                (10, "Fri"), (11, "Sat"), (12, "Sun"), (17, "Fri"), (18, "Sat"), (19, "Sun"), (24, "Fri"), (25, "Sat"), (26, "Sun"))
        ]),
        ("cron: 0 6 * * 0", ["Sun 05 06:00", "Sun 12 06:00", "Sun 19 06:00", "Sun 26 06:00"]),
        ("cron: 0 6 * * 7", ["Sun 05 06:00", "Sun 12 06:00", "Sun 19 06:00", "Sun 26 06:00"]),
    ],
)  # fmt: skip
def test_a_schedule_is_due_on_the_days_it_names(text: str, expected: list[str]) -> None:
    assert days_of(text, "2020-04-01", "2020-04-30") == expected


def test_cron_takes_day_of_month_and_weekday_as_alternatives() -> None:
    assert days_of("cron: 0 9 15 * FRI", "2020-04-10", "2020-04-18") == [
        "Fri 10 09:00",
        "Wed 15 09:00",
        "Fri 17 09:00",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("", "07:30", "Tue", "Tue 7:30", "Tue 24:00", "Tuk 07:30", "5th Tue at 07:30", "every 3 weeks on Tue at 07:30"),
        *("cron: 30 7 * *", "cron: * 7 * * TUE", "cron: 30 7 * * TUX", "cron: 30 7 32 * *", "cron: 30 25 * * *"),
        *("cron: 30 7 5-2 * *", "cron: 30 7 */0 * *", "cron: 30 7 1- * *", "cron: 30,40 7 * * *", "cron: ３0 7 * * *"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_what_may_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="every 2 weeks on Tue at 07:30"):
        schedule.parse(text)


def test_a_time_in_the_spring_gap_takes_the_offset_before_the_gap() -> None:
    # Given 02:30 each Sunday in Warsaw, and the night of 29 March 2020 on which 02:00 becomes 03:00
    sundays = schedule.parse("Sun 02:30")
    # When it is due that night
    (due,) = sundays.due_between(datetime(2020, 3, 28, tzinfo=UTC), datetime(2020, 3, 30, tzinfo=UTC), WARSAW)
    # Then it is 03:30 by the new clock
    assert due == datetime(2020, 3, 29, 1, 30, tzinfo=UTC)
    assert due.astimezone(ZoneInfo(WARSAW)).time() == time(3, 30)


def test_a_time_that_occurs_twice_in_autumn_is_due_once_the_first_time() -> None:
    dues = schedule.parse("Sun 02:30").due_between(
        datetime(2020, 10, 24, tzinfo=UTC), datetime(2020, 10, 26, tzinfo=UTC), WARSAW
    )
    assert dues == [datetime(2020, 10, 25, 0, 30, tzinfo=UTC)]


@given(zone=ZONES, clock=CLOCKS, change=CHANGES)
def test_each_local_day_has_one_due_time_whatever_the_clocks_do(zone: str, clock: time, change: date) -> None:
    # Given something due every day
    daily = schedule.parse(f"cron: {clock.minute} {clock.hour} * * *")
    local = ZoneInfo(zone)
    since = datetime.combine(change - timedelta(days=3), time(0), local)
    # When a week around the change passes
    second = timedelta(seconds=1)
    dues = daily.due_between(since - second, since + timedelta(days=7) - second, zone)
    # Then there is one a day, in order, at that wall time or, in the gap, an hour later
    assert [due.astimezone(local).date() for due in dues] == [
        since.date() + timedelta(days=n) for n in range(7)
    ]
    for due in dues:
        shown = due.astimezone(local)
        written = datetime.combine(shown.date(), clock)
        assert shown.replace(tzinfo=None) - written in (timedelta(0), timedelta(hours=1))
        assert shown.fold == 0
        if shown.date() != change:
            assert shown.time() == clock


@given(
    zone=ZONES, clock=CLOCKS, change=CHANGES, cuts=st.lists(st.integers(0, 10_000), min_size=3, max_size=3)
)
def test_time_may_be_cut_anywhere_without_losing_or_doubling_a_due_time(
    zone: str, clock: time, change: date, cuts: list[int]
) -> None:
    weekly = schedule.parse(f"Sun {clock:%H:%M}")
    start = datetime.combine(change - timedelta(days=4), time(0), UTC)
    a, b, c = (start + timedelta(minutes=cut) for cut in sorted(cuts))
    whole = weekly.due_between(a, c, zone)
    assert weekly.due_between(a, b, zone) + weekly.due_between(b, c, zone) == whole


def test_the_beginning_of_a_stretch_of_time_is_not_part_of_it_and_its_end_is() -> None:
    due, hour = datetime(2020, 4, 7, 5, 30, tzinfo=UTC), timedelta(hours=1)
    weekly = schedule.parse("Tue 07:30")
    assert weekly.due_between(due - hour, due, WARSAW) == [due]
    assert weekly.due_between(due, due + hour, WARSAW) == []


def test_nothing_is_due_on_excepted_days() -> None:
    # Given a Tuesday schedule and a holiday from 21 to 28 April
    holiday = [schedule.parse_days("2020-04-21..2020-04-28"), schedule.parse_days("2020-05-05")]
    # When five weeks pass
    dues = schedule.parse("Tue 07:30").due_between(
        datetime(2020, 4, 8, tzinfo=UTC), datetime(2020, 5, 13, tzinfo=UTC), WARSAW, holiday
    )
    # Then both its ends and the single day are left out
    assert [due.date().isoformat() for due in dues] == ["2020-04-14", "2020-05-12"]


@pytest.mark.parametrize("text", ["", "24.12.2026", "2026-12-24..", "2027-01-02..2026-12-24", "2026-02-30"])
def test_excepted_days_that_are_no_days_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write \"2026-12-24\""):
        schedule.parse_days(text)


@pytest.mark.parametrize(
    ("cadence", "due", "slot"),
    [
        ("weekly", "2020-04-14T05:30+00:00", "2020-W16"),
        ("biweekly", "2020-04-07T05:30+00:00", "2020-W15-2w"),
        ("monthly", "2020-04-07T05:30+00:00", "2020-04"),
        ("weekly", "2021-01-01T05:30+00:00", "2020-W53"),  # the ISO year, not the calendar's
        ("weekly", "2020-04-12T22:30+00:00", "2020-W16"),  # Sunday in UTC, Monday in Warsaw
        ("monthly", "2020-03-31T22:30+00:00", "2020-04"),
    ],
)
def test_a_slot_is_named_after_the_local_day(cadence: str, due: str, slot: str) -> None:
    assert schedule.slot(cadence, datetime.fromisoformat(due), WARSAW) == slot


def test_a_cadence_without_slots_is_refused() -> None:
    with pytest.raises(ValueError, match="weekly, biweekly, monthly"):
        schedule.slot("daily", datetime(2020, 4, 7, tzinfo=UTC), WARSAW)
