"""Which language a reader is served, its catalogue, and how dates are written in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest
from makers import a_span

from notifier.errors import TemplateError
from notifier.events.span import Span
from notifier.mail import languages
from notifier.mail.languages import Leaf, catalogue, negotiate

ESSEN = a_span("2020-01-15", "2020-01-16")
SPRING = a_span("2020-04-28", "2020-05-03")
NEW_YEAR = a_span("2020-12-30", "2021-01-02")
CALABRIA = a_span("2020-04-28", "2020-04-29")
NOVEMBER = replace(a_span("2020-11-01", "2020-11-30"), is_month=True)

POLISH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "in {n} day"
msgid_plural "in {n} days"
msgstr[0] "za {n} dzień"
msgstr[1] "za {n} dni"
msgstr[2] "za {n} dni"

msgid "{n} meeting until {month}"
msgid_plural "{n} meetings until {month}"
msgstr[0] "Jedno spotkanie do {month}"
msgstr[1] "{n} spotkania do {month}"
msgstr[2] "{n} spotkań do {month}"

msgid "tomorrow"
msgstr "jutro"

#, fuzzy
msgid "today"
msgstr "może dziś"

msgid "unsubscribe"
msgstr "wypisz się"
"""


def plain(text: str) -> str:
    """Thin and narrow spaces as spaces: ICU and CLDR differ in them."""
    return text.replace("\u2009", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("span", "language", "expected"),
    [
        (ESSEN, "pl", "15–16 stycznia 2020"),
        (ESSEN, "en", "15–16 January 2020"),
        (ESSEN, "en-GB", "15–16 January 2020"),
        (ESSEN, "en-US", "January 15\u2009–\u200916, 2020"),
        (ESSEN, "de", "15.–16. Januar 2020"),
        (ESSEN, "bg", "15 – 16 януари 2020\u202fг."),
        (SPRING, "pl", "28 kwietnia\u2009–\u20093 maja 2020"),
        (SPRING, "en", "28 April\u2009–\u20093 May 2020"),
        (SPRING, "en-US", "April 28\u2009–\u2009May 3, 2020"),
        (SPRING, "de", "28. April\u2009–\u20093. Mai 2020"),
        (SPRING, "bg", "28 април – 3 май 2020\u202fг."),
        (NEW_YEAR, "pl", "30 grudnia 2020\u2009–\u20092 stycznia 2021"),
        (NEW_YEAR, "en", "30 December 2020\u2009–\u20092 January 2021"),
        (NEW_YEAR, "en-US", "December 30, 2020\u2009–\u2009January 2, 2021"),
        (NEW_YEAR, "de", "30. Dezember 2020\u2009–\u20092. Januar 2021"),
        (NEW_YEAR, "bg", "30 декември 2020\u202fг. – 2 януари 2021\u202fг."),
        (a_span(), "pl", "28 kwietnia 2020"),
        (a_span(), "en", "28 April 2020"),
        (a_span(), "en-US", "April 28, 2020"),
        (a_span(), "de", "28. April 2020"),
        (a_span(), "bg", "28 април 2020\u202fг."),
        (NOVEMBER, "pl", "listopad 2020"),
        (NOVEMBER, "en", "November 2020"),
        (NOVEMBER, "bg", "ноември 2020\u202fг."),
        (replace(NOVEMBER, last=date(2020, 12, 31)), "de", "November–Dezember 2020"),
        (replace(NOVEMBER, last=date(2021, 1, 31)), "pl", "listopad 2020–styczeń 2021"),
    ],
)
def test_a_range_is_written_as_its_readers_write_it(span: Span, language: str, expected: str) -> None:
    assert languages.date_range(span, language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("pl", "28–29 kwietnia"),
        ("en", "28–29 April"),
        ("en-US", "April 28\u2009–\u200929"),
        ("de", "28.–29. April"),
        ("bg", "28 – 29 април"),
    ],
)
def test_the_year_is_left_out_where_it_is_the_editions(language: str, expected: str) -> None:
    assert languages.date_range(CALABRIA, language, relative_to=date(2020, 4, 1)) == expected
    assert languages.date_range(CALABRIA, language, year=False) == expected
    assert "2020" in languages.date_range(CALABRIA, language, relative_to=date(2019, 12, 31))


def test_a_span_over_the_new_year_always_says_both_years() -> None:
    assert languages.date_range(NEW_YEAR, "de", year=False) == languages.date_range(NEW_YEAR, "de")
    assert languages.date_range(NEW_YEAR, "de", relative_to=date(2020, 12, 1)) == languages.date_range(
        NEW_YEAR, "de"
    )


