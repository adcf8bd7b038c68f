"""Messages: what a parser that is not ours reads in them is what was meant."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers import a_subscriber

from notifier.errors import ContentError
from notifier.mail import compose, headers
from notifier.mail.compose import Envelope, Values
from notifier.mail.links import Links
from notifier.mail.outbox import Entry
from notifier.mail.page import Attachment, Hole, Message, Page

LINKS = Links(
    "https://news.example.org", {1: b"a secret of the house"}, unsubscribe_address="unsub@example.org"
)
EDITION = "digest/events/2020-W16"
ENTRY = Entry(EDITION, 12, 345, 1, "v")
CALENDAR = b"BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n" * 9
ICS = Attachment("2020-04-28-calabria.ics", CALENDAR.replace(b"METHOD:PUBLISH\r\n", b"", 8))


def a_page(**fields: Any) -> Page:
    defaults: dict[str, Any] = {
        "edition": EDITION,
        "kind": "digest",
        "newsletter": "events",
        "variant": "v",
        "language": "pl",
        "subject": "Nadchodzące spotkania: Kalabria 28–29 kwietnia i 2 kolejne",
        "preheader": "",
        "html": (
            "<p>Dla ",
            Hole("address", "html"),
            '</p>\n<a href="',
            Hole("unsubscribe_url", "html"),
            '">x</a>\n',
        ),
        "text": (
            "Wypisz się:\n",
            Hole("unsubscribe_url", "text"),
            "\n-- \nod ",
            Hole("consent_date", "text"),
            "\n",
        ),
        "date": datetime(2020, 4, 14, 5, 30, tzinfo=UTC),
    }
    return Page(**(defaults | fields))


def an_envelope(**fields: Any) -> Envelope:
    defaults: dict[str, Any] = {
        "from_name": "Biuro współpracy",
        "from_address": "news@example.org",
        "newsletter": "events",
        "title": "Przegląd spotkań",
        "sender_id": "notifier",
        "links": LINKS,
        "mid_key": LINKS.edition_key(EDITION),
        "reply_to": "office@example.org",
        "bounces": "bounces@example.org",
        "owner_url": "mailto:office@example.org",
    }
    return Envelope(**(defaults | fields))


def some_values(**fields: Any) -> Values:
    values = compose.values(an_envelope(), ENTRY, a_subscriber(), {"consent_date": "12 stycznia 2020"})
    return replace(values, **fields)


def a_message(page: Page | None = None, **fields: Any) -> Message:
    return compose.fill(compose.prepare(page or a_page(), an_envelope()), some_values(**fields))


def parsed(message: Message) -> EmailMessage:
    found = email.message_from_bytes(message.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def raw_fields(content: bytes) -> list[tuple[str, str]]:
    """(name, unfolded value) by RFC 5322 alone, without Python's parser."""
    head = content.split(b"\r\n\r\n", 1)[0].decode("ascii")
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head)
    return [
        (name, value.strip()) for name, _, value in (line.partition(":") for line in unfolded.split("\r\n"))
    ]


def structure(part: EmailMessage) -> Any:
    if part.is_multipart():
        return [part.get_content_subtype(), *(structure(inner) for inner in part.iter_parts())]  # type: ignore[arg-type]
    return part.get_content_type()


def content(part: EmailMessage) -> str:
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def test_a_digest_is_two_texts_and_nothing_else() -> None:
    message = parsed(a_message())
    assert structure(message) == ["alternative", "text/plain", "text/html"]
    plain, html = message.iter_parts()
    url = LINKS.unsubscribe(a_subscriber().public_id)
    assert content(plain) == f"Wypisz się:\n{url}\n-- \nod 12 stycznia 2020\n"
    assert content(html) == f'<p>Dla office@example.org</p>\n<a href="{url}">x</a>\n'


@pytest.mark.parametrize("kind", ["announcement", "reminder", "update", "cancellation"])
def test_a_notice_carries_the_calendar_file_beside_the_texts(kind: str) -> None:
    message = parsed(a_message(a_page(kind=kind, attachments=(ICS,))))
    assert structure(message) == ["mixed", ["alternative", "text/plain", "text/html"], "text/calendar"]
    calendar = list(message.iter_parts())[1]
    assert calendar.get_filename() == ICS.filename
    assert calendar["Content-Type"].params["method"] == "PUBLISH"
    assert calendar.is_attachment()
    assert calendar.get_payload(decode=True) == ICS.content


