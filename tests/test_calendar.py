"""Calendar files: what stands in them, byte by byte and value by value; also the add-to-calendar links."""

from __future__ import annotations

import re
import subprocess
import sys
import zoneinfo
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import a_snapshot, a_span, an_event

from notifier.errors import ContentError, SourceError
from notifier.events import addlinks, calendar, vtimezone
from notifier.events.calendar import CalendarSettings
from notifier.events.calendar_times import as_written, is_local
from notifier.events.event import (
    Event,
    Material,
    Online,
    Organiser,
    Place,
    Registration,
    Session,
    Snapshot,
    Status,
)
from notifier.events.ics_bytes import clean, fold
from notifier.events.span import Span

ROOT = Path(__file__).parents[1]
NOW = datetime(2020, 4, 1, 6, 0, tzinfo=UTC)
SETTINGS = CalendarSettings(
    organiser_name='Urząd; "biuro" spotkań',
    organiser_mail="events@region.example",
    url_for_event=lambda event, language: f"https://notifier.example/event/{event.slug}.{language}",
    feed_name={"en": "Meetings, visits", "pl": "Spotkania"},
    feed_description={"en": "All meetings"},
    timezone="Europe/Warsaw",
    words={"pl": {"cancelled": "Odwołane:", "tentative": "planowane", "type.seminar": "seminarium"}},
)


@pytest.fixture(autouse=True, scope="module")
def _pinned_zones() -> Iterator[None]:
    """The zone data of the tzdata package decide, as in every process that the command line starts."""
    before = zoneinfo.TZPATH
    _zones_from(())
    yield
    _zones_from(before)


def _zones_from(paths: tuple[str, ...]) -> None:
    zoneinfo.reset_tzpath(to=paths)
    ZoneInfo.clear_cache()
    vtimezone.holds.cache_clear()


def lines_of(raw: bytes) -> list[str]:
    return raw.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def value(raw: bytes, name: str) -> str:
    """The value of the one line of that name in the first VEVENT; its parameters are part of the name."""
    body = lines_of(raw[raw.index(b"BEGIN:VEVENT") :])
    found = [line for line in body if re.match(rf"{re.escape(name)}[:;]", line)]
    assert len(found) == 1, found
    return found[0][len(name) + 1 :] if found[0][len(name)] == ":" else found[0][len(name) :]


def has(raw: bytes, name: str) -> bool:
    return any(re.match(rf"{name}[:;]", line) for line in lines_of(raw))


def published(*languages: str, settings: CalendarSettings = SETTINGS, **fields: Any) -> bytes:
    raw = calendar.publish([a_snapshot(an_event(**fields))], languages or ("en",), settings=settings)
    assert not raw or calendar.validate(raw) == []
    return raw


def test_a_file_reads_as_it_was_approved() -> None:
    # Given the shapes that the others of this file test one by one
    seminar = an_event(
        "2020-09-08-seminar",
        title={
            "pl": "Drugie Międzyregionalne Seminarium Tematyczne",
            "en": "Second Interregional Thematic Seminar",
        },
        summary={"pl": "Dwa dni o przemyśle 4.0; przykłady z pięciu regionów."},
        span=a_span("2020-09-08", at="10:00", until="13:30"),
        type="seminar",
        format="online",
        online=Online(platform="MS Teams", link="https://meet.example/l/19%3ameeting", show="public"),
        place=None,
        status=Status.TENTATIVE,
    )
    cancelled = an_event(status=Status.CANCELLED, change_note={"pl": "Region zamknięty."})
    snapshots = [a_snapshot(seminar, sequence=1), a_snapshot(cancelled, sequence=2)]
    # Then every byte is the one that a person has read (made anew by deleting the file)
    raw = calendar.publish(snapshots, ["pl", "en"], settings=SETTINGS)
    approved = ROOT / "tests" / "golden" / "two-events.pl.ics"
    if not approved.exists():
        approved.write_bytes(raw)
        pytest.fail(f"{approved.name} was missing: read the new one and keep it")
    assert raw == approved.read_bytes()


# Times


def test_whole_days_end_on_the_day_after_and_do_not_block_the_day() -> None:
    raw = published(span=a_span("2020-04-28", "2020-04-29"))
    assert value(raw, "DTSTART") == ";VALUE=DATE:20200428"
    assert value(raw, "DTEND") == ";VALUE=DATE:20200430"
    assert value(raw, "TRANSP") == "TRANSPARENT"
    assert value(raw, "X-MICROSOFT-CDO-BUSYSTATUS") == "FREE"
    assert b"VTIMEZONE" not in raw


def test_the_last_day_of_a_month_and_of_a_year_end_in_the_next() -> None:
    assert value(published(span=a_span("2020-12-31")), "DTEND") == ";VALUE=DATE:20210101"
    assert value(published(span=a_span("2020-02-28", "2020-02-29")), "DTEND") == ";VALUE=DATE:20200301"


def test_an_organisation_may_have_whole_days_block_the_day() -> None:
    raw = published(settings=replace(SETTINGS, whole_days_busy=True))
    assert value(raw, "TRANSP") == "OPAQUE"
    assert not has(raw, "X-MICROSOFT-CDO-BUSYSTATUS")


def test_hours_are_local_with_the_zone_before_the_event() -> None:
    raw = published(span=a_span("2020-09-08", at="10:00", until="13:30"))
    assert value(raw, "DTSTART") == ";TZID=Europe/Warsaw:20200908T100000"
    assert value(raw, "DTEND") == ";TZID=Europe/Warsaw:20200908T133000"
    assert value(raw, "TRANSP") == "OPAQUE"
    assert raw.index(b"TZID:Europe/Warsaw") < raw.index(b"BEGIN:VEVENT")


