"""The data folder: what is read, what is refused, where the caret stands, and that the fix helps."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import a_span

from notifier.config import Config
from notifier.errors import Problem
from notifier.events.event import Format, Status, Type
from notifier.sources import markdown
from notifier.sources.base import Reading, ReadingSettings
from notifier.sources.mending import mend
from notifier.sources.translations import blank, fingerprint

SETTINGS = ReadingSettings(
    languages=("pl", "en"),
    timezone="Europe/Warsaw",
    enquiries="office@example.org",
    topics=("industry-4-0", "sme"),
    regions=("PL92", "DEA5"),
    uid_domain="events.region.example",
    attachments={"2020/programme.pdf": 120_000, "film.mp4": 90_000_000, "secret.pdf": -1},
)
SLUG = "2020-09-08-seminar"
PATH = f"events/2020/{SLUG}.md"
EVENT = """\
---
uid: 20200908-seminar@events.region.example
title: {pl: Seminarium, en: Seminar}
when: 2020-09-08..2020-09-09
format: online
---
"""
PROJECT = "---\nname: {pl: SMARTY, en: SMARTY}\nprogramme: Interreg\n---\n"


def a_folder(event: str = EVENT, **others: str) -> dict[str, bytes]:
    """One event file with the project smarty beside it; more files by path with `__` for `/`."""
    files = {PATH: event, "projects/smarty.md": PROJECT, **others}
    return {path: text.encode() for path, text in files.items()}


def read(event: str = EVENT, settings: ReadingSettings = SETTINGS, **others: str) -> Reading:
    return markdown.read(a_folder(event, **others), settings)


def with_line(line: str, instead_of: str = "") -> str:
    """The event file with one more line, or another one for the field that `instead_of` names."""
    if instead_of:
        return re.sub(rf"(?m)^{instead_of}:.*\n", line + "\n" if line else "", EVENT)
    return EVENT.replace("format: online\n", f"format: online\n{line}\n")


def pasted(text: str, problem: Problem) -> str:
    """The text after a person has pasted the (first) fix where it belongs."""
    fix, lines = problem.fix.split("\n")[0], text.split("\n")
    if found := re.fullmatch(r"remove line (\d+)", fix):
        del lines[int(found[1]) - 1]
        return "\n".join(lines)
    line = lines[problem.line - 1]
    indent = line[: len(line) - len(line.lstrip())]
    name = fix.split(":")[0]
    at = line.rfind(f"{name}:", 0, problem.column - 1 + problem.length)
    if problem.code == "E001":
        lines[problem.line - 1] = fix
    elif problem.code in ("E002", "E004", "E005") or fix.startswith("sessions:"):
        lines[problem.line - 1] = indent + fix
    elif problem.code in ("E008", "E003") or problem.line == 1 or (problem.code == "E010" and at < 0):
        lines.insert(problem.line if at < 0 else problem.line - 1, fix)
        if at >= 0:
            del lines[problem.line]
    elif at >= 0:
        lines[problem.line - 1] = line[:at] + fix + line[problem.column - 1 + problem.length :]
    else:
        lines[problem.line - 1] = (
            line[: problem.column - 1] + fix + line[problem.column - 1 + problem.length :]
        )
    return "\n".join(lines)


# (name, file, code, line, column, length, words of the text, fix)
ERRORS = [
    ("a colon in a title", with_line("title: Seminarium: dzień", "title"), "E001", 3, 18, 1, "a colon inside a value needs quotes", 'title: "Seminarium: dzień"'),
    ("a colon within braces", with_line("title: {pl: Dzień: drugi, en: Seminar}", "title"), "E001", 3, 18, 1, "colon", 'title: {pl: "Dzień: drugi", en: Seminar}'),
    ("an open quote", with_line('title: "Seminarium', "title"), "E001", 3, 8, 1, "the quotes do not match", 'title: "Seminarium"'),
    ("an at sign first", with_line("attendance: @all"), "E001", 6, 13, 1, "quotes", 'attendance: "@all"'),
    ("a tab", with_line("place:\n\tname: Essen"), "E001", 7, 1, 1, "a tab cannot indent", "  name: Essen"),
    ("a line too far right", with_line("  number: 2"), "E001", 6, 9, 1, "indented too far", "number: 2"),
    ("a word alone", with_line("number"), "E001", 6, 1, 1, "a field is", "number: …"),
    ("an open brace", with_line("place: {name: Essen"), "E001", 6, 8, 1, "the closing `}` is missing", "place: {name: Essen}"),
    ("a comma in a title", with_line("title: {pl: Seminarium, dzień drugi, en: Seminar}", "title"), "E002", 3, 25, 11, "a comma inside a value needs quotes", 'title: {pl: "Seminarium, dzień drugi", en: Seminar}'),
    ("an unknown field", with_line("attendence: 300+"), "E002", 6, 1, 10, 'unknown field "attendence"; did you mean "attendance"?', "attendance: 300+"),
    ("an unknown field of a map", with_line("place: {name: Essen, contry: DE}"), "E002", 6, 22, 6, 'did you mean "country"?', "place: {name: Essen, country: DE}"),
    ("no uid", with_line("", "uid"), "E003", 1, 1, 3, '"uid" is missing', "uid: 20200908-seminar@events.region.example"),
    ("no day", with_line("", "when"), "E003", 1, 1, 3, '"when" is missing', "when: 2020-09-08"),
    ("no title", with_line("", "title"), "E003", 1, 1, 3, '"title" is missing', 'title: "…"'),
    ("title not in the language of the file", with_line("title: {en: Seminar}", "title"), "E003", 3, 8, 13, "in pl, the language of the file", "language: en"),
    ("an empty title", with_line("title:", "title"), "E004", 3, 1, 5, "the title is empty", 'title: "…"'),
    ("an anchor", with_line("attendance: &many 300+"), "E005", 6, 13, 5, "aliases and tags are not used here", "attendance: 300+"),
    ("a tag", with_line("attendance: !!str 300+"), "E005", 6, 13, 5, "aliases and tags are not used here", "attendance: 300+"),
    ("a key twice", with_line("format: hybrid"), "E006", 6, 1, 6, '"format" is given twice, first at line 5', "remove line 6"),
    ("start beside when", with_line("start: 2020-09-08"), "E006", 6, 8, 10, "says again", "remove line 6"),
    ("no closing line", "---\n" + EVENT.split("---\n")[1] + "\nTekst.\n", "E008", 5, 1, 14, "the closing `---` is missing", "---"),
    ("a list for a text", with_line("attendance: [300]"), "E009", 6, 13, 5, '"attendance" must be a text', "attendance: 300"),
    ("a text for a list", with_line("topics: sme"), "E009", 6, 9, 3, '"topics" must be a list', "topics: [sme]"),
    ("a map for a list", with_line("deadlines: {what: Zgłoszenia}"), "E009", 6, 12, 18, '"deadlines" must be a list', "deadlines: [{what: Zgłoszenia}]"),
    ("a text for a map", with_line("online: MS Teams"), "E009", 6, 9, 8, '"online" must be a map', "online: {platform: MS Teams}"),
    ("a word for a number", with_line("number: 2nd"), "E009", 6, 9, 3, "a whole number", "number: 2"),
    ("a word for yes or no", with_line("draft: maybe"), "E009", 6, 8, 5, "yes or no", "draft: yes\n"),
    ("a uid with spaces", with_line("uid: my meeting", "uid"), "E009", 2, 6, 10, "without spaces", "uid: 20200908-seminar@events.region.example"),
    ("a long title", with_line(f"title: {'a' * 201}", "title"), "E009", 3, 8, 201, "at most 200", f"title: {'a' * 199}…"),
    ("a country in words", with_line("place: {name: Essen, country: de}"), "E009", 6, 31, 2, "ISO 3166", "country: DE"),
    ("no mail address", with_line("enquiries: {mail: office at example}"), "E009", 6, 19, 17, "a mail address", "mail: office@example.org"),
    ("a day in words", with_line("when: 8.09.2020 10:00", "when"), "E010", 4, 7, 15, "not a date: write year-month-day", "when: 2020-09-08 10:00"),
    ("hours without a day", with_line("when: 10:00-12:00", "when"), "E010", 4, 7, 11, "the day is missing", "when: 2020-09-08 10:00-12:00"),
    ("hours on several days", with_line("when: 2020-09-08..2020-09-09 09:00-16:00", "when"), "E010", 4, 7, 34, "use `sessions`", 'sessions: [{title: "1", when: 2020-09-08 09:00-16:00}, {title: "2", when: 2020-09-09 09:00-16:00}]'),
    ("a month that is certain", with_line("when: 2020-11", "when"), "E010", 4, 7, 7, "only a tentative meeting", "status: tentative"),
    ("a deadline in words", with_line("deadlines: [{what: Zgłoszenia, by: 31.08.2020}]"), "E010", 6, 36, 10, "not a date", "by: 2020-08-31"),
    ("an unknown status", with_line("status: canceled"), "E011", 6, 9, 8, 'unknown status "canceled"; did you mean "cancelled"?', "status: cancelled"),
    ("an unknown type", with_line("type: study visit"), "E011", 6, 7, 11, "unknown type", "type: study-visit"),
    ("an unknown visibility", with_line("visibility: private"), "E011", 6, 13, 7, "One of: public, subscribers, group:NAME", "visibility: public\n"),
    ("days in the wrong order", with_line("when: 2020-09-09..2020-09-08", "when"), "E012", 4, 7, 22, "ends before it starts", "when: 2020-09-08..2020-09-09"),
    ("an hour that does not exist", with_line("when: 2020-03-29 02:30", "when"), "E013", 4, 7, 16, "does not exist that night in Europe/Warsaw", "when: 2020-03-29 03:30\nwhen: 2020-03-29 01:30"),
    ("an hour that comes twice", with_line("when: 2020-10-25 02:30", "when"), "E013", 4, 7, 16, "occurs twice", "when: 2020-10-25 02:30+02:00\nwhen: 2020-10-25 02:30+01:00"),
    ("an unknown zone", with_line("timezone: Europe/Warschau"), "E014", 6, 11, 15, "unknown zone", "timezone: Europe/Warsaw\n"),
    ("a day that reads two ways", with_line("when: 09/08/2020", "when"), "E015", 4, 7, 10, "can be read as 2020-08-09 or 2020-09-08", "when: 2020-08-09\nwhen: 2020-09-08"),
    ("an offset", with_line("when: 2020-09-08T10:00Z", "when"), "E016", 4, 7, 17, "write local time", "when: 2020-09-08 12:00"),
    ("a recurrence", with_line("repeat: weekly on Tue"), "E018", 6, 9, 13, "one file for each date", "remove line 6"),
    ("an unknown project", with_line("project: smarti"), "E020", 6, 10, 6, 'unknown project "smarti"; did you mean "smarty"?', "project: smarty"),
    ("an unknown topic", with_line("topics: [smes]"), "E020", 6, 10, 4, "unknown topic", "sme"),
    ("an unknown region", with_line("regions: [PL93]"), "E020", 6, 11, 4, "unknown region", "PL92"),
    ("a file that is not there", with_line("materials: [{title: Program, file: 2020/program.pdf}]"), "E021", 6, 36, 16, "file missing: data/attachments/2020/program.pdf", "file: 2020/programme.pdf"),
    ("a file too large", with_line("materials: [{title: Film, file: film.mp4}]"), "E022", 6, 33, 8, "90.0 MB, limit 25 MB", "link: https://…"),
    ("a link without a scheme", with_line("link: www.example.org/a"), "E023", 6, 7, 17, "not an http or https link", "link: https://www.example.org/a"),
    ("a link that runs a script", with_line("link: javascript:alert(1)"), "E023", 6, 7, 19, "not an http or https link", ""),
    ("a link with a password", with_line("link: https://me:secret@example.org/"), "E023", 6, 7, 30, "not an http or https link", ""),
    ("a path that leaves", with_line("materials: [{title: Program, file: ../../secret}]"), "E024", 6, 36, 12, "leaves data/attachments", ""),
    ("a link out of the attachments", with_line("materials: [{title: Program, file: secret.pdf}]"), "E024", 6, 36, 10, "leaves data/attachments", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "code", "line", "column", "length", "words", "fix"), ERRORS, ids=[e[0] for e in ERRORS])  # fmt: skip
def test_an_error_is_told_at_its_place_and_its_fix_can_be_pasted(
    name: str, text: str, code: str, line: int, column: int, length: int, words: str, fix: str
) -> None:
    # Given a file with one mistake
    reading = read(text)
    # Then exactly that is told, where it stands, and only this event waits
    (problem,) = [problem for problem in reading.problems if problem.is_error]
    assert (problem.code, problem.line, problem.column, problem.length) == (code, line, column, length)
    assert words in problem.text
    assert problem.fix.startswith(fix.rstrip("\n")) if fix.endswith("\n") else problem.fix == fix
    assert problem.source == text.split("\n")[line - 1]
    assert (problem.subject, reading.broken, reading.events) == (SLUG, (SLUG,), ())
    # And the file passes once the fix is pasted
    if fix and "…" not in fix.removesuffix("a…").replace('"…"', ""):
        mended = read(pasted(text, problem))
        assert [p.text for p in mended.problems if p.is_error] == []
        assert [event.slug for event in mended.events] == [SLUG]


WARNINGS = [
    ("a missing translation", with_line("title: Seminarium", "title"), "W101", 3, 8, 10, "translation missing: en", f"notifier events translate {SLUG} en"),
    ("a private address", with_line("enquiries: {mail: somebody@gmail.com}"), "W107", 6, 19, 18, "private address", ""),
    ("a private address in the body", EVENT.replace("{pl: Seminarium, en: Seminar}", "{pl: S}").replace("pl: S}", "pl: S, en: S}") + "Pisz: ktos@wp.pl\n", "W107", 7, 7, 10, "private address", ""),
    ("an image without words", EVENT + "![](https://example.org/a.png)\n", "W110", 7, 1, 4, "without words", "![what it shows]("),
    ("no format stated", with_line("", "format"), "W111", 1, 1, 3, "assumed: in-person", "format: in-person"),
    ("a public meeting link", with_line("online: {link: https://meet.example.org/x, show: public}"), "W113", 6, 50, 6, "public", "show: subscribers"),
    ("registration after the start", with_line("registration: {by: 2020-09-10}"), "W114", 6, 20, 10, "after the start", "by: 2020-09-08"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "code", "line", "column", "length", "words", "fix"), WARNINGS, ids=[w[0] for w in WARNINGS])  # fmt: skip
def test_a_warning_is_told_at_its_place_and_the_event_is_read_all_the_same(
    name: str, text: str, code: str, line: int, column: int, length: int, words: str, fix: str
) -> None:
    reading = read(text)
    problem = next(problem for problem in reading.problems if problem.code == code)
    assert {p.code for p in reading.problems} - {"W101"} <= {code}
    assert (problem.line, problem.column, problem.length, problem.fix) == (line, column, length, fix)
    assert words in problem.text
    assert not problem.is_error
    assert [event.slug for event in reading.events] == [SLUG]
    if fix and not fix.startswith("notifier"):
        assert code not in {p.code for p in read(pasted(text, problem)).problems}


def test_a_file_with_every_field_is_read_into_its_value() -> None:
    # Given a file that uses each field, CRLF line ends and a byte order mark
    text = (Path(__file__).parent / "data/content/every-field.md").read_text("utf-8")
    files = a_folder() | {
        "events/2020/2020-10-01-every.md": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        "series/forum.md": b"---\ntitle: {pl: Forum, en: Forum}\nproject: smarty\n---\n",
    }
    # When it is read
    reading = markdown.read(files, SETTINGS)
    # Then each field is there, with its type
    assert [problem for problem in reading.problems if problem.code not in ("W101", "W113")] == []
    event = next(event for event in reading.events if event.slug == "2020-10-01-every")
    assert event.span == a_span("2020-10-01", "2020-10-02", at="10:00", until="14:00", zone="Europe/Rome")
    assert (event.type, event.status, event.format) == (Type.STUDY_VISIT, Status.MOVED, Format.HYBRID)
    assert event.place and event.place.name == {"pl": "Kalabria", "en": "Calabria"}
    assert (event.place.country, event.place.geo) == ("IT", (38.9, 16.6))
    assert event.online and (event.online.show, event.online.from_hours) == ("public", 1.5)
    assert [organiser.name for organiser in event.organisers] == ["Urząd", "Regione Calabria"]
    assert event.organisers[1].mail == "office@example.org"
    assert event.enquiries and event.enquiries.purpose == "good practices"
    assert event.enquiries.mail == "one@example.org, two@example.org"
    assert (event.project, event.series, event.number) == ("smarty", "forum", 2)
    assert (event.topics, event.regions, event.languages) == (("sme",), ("PL92",), ("pl", "en"))
    assert event.registration and event.registration.by == date(2020, 9, 20)
    assert (event.registration.places, event.registration.taken) == (40, 12)
    assert event.deadlines[0].by == datetime(2020, 8, 31, 10, tzinfo=UTC)
    assert event.deadlines[0].remind == ("7d", "1d")
    assert event.deadlines[1].by is None
    assert (event.materials[0].file, event.materials[0].size_bytes) == ("2020/programme.pdf", 120_000)
    assert (event.materials[0].lang, event.materials[0].added) == ("en", date(2020, 10, 3))
    assert [session.span is None for session in event.sessions] == [False, True]
    assert event.sessions[1].project == "smarty"
    assert event.follows == (SLUG,)
    assert (event.attendance, event.link) == ("300+", "https://example.org/event")
    assert (event.change_note, event.notify) == ({"pl": "Nowa data"}, "now")
    assert event.is_draft
    assert event.publish_after == datetime(2020, 1, 1, 6, tzinfo=UTC)
    assert event.visibility == "group:partners"
    assert event.body == {"pl": "Pierwsze zdanie o **wizycie**. Drugie."}
    assert event.summary == {"pl": "Pierwsze zdanie o wizycie."}


def test_every_mistake_of_every_file_is_told_at_once_and_sorted() -> None:
    # Given two files, one with three mistakes, one of which YAML itself cannot read
    bad = EVENT.replace("{pl: Seminarium, en: Seminar}", "Seminarium: dzień").replace("online", "onlin")
    reading = markdown.read(
        a_folder(bad.replace("2020-09-08..", "8.9.2020.."))
        | {"events/2020/2020-10-01-other.md": EVENT.replace("online", "hybridd").encode()},
        SETTINGS,
    )
    # Then all of them are there, by file and line
    errors = [(p.file.rsplit("/", 1)[1], p.line, p.code) for p in reading.problems if p.is_error]
    assert errors == [
        ("2020-09-08-seminar.md", 3, "E001"),
        ("2020-09-08-seminar.md", 4, "E010"),
        ("2020-09-08-seminar.md", 5, "E011"),
        ("2020-10-01-other.md", 2, "E030"),
        ("2020-10-01-other.md", 5, "E011"),
    ]


def test_one_bad_event_never_stops_another_and_tells_its_days() -> None:
    good = EVENT.replace("20200908-seminar", "20201001-good")
    reading = markdown.read(
        a_folder(with_line("status: canceled")) | {"events/2020-10-01-good.md": good.encode()}, SETTINGS
    )
    assert [event.slug for event in reading.events] == ["2020-10-01-good"]
    assert reading.broken == (SLUG,)
    assert reading.broken_spans == {SLUG: a_span("2020-09-08", "2020-09-09")}


# --- inheritance ---------------------------------------------------------------------------------------------


def test_the_nearest_of_event_series_project_and_organisation_counts() -> None:
    # Given a project, a series and an event that each say some of the same
    others = {
        "projects/smarty.md": "---\nname: SMARTY\ntype: conference\ntimezone: Europe/Rome\ntopics: [sme]\norganiser: P\n---\n",
        "series/rgi.md": "---\ntitle: RGI\nproject: smarty\ntype: seminar\nplace: Essen\norganiser: S\n---\n",
    }
    text = EVENT.replace("format: online", "series: rgi\norganiser: E\nformat: in-person")
    # When the event is read
    (event,) = read(text, **others).events
    # Then its own words come first, and the organisation's last
    assert [organiser.name for organiser in event.organisers] == ["E"]
    assert event.type == Type.SEMINAR
    assert event.place and event.place.name == {"pl": "Essen"}
    assert (event.span.zone, event.topics, event.project) == ("Europe/Rome", ("sme",), "smarty")
    assert event.enquiries and event.enquiries.mail == "office@example.org"


def test_an_online_event_does_not_take_the_place_of_its_series() -> None:
    series = "---\ntitle: RGI\nplace: Essen\n---\n"
    (event,) = read(with_line("series: rgi"), **{"series/rgi.md": series}).events
    assert event.place is None


def test_an_organiser_is_never_made_up_from_the_organisation() -> None:
    (event,) = read().events
    assert event.organisers == ()


def test_events_of_a_broken_project_wait_and_the_project_is_named_once() -> None:
    reading = read(with_line("project: smarty"), **{"projects/smarty.md": PROJECT.replace("name", "nam")})
    assert {p.subject for p in reading.problems if p.is_error} == {"projects/smarty"}
    assert (reading.events, reading.broken, dict(reading.projects)) == ((), (SLUG,), {})


@pytest.mark.parametrize(
    ("lines", "form", "is_assumed"),
    [
        ("online: {platform: MS Teams}", Format.ONLINE, False),
        ("online: {platform: MS Teams}\nplace: Essen", Format.IN_PERSON, True),
        ("place: Essen", Format.IN_PERSON, True),
        ("format: hybrid", Format.HYBRID, False),
    ],
)
def test_a_form_that_nobody_stated_is_assumed_and_says_so(lines: str, form: Format, is_assumed: bool) -> None:
    (event,) = read(with_line(lines, "format")).events
    assert (event.format, event.format_is_assumed) == (form, is_assumed)


# --- when ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "span"),
    [
        ("start: 2020-09-08\nend: 2020-09-09", a_span("2020-09-08", "2020-09-09")),
        ("start: 2020-09-08 10:00\nend: 13:30", a_span("2020-09-08", at="10:00", until="13:30")),
        ("start: 2020-09-08 10:00\nend: 2020-09-08 13:30", a_span("2020-09-08", at="10:00", until="13:30")),
        ("start: 2020-09-08", a_span("2020-09-08")),
    ],
)
def test_start_and_end_are_read_and_mended_into_when(lines: str, span: object) -> None:
    # Given a file in the words of other programs
    text = with_line(lines + "   # od rana", "when")
    assert read(text).events[0].span == span
    # When it is mended
    mended = mend(text.encode(), read(text).problems).decode()
    # Then it says `when`, keeps its comment, and means the same
    assert "when: 2020-09-08" in mended
    assert not re.search(r"(?m)^(start|end):", mended)
    assert read(mended).events[0].span == span


def test_sessions_that_all_have_a_time_make_the_span_of_the_event() -> None:
    lines = "sessions: [{title: A, when: 2020-09-09 09:00-12:00}, {title: B, when: 2020-09-08 10:00-11:00}]"
    (event,) = read(with_line(lines, "when")).events
    assert event.span == a_span("2020-09-08", "2020-09-09", at="10:00", until="12:00")


def test_sessions_of_whole_days_make_whole_days() -> None:
    lines = "sessions: [{title: A, when: 2020-09-09}, {title: B, when: 2020-09-08 10:00-11:00}]"
    (event,) = read(with_line(lines, "when")).events
    assert event.span == a_span("2020-09-08", "2020-09-09")


def test_a_session_without_a_time_needs_the_days_of_the_event() -> None:
    reading = read(with_line("sessions: [{title: A, when: 2020-09-09}, {title: B}]", "when"))
    assert [(p.code, p.fix) for p in reading.problems if p.is_error] == [("E003", "when: 2020-09-08")]


def test_a_month_may_stand_for_a_tentative_meeting() -> None:
    (event,) = read(with_line("when: 2020-11\nstatus: tentative", "when")).events
    assert event.span.is_month


# --- translations --------------------------------------------------------------------------------------------


def a_translation(**fields: str) -> str:
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in fields.items()) + "---\nNext meeting.\n"


def test_a_sibling_adds_its_language() -> None:
    # Given an event in Polish with an English file beside it
    hash_ = fingerprint("Seminarium", "", "", "Kolejne spotkanie.")
    text = EVENT.replace("{pl: Seminarium, en: Seminar}", "Seminarium") + "Kolejne spotkanie.\n"
    sibling = a_translation(title="Seminar", summary="One line", translated_from=hash_)
    # When both are read
    reading = read(text, **{f"events/2020/{SLUG}.en.md": sibling})
    # Then it is one event in two languages
    (event,) = reading.events
    assert reading.problems == ()
    assert event.title == {"pl": "Seminarium", "en": "Seminar"}
    assert event.summary == {"pl": "Kolejne spotkanie.", "en": "One line"}
    assert event.body == {"pl": "Kolejne spotkanie.", "en": "Next meeting."}
    assert event.stale == ()


def test_a_translation_of_an_older_text_is_stale_until_it_is_looked_over() -> None:
    sibling = f"events/2020/{SLUG}.en.md"
    reading = read(EVENT, **{sibling: a_translation(translated_from="0123456789ab")})
    (problem,) = reading.problems
    assert (problem.code, problem.file, problem.line, problem.column) == ("W102", f"data/{sibling}", 2, 18)
    command, line = problem.fix.split("\n")
    assert command == f"notifier events translate {SLUG} en"
    assert reading.events[0].stale == ("en",)
    assert read(EVENT, **{sibling: f"---\n{line}\n---\nNext meeting.\n"}).problems == ()


def test_a_blank_translation_is_silent_until_it_is_filled_in() -> None:
    # Given the file that a translator starts with
    sibling = f"events/2020/{SLUG}.en.md"
    text = EVENT.replace("{pl: Seminarium, en: Seminar}", "Seminarium") + "Kolejne\nspotkanie.\n"
    start = blank(text.encode(), "pl")
    # When it lies beside the original
    reading = read(text, **{sibling: start})
    # Then the translation is still missing, and once filled in it is there and fresh
    assert [p.code for p in reading.problems] == ["W101"]
    assert "# Kolejne\n# spotkanie.\n" in start
    filled = start.replace("title:", "title: Seminar") + "Next meeting.\n"
    reading = read(text, **{sibling: filled})
    assert reading.problems == ()
    assert reading.events[0].title["en"] == "Seminar"


def test_a_translation_holds_only_what_is_translated() -> None:
    reading = read(EVENT, **{f"events/2020/{SLUG}.en.md": a_translation(when="2020-09-10", summary="One")})
    (problem,) = [p for p in reading.problems if p.is_error]
    assert (problem.code, problem.line, problem.column, problem.length) == ("E031", 2, 1, 4)
    assert problem.fix == f"move line 2 to data/{PATH}"
    assert (problem.subject, reading.broken) == (SLUG, (SLUG,))
    passing = a_translation(summary="One")
    assert read(EVENT, **{f"events/2020/{SLUG}.en.md": passing}).problems == ()


def test_a_title_in_two_places_is_given_twice() -> None:
    reading = read(EVENT, **{f"events/2020/{SLUG}.en.md": a_translation(title="Seminar")})
    (problem,) = reading.problems
    assert (problem.code, problem.line, problem.fix) == ("E006", 2, "remove line 2")


def test_a_translation_into_the_language_of_the_file_is_refused() -> None:
    reading = read(EVENT, **{f"events/2020/{SLUG}.pl.md": a_translation(summary="Wiersz")})
    assert [p.code for p in reading.problems] == ["E031"]


def test_a_translation_of_nothing_names_what_it_may_belong_to() -> None:
    reading = read(EVENT, **{"events/2020/2020-09-08-seminr.en.md": a_translation(summary="One")})
    (problem,) = reading.problems
    assert (problem.code, problem.line, problem.fix) == ("E020", 0, f"rename to {SLUG}.en.md")
    assert [event.slug for event in reading.events] == [SLUG]


# --- one file beside another ---------------------------------------------------------------------------------


def test_a_copied_file_gets_its_own_uid_and_the_first_owner_keeps_his() -> None:
    copy = "events/2020/2020-10-01-copy.md"
    reading = read(EVENT, **{copy: EVENT})
    (problem,) = [p for p in reading.problems if p.is_error]
    assert (problem.code, problem.file, problem.line, problem.column) == ("E030", f"data/{copy}", 2, 6)
    assert problem.text == f"uid also in data/{PATH}:2"
    assert [event.slug for event in reading.events] == [SLUG]
    assert read(EVENT, **{copy: pasted(EVENT, problem)}).broken == ()


def test_the_same_file_name_in_two_years_is_refused() -> None:
    reading = read(EVENT, **{f"events/2021/{SLUG}.md": EVENT})
    assert [(p.code, p.file) for p in reading.problems] == [("E030", f"data/events/2021/{SLUG}.md")]
    assert reading.broken == (SLUG,)


def test_follows_names_another_event() -> None:
    other = EVENT.replace("20200908-seminar", "20201001-next").replace(
        "format: online", f"format: online\nfollows: {SLUG[:-1]}"
    )
    reading = read(EVENT, **{"events/2020-10-01-next.md": other})
    (problem,) = [p for p in reading.problems if p.is_error]
    assert (problem.code, problem.fix) == ("E020", f"follows: {SLUG}")


def test_two_meetings_of_a_project_on_one_day_are_pointed_out() -> None:
    one = with_line("project: smarty")
    two = one.replace("20200908-seminar", "20200909-visit").replace("2020-09-08..", "2020-09-09..")
    reading = read(one, **{"events/2020-09-09-visit.md": two})
    (problem,) = reading.problems
    assert (problem.code, problem.line, problem.column, problem.subject) == ("W106", 4, 7, "2020-09-09-visit")
    assert SLUG in problem.text
    moved = two.replace("2020-09-09..2020-09-09", "2020-09-10")
    assert read(one, **{"events/2020-09-09-visit.md": moved}).problems == ()


@pytest.mark.parametrize(
    ("lines", "is_told"),
    [("status: confirmed", True), ("status: cancelled", False), ("status: postponed", False)],
)
def test_a_meeting_that_does_not_take_place_is_in_nobodys_way(lines: str, is_told: bool) -> None:
    one = with_line("project: smarty")
    two = one.replace("20200908-seminar", "20200909-visit").replace("format", f"{lines}\nformat")
    reading = read(one, **{"events/2020-09-09-visit.md": two})
    assert [p.code for p in reading.problems] == (["W106"] if is_told else [])


def test_a_month_is_no_day_that_two_meetings_share() -> None:
    one = with_line("project: smarty")
    two = one.replace("20200908-seminar", "20200900-visit").replace(
        "when: 2020-09-08..2020-09-09", "when: 2020-09\nstatus: tentative"
    )
    assert read(one, **{"events/2020-09-visit.md": two}).problems == ()


def test_a_file_name_becomes_a_link_and_must_be_fit_for_it() -> None:
    reading = read(EVENT, **{"events/2020/nowe spotkanie.md": EVENT})
    assert [(p.code, p.line) for p in reading.problems] == [("E009", 0)]
    assert reading.broken == ("nowe spotkanie",)


# --- bytes and limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "title", "name"),
    [
        ("cp1250", "Seminarium źródłowe i święto łąki", "CP1250"),
        ("iso8859-2", "Seminarium źródłowe i święto łąki", "ISO-8859-2"),
        ("cp1251", "Втори междурегионален семинар", "CP1251"),
        ("utf-16", "Seminarium", "UTF-16"),
        ("cp1250", "Begrüßung in München", "CP1250"),
    ],
)
def test_another_encoding_is_named_and_mended(encoding: str, title: str, name: str) -> None:
    # Given a file as an old editor saved it
    text = EVENT.replace("{pl: Seminarium, en: Seminar}", f"{{pl: {title}, en: Seminar}}")
    content = text.encode(encoding)
    # When it is read
    reading = markdown.read(a_folder() | {PATH: content}, SETTINGS)
    # Then one problem says what it looks like, and what is mended reads well
    (problem,) = [p for p in reading.problems if p.is_error]
    assert (problem.code, problem.fix) == ("E007", "notifier check --fix")
    assert f"looks like {name} (convert: iconv -f {name} -t UTF-8)" in problem.text
    mended = markdown.read(a_folder() | {PATH: mend(content, reading.problems)}, SETTINGS)
    assert mended.problems == ()
    assert mended.events[0].title["pl"] == title


def test_the_caret_of_a_wrong_byte_counts_characters() -> None:
    content = (
        EVENT.replace("Seminarium, en", "Źródłó, en")
        .encode()
        .replace("ódłó".encode(), "ód".encode() + b"\xb3o")
    )
    (problem,) = [p for p in markdown.read({PATH: content}, SETTINGS).problems if p.is_error]
    assert (problem.code, problem.line, problem.column) == ("E007", 3, 17)


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff"])
def test_control_characters(char: str) -> None:
    text = EVENT.replace("pl: Seminarium", f"pl: Semi{char}narium")
    reading = read(text)
    (problem,) = [p for p in reading.problems if p.is_error]
    assert (problem.code, problem.line, problem.column) == ("E007", 3, 17)
    assert f"U+{ord(char):04X}" in problem.text
    assert read(mend(text.encode(), reading.problems).decode()).broken == () or char == "\u2028"


def test_marks_that_turn_the_direction_of_text_do_not_reach_a_title() -> None:
    (event,) = read(EVENT.replace("pl: Seminarium", "pl: Semi\u202enarium\u2066")).events
    assert event.title["pl"] == "Seminarium"


def test_composed_and_decomposed_letters_are_the_same() -> None:
    (event,) = read(EVENT.replace("pl: Seminarium", "pl: Z\u0301ro\u0301dło")).events
    assert event.title["pl"] == "Źródło"


FRONT_MATTER = [
    ("an alias", "attendance: &a 1\nlink: *a\n", "E005"),
    ("a tag that runs", "attendance: !!python/object/apply:os.system [ls]\n", "E005"),
    ("a second document", "attendance: 1\n--- a\nlink: b\n", "E005"),
    ("the end of a document", "attendance: 1\n...\n", "E005"),
    ("five levels", "place: {name: {pl: {a: {b: {c: {d: e}}}}}}\n", "E005"),
    ("a thousand levels", f"place: {'[' * 1000}{']' * 1000}\n", "E005"),
    ("a list as a name", "[a, b]: c\n", "E005"),
    ("a list instead of fields", "- a\n- b\n", "E001"),
    ("too many bytes", f"attendance: {'a' * 64_000}\n", "E022"),
    ("merge keys", "<<: {a: b}\n", "E002"),
]


@pytest.mark.parametrize(("name", "lines", "code"), FRONT_MATTER, ids=[row[0] for row in FRONT_MATTER])
def test_front_matter_refuses(name: str, lines: str, code: str) -> None:
    reading = read(EVENT.replace("format: online\n", lines))
    assert code in {p.code for p in reading.problems if p.is_error}
    assert reading.broken == (SLUG,)


@pytest.mark.parametrize("text", ["", "Seminarium\n", "\n" + EVENT])
def test_a_file_without_an_opening_line_is_one_problem(text: str) -> None:
    reading = read(text)
    assert [(p.code, p.line, p.column, p.fix) for p in reading.problems] == [("E008", 1, 1, "---")]
    assert reading.broken == (SLUG,)


def test_a_file_that_cannot_be_read_at_all_does_not_complain_of_what_is_missing() -> None:
    reading = read(with_line("place: [}"))
    assert [p.code for p in reading.problems] == ["E001"]


def test_four_levels_are_enough_and_five_are_not() -> None:
    four, five = "place: {a: {b: {c: {d: e}}}}", "place: {a: {b: {c: {d: {e: f}}}}}"
    assert "E005" not in {p.code for p in read(with_line(four)).problems}
    assert "E005" in {p.code for p in read(with_line(five)).problems}


def test_open_brackets_are_counted_before_yaml_sees_them() -> None:
    # libyaml takes n * n time for n open brackets
    (problem,) = read(with_line(f"place: {'{a: ' * 10_000}")).problems
    assert (problem.code, problem.line, problem.column) == ("E005", 6, 8 + 40 * 4)


def test_a_file_over_the_limit_is_refused_in_words() -> None:
    reading = read(EVENT + "a" * 512_000)
    assert next(p.text for p in reading.problems if p.code == "E022").endswith("limit 512,000")


def test_reading_takes_time_in_proportion_to_what_is_read() -> None:
    # Given hostile lines of n and 2n
    def seconds(n: int) -> float:
        lines = [
            f"title: {'a: ' * n}",
            f"attendance: {'!a ' * n}",
            f"link: {'&' * n}",
            f"place: {'{a: ' * n}",
        ]
        body = "](" * n + "[" * n + "a@" * n + "!" * n + ". A" * n + "*_" * n
        started = time.process_time()
        for line in lines:
            read(with_line(line) + body)
        return time.process_time() - started

    # Then twice as much costs no more than some three times as much
    seconds(500)
    one, two = min(seconds(3_000) for _ in range(3)), min(seconds(6_000) for _ in range(3))
    assert two < 3.2 * one + 0.05


def test_a_script_in_a_body_link_is_refused() -> None:
    (problem,) = [p for p in read(EVENT + "Zob. [tu](javascript:alert(1)).\n").problems if p.is_error]
    assert (problem.code, problem.line, problem.column, problem.length) == ("E023", 7, 11, 11)


# --- notes, folders ------------------------------------------------------------------------------------------


def test_notes_are_read_by_newsletter_slot_and_language() -> None:
    reading = read(
        EVENT, **{"notes/events/2020-W16.md": "Dzień dobry.\n", "notes/events/2020-W16.en.md": "Hello.\n"}
    )
    assert dict(reading.notes) == {"events/2020-W16": {"pl": "Dzień dobry.", "en": "Hello."}}


def test_a_bad_note_is_named_by_its_digest() -> None:
    reading = read(EVENT, **{"notes/events/2020-W16.md": "[a](data:text/html,x)\n"})
    assert [(p.code, p.subject, p.line) for p in reading.problems] == [("E023", "notes/events/2020-W16", 1)]
    assert reading.broken == ()


def test_a_folder_is_read_from_the_disk(tmp_path: Path) -> None:
    # Given a data folder with an attachment and two links that lead out of it
    data = tmp_path / "data"
    for path, content in a_folder(with_line("materials: [{title: P, file: a/p.pdf}]")).items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(content)
    (data / "attachments/a").mkdir(parents=True)
    (data / "attachments/a/p.pdf").write_bytes(b"%PDF-")
    (tmp_path / "secret.md").write_text(EVENT)
    (data / "events/2020-01-01-secret.md").symlink_to(tmp_path / "secret.md")
    (data / "attachments/out.pdf").symlink_to(tmp_path / "secret.md")
    # When it is read
    reading = markdown.read_folder(data, replace(SETTINGS, attachments={}))
    # Then what belongs there is there, and what leads out is refused
    assert reading.events[0].materials[0].size_bytes == 5
    assert [(p.code, p.subject) for p in reading.problems] == [("E024", "2020-01-01-secret")]
    assert reading.broken == ("2020-01-01-secret",)
    assert markdown.attachment_sizes(data)["out.pdf"] == -1


def test_the_settings_of_an_organisation_come_from_its_configuration() -> None:
    # Given a configuration with a public address, and one that is only tried at home
    organisation = {
        "name": "Office",
        "sender": "events@region.example",
        "postal_address": "-",
        "languages": ["pl", "en"],
    }
    values = {"organisation": organisation, "subscribers": {"topics": {"sme": "SME"}, "regions": ["PL92"]}}
    config = Config.model_validate(values | {"web": {"base_url": "https://events.region.example/a"}})
    # Then uids are proposed in the domain that is known to the world
    settings = ReadingSettings.of(config)
    assert (settings.languages, settings.topics, settings.regions) == (("pl", "en"), ("sme",), ("PL92",))
    assert settings.uid_domain == "events.region.example"
    assert ReadingSettings.of(Config.model_validate(values)).uid_domain == "region.example"


@given(st.binary(max_size=400), st.text(max_size=300))
def test_no_bytes_stop_the_reading(junk: bytes, line: str) -> None:
    for content in (
        junk,
        b"---\n" + junk + b"\n---\n",
        with_line(f"place: {line}").encode("utf-8", "replace"),
    ):
        reading = markdown.read(a_folder() | {"events/2020/2020-01-01-junk.md": content}, SETTINGS)
        assert [event.slug for event in reading.events if event.slug == SLUG] or any(
            p.code in ("E030", "E041") for p in reading.problems
        )
        mend(content, reading.problems)


YAML = st.text(alphabet="abc:{}[]-#&*!|>'\"\n \t,?%@0", max_size=120)


@given(YAML)
def test_no_front_matter_stops_the_reading(lines: str) -> None:
    reading = read(EVENT.replace("format: online\n", lines + "\n"))
    assert {event.slug for event in reading.events} | set(reading.broken) == {SLUG}


def test_an_empty_folder_is_an_empty_reading(tmp_path: Path) -> None:
    assert markdown.read_folder(tmp_path / "data", SETTINGS) == Reading()


def test_what_need_not_be_mended_stays_as_it_is() -> None:
    twice = with_line("start: 2020-09-08").encode()
    for content in (EVENT.encode(), twice, b"", b"no front matter", EVENT.replace("\n", "\r\n").encode()):
        assert mend(content, ()) == content


def test_a_missing_uid_is_written_below_the_opening_line() -> None:
    text = with_line("", "uid").replace("\n", "\r\n")
    mended = mend(text.encode(), read(text).problems)
    assert mended.startswith(b"---\r\nuid: 20200908-seminar@events.region.example\r\n")
    assert read(mended.decode()).broken == ()