@pytest.mark.parametrize("kind", ["digest", "followup", "confirm"])
def test_a_list_gets_no_calendar_it_did_not_ask_for(kind: str) -> None:
    with pytest.raises(ContentError, match="M401"):
        compose.prepare(a_page(kind=kind, attachments=(ICS,)), an_envelope())


@pytest.mark.parametrize(
    "attachment",
    [
        Attachment("../a.ics", ICS.content),
        Attachment("wizyta w Łodzi.ics", ICS.content),
        Attachment('a".ics', ICS.content),
        Attachment("a" * 200 + ".ics", ICS.content),
        Attachment("a.html", ICS.content),
        Attachment("a.ics", ICS.content.replace(b"METHOD:PUBLISH", b"METHOD:REQUEST")),
        Attachment("a.ics", CALENDAR),
        Attachment("a.ics", b"BEGIN:VCALENDAR\r\n"),
        Attachment("a.ics", ICS.content.replace(b"METHOD:PUBLISH", b"METHOD:REQUEST"), "REQUEST"),
        Attachment("a.ics", ICS.content, "REQUEST"),
    ],
)
def test_a_calendar_file_that_is_not_what_it_says_is_refused(attachment: Attachment) -> None:
    with pytest.raises(ContentError, match="M401"):
        compose.prepare(a_page(kind="reminder", attachments=(attachment,)), an_envelope())


def test_headers_stand_in_order_and_say_what_the_table_wants() -> None:
    fields = raw_fields(a_message().content)
    names = [name for name, _ in fields]
    assert names == [name for name in headers.ORDER if name in names]
    told = dict(fields)
    public_id = a_subscriber().public_id
    assert told["Date"] == "Tue, 14 Apr 2020 05:30:00 +0000"
    assert told["To"] == "office@example.org"
    assert told["Reply-To"] == "office@example.org"
    assert (
        told["List-Unsubscribe"]
        == f"<{LINKS.unsubscribe(public_id)}>, <{LINKS.unsubscribe_mailto(public_id)}>"
    )
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert told["List-Id"].endswith("<events.example.org>")
    assert told["List-Post"] == "NO"
    assert told["Auto-Submitted"] == "auto-generated"
    assert told["Precedence"] == "bulk"
    assert told["X-Auto-Response-Suppress"] == "All"
    assert told["Feedback-ID"] == "digest/events/2020-W16:events:digest:notifier"
    assert told["Content-Language"] == "pl"
    assert told["MIME-Version"] == "1.0"
    assert not {"References", "In-Reply-To", "List-Archive", "Sender", "Cc", "Bcc", "Return-Path"} & set(
        names
    )


def test_a_confirmation_is_no_bulk_mail_but_can_be_declined() -> None:
    told = dict(raw_fields(a_message(a_page(kind="confirm")).content))
    assert "Precedence" not in told
    assert "List-Unsubscribe" in told


def test_what_belongs_to_an_earlier_message_refers_to_it() -> None:
    ids = tuple(f"<{n}.1xaaaa@example.org>" for n in range(5))
    values = compose.values(an_envelope(), ENTRY, a_subscriber(), {"consent_date": ""}, references=ids)
    told = dict(raw_fields(compose.fill(compose.prepare(a_page(), an_envelope()), values).content))
    assert told["References"] == " ".join(ids[-3:])
    assert told["In-Reply-To"] == ids[-1]


def test_the_key_of_a_reminder_fits_into_its_feedback_id() -> None:
    key = "reminder/20200428calabria@events.region.example/20200427T220000Z/P7D"
    feedback = dict(raw_fields(a_message(a_page(edition=key, kind="reminder")).content))["Feedback-ID"]
    assert feedback.count(":") == 3
    assert "@" not in feedback
    assert feedback.endswith(":events:reminder:notifier")


def test_the_envelope_names_the_entry_and_the_recipient() -> None:
    message = a_message()
    assert LINKS.parse_verp(message.sender) == (12, 345)
    assert message.recipient == "office@example.org"
    assert message.message_id == parsed(message)["Message-ID"]
    assert not message.needs_smtputf8
    without = compose.values(an_envelope(bounces=""), ENTRY, a_subscriber(), {})
    assert without.sender == "news@example.org"


def test_the_address_keeps_its_case_and_has_an_ascii_domain() -> None:
    person = a_subscriber("j.kowalska@xn--w-uga1v8h.example", email="J.Kowalska@żółw.example")
    assert compose.values(an_envelope(), ENTRY, person, {}).address == "J.Kowalska@xn--w-uga1v8h.example"