def test_of_a_meeting_with_only_a_start_no_end_is_invented() -> None:
    assert not has(published(span=a_span("2020-09-08", at="10:00")), "DTEND")
    assert not has(published(span=a_span("2020-09-08", at="10:00", until="10:00")), "DTEND")


def test_an_hour_that_exists_twice_goes_out_in_utc_because_programs_do_not_agree_which_is_meant() -> None:
    night = a_span("2020-10-25", at="02:30", until="04:00")
    assert value(published(span=night), "DTSTART") == "20201025T003000Z"
    assert value(published(span=a_span("2020-10-25", at="01:59", until="03:00")), "DTSTART") == (
        ";TZID=Europe/Warsaw:20201025T015900"
    )
    second = replace(night, fold_begins=1)
    assert value(published(span=second), "DTSTART") == "20201025T013000Z"
    assert value(published(span=second), "DTEND") == "20201025T030000Z"


def test_an_hour_that_does_not_exist_goes_out_as_the_instant_that_it_stands_for() -> None:
    assert (
        value(published(span=a_span("2020-03-29", at="02:30", until="04:00")), "DTSTART")
        == "20200329T013000Z"
    )


def test_a_zone_without_a_yearly_rule_goes_out_in_utc() -> None:
    raw = published(span=a_span("2026-11-08", at="10:00", until="12:00", zone="Africa/Cairo"))
    assert value(raw, "DTSTART") == "20261108T080000Z"
    assert b"VTIMEZONE" not in raw


def test_a_zone_whose_rule_was_another_then_goes_out_in_utc() -> None:
    # Turkey stayed on summer time in 2016; its present rule knows of no change.
    istanbul = a_span("2016-01-12", at="10:00", until="12:00", zone="Europe/Istanbul")
    assert value(published(span=istanbul), "DTSTART") == "20160112T080000Z"
    later = a_span("2020-01-12", at="10:00", until="12:00", zone="Europe/Istanbul")
    assert value(published(span=later), "DTSTART") == ";TZID=Europe/Istanbul:20200112T100000"


@pytest.mark.parametrize(
    ("year", "is_local_time"), [(2012, True), (2013, False), (2019, False), (2020, True)]
)
def test_the_rule_must_hold_from_the_year_before_to_two_years_after(year: int, is_local_time: bool) -> None:
    # North Korea was half an hour back from August 2015 to May 2018, before and after it at today's offset.
    span = a_span(f"{year}-01-12", at="10:00", zone="Asia/Pyongyang")
    assert is_local(span) is is_local_time


def test_a_rule_that_is_wrong_for_two_hours_a_year_does_not_hold() -> None:
    # Newfoundland changed its clocks at 00:01 until 2011, at 02:00 of the same days since.
    assert not vtimezone.holds("America/St_Johns", 2008, 2010)
    assert vtimezone.holds("America/St_Johns", 2012, 2015)


@pytest.mark.parametrize("zone", ["UTC", "CET", "EST5EDT"])
def test_a_zone_that_is_no_place_goes_out_in_utc(zone: str) -> None:
    assert value(published(span=a_span("2020-01-12", at="10:00", zone=zone)), "DTSTART").endswith("Z")


