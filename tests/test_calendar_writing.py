"""What we write by hand is what icalendar's property types would write."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar, vCalAddress, vDate, vDatetime, vInt, vText, vUri
from makers import a_snapshot, a_span, an_event

from notifier.events import calendar, calendar_lines
from notifier.events.calendar import CalendarSettings
from notifier.events.ics_bytes import clean

DAYS = st.dates(min_value=date(1, 1, 1), max_value=date(9999, 12, 31))
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))


@given(st.text())
@example("a;b,c\\d\ne")
@example("C:\\new\\")
def test_texts_are_escaped_as_icalendar_escapes_them(text: str) -> None:
    text = clean(text).replace("\\N", "")  # see below

    assert calendar_lines._text(text).encode() == vText(text).to_ical()


def test_a_backslash_before_a_letter_is_no_line_end() -> None:
    written = calendar_lines._text("C:\\New and C:\\new\nnext line")

    assert written == "C:\\\\New and C:\\\\new\\nnext line"


@given(DAYS, CLOCKS)
@example(date(33, 4, 3), time(15, 0))
def test_days_and_instants_are_written_as_icalendar_writes_them(day: date, clock: time) -> None:
    moment = datetime.combine(day, clock)

    assert calendar_lines._date(day).encode() == vDate(day).to_ical()
    assert (
        calendar_lines._instant(moment.replace(tzinfo=UTC)).encode()
        == vDatetime(moment.replace(tzinfo=UTC)).to_ical()
    )
    assert calendar_lines._time("X", day, clock, "UTC") == calendar_lines._line(
        "X", vDatetime(moment.replace(tzinfo=UTC)).to_ical().decode()
    )
    local = calendar_lines._time("X", day, clock, "Europe/Warsaw")
    assert local == f"X;TZID=Europe/Warsaw:{vDatetime(moment).to_ical().decode()}"


def test_numbers_and_addresses_are_written_as_icalendar_writes_them() -> None:
    assert str(10**6).encode() == vInt(10**6).to_ical()
    assert calendar_lines._uri("https://x.example/ż;,") == vUri("https://x.example/ż;,").to_ical().decode()
    address = vCalAddress("mailto:events@region.example").to_ical()
    assert calendar_lines._uri("mailto:events@region.example").encode() == address


def test_an_address_that_looks_like_a_time_names_no_zone() -> None:
    # Given a whole-day event whose page has the name of a property in its address
    link = "https://x.example/DTSTART;TZID=Europe/Nowhere:20200428T100000"
    settings = CalendarSettings(organiser_name="Office", organiser_mail="events@region.example")
    whole, timed = an_event(link=link), an_event("timed", span=a_span(at="10:00"), link=link)

    # When the feed is written, then it has the zone of the other event alone
    feed = calendar.feed(
        [a_snapshot(whole), a_snapshot(timed)], ["en"], settings=settings, now=a_snapshot().revised_at
    )
    zones = Calendar.from_ical(feed).walk("VTIMEZONE")
    assert [str(zone["TZID"]) for zone in zones] == ["Europe/Warsaw"]