def test_a_local_part_that_was_typed_in_another_form_goes_out_normalised() -> None:
    person = a_subscriber("office@example.org", email="ｏｆｆｉｃｅ@example.org")
    assert compose.values(an_envelope(), ENTRY, person, {}).address == "office@example.org"


def test_a_local_part_beyond_ascii_needs_smtputf8_but_seven_bits() -> None:
    message = a_message(address="żółw@example.org")
    assert message.needs_smtputf8
    assert message.recipient == "żółw@example.org"
    assert message.content.isascii()


def test_the_same_entry_gives_the_same_bytes_and_another_one_others() -> None:
    stored = Page.loads(a_page().dumps())
    first, again = a_message(), a_message(stored)
    assert first == again
    other = compose.values(an_envelope(), replace(ENTRY, position=346), a_subscriber(), {"consent_date": "–"})
    assert other.message_id != first.message_id
    assert other.sender != first.sender


def test_boundaries_stand_in_no_part_and_differ_by_edition() -> None:
    marks = [re.findall(rb'boundary="([^"]+)"', a_message(a_page(kind="reminder", attachments=(ICS,), edition=e)).content)
             for e in ("reminder/a", "reminder/b")]  # fmt: skip
    assert len({mark for pair in marks for mark in pair}) == 4
    assert all(mark.startswith(b"=_") for pair in marks for mark in pair)


def test_a_cyrillic_page_is_base64_and_a_polish_one_quoted_printable() -> None:
    page = a_page(text=("Предстоящи срещи " * 20, Hole("unsubscribe_url", "text")))
    plain, html = parsed(a_message(page)).iter_parts()
    assert plain["Content-Transfer-Encoding"] == "base64"
    assert html["Content-Transfer-Encoding"] == "quoted-printable"


def test_each_hole_is_encoded_for_its_place() -> None:
    value = '"Ż" & <b> 100%'
    page = a_page(
        html=("<p>", Hole("choices", "html"), "</p><a href='/?q=", Hole("choices", "url"), "'>"),
        text=(Hole("choices", "text"),),
    )
    plain, html = parsed(a_message(page, texts={"choices": value})).iter_parts()
    assert content(plain) == value
    assert content(html) == (
        "<p>&quot;Ż&quot; &amp; &lt;b&gt; 100%</p><a href='/?q=%22%C5%BB%22%20%26%20%3Cb%3E%20100%25'>"
    )


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\x1b", "\x92", "\u2028", "\ud800", "\t"])
def test_a_value_with_a_control_is_refused(character: str) -> None:
    with pytest.raises(ContentError, match="consent_date"):
        a_message(texts={"consent_date": f"a{character}b"})


def test_controls_in_the_page_vanish() -> None:
    plain, _ = parsed(a_message(a_page(text=("a\x92b\x00c\x1bd\te\r\nf\rg\n",)))).iter_parts()
    assert content(plain) == "abcd\te\nf\ng\n"


def test_a_hole_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="consent_date"):
        a_message(texts={})


def test_a_page_without_a_date_is_not_prepared() -> None:
    with pytest.raises(ValueError, match="no date"):
        compose.prepare(a_page(date=None), an_envelope())