@pytest.mark.parametrize("zone", ["GMT+2", "UTC+02:00", "Warsaw", "", "../../etc/passwd", "europe/warsaw"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ContentError, match="E014"):
        published(span=a_span("2020-01-12", at="10:00", zone=zone))


@pytest.mark.parametrize(
    "span",
    [
        a_span("2020-09-09", "2020-09-08"),
        a_span("2020-09-08", at="14:00", until="10:00"),
        a_span("2020-09-09", "2020-09-08", at="10:00"),
    ],
)
def test_an_end_before_the_start_is_refused(span: Span) -> None:
    with pytest.raises(ContentError, match="E012"):
        published(span=span)


def test_months_and_drafts_have_no_entry() -> None:
    month = replace(a_span("2020-11-01", "2020-11-30"), is_month=True)
    assert published(span=month, status=Status.TENTATIVE) == b""
    assert published(is_draft=True) == b""


def test_sessions_with_hours_on_several_days_make_one_bar_that_names_them() -> None:
    sessions = (
        Session(title={"en": "Visit"}, span=a_span("2014-12-18", at="10:00", until="15:00"), place=Place(city="Płock")),
        Session(title={"pl": "Spotkanie"}, span=a_span("2014-12-19"), online=Online(platform="MS Teams")),
        Session(title={"en": "Consortia"}),
    )  # fmt: skip
    raw = published(span=a_span("2014-12-18", "2014-12-19", at="10:00", until="17:00"), sessions=sessions)
    assert raw.count(b"BEGIN:VEVENT") == 1
    assert value(raw, "DTSTART") == ";VALUE=DATE:20141218"
    assert value(raw, "DTEND") == ";VALUE=DATE:20141220"
    assert value(raw, "DESCRIPTION").startswith(
        r"2014-12-18\, 10:00–15:00: Visit\, Płock\n2014-12-19: Spotkanie (PL)\, MS Teams\nConsortia\n"
    )


def test_sessions_of_one_day_keep_its_hours() -> None:
    sessions = (Session(title={"en": "Opening"}, span=a_span("2014-12-18", at="10:00", until="11:00")),)
    raw = published(span=a_span("2014-12-18", at="10:00", until="15:00"), sessions=sessions)
    assert value(raw, "DTEND") == ";TZID=Europe/Warsaw:20141218T150000"


def test_a_span_across_the_night_without_sessions_keeps_its_hours() -> None:
    raw = published(span=a_span("2020-09-08", "2020-09-09", at="10:00", until="14:00"))
    assert value(raw, "DTEND") == ";TZID=Europe/Warsaw:20200909T140000"


# Identity and state


def test_stamps_come_from_the_snapshot_and_never_from_the_clock() -> None:
    snapshot = a_snapshot(
        an_event(uid="20200428-calabria@events.region.example"),
        revision=7,
        sequence=3,
        revised_at=datetime(2020, 3, 9, 10, 0, 0, 123456, tzinfo=UTC),
    )
    raw = calendar.publish([snapshot], ["en"], settings=SETTINGS)
    assert value(raw, "UID") == "20200428-calabria@events.region.example"
    assert value(raw, "DTSTAMP") == value(raw, "LAST-MODIFIED") == "20200309T100000Z"
    assert value(raw, "CREATED") == "20200302T090000Z"
    assert value(raw, "SEQUENCE") == "3"
    assert raw == calendar.publish([snapshot], ["en"], settings=SETTINGS)


@pytest.mark.parametrize(
    ("status", "word", "transparency", "title"),
    [
        (Status.TENTATIVE, "TENTATIVE", "OPAQUE", "Calabria meeting"),
        (Status.CONFIRMED, "CONFIRMED", "OPAQUE", "Calabria meeting"),
        (Status.MOVED, "CONFIRMED", "OPAQUE", "Calabria meeting"),
        (Status.POSTPONED, "CANCELLED", "TRANSPARENT", "Postponed: Calabria meeting"),
        (Status.CANCELLED, "CANCELLED", "TRANSPARENT", "Cancelled: Calabria meeting"),
    ],
)
def test_the_state_stands_where_each_program_looks_for_it(
    status: Status, word: str, transparency: str, title: str
) -> None:
    raw = published(status=status, span=a_span("2020-09-08", at="10:00", until="12:00"))
    assert (value(raw, "STATUS"), value(raw, "TRANSP"), value(raw, "SUMMARY")) == (word, transparency, title)


def test_only_a_tentative_meeting_says_that_it_is_planned() -> None:
    assert "planned\\, not confirmed" in value(published(status=Status.TENTATIVE), "DESCRIPTION")
    assert "not confirmed" not in value(published(), "DESCRIPTION")


def test_the_words_of_notifier_are_the_readers_and_english_where_a_catalogue_has_none() -> None:
    raw = published("pl", status=Status.CANCELLED, type="seminar")
    assert value(raw, "SUMMARY") == "Odwołane: Spotkanie w Kalabrii"
    assert value(raw, "CATEGORIES") == "seminarium"
    assert value(published("de-AT", status=Status.POSTPONED), "SUMMARY").startswith("Postponed:")


def test_a_meeting_of_no_other_kind_has_only_its_topics_as_categories() -> None:
    assert not has(published(type="meeting"), "CATEGORIES")
    assert (
        value(published(type="study-visit", topics=("sme", "a,b")), "CATEGORIES") == r"study visit,sme,a\,b"
    )


def test_a_missing_translation_shows_the_next_language_with_its_code() -> None:
    title = {"pl": "Wizyta", "en": "Visit"}
    assert value(published("en-ZA", title=title), "SUMMARY") == "Visit"
    assert value(published("de", "pl", title=title), "SUMMARY") == "Wizyta (PL)"
    assert value(published("de", title=title, language="en"), "SUMMARY") == "Visit (EN)"
    assert value(published("de", title={"": "Grow your Region"}), "SUMMARY") == "Grow your Region"


def test_a_reason_is_told_with_the_change_and_not_for_ever() -> None:
    note = {"en": "The hall is closed."}
    assert value(published(change_note=note, status=Status.CANCELLED), "DESCRIPTION").startswith(
        "The hall is closed."
    )
    assert "hall" not in value(published(change_note=note), "DESCRIPTION")


def test_the_description_is_the_summary_the_registration_and_the_page() -> None:
    registration = Registration(link="https://region.example/r")
    raw = published(summary={"en": "Short."}, registration=registration, body={"en": "Long."})
    page = "https://notifier.example/event/2020-04-28-calabria.en"
    assert value(raw, "DESCRIPTION") == rf"Short.\n\nRegistration: https://region.example/r\n\n{page}"


def test_the_first_organiser_with_an_address_is_the_organizer_else_the_organisation() -> None:
    host = Organiser(name='Host, "the" one', mail="host@example.org")
    mute = Organiser(name="Mute")
    assert value(published(organisers=(host,)), "ORGANIZER") == ';CN="Host, the one":mailto:host@example.org'
    ours = ';CN="Urząd; biuro spotkań":mailto:events@region.example'
    assert value(published(organisers=(mute, host)), "ORGANIZER") == ours
    bad = Organiser(name="X", mail="host@example.org\r\nATTENDEE:mailto:x@example.org")
    assert value(published(organisers=(bad,)), "ORGANIZER") == ours


# Place and links


@pytest.mark.parametrize(
    ("fields", "location"),
    [
        ({"place": Place(name={"en": "Town hall"}, address="Am Markt 1", city="Essen")}, r"Town hall\, Am Markt 1\, Essen"),
        ({"place": Place(name={"en": "Essen"}, city="Essen")}, "Essen"),
        ({"place": None, "format": "online", "online": Online(platform="MS Teams")}, "MS Teams"),
        ({"place": None, "format": "online"}, "Online"),
        ({"place": Place(city="Essen"), "format": "hybrid", "online": Online()}, "Essen / Online"),
    ],
)  # fmt: skip
def test_the_location_is_a_short_name(fields: dict[str, Any], location: str) -> None:
    assert value(published(**fields), "LOCATION") == location


def test_a_place_that_is_not_known_yet_is_left_out() -> None:
    assert not has(published(place=None), "LOCATION")


@pytest.mark.parametrize(
    ("geo", "written"), [((39.4699, -0.3763), "39.4699;-0.3763"), ((0.0000001, -0.0), "0.0;0.0")]
)
def test_coordinates_are_plain_decimals(geo: tuple[float, float], written: str) -> None:
    assert value(published(place=Place(geo=geo)), "GEO") == written


@pytest.mark.parametrize("geo", [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0), (float("inf"), 0.0)])
def test_impossible_coordinates_are_left_out(geo: tuple[float, float]) -> None:
    assert not has(published(place=Place(geo=geo)), "GEO")