def test_a_language_without_long_intervals_still_writes_months_in_full() -> None:
    assert plain(languages.date_range(SPRING, "cs")) == "28. dubna – 3. května 2020"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("pl", "wtorek–środa"),
        ("en", "Tuesday–Wednesday"),
        ("en-US", "Tuesday–Wednesday"),
        ("de", "Dienstag–Mittwoch"),
        ("bg", "вторник – сряда"),
    ],
)
def test_weekdays_come_before_the_date(language: str, expected: str) -> None:
    assert languages.weekdays(CALABRIA, language) == expected


def test_weekdays_are_silent_where_they_tell_nothing() -> None:
    assert languages.weekdays(a_span(), "pl") == "wtorek"
    assert languages.weekdays(a_span("2020-04-28", "2020-05-05"), "pl") == ""
    assert languages.weekdays(NOVEMBER, "pl") == ""


@pytest.mark.parametrize(
    ("language", "heading", "until", "short"),
    [
        ("pl", "Wrzesień 2020", "września", "wrz"),
        ("en", "September 2020", "September", "Sept"),
        ("de", "September 2020", "September", "Sep"),
        ("bg", "Септември 2020", "септември", "сеп"),
        ("fr", "Septembre 2020", "septembre", "sept"),
    ],
)
def test_months_stand_in_the_form_of_their_place(language: str, heading: str, until: str, short: str) -> None:
    day = date(2020, 9, 8)
    assert languages.month_heading(day, language) == heading
    assert languages.month_after_until(day, language, relative_to=date(2020, 4, 1)) == until
    assert languages.month_after_until(day, language, relative_to=date(2019, 4, 1)) == f"{until} 2020"
    assert languages.short_month(day, language) == short


def test_a_leaf_has_the_parts_of_the_date() -> None:
    assert languages.leaf(CALABRIA, "pl") == Leaf("kwi", "28–29", "wt.–śr.")
    assert languages.leaf(CALABRIA, "bg") == Leaf("апр", "28–29", "вт–ср")
    assert languages.leaf(SPRING, "de") == Leaf("Apr–Mai", "28–3", "Di.–So.")
    assert languages.leaf(a_span(), "en") == Leaf("Apr", "28", "Tue")
    assert languages.leaf(NOVEMBER, "pl") == Leaf("lis", "", "")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("pl", "10:00 (Warszawa)"),
        ("en", "10:00 (Warsaw)"),
        ("de", "10:00 (Warschau)"),
        ("bg", "10:00 (Варшава)"),
    ],
)
def test_a_time_names_the_city_and_no_abbreviation(language: str, expected: str) -> None:
    assert languages.time_of(a_span(at="10:00"), language) == expected


def test_a_time_over_several_days_names_the_days() -> None:
    span = a_span("2020-04-28", "2020-04-29", at="10:00", until="14:00")
    assert languages.time_of(span, "pl") == "wt. 10:00 – śr. 14:00 (Warszawa)"
    assert languages.time_of(a_span(at="10:00", until="12:00"), "pl") == "10:00–12:00 (Warszawa)"
    assert languages.time_of(CALABRIA, "pl") == ""


def test_a_reader_in_another_zone_is_told_its_own_time() -> None:
    span = a_span(at="00:30")
    assert languages.time_of(span, "en", also="Europe/London") == "00:30 (Warsaw) · Mon 23:30 (London)"
    assert languages.time_of(span, "en", also="Europe/Rome") == "00:30 (Warsaw)"


@pytest.mark.parametrize(
    ("wanted", "available", "expected"),
    [
        (["en"], ["pl", "en-GB", "de"], "en-GB"),
        (["en-GB"], ["pl", "en", "de"], "en"),
        (["de-AT", "pl"], ["pl", "de"], "de"),
        (["fr", "bg"], ["pl", "bg"], "bg"),
        (["en"], ["pl", "de"], "pl"),
        (["zh-Hant-TW"], ["en", "zh", "zh-hant"], "zh-hant"),
        (["EN-us"], ["en-GB", "en-US"], "en-US"),
        (["pl"], [], ""),
    ],
)
def test_a_reader_is_served_the_nearest_language(
    wanted: list[str], available: list[str], expected: str
) -> None:
    assert negotiate(wanted, available) == expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pl.po").write_text(POLISH, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, "Jedno spotkanie do września"),
        (2, "2 spotkania do września"),
        (5, "5 spotkań do września"),
        (12, "12 spotkań do września"),
        (22, "22 spotkania do września"),
    ],
)
def test_a_count_takes_the_form_of_its_language(folder: Path, n: int, expected: str) -> None:
    told = catalogue("pl", [folder])
    count = told.count("{n} meeting until {month}", "{n} meetings until {month}", n, month="września")
    assert count == expected


def test_days_left_are_words_up_to_tomorrow(folder: Path) -> None:
    polish, english = catalogue("pl", [folder]), catalogue("en", [folder])
    assert [polish.days_left(n) for n in (1, 27)] == ["jutro", "za 27 dni"]
    assert [english.days_left(n) for n in (0, 1, 2, 27)] == ["today", "tomorrow", "in 2 days", "in 27 days"]
    with pytest.raises(ValueError, match="-1 days left"):
        english.days_left(-1)