# A1: names, subjects, URLs and addresses of any sort.
NASTY = st.sampled_from(
    [", <evil@example.com>", "\r\nBcc: evil@example.com", '"', "\\", "=?utf-8?q?x?=", "(", ";", ":", "@", "\0", "<", ">",
     " ", "  ", "\t", "\u202e", "\u200b", "\u2028", "\x92", "Ż", "Предстоящи", "\u0301", "🇵🇱", "a" * 80, "ż" * 40, "\n"]
)  # fmt: skip
texts = st.lists(NASTY | st.text(max_size=30), max_size=8).map("".join)
atoms = st.text("abcXYZ019.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64)
labels = st.text("abcxyz019-", min_size=1, max_size=20)
domains = st.lists(labels, min_size=1, max_size=4).map(".".join)
addresses = st.tuples(atoms, domains).map("@".join) | texts | st.tuples(texts, domains).map("@".join)
paths = texts | st.text("abcXYZ019-._~:/?#[]@!$&'()*+,;=%", max_size=300)
cases = st.fixed_dictionaries(
    {
        "name": texts,
        "title": texts,
        "subject": texts,
        "address": addresses,
        "reply_to": addresses,
        "path": paths,
    }
)

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
UNSEEN = re.compile(r"[\u00ad\u0600-\u0605\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def assert_reparsed_as_meant(case: dict[str, str]) -> None:
    envelope = an_envelope(from_name=case["name"], title=case["title"], reply_to=case["reply_to"])
    url = f"https://news.example.org/u/{case['path']}"
    values = some_values(
        address=case["address"], list_unsubscribe=(url, "mailto:unsub@example.org?subject=unsubscribe")
    )
    try:
        content = compose.fill(compose.prepare(a_page(subject=case["subject"]), envelope), values).content
    except ContentError:
        assert must_be_refused(case)
        return
    told = raw_fields(content)
    assert_fit_for_the_wire(content)
    names = [name for name, _ in told]
    assert names == [name for name in headers.ORDER if name in names]
    assert_structured_fields_are_plain(dict(told), url)
    assert_words_are_those_meant(dict(told), case)
    assert_one_recipient(email.message_from_bytes(content, policy=email.policy.default), case)


def must_be_refused(case: dict[str, str]) -> bool:
    """Whether at least one value may not stand in a header; what is refused must have a reason."""
    words = [case["name"], case["title"], case["subject"]]
    plain = re.compile(r"[!-~]+@[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
    return (
        any(CONTROLS.search(text) for text in [*words, case["address"], case["path"]])
        or any(UNSEEN.search(text) for text in words[:2])
        or not (
            case["title"].strip() and case["subject"].strip() and (case["name"].strip() or not case["name"])
        )
        or (case["address"].isascii() and not is_plain_address(case["address"], plain))
        or any(len(text.encode(errors="replace")) > 900 for text in [*words, case["path"]])
        or not re.fullmatch(r"((?!=\?)[!-;=?-~])*", case["path"])
        or case["address"].count("@") != 1
        or bool(case["reply_to"] and not is_plain_address(case["reply_to"], plain))
    )


def is_plain_address(address: str, plain: re.Pattern[str]) -> bool:
    local, _, domain = address.partition("@")
    return (
        bool(plain.fullmatch(address))
        and "=?" not in address
        and len(local) <= 64
        and not re.search(r'[(),:;<>@\[\]\\"]|^\.|\.$|\.\.', local)
        and not re.search(r"(^|[.-])\.|[.-]$|^-|-\.|\.-", domain)
    )


def assert_fit_for_the_wire(content: bytes) -> None:
    assert content.isascii()
    assert content.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0|[\x01-\x08\x0b-\x0c\x0e-\x1f\x7f]", content)
    head, _, body = content.partition(b"\r\n\r\n")
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    for line in head.split(b"\r\n"):
        assert len(line) <= (76 if b"=?" in line else 998)
        # What is longer than 78 has no place where it could be folded.
        assert len(line) <= 78 or line.lstrip().count(b" ") <= 1
        assert line.strip()


def assert_structured_fields_are_plain(told: dict[str, str], url: str) -> None:
    assert told["List-Unsubscribe"] == f"<{url}>, <mailto:unsub@example.org?subject=unsubscribe>"
    for name, value in told.items():
        assert name in headers.ENCODED | {"To"} or "=?" not in value.replace(url, "")


def assert_words_are_those_meant(told: dict[str, str], case: dict[str, str]) -> None:
    assert as_read(told["Subject"]) == spaced(case["subject"])
    sender = " ".join(case["name"].split())
    assert as_read(told["From"]) == (f"{sender} <news@example.org>" if sender else "news@example.org")
    assert as_read(told["List-Id"]) == f"{' '.join(case['title'].split())} <events.example.org>"


def assert_one_recipient(message: EmailMessage, case: dict[str, str]) -> None:
    assert [a.addr_spec for a in message["From"].addresses] == ["news@example.org"]
    if case["reply_to"]:
        assert [a.addr_spec for a in message["Reply-To"].addresses] == [case["reply_to"]]
    if case["address"].isascii():
        assert [a.addr_spec for a in message["To"].addresses] == [case["address"]]
    else:
        assert not message["To"].addresses
    assert message["Cc"] is message["Bcc"] is None
    assert str(message["Subject"]) == spaced(case["subject"])
    assert structure(message) == ["alternative", "text/plain", "text/html"]


def as_read(value: str) -> str:
    return str(make_header(decode_header(value))) if "=?" in value else value


def spaced(text: str) -> str:
    return " ".join(word for word in text.strip().split(" ") if word)


def check_reparsed(examples: int) -> Callable[[], None]:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(
        given(cases)(assert_reparsed_as_meant)
    )


def test_reparsed_headers_say_what_was_meant() -> None:
    check_reparsed(400)()


@pytest.mark.slow
def test_reparsed_headers_say_what_was_meant_in_ten_thousand_cases() -> None:
    check_reparsed(10_000)()