@pytest.mark.parametrize("show", ["subscribers", "none"])
def test_a_link_for_participants_is_nowhere_in_a_published_file(show: str) -> None:
    online = Online(
        platform="MS Teams", link="https://meet.example/secret", passcode="4711", phone="+4921", show=show
    )
    raw = published(format="online", online=online, place=None)
    for secret in (b"secret", b"4711", b"4921", b"CONFERENCE"):
        assert secret not in raw
    assert value(raw, "LOCATION") == "MS Teams"


def test_a_public_link_stands_where_programs_show_it() -> None:
    online = Online(platform="MS Teams", link="https://meet.example/open", show="public")
    raw = published(format="online", online=online, place=None)
    assert value(raw, "URL") == "https://meet.example/open"
    assert (
        value(raw, "CONFERENCE") == ";FEATURE=AUDIO,VIDEO;LABEL=MS Teams;VALUE=URI:https://meet.example/open"
    )
    assert value(raw, "DESCRIPTION").startswith(r"MS Teams: https://meet.example/open\n")


def test_materials_are_attached_by_https_address_only() -> None:
    links = ("https://region.example/a%20b.pdf", "http://region.example/plain", "", "javascript:alert(1)")
    raw = published(materials=tuple(Material(title={"en": "x"}, link=link) for link in links))
    assert value(raw, "ATTACH") == ";FMTTYPE=application/pdf:https://region.example/a%20b.pdf"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://x.example/a b", "https://x.example/\r\nX:1", "//x.example", "https:///x", "http://[x"]
)  # fmt: skip
def test_what_is_no_web_address_is_left_out(link: str) -> None:
    settings = replace(SETTINGS, url_for_event=None)
    raw = published(link=link, registration=Registration(link=link), settings=settings)
    assert not has(raw, "URL")
    assert not has(raw, "DESCRIPTION")


def test_visibility_is_the_class() -> None:
    assert value(published(), "CLASS") == "PUBLIC"
    assert value(published(visibility="group:partners"), "CLASS") == "PRIVATE"


# Feeds


def test_a_feed_has_a_name_and_says_how_often_to_look() -> None:
    raw = calendar.feed(
        [a_snapshot()], ["en"], settings=SETTINGS, now=NOW, source="https://notifier.example/feed/en/all.ics"
    )
    assert calendar.validate(raw) == []
    head = lines_of(raw)[: lines_of(raw).index("BEGIN:VEVENT")]
    assert head == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//notifier//events//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        r"NAME:Meetings\, visits",
        r"X-WR-CALNAME:Meetings\, visits",
        "DESCRIPTION:All meetings",
        "X-WR-CALDESC:All meetings",
        "SOURCE;VALUE=URI:https://notifier.example/feed/en/all.ics",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
        "X-WR-TIMEZONE:Europe/Warsaw",
    ]


def test_a_file_of_one_event_has_no_name_so_that_importing_it_makes_no_new_calendar() -> None:
    assert b"X-WR-CALNAME" not in published()
    named = calendar.publish([a_snapshot()], ["en"], settings=SETTINGS, name="Project")
    assert "X-WR-CALNAME:Project" in lines_of(named)


def test_a_feed_without_events_is_still_a_calendar() -> None:
    raw = calendar.feed([], ["en"], settings=SETTINGS, now=NOW)
    assert calendar.validate(raw) == []
    assert calendar.load(raw) == []


def on(day: date, **fields: Any) -> Snapshot:
    return a_snapshot(an_event(f"{day}-{fields.get('status', 'x')}", span=a_span(f"{day}"), **fields))


@pytest.mark.parametrize(
    ("day", "is_shown"),
    [
        (date(2020, 1, 1), False),
        (date(2020, 1, 2), True),
        (date(2022, 4, 1), True),
        (date(2022, 4, 2), False),
    ],
)
def test_a_feed_looks_90_days_back_and_24_months_ahead(day: date, is_shown: bool) -> None:
    assert bool(calendar.in_window([on(day)], now=NOW, settings=SETTINGS)) is is_shown


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.POSTPONED])
def test_a_cancelled_event_leaves_the_feed_30_days_after_its_date(status: Status) -> None:
    kept, gone = on(date(2020, 3, 2), status=status), on(date(2020, 3, 1), status=status)
    assert calendar.in_window([kept, gone], now=NOW, settings=SETTINGS) == (kept,)


