"""The lint of mails: for each id something that triggers it, beside pages and messages that trigger nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from makers import a_subscriber
from page_makers import (
    LANGUAGES,
    ORGANISATION,
    a_content,
    a_digest,
    calabria,
    links,
    seminar,
    shipped,
)

from notifier.cli.codes import CODES
from notifier.editions.base import Kind
from notifier.errors import Problem
from notifier.events import calendar
from notifier.events.calendar import CalendarSettings
from notifier.events.event import pick
from notifier.mail import compose, contrast, lint, seen, twins
from notifier.mail.compose import Envelope
from notifier.mail.lint import Facts
from notifier.mail.outbox import Entry
from notifier.mail.page import Attachment, Hole, Page, Piece
from notifier.mail.render import compile_page
from notifier.mail.views import Content

ENVELOPE = Envelope(
    from_name="Interregional Cooperation Office",
    from_address="events@region.example",
    newsletter="events",
    title="Meetings ahead",
    sender_id="regionmail",
    links=links(),
    mid_key=b"k" * 32,
    reply_to="office@region.example",
    owner_url="mailto:office@region.example",
)
ICS = CalendarSettings("Office", "events@region.example", timezone="Europe/Warsaw")


def facts_of(content: Content) -> Facts:
    order = content.variant.languages
    return Facts(
        base_url="https://events.region.example",
        postal_address=ORGANISATION.postal_address,
        catalogue=content.catalogue,
        titles=tuple(pick(s.event.title, order) for s in content.snapshots.values()),
        hosts=frozenset(
            {"region.example", "calendar.google.com", "outlook.live.com", "www.openstreetmap.org"}
        ),
        links=links(),
    )


@dataclass(frozen=True)
class Case:
    """A page, what it is judged by, and a message made from it."""

    page: Page
    facts: Facts
    raw: bytes | None = field(default=None, repr=False)

    def found(self) -> list[Problem]:
        return lint.lint(self.page, self.raw, self.facts)

    def codes(self) -> set[tuple[str, str]]:
        return {(problem.code, problem.severity) for problem in self.found()}


def an_announcement(language: str = "en") -> Case:
    content = a_content(calabria(), kind=Kind.ANNOUNCEMENT, language=language)
    uid = calabria().uid
    file = Attachment("calabria.ics", calendar.publish([content.snapshots[uid]], [language], settings=ICS))
    page = compile_page(content, shipped(), attachments=[file])
    return Case(page, facts_of(content), message(page))


def a_digest_case(language: str = "en") -> Case:
    content = a_digest(language)
    page = compile_page(content, shipped())
    return Case(page, facts_of(content), message(page))


def message(page: Page) -> bytes:
    entry = Entry(page.edition, 7, 3, 1, page.variant)
    texts = {"consent_date": "12 January 2020", "frequency": "every week", "choices": "all"}
    values = compose.values(ENVELOPE, entry, a_subscriber(), texts)
    return compose.fill(compose.prepare(page, ENVELOPE), values).content


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [an_announcement, a_digest_case])
def test_what_the_shipped_templates_make_has_no_finding(make: Callable[[str], Case], language: str) -> None:
    # A long title makes a long subject; texts of the catalogue have a test of their own.
    assert [p for p in make(language).found() if p.code not in ("M104", "M304")] == []


# What is done to a sound mail, and what the lint says then

Change = Callable[[Case], Case]


def in_html(old: str, new: str, count: int = 1) -> Change:
    return lambda case: replace(case, page=replace(case.page, html=_swapped(case.page.html, old, new, count)))


def in_text(old: str, new: str) -> Change:
    return lambda case: replace(case, page=replace(case.page, text=_swapped(case.page.text, old, new, 1)))


def added(html: str) -> Change:
    """At the head of the sheet, where everything may stand."""
    return in_html("<h1", f"{html}<h1")


def in_raw(old: bytes, new: bytes) -> Change:
    def change(case: Case) -> Case:
        assert case.raw is not None
        assert old in case.raw
        return replace(case, raw=case.raw.replace(old, new, 1))

    return change


def with_page(**fields: object) -> Change:
    return lambda case: replace(case, page=replace(case.page, **fields))  # type: ignore[arg-type]


def with_facts(**fields: object) -> Change:
    return lambda case: replace(case, facts=replace(case.facts, **fields))  # type: ignore[arg-type]


def without_hole(part: str, name: str) -> Change:
    def change(case: Case) -> Case:
        pieces = tuple(p for p in getattr(case.page, part) if not (isinstance(p, Hole) and p.name == name))
        return replace(case, page=replace(case.page, **{part: pieces}))

    return change


def with_calendar(old: bytes, new: bytes, method: str = "PUBLISH") -> Change:
    def change(case: Case) -> Case:
        file = case.page.attachments[0]
        assert old in file.content
        changed = Attachment(file.filename, file.content.replace(old, new), method)  # type: ignore[arg-type]
        return replace(case, page=replace(case.page, attachments=(changed,)), raw=None)

    return change


def without_style(case: Case) -> Case:
    pieces = tuple(re.sub("<style.*</style>", "", p) if isinstance(p, str) else p for p in case.page.html)
    return replace(case, page=replace(case.page, html=pieces))


def missing_words(case: Case) -> Case:
    catalogue = replace(case.facts.catalogue, missing={"Add to calendar"})
    return replace(case, facts=replace(case.facts, catalogue=catalogue))


def _swapped(pieces: tuple[Piece, ...], old: str, new: str, count: int) -> tuple[Piece, ...]:
    done, left = [], count
    for piece in pieces:
        if isinstance(piece, str) and old in piece and left:
            piece, left = piece.replace(old, new, left), 0
        done.append(piece)
    assert left == 0, f"{old!r} is not in the page"
    return tuple(done)


ICS_LINK = "https://events.region.example/event/2020-04-28-calabria.en.ics"
TWO = b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2@region.example\r\nEND:VEVENT\r\n"
FILLER = "\n<p>" + "a word and another " * 60 + "</p>"
CASES: list[tuple[str, str, Change]] = [
    ("M101", "error", in_raw(b"List-Post: NO\r\n", b"")),
    ("M101", "error", in_raw(b"List-Post: NO\r\n", b"List-Post: NO\r\nList-Post: NO\r\n")),
    ("M101", "error", in_raw(b"List-Post: NO\r\n", b"List-Post: YES\r\n")),
    ("M101", "error", in_raw(b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nX-Mailer: x\r\n")),
    ("M101", "error", in_raw(b"Reply-To: office@", b"Reply-To: no-reply@")),
    ("M101", "error", in_raw(b"One-Click\r\n", b"one-click\r\n")),
    ("M101", "error", in_raw(b"To: office@example.org", b"To: O <office@example.org>")),
    ("M101", "error", in_raw(b" +0000\r\n", b" GMT\r\n")),
    ("M101", "error", in_raw(b"List-Post: NO\r\nAuto-Submitted: auto-generated\r\n", b"Auto-Submitted: auto-generated\r\nList-Post: NO\r\n")),
    ("M101", "error", in_raw(b"Subject: ", b"Subject: " + b"word " * 20)),
    ("M102", "error", in_raw(b"List-Owner: <", b"List-Owner: =?utf-8?q?x?= <")),
    ("M102", "error", in_raw(b"List-Post: NO", b"List-Post: \xc3\xb3")),
    ("M103", "error", in_raw(b"Date: ", b"DKIM-Signature: v=1; d=other.example; s=n1\r\nDate: ")),
    ("M104", "warning", with_page(subject="a " * 31)),
    ("M104", "error", with_page(subject="a " * 56)),
    ("M104", "error", with_page(subject="Reminder: the meeting, tomorrow")),
    ("M104", "error", with_page(subject="Reminder: the meeting in 3 days")),
    ("M104", "error", with_page(subject="NEW MEETING, 28 APRIL")),
    ("M104", "error", with_page(subject=" ")),
    ("M105", "warning", with_page(preheader="")),
    ("M105", "warning", with_page(preheader="too short")),
    ("M105", "warning", with_page(preheader="and too long " * 8)),
    ("M105", "warning", with_page(subject="x " + "as long as forty characters and a few " * 2, preheader="as long as forty characters and a few as")),
    ("M202", "error", without_style),
    ("M202", "error", in_html("padding:0 !important", "padding:0")),
    ("M202", "error", added('<p style="color:var(--ink)">x</p>')),
    ("M202", "error", added('<p style="margin:0 !important">x</p>')),
    ("M203", "warning", added('<p style="position:absolute">x</p>')),
    ("M203", "warning", added('<div style="display:flex">x</div>')),
    ("M204", "error", added("<script>x()</script>")),
    ("M204", "error", added("<form></form>")),
    ("M204", "error", added('<p onclick="x()">x</p>')),
    ("M204", "error", added('<a href="http://region.example/">there</a>')),
    ("M204", "error", added('<a href="javascript:x()">there</a>')),
    ("M205", "error", added('<img src="https://region.example/a.png" width="1" height="1">')),
    ("M205", "error", added('<img src="https://region.example/a.png" alt="">')),
    ("M205", "error", added('<img src="data:image/png;base64,AA" alt="" width="1" height="1">')),
    ("M206", "error", in_html("<h1", "<h2")),
    ("M206", "error", added("<h1>Another</h1>")),
    ("M206", "error", in_html("</h1>", "</h1><h3>Deep</h3>")),
    ("M206", "error", in_html('<table role="presentation"', "<table")),
    ("M206", "error", added('<p id="a">x</p><p id="a">y</p>')),
    ("M206", "error", added('<a href="https://region.example/"></a>')),
    ("M206", "error", added('<a href="https://region.example/a">here</a> <a href="https://region.example/b">Here</a>')),
    ("M207", "error", added('<div style="width:600px">x</div>')),
    ("M207", "error", added('<table role="presentation" width="600"><tr><td>x</td></tr></table>')),
    ("M207", "error", added('<p style="white-space:nowrap">a line that is much wider than a telephone</p>')),
    ("M301", "error", in_text(ICS_LINK, "")),
    ("M301", "error", in_text("\n-- \n", "\nhttps://region.example/here-only\n-- \n")),
    ("M301", "error", in_text("28–29", "27–29")),
    ("M301", "error", added("<p>Until 5 May 2020</p>")),
    ("M301", "error", in_text("Project meeting in Calabria", "A meeting")),
    ("M302", "error", in_text("\n-- \n", "\n" + "many words " * 7 + "\n-- \n")),
    ("M303", "error", in_html('<html lang="en"', '<html lang="pl"')),
    ("M303", "error", in_html('lang="en" dir="ltr" class="canvas"', 'lang="pl" dir="ltr" class="canvas"')),
    ("M303", "error", added('<p lang="in Polish">x</p>')),
    ("M303", "error", with_facts(titles=(("pl", "Project meeting in Calabria"),))),
    ("M303", "error", in_raw(b"Content-Language: en", b"Content-Language: pl")),
    ("M304", "warning", missing_words),
    ("M305", "warning", in_text("Tuesday–Wednesday, 28–29", "Monday–Tuesday, 28–29")),
    ("M305", "warning", in_text("\n-- \n", "\nOn Friday, 5 May 2020.\n-- \n")),
    ("M401", "error", with_calendar(b"METHOD:PUBLISH", b"METHOD:REQUEST")),
    ("M401", "error", with_calendar(b"METHOD:PUBLISH", b"METHOD:PUBLISH", "CANCEL")),
    ("M401", "error", with_calendar(b"END:VEVENT\r\n", TWO, "REQUEST")),
    ("M401", "error", with_page(kind="digest")),
    ("M401", "error", in_raw(b"method=PUBLISH", b"method=REQUEST")),
    ("M402", "error", with_calendar(b"DTSTAMP", b"X-STAMP")),
    ("M501", "warning", added(FILLER * 64)),
    ("M501", "error", added(FILLER * 90)),
    ("M502", "error", in_raw(b"Meetings ahead", b"Meetings \xc4\x85")),
    ("M502", "error", in_raw(b"Meetings ahead", b"Meetings\x00")),
    ("M502", "error", in_raw(b"\r\n\r\n", b"\r\n\r\n\n")),
    ("M502", "error", in_raw(b"\r\n\r\n", b"\r\n\r\n" + b"x" * 80 + b"\r\n")),
    ("M502", "error", in_raw(b"Transfer-Encoding: quoted-printable", b"Transfer-Encoding: 8bit")),
    ("M601", "error", without_hole("html", "unsubscribe_url")),
    ("M601", "error", without_hole("text", "unsubscribe_url")),
    ("M601", "error", without_hole("html", "consent_date")),
    ("M601", "error", without_hole("text", "address")),
    ("M601", "error", in_html(ORGANISATION.postal_address, "")),
    ("M601", "error", in_text("Przykładowa 1", "")),
    ("M602", "error", added('<a href="https://elsewhere.example/">there</a>')),
    ("M602", "error", added('<a href="https://notregion.example/">there</a>')),
    ("M602", "error", added('<a href="https://events.region.example/u/1001">leave</a>')),
    ("M602", "error", in_raw(b"/u/1", b"/u/2")),
    ("M603", "error", added('<p class="new" style="color:#123456">x</p>')),
    ("M603", "error", added('<p class="quiet" style="color:#808080">faint by day, 3.9:1</p>')),
    ("M603", "error", in_html(".sender,.days{color:#f3f7fa", ".sender,.days{color:#3a4652")),
    ("M603", "error", in_html("[data-ogsc]", "[data-other]", count=200)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "severity", "change"), CASES, ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)]
)
def test_what_is_done_to_a_sound_mail_is_found(code: str, severity: str, change: Change) -> None:
    assert (code, severity) in change(an_announcement()).codes()


def test_every_id_has_a_case_and_a_text_to_explain_it() -> None:
    told = {code for code in CODES if code.startswith("M")}
    # M201 is told while a page is compiled; see the tests of render.
    assert told - {"M201"} == {code for code, _, _ in CASES}
    in_sources = set()
    for path in (Path(__file__).parents[1] / "notifier/mail").glob("*.py"):
        in_sources |= set(re.findall(r'"(M\d{3})"', path.read_text("utf-8")))
    assert in_sources == told


def test_errors_come_first_and_name_the_file_that_preview_writes() -> None:
    case = in_text(ICS_LINK, "")(with_page(preheader="")(an_announcement()))
    found = case.found()
    assert [p.severity for p in found] == sorted((p.severity for p in found), key=("error", "warning").index)
    assert {p.file for p in found} == {"announcement.en.txt", "announcement.en.eml"}


def test_a_relative_word_in_a_title_is_a_name() -> None:
    content = a_content(calabria(title={"en": "Tomorrow and today"}), kind=Kind.ANNOUNCEMENT, language="en")
    page = compile_page(content, shipped())
    assert Case(page, facts_of(content)).found() == []


def test_a_fallen_back_title_is_found_unmarked_only_where_the_mark_is_gone() -> None:
    # Given an English page that tells of a meeting with a Polish title
    content = a_content(seminar(), kind=Kind.ANNOUNCEMENT, language="en")
    sound = Case(compile_page(content, shipped()), facts_of(content))
    assert "M303" not in {code for code, _ in sound.codes()}

    # When the template forgets to mark it
    broken = in_html(' lang="pl"', "", count=50)(sound)
    assert ("M303", "error") in broken.codes()


def test_a_base_url_for_trying_things_out_may_be_http() -> None:
    case = an_announcement()
    pieces = _swapped(case.page.html, "https://events.region.example", "http://127.0.0.1:8060", 50)
    local = replace(case, page=replace(case.page, html=pieces), raw=None)
    assert "M204" not in {c for c, _ in with_facts(base_url="http://127.0.0.1:8060")(local).codes()}
    assert "M204" in {c for c, _ in local.codes()}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21.0), ("#767676", "#ffffff", 4.54), ("#0b5394", "#0b5394", 1.0)],
)
def test_contrast_is_that_of_the_standard(one: str, other: str, expected: float) -> None:
    assert round(contrast.ratio(one, other), 2) == expected
    assert contrast.ratio(one, other) == contrast.ratio(other, one)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("pl", "wtorek–środa, 28–29\u00a0kwietnia 2020", {"28 4", "29 4"}),
        ("pl", "28 kwietnia – 3 maja", {"28 4", "3 5"}),
        ("de", "am 28.–29. April und am 3. Mai", {"28 4", "29 4", "3 5"}),
        ("bg", "28 – 29 април 2020 г.", {"28 4", "29 4"}),
        ("en-US", "April 28 – 29, 2020", {"28 4", "29 4"}),
        ("en", "The 400 firms may apply", set()),
    ],
)
def test_days_are_found_in_the_words_of_the_language(language: str, text: str, expected: set[str]) -> None:
    assert twins.dates(seen.plain(text), language) == expected