def test_what_is_not_translated_or_only_fuzzy_is_english_and_noted(folder: Path) -> None:
    told = catalogue("pl", [folder])
    assert told.text("why {name}?", name="you") == "why you?"
    assert told.days_left(0) == "today"
    assert told.text("unsubscribe") == "wypisz się"
    assert told.missing == {"why {name}?", "today"}


def test_english_needs_no_file_and_misses_nothing() -> None:
    told = catalogue("en-US", [])
    assert told.count("{n} meeting", "{n} meetings", 1) == "1 meeting"
    assert told.missing == set()


def test_the_organisations_folder_wins_message_by_message(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "pl.po").write_text('msgid "unsubscribe"\nmsgstr "rezygnuję"\n', encoding="utf-8")
    told = catalogue("pl-PL", [own, folder])
    assert told.text("unsubscribe") == "rezygnuję"
    assert told.text("tomorrow") == "jutro"
    assert languages.available([own, folder]) == ("en", "pl")


def test_a_value_is_never_read_as_a_format(folder: Path) -> None:
    told = catalogue("en", [folder])
    assert told.text("{a} and {b}", a="{b}", b="{a.__class__}") == "{b} and {a.__class__}"
    with pytest.raises(KeyError):
        told.text("{missing}")


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ('msgid "in {n} day"\nmsgstr "za {tage} dni"\n', 1, "E304"),
        ('msgid "until {month}"\nmsgstr "do"\n', 1, "E304"),
        ('msgid "{n} left"\nmsgstr "zostało"\n', 1, "E304"),
        ('\nmsgid "a"\nmsgstr "b"\nnonsense\n', 4, "E301"),
        ('msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=1; plural=n;\\n"\n', 0, "E301"),
        ('msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=1; plural=open(n);\\n"\n', 0, "E301"),
    ],
)
def test_a_broken_catalogue_is_refused_with_its_line(tmp_path: Path, text: str, line: int, code: str) -> None:
    (tmp_path / "de.po").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError) as refused:
        catalogue("de", [tmp_path])
    problem = refused.value.problems[0]
    assert (problem.file, problem.line, problem.code) == (str(tmp_path / "de.po"), line, code)


def test_a_language_without_a_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no catalogue for the language 'fr'"):
        catalogue("fr", [tmp_path])
    with pytest.raises(ValueError, match="unknown language 'xx'"):
        languages.single_date(date(2020, 1, 1), "xx")


def test_babel_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, notifier.mail.languages; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# A15: the same ranges from the ICU of Node, an independent implementation of CLDR.
INTL = """
const { spans, tags } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const long = { dateStyle: "long", timeZone: "UTC" }, short = { day: "numeric", month: "long", timeZone: "UTC" };
const told = {};
for (const tag of tags) told[tag] = spans.map(([a, b]) => [long, short].map(
  (options) => new Intl.DateTimeFormat(tag, options).formatRange(new Date(a), new Date(b))));
console.log(JSON.stringify({ told, cldr: process.versions.cldr }));
"""
TAGS = ("pl", "en-US", "en-GB", "de", "bg")


@pytest.fixture(scope="module")
def intl() -> dict[str, list[tuple[Span, list[str]]]]:
    if not shutil.which("node"):
        pytest.skip("node is not installed: date ranges are not compared with ICU")
    starts = [date(2020, month, day) for month, day in product(range(1, 13), (1, 15, 28))]
    spans = [
        a_span(first.isoformat(), (first + timedelta(days=more)).isoformat())
        for first, more in product(starts, (0, 1, 5, 40, 340))
    ]
    asked = {"tags": TAGS, "spans": [(s.first.isoformat(), s.last.isoformat()) for s in spans]}
    answer = subprocess.run(
        ["node", "-e", INTL], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    told = json.loads(answer.stdout)["told"]
    return {tag: list(zip(spans, told[tag], strict=True)) for tag in TAGS}


@pytest.mark.parametrize("tag", TAGS)
def test_ranges_equal_those_of_icu(tag: str, intl: dict[str, list[tuple[Span, list[str]]]]) -> None:
    for span, (long, short) in intl[tag]:
        in_one_month = span.days > 1 and (span.first.year, span.first.month) == (
            span.last.year,
            span.last.month,
        )
        if tag == "en-GB" and in_one_month:  # the one accepted difference: ICU spaces this dash
            long, short = long.replace("\u2009–\u2009", "–"), short.replace("\u2009–\u2009", "–")
        assert plain(languages.date_range(span, tag)) == plain(long)
        assert plain(languages.date_range(span, tag, year=False)) == plain(short)