def test_a_feed_stays_the_same_from_midnight_to_midnight() -> None:
    snapshots = [on(date(2020, 1, 2)), on(date(2020, 5, 1))]
    midnight = datetime(2020, 4, 1, tzinfo=UTC)
    morning, night, tomorrow = (
        calendar.feed(snapshots, ["en"], settings=SETTINGS, now=midnight + late)
        for late in (timedelta(0), timedelta(hours=23, minutes=59), timedelta(days=1))
    )
    assert morning == night != tomorrow


def test_the_window_of_the_29th_of_february_ends_on_the_28th() -> None:
    leap = datetime(2020, 2, 29, tzinfo=UTC)
    assert calendar.in_window([on(date(2022, 2, 28))], now=leap, settings=SETTINGS)
    assert not calendar.in_window([on(date(2022, 3, 1))], now=leap, settings=SETTINGS)


def test_a_public_feed_has_public_events_only() -> None:
    secret = a_snapshot(an_event("secret", visibility="group:partners"))
    assert b"secret" not in calendar.feed([a_snapshot(), secret], ["en"], settings=SETTINGS, now=NOW)
    own = calendar.feed([secret], ["en"], settings=SETTINGS, now=NOW, visibility=("public", "group:partners"))
    assert b"secret" in own


def test_of_too_many_events_the_farthest_ahead_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "MAX_EVENTS", 2)
    days = [on(date(2020, 7, 1)), on(date(2020, 5, 1)), on(date(2020, 6, 1))]
    assert calendar.in_window(days, now=NOW, settings=SETTINGS) == (days[1], days[2])


def test_a_feed_is_a_join_of_stored_entries_and_the_zones_that_they_name() -> None:
    warsaw = a_snapshot(an_event("w", span=a_span("2020-05-04", at="10:00")))
    york = a_snapshot(an_event("y", span=a_span("2020-05-05", at="10:00", zone="America/New_York")))
    stored = [calendar.vevent_bytes(s, ["en"], SETTINGS) for s in (warsaw, york, warsaw)][:2]
    joined = calendar.feed_of([*stored, b""], ["en"], settings=SETTINGS)
    assert joined == calendar.feed([york, warsaw], ["en"], settings=SETTINGS, now=NOW)
    assert [line for line in lines_of(joined) if line.startswith("TZID:")] == [
        "TZID:America/New_York",
        "TZID:Europe/Warsaw",
    ]


# Bytes


@pytest.mark.parametrize("size", range(60, 100))
def test_a_fold_never_splits_a_character_or_an_escape(size: int) -> None:
    for filler in ("a", "ж", "€", "𝕏", "\\\\", "\\n", "a\\,"):
        line = "X:" + (filler * size)[: size * 2]
        rows = fold(line).split(b"\r\n")[:-1]
        assert b"".join([rows[0], *(row[1:] for row in rows[1:])]).decode() == line
        for row in rows:
            assert len(row) <= 75
            row.decode()
        for row in rows[:-1]:
            assert (len(row) - len(row.rstrip(b"\\"))) % 2 == 0
            assert len(row) >= 71


def test_text_has_line_feeds_and_no_control_characters() -> None:
    assert clean("\ta\r\nb\rc\x85d\u2028e\x00\x07\x7ff\ud800 ") == "a\nb\nc\nd\nef\ufffd"


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\x00\x07\x7f\t\\;:,\"^'|\u2028\x85")), max_size=60
) | st.sampled_from(
    [
        "x\r\nATTENDEE:mailto:x@example.org",
        "x\nEND:VEVENT\nEND:VCALENDAR",
        "BEGIN:VEVENT",
        "\r\n ",
        '";X="',
        "\\n\\",
        "a\\" * 60,
        "ж\\\\" * 40,
    ]
)


def hostile_event(text: str, other: str) -> Event:
    """An event with the texts in every field that a person types."""
    return an_event(
        title={"en": f"{text}.", "pl": other},
        summary={"en": other},
        body={"en": text},
        place=Place(name={"en": text}, address=other, city=text),
        organisers=(Organiser(name=text, mail="host@example.org"),),
        online=Online(platform=text, link="https://meet.example/x", show="public"),
        topics=(text, other),
        sessions=(Session(title={"en": other}),),
        registration=Registration(link=text),
        link=other,
        status=Status.CANCELLED,
        change_note={"en": text},
        uid=f"{text}@example.org",
    )


@given(HOSTILE, HOSTILE)
def test_no_text_can_add_or_take_a_line(text: str, other: str) -> None:
    settings = replace(
        SETTINGS, feed_name={"en": text}, feed_description={"en": other}, words={"en": {"cancelled": other}}
    )
    raw = calendar.feed([a_snapshot(hostile_event(text, other))], ["en"], settings=settings, now=NOW)
    assert calendar.validate(raw) == []
    names = Counter(re.split("[:;]", line)[0] for line in lines_of(raw))
    assert names["BEGIN"] == names["END"] == 2
    assert set(names.values()) == {1, 2}
    assert not names.keys() & {"ATTENDEE", "X", ""}


