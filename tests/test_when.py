"""The `when` grammar: what it reads, what it refuses, and that every fix can be pasted."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import a_span

from notifier.events import when
from notifier.events.span import Span
from notifier.events.when import WhenError

WARSAW = "Europe/Warsaw"
ZONES = (WARSAW, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "America/St_Johns")

READ = [
    ("2020-07-14", a_span("2020-07-14")),
    ("2020-04-28..2020-04-29", a_span("2020-04-28", "2020-04-29")),
    ("2020-04-28 .. 2020-04-29", a_span("2020-04-28", "2020-04-29")),
    ("2020-09-08 10:00", a_span("2020-09-08", at="10:00")),
    ("2020-09-08 10:00-13:30", a_span("2020-09-08", at="10:00", until="13:30")),
    ("2020-09-08 10:00–13:30", a_span("2020-09-08", at="10:00", until="13:30")),
    ("2020-09-08T10:00 - 13:30", a_span("2020-09-08", at="10:00", until="13:30")),
    ("2020-09-08 10:00 .. 2020-09-09 14:00", a_span("2020-09-08", "2020-09-09", at="10:00", until="14:00")),
    ("2020-09-08T10:00..2020-09-09T14:00", a_span("2020-09-08", "2020-09-09", at="10:00", until="14:00")),
    ("2020-09-08 00:00-23:59", a_span("2020-09-08", at="00:00", until="23:59")),
    ("2020-11", Span(date(2020, 11, 1), date(2020, 11, 30), WARSAW, is_month=True)),
    ("2020-01-01..2020-12-31", a_span("2020-01-01", "2020-12-31")),
    ("2024-02", Span(date(2024, 2, 1), date(2024, 2, 29), WARSAW, is_month=True)),
    ("2020-10-25 02:30+01:00", Span(*[date(2020, 10, 25)] * 2, WARSAW, time(2, 30), fold_begins=1)),
    ("2020-10-25 02:30+02:00", Span(*[date(2020, 10, 25)] * 2, WARSAW, time(2, 30))),
]

REFUSED = [
    ("8.09.2020 10:00", "E010", "year-month-day", ("2020-09-08 10:00",)),
    ("09/08/2020", "E015", "2020-08-09 or 2020-09-08", ("2020-08-09", "2020-09-08")),
    ("09/09/2020", "E010", "year-month-day", ("2020-09-09",)),
    ("13/08/2020", "E010", "year-month-day", ("2020-08-13",)),
    ("2020-09-31", "E010", "September has 30 days", ("2020-09-30",)),
    ("2021-02-29 10:00", "E010", "February 2021 has 28 days", ("2021-02-28 10:00",)),
    ("2020-09-08..2020-09-31", "E010", "September has 30 days", ("2020-09-08..2020-09-30",)),
    ("2020-13-01", "E010", "no month 13", ()),
    ("1969-12-31", "E010", "1969", ()),
    ("2020-09-09..2020-09-08", "E012", "before", ("2020-09-08..2020-09-09",)),
    ("2020-09-08 14:00-10:00", "E012", "next day", ("2020-09-08 14:00 .. 2020-09-09 10:00",)),
    ("2020-09-09 14:00 .. 2020-09-08 10:00", "E012", "before", ("2020-09-08 10:00 .. 2020-09-09 14:00",)),
    ("2020-09-08 10:00-10:00", "E012", "when it starts", ("2020-09-08 10:00",)),
    ("2020-09-08 24:00", "E010", "next day", ("2020-09-09 00:00",)),
    ("2020-09-08 20:00-24:00", "E010", "next day", ("2020-09-08 20:00 .. 2020-09-09 00:00",)),
    ("2020-09-08 25:00", "E010", "no hour 25:00", ()),
    ("8-9 Sept 2020", "E010", "year-month-day", ("2020-09-08..2020-09-09",)),
    ("8–9 września 2020 r.", "E010", "year-month-day", ("2020-09-08..2020-09-09",)),
    ("8.–9.09.2020", "E010", "year-month-day", ("2020-09-08..2020-09-09",)),
    ("28. April 2020", "E010", "year-month-day", ("2020-04-28",)),
    ("28 – 29 април 2020 г.", "E010", "year-month-day", ("2020-04-28..2020-04-29",)),
    ("September 8, 2020, 10:00", "E010", "year-month-day", ("2020-09-08 10:00",)),
    ("8.09.2020 24:00", "E010", "year-month-day", ("2020-09-09 00:00",)),
    ("2020-09-08 9-12", "E010", "year-month-day", ("2020-09-08 09:00-12:00",)),
    ("8.09.2020, 9:30", "E010", "year-month-day", ("2020-09-08 09:30",)),
    ("2020-09-08Z", "E016", "timezone", ("2020-09-08",)),
    ("2020-09-08T10:00Z", "E016", "timezone", ("2020-09-08 12:00",)),
    ("2020-09-08T10:00:00-05:00", "E016", "timezone", ("2020-09-08 17:00",)),
    ("2020-09-08 10:00+02:00", "E016", "timezone", ("2020-09-08 10:00",)),
    ("2020-03-29 02:30", "E013", "does not exist", ("2020-03-29 03:30", "2020-03-29 01:30")),
    ("2020-10-25 02:30", "E013", "twice", ("2020-10-25 02:30+02:00", "2020-10-25 02:30+01:00")),
    ("2020-10-25 02:30+05:00", "E013", "never", ("2020-10-25 02:30+02:00", "2020-10-25 02:30+01:00")),
    (
        "2020-10-25 01:00-02:30",
        "E013",
        "twice",
        ("2020-10-25 01:00-02:30+02:00", "2020-10-25 01:00-02:30+01:00"),
    ),
    ("2020-09-08..2020-09-09 09:00-16:00", "E010", "sessions", ()),
    ("10:00", "E010", "the day is missing", ("YYYY-MM-DD 10:00",)),
    ("next week", "E010", "year-month-day", ()),
    ("", "E010", "year-month-day", ()),
    ("2020-01-01..2021-01-01", "E010", "367 days", ()),
    ("9" * 100_000, "E010", "longer than 200", ()),
]


@pytest.mark.parametrize(("text", "span"), READ, ids=[text for text, _ in READ])
def test_what_the_grammar_has_words_for_is_read(text: str, span: Span) -> None:
    assert when.parse(text, WARSAW) == span


@pytest.mark.parametrize(
    ("text", "code", "reason", "fixes"), REFUSED, ids=[row[0][:40] or "nothing" for row in REFUSED]
)
def test_everything_else_is_refused_with_what_to_write(
    text: str, code: str, reason: str, fixes: tuple[str, ...]
) -> None:
    with pytest.raises(WhenError) as refused:
        when.parse(text, WARSAW)
    assert (refused.value.code, refused.value.fixes) == (code, fixes)
    assert reason in refused.value.reason


@pytest.mark.parametrize("fix", [fix for row in REFUSED for fix in row[3] if "YYYY" not in fix])
def test_every_fix_can_be_pasted(fix: str) -> None:
    assert when.write(when.parse(fix, WARSAW)) == fix


def test_hours_on_several_days_name_the_hours_of_each_day() -> None:
    with pytest.raises(WhenError) as refused:
        when.parse("2020-09-08..2020-09-09 09:00-16:00", WARSAW)
    assert refused.value.sessions == ("2020-09-08 09:00-16:00", "2020-09-09 09:00-16:00")


def test_west_of_greenwich_a_bare_minus_is_an_end_and_the_offset_says_utc() -> None:
    # Given the night on which 01:30 comes twice in New York
    with pytest.raises(WhenError) as refused:
        when.parse("2020-11-01 01:30", "America/New_York")
    # When a fix is pasted
    first, second = (when.parse(fix, "America/New_York") for fix in refused.value.fixes)
    # Then the two are an hour apart, and a bare -04:00 is never taken for an offset
    assert second.starts_at - first.starts_at == timedelta(hours=1)
    with pytest.raises(WhenError, match="twice"):
        when.parse("2020-11-01 01:30-04:00", "America/New_York")


def test_an_hour_that_ends_in_the_second_of_two_equal_hours_lasts_longer() -> None:
    span = when.parse("2020-10-25 02:30+02:00-02:15+01:00", WARSAW)
    assert span.ends_at - span.starts_at == timedelta(minutes=45)


def test_a_moment_is_a_day_or_an_aware_time() -> None:
    assert when.parse_moment("2020-08-31", WARSAW) == date(2020, 8, 31)
    assert when.parse_moment("2020-08-31 12:00", WARSAW) == datetime(2020, 8, 31, 12, tzinfo=ZoneInfo(WARSAW))
    with pytest.raises(WhenError) as refused:
        when.parse_moment("2020-08-30..2020-08-31", WARSAW)
    assert refused.value.fixes == ("2020-08-30",)


def test_what_the_grammar_has_no_words_for_is_not_written() -> None:
    with pytest.raises(ValueError, match="no words"):
        when.write(a_span("2020-09-08", "2020-09-09", at="10:00"))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Any span that a clock can show: months, days, hours, and both hours of a night that has one twice."""
    zone = draw(st.sampled_from(ZONES))
    nights = [date(2020, 10, 25), date(2020, 11, 1), date(2020, 4, 5), date(2020, 3, 29), date(2020, 3, 8)]
    first = draw(st.sampled_from(nights) | st.dates(date(1971, 1, 1), date(2198, 1, 1)))
    if draw(st.booleans()) and draw(st.booleans()):
        return Span(first.replace(day=1), when.last_day(first.year, first.month), zone, is_month=True)
    last = first + timedelta(days=draw(st.sampled_from((0, 0, 1, 300))))
    if draw(st.booleans()):
        return Span(first, last, zone)
    begins, fold_begins = draw(_walls(first, zone))
    if draw(st.booleans()):
        return Span(first, first, zone, begins, fold_begins=fold_begins)
    ends, fold_ends = draw(_walls(last, zone))
    return Span(first, last, zone, begins, ends, fold_begins=fold_begins, fold_ends=fold_ends)


@st.composite
def _walls(draw: st.DrawFn, day: date, zone: str) -> tuple[time, int]:
    clock = draw(st.sampled_from((time(1, 30), time(1, 45), time(2, 15))) | st.times()).replace(
        second=0, fold=0
    )
    local = datetime.combine(day, clock.replace(microsecond=0), ZoneInfo(zone))
    one, two = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert one is not None and two is not None
    if one < two:  # a clock that goes forward never shows it
        return time(12), 0
    return local.time(), draw(st.sampled_from((0, 1))) if one > two else 0


@given(spans())
def test_what_is_written_is_read_as_the_same_span(span: Span) -> None:
    try:
        assert when.parse(when.write(span), span.zone) == span
    except WhenError as refused:
        assert span.ends_at <= span.starts_at
        assert refused.code == "E012"


@given(st.text(alphabet="0123456789-:.TZ+/ –Sept", max_size=40), st.sampled_from(ZONES))
def test_no_text_breaks_the_grammar_and_every_span_it_gives_can_be_written(text: str, zone: str) -> None:
    try:
        span = when.parse(text, zone)
    except WhenError:
        return
    assert when.parse(when.write(span), zone) == span