def test_no_text_can_add_a_line_when_assertions_are_off() -> None:
    # icalendar guards itself against line ends with `assert`, which python -O takes out.
    program = (
        "import sys; sys.path[:0] = ['tests', '.'];"
        "import test_calendar as t;"
        "from hypothesis import settings;"
        "settings.register_profile('few', max_examples=60, database=None); settings.load_profile('few');"
        "print('asserts are off' if not __debug__ else 'on');"
        "raise SystemExit(t.run_under_O())"
    )
    done = subprocess.run(
        [sys.executable, "-O", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "asserts are off"), done.stderr


def run_under_O() -> int:  # noqa: N802 (the switch is called so)
    """The property above with an exception in place of `assert`, which would be gone too."""

    @given(HOSTILE, HOSTILE)
    def check(text: str, other: str) -> None:
        settings = replace(SETTINGS, feed_name={"en": text}, feed_description={"en": other})
        raw = calendar.feed([a_snapshot(hostile_event(text, other))], ["en"], settings=settings, now=NOW)
        if calendar.validate(raw) or raw.count(b"\nBEGIN:") != 1:
            raise ValueError(raw)

    check()
    return 0


# Reading back

ZONES = [
    "Europe/Warsaw",
    "Europe/Rome",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
]
DAYS = st.dates(date(2014, 1, 1), date(2030, 12, 31))
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=120)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    first = draw(DAYS)
    last = first + timedelta(days=draw(st.integers(0, 3)))
    zone = draw(st.sampled_from([*ZONES, "Africa/Cairo", "UTC"]))
    kind = draw(st.sampled_from(["days", "start", "timed"]))
    if kind == "days":
        return Span(first, last, zone)
    begins = draw(CLOCKS)
    if kind == "start":
        return Span(first, first, zone, begins, fold_begins=draw(st.integers(0, 1)))
    span = Span(first, last, zone, begins, draw(CLOCKS), fold_ends=draw(st.integers(0, 1)))
    return (
        span
        if span.ends_at > span.starts_at
        else Span(first, last + timedelta(days=2), zone, begins, span.ends)
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    geo = st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))
    link = st.sampled_from(["", "https://meet.example/a?b=c%20d,e;f&g=ż", "http://x.example:8080/#y"])
    return an_event(
        span=draw(spans()),
        title={"en": draw(TEXTS) + "x"},
        summary={"en": draw(TEXTS)},
        status=draw(st.sampled_from(list(Status))),
        place=Place(name={"en": draw(TEXTS)}, geo=draw(geo)),
        organisers=(Organiser(name=draw(TEXTS), mail="host@example.org"),),
        online=Online(platform=draw(TEXTS), link=draw(link), show="public"),
        topics=tuple(draw(st.lists(TEXTS, max_size=3))),
        materials=tuple(Material(title={"en": "x"}, link=link) for link in draw(st.lists(link, max_size=2))),
        link=draw(link),
        visibility=draw(st.sampled_from(["public", "subscribers"])),
    )


@given(
    events(),
    st.integers(0, 99),
    st.datetimes(datetime(2014, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_what_is_written_is_read_back(event: Event, sequence: int, revised: datetime) -> None:
    snapshot = a_snapshot(event, sequence=sequence, revised_at=revised)
    raw = calendar.publish([snapshot], ["en"], settings=SETTINGS)
    entry = calendar.entry(snapshot, ["en"], SETTINGS)
    assert calendar.validate(raw) == []
    assert calendar.load(raw) == [entry]


@given(spans())
def test_a_written_span_is_the_same_days_or_the_same_instants(span: Span) -> None:
    written = as_written(span, "event")
    if span.is_all_day:
        assert (written.first, written.last) == (span.first, span.last)
        return
    assert written.starts_at == span.starts_at
    assert written.zone == (span.zone if is_local(span) and span.zone != "UTC" else "UTC")
    if span.ends and span.ends_at > span.starts_at:
        assert written.ends_at == span.ends_at


def test_a_plain_event_comes_back_with_its_own_values() -> None:
    event = an_event(span=a_span("2020-09-08", at="10:00", until="13:30"), place=Place(name={"en": "Essen"}))
    (entry,) = calendar.load(calendar.publish([a_snapshot(event, sequence=2)], ["en"], settings=SETTINGS))
    assert (entry.uid, entry.title, entry.span, entry.location, entry.sequence) == (
        event.uid, "Calabria meeting", event.span, "Essen", 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "raw", [b"", b"nothing", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"]
)
def test_what_is_no_calendar_is_refused_as_one(raw: bytes) -> None:
    with pytest.raises(SourceError):
        calendar.load(raw)


@pytest.mark.parametrize("start", ["DTSTART:20200504T100000", "DTSTART;VALUE=DATE:20201345", "DTSTART:noon"])
def test_an_entry_whose_time_cannot_be_read_is_refused(start: str) -> None:
    good = published(span=a_span("2020-05-04", at="10:00"))
    bad = good.replace(b"DTSTART;TZID=Europe/Warsaw:20200504T100000", start.encode())
    assert bad != good
    with pytest.raises(SourceError, match="E406"):
        calendar.load(bad)


def test_an_entry_with_a_broken_side_value_is_refused() -> None:
    good = published(place=Place(geo=(1.0, 2.0)))
    with pytest.raises(SourceError, match="GEO"):
        calendar.load(good.replace(b"GEO:1.0;2.0", b"GEO:here"))


# The strict check before bytes leave


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (b"\r\nUID", b"\nUID", "CRLF"),
        (b"BEGIN:VCALENDAR", b"\xef\xbb\xbfBEGIN:VCALENDAR", "byte-order mark"),
        (b"SUMMARY:", b"SUMMARY:" + b"x" * 80, "octets"),
        (b"SUMMARY:", b"SUMMARY:\x07", "control"),
        (b"SUMMARY:", b"SUMMARY:\xff", "UTF-8"),
        (b"SUMMARY:", b"SUMMARY:a\\\r\n n", "escape"),
        (b"SUMMARY:", b"\r\nSUMMARY:", "empty"),
        (b"SUMMARY:", b"no line\r\nSUMMARY:", "not a content line"),
        (b"END:VEVENT\r\n", b"", "closes nothing"),
        (b"END:VCALENDAR\r\n", b"", "VCALENDAR"),
        (b"END:VCALENDAR\r\n", b"END:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "exactly one"),
        (b"VERSION:2.0", b"VERSION:1.0", "VERSION"),
        (b"METHOD:PUBLISH\r\n", b"", "METHOD"),
        (b"PRODID", b"X-PRODID", "PRODID missing"),
        (b"\r\nNAME:Meet", b"\r\nNAME:meet", "differ"),
        (b"REFRESH-INTERVAL;VALUE=DURATION", b"REFRESH-INTERVAL", "VALUE=DURATION"),
        (b"UID:", b"X-UID:", "0 UID"),
        (b"SEQUENCE:0", b"SEQUENCE:zero", "SEQUENCE"),
        (b"SUMMARY:", b"SUMMARY:x\r\nSUMMARY:", "2 SUMMARY"),
        (b"SUMMARY:", b"SUMMARY;LANGUAGE=en:", "LANGUAGE"),
        (b"SUMMARY:Calabria meeting", b"SUMMARY:", "empty"),
        (b"STATUS:CONFIRMED", b"STATUS:MOVED", "STATUS"),
        (b"STATUS:CONFIRMED", b"STATUS:CONFIRMED\r\nSTATUS:CANCELLED", "2 STATUS"),
        (b"ORGANIZER", b"X-ORGANIZER", "0 ORGANIZER"),
        (b"mailto:events@region.example", b"events@region.example", "mailto"),
        (b"ORGANIZER", b"ATTENDEE:mailto:x@example.org\r\nORGANIZER", "ATTENDEE"),
        (b"DTSTAMP:20200302T090000Z", b"DTSTAMP:20200302T090000", "DTSTAMP"),
        (b"DTEND;TZID=Europe/Warsaw:20200504T120000", b"DTEND;TZID=Europe/Warsaw:20200504T100000", "not after"),
        (b"DTEND;TZID=Europe/Warsaw:20200504T120000", b"DTEND;VALUE=DATE:20200505", "DTEND is DATE"),
        (b"DTEND;TZID=Europe/Warsaw:20200504T120000", b"DTEND:20200504T120000Z", "DTEND is UTC"),
        (b"DTEND;TZID=Europe/Warsaw:2020", b"DTEND;TZID=Europe/Warsaw:noon", "not a date"),
        (b"DTSTART;TZID=Europe/Warsaw", b"DTSTART", "floats"),
        (b"DTSTART;TZID=Europe/Warsaw", b"DTSTART;TZID=Europe/Rome", "no VTIMEZONE"),
        (b"TZID:Europe/Warsaw", b"TZID:UTC+02:00", "not an IANA zone"),
        (b"BYMONTH=10;BYDAY=-1SU", b"BYMONTH=10;BYDAY=-2SU", "not the zone's rule"),
        (b"TZNAME:CET\r\n", b"TZNAME:CET\r\nRDATE:20200101T000000\r\n", "RDATE"),
        (b"STATUS:", b"RRULE:FREQ=DAILY;COUNT=2;UNTIL=20200601T000000Z\r\nSTATUS:", "COUNT"),
        (b"STATUS:", b"RRULE:FREQ=DAILY;UNTIL=20200601T000000\r\nSTATUS:", "UNTIL"),
        (b"STATUS:", b"RRULE:FREQ=MONTHLY;BYDAY=2TU,4TU\r\nSTATUS:", "Outlook"),
        (b"STATUS:", b"EXDATE;VALUE=DATE:20200601\r\nSTATUS:", "EXDATE is DATE"),
        (b"STATUS:", b"RECURRENCE-ID;TZID=Europe/Warsaw:20200601T000000\r\nSTATUS:", "override"),
        (b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT", "VALARM"),
        (b"METHOD:PUBLISH", b"METHOD:REQUEST", "REQUEST with 0 ATTENDEE"),
        (b"METHOD:PUBLISH", b"METHOD:CANCEL", "STATUS:CANCELLED"),
    ],
)  # fmt: skip
def test_the_check_refuses(old: bytes, new: bytes, finding: str) -> None:
    good = calendar.feed(
        [a_snapshot(an_event(span=a_span("2020-05-04", at="10:00", until="12:00")))],
        ["en"],
        settings=SETTINGS,
        now=NOW,
    )
    assert calendar.validate(good) == []
    bad = good.replace(old, new, 1)
    assert bad != good
    assert any(finding in found for found in calendar.validate(bad)), calendar.validate(bad)


def test_the_check_refuses_two_entries_of_one_event() -> None:
    raw = calendar.publish([a_snapshot(), a_snapshot()], ["en"], settings=SETTINGS)
    assert any("one UID" in found for found in calendar.validate(raw))


# Zones


def test_summer_time_begins_by_the_clock_of_winter() -> None:
    assert vtimezone.lines("Europe/Warsaw")[2:14] == (
        "BEGIN:DAYLIGHT", "TZNAME:CEST", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "DTSTART:19700329T020000",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT",
        "BEGIN:STANDARD", "TZNAME:CET", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "DTSTART:19701025T030000",
    )  # fmt: skip


def test_a_change_on_the_eve_lists_the_days_on_which_it_may_fall() -> None:
    # Nuuk changes an hour before the last Sunday of March begins.
    assert "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=24,25,26,27,28,29,30;BYDAY=SA" in vtimezone.lines(
        "America/Nuuk"
    )


def test_irelands_winter_is_standard_time() -> None:
    text = "\n".join(vtimezone.lines("Europe/Dublin"))
    assert "BEGIN:DAYLIGHT\nTZNAME:IST\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0100" in text


def test_a_zone_without_changes_has_one_observance_and_no_rule() -> None:
    lines = vtimezone.lines("Asia/Kathmandu")
    assert lines.count("BEGIN:STANDARD") == 1
    assert "TZOFFSETTO:+0545" in lines
    assert not any(line.startswith("RRULE") for line in lines)


def test_only_egypt_has_a_rule_that_cannot_be_written() -> None:
    assert {zone for zone in vtimezone.zones() if not vtimezone.lines(zone)} == {"Africa/Cairo", "Egypt"}


# Add-to-calendar links


def asked(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query, strict_parsing=True).items()}


PAGE = "https://notifier.example/event/x.en"


def test_google_link_of_whole_days() -> None:
    assert addlinks.google(a_snapshot(), ["en"], PAGE) == (
        "https://calendar.google.com/calendar/render?action=TEMPLATE&dates=20200428%2F20200430"
        "&text=Calabria%20meeting&details=https%3A%2F%2Fnotifier.example%2Fevent%2Fx.en&location=Calabria"
    )


def test_google_link_with_hours_is_local_time_and_the_zone() -> None:
    snapshot = a_snapshot(
        an_event(span=a_span("2020-09-08", at="10:00", until="13:30"), summary={"en": "Short."})
    )
    shown = asked(addlinks.google(snapshot, ["en"], PAGE))
    assert (shown["dates"], shown["ctz"]) == ("20200908T100000/20200908T133000", "Europe/Warsaw")
    assert shown["details"] == f"Short.\n\n{PAGE}"
    cairo = a_snapshot(an_event(span=a_span("2026-11-08", at="10:00", zone="Africa/Cairo")))
    assert asked(addlinks.google(cairo, ["en"], PAGE))["dates"] == "20261108T080000Z/20261108T080000Z"
    assert "ctz" not in asked(addlinks.google(cairo, ["en"], PAGE))


def test_outlook_links_of_whole_days() -> None:
    tail = (
        "rru=addevent&startdt=2020-04-28&enddt=2020-04-30&allday=true&subject=Calabria%20meeting"
        "&body=https%3A%2F%2Fnotifier.example%2Fevent%2Fx.en&location=Calabria"
    )
    assert addlinks.outlook(a_snapshot(), ["en"], PAGE) == (
        f"https://outlook.live.com/calendar/0/deeplink/compose?path=%2Fcalendar%2Faction%2Fcompose&{tail}"
    )
    assert (
        addlinks.office(a_snapshot(), ["en"], PAGE)
        == f"https://outlook.office.com/calendar/action/compose?{tail}"
    )


def test_outlook_link_with_hours_has_the_offset_of_each_end() -> None:
    night = a_snapshot(an_event(span=a_span("2020-10-24", "2020-10-25", at="22:00", until="05:00")))
    shown = asked(addlinks.outlook(night, ["en"], PAGE))
    assert (shown["startdt"], shown["enddt"]) == ("2020-10-24T22:00:00+02:00", "2020-10-25T05:00:00+01:00")
    start_only = a_snapshot(an_event(span=a_span("2020-10-24", at="22:00")))
    assert "enddt" not in asked(addlinks.outlook(start_only, ["en"], PAGE))


@pytest.mark.parametrize("make", [addlinks.google, addlinks.outlook, addlinks.office])
def test_links_stay_below_2000_characters_and_keep_the_page(make: Any) -> None:
    long = an_event(
        title={"bg": "Конференция " * 16},
        summary={"bg": "Регионално развитие " * 60},
        place=Place(name={"bg": "Валенсия " * 30}),
    )
    link = make(a_snapshot(long), ["bg"], PAGE)
    assert len(link) < 2_000
    text = asked(link).get("details") or asked(link)["body"]
    assert text.endswith(PAGE)
    assert (asked(link).get("text") or asked(link)["subject"]).startswith("Конференция")


def test_google_gets_the_first_500_characters_of_the_description() -> None:
    long = a_snapshot(an_event(summary={"en": "a" * 600}))
    assert asked(addlinks.google(long, ["en"], PAGE))["details"] == "a" * 500 + f"\n\n{PAGE}"


@given(HOSTILE)
def test_no_text_escapes_from_its_part_of_a_link(text: str) -> None:
    event = an_event(title={"en": f"x{text}"}, summary={"en": text})
    for make in (addlinks.google, addlinks.outlook, addlinks.office):
        link = make(a_snapshot(event), ["en"], PAGE)
        assert re.fullmatch(r"[!-~]+", link)
        assert set(asked(link)) <= {
            *("action", "dates", "text", "details", "location", "path", "rru", "startdt", "enddt"),
            *("allday", "subject", "body"),
        }


@pytest.mark.parametrize("make", [addlinks.google, addlinks.outlook, addlinks.office])
def test_an_event_without_an_entry_has_no_link(make: Any) -> None:
    assert make(a_snapshot(an_event(is_draft=True)), ["en"], PAGE) == ""
