"""Header fields: encoded where words stand, refused where tokens stand."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.headerregistry import HeaderRegistry

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.errors import ContentError
from notifier.mail import headers

words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200)
names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf"]), max_size=120)


def reparsed(field: bytes) -> object:
    """The value as Python's parser reads it, which is not what wrote it."""
    return email.message_from_bytes(field + b"\r\n", policy=email.policy.default)[
        field.split(b":")[0].decode()
    ]


def spaced(text: str) -> str:
    return " ".join(word for word in text.strip().split(" ") if word)


@given(words.filter(spaced))
def test_a_subject_says_what_was_meant(text: str) -> None:
    field = headers.unstructured("Subject", text)
    assert str(reparsed(field)) == spaced(text)
    for line in field.split(b"\r\n"):
        assert line.isascii()
        assert len(line) <= 76


@given(names.filter(lambda name: name.strip()))  # filter(str.split) lets a lone space pass
def test_a_display_name_says_what_was_meant_and_adds_nobody(name: str) -> None:
    field = headers.mailbox("From", name, "news@example.org")
    meant = " ".join(name.split())
    (mailbox,) = reparsed(field).addresses  # type: ignore[attr-defined]
    assert mailbox.addr_spec == "news@example.org"
    assert all(len(line) <= 76 for line in field.split(b"\r\n"))
    # Python's parser keeps the space between encoded-words of a name (python/cpython#128110); the older one does not.
    assert mailbox.display_name.replace(" ", "") == meant.replace(" ", "")
    if all(len(word.encode()) <= 16 for word in meant.split()):
        assert " ".join(mailbox.display_name.split()) == meant
    if b"=?" in field:
        assert str(make_header(decode_header(field.decode()[6:]))) == f"{meant} <news@example.org>"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Coming up: Calabria", b"Subject: Coming up: Calabria\r\n"),
        ("NOWY TERMIN", b"Subject: NOWY TERMIN\r\n"),
        ("Zażółć", b"Subject: =?utf-8?b?WmHFvMOzxYLEhw==?=\r\n"),
        ("New: Calabria, 28–29 April", b"Subject: =?utf-8?q?New=3A_Calabria=2C_28=E2=80=9329_April?=\r\n"),
        ("=?utf-8?q?x?=", b"Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=\r\n"),
        (" two  spaces ", b"Subject: two spaces\r\n"),
    ],
)
def test_a_subject_is_encoded_only_where_it_must_be(text: str, field: bytes) -> None:
    assert headers.unstructured("Subject", text) == field


@pytest.mark.parametrize("length", range(1, 90))
def test_the_first_word_leaves_room_for_the_name_of_its_field(length: int) -> None:
    for letter in "żaж,":
        for field in (
            headers.mailbox("Reply-To", letter * length, "a@b.org"),
            headers.unstructured("Subject", letter * length),
        ):
            assert all(len(line) <= 76 for line in field.split(b"\r\n"))


def test_an_encoded_word_ends_between_whole_characters() -> None:
    text = "е\u0301й" * 60
    for word in headers.unstructured("Subject", text).decode().removeprefix("Subject: ").split():
        assert len(word) <= 75
        part = str(HeaderRegistry()("Subject", word))
        assert part[0] != "\u0301"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Office of Cooperation-2", b"From: Office of Cooperation-2 <news@example.org>\r\n"),
        ("", b"From: news@example.org\r\n"),
        ("Office, EU", b"From: =?utf-8?q?Office=2C_EU?= <news@example.org>\r\n"),
    ],
)
def test_only_the_plainest_names_stand_as_they_are(name: str, field: bytes) -> None:
    assert headers.mailbox("From", name, "news@example.org") == field


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u200d", "\u061c"])
def test_a_name_that_could_show_another_sender_is_refused(character: str) -> None:
    with pytest.raises(ContentError, match=f"U\\+{ord(character):04X}"):
        headers.mailbox("From", f"Office{character}", "news@example.org")
    with pytest.raises(ContentError):
        headers.list_id(f"News{character}", "events.example.org")


@pytest.mark.parametrize(
    "character", ["\r", "\n", "\0", "\t", "\x1b", "\x7f", "\x92", "\u2028", "\u2029", "\ud800"]
)
def test_controls_are_refused_everywhere(character: str) -> None:
    for write in (
        lambda text: headers.unstructured("Subject", text),
        lambda text: headers.mailbox("From", text, "news@example.org"),
        lambda text: headers.mailbox("From", "Office", text),
        lambda text: headers.list_id(text, "events.example.org"),
        lambda text: headers.structured("Feedback-ID", text),
        lambda text: headers.urls("List-Help", [text]),
        lambda text: headers.ids("Message-ID", [f"<{text}@example.org>"]),
        headers.recipient,
    ):
        for text in (f"a{character}b", f"https://example.org/{character}", f"office@example.org{character}"):
            with pytest.raises(ContentError):
                write(text)


@pytest.mark.parametrize("value", ["zażółć", "=?utf-8?q?x?=", "", " a", "a  b", "a" * 990])
def test_a_structured_field_is_refused_not_encoded(value: str) -> None:
    with pytest.raises(ContentError) as refused:
        headers.structured("Feedback-ID", value)
    assert refused.value.problems[0].code == "M102"


def test_a_structured_field_folds_at_its_spaces_only() -> None:
    tokens = ["a" * 60, "b" * 60, "c" * 100]
    assert headers.structured("X-Auto-Response-Suppress", " ".join(tokens)).split(b"\r\n")[1:] == [
        b" " + b"b" * 60,
        b" " + b"c" * 100,
        b"",
    ]


def test_list_unsubscribe_folds_after_the_comma_only() -> None:
    web, mail = (
        "https://news.example.org/u/" + "a" * 90,
        "mailto:unsub+" + "a" * 43 + "@example.org?subject=unsubscribe",
    )
    field = headers.urls("List-Unsubscribe", [web, mail])
    assert field == f"List-Unsubscribe: <{web}>,\r\n <{mail}>\r\n".encode()
    assert str(reparsed(field)) == f"<{web}>, <{mail}>"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org",
        "https://example.org/ą",
        "https://example.org/a b",
        "https://example.org/>",
        "javascript:x",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ContentError):
        headers.urls("List-Help", [url])


def test_long_references_are_folded_and_never_encoded() -> None:
    ids = [f"<{n}.{'x' * 40}@example.org>" for n in range(3)]
    field = headers.ids("References", ids)
    assert field == "References: {}\r\n {}\r\n {}\r\n".format(*ids).encode()


@pytest.mark.parametrize(
    "value", ["1.2@example.org", "<1.2>", "<a b@example.org>", "<ą@example.org>", f"<{'a' * 70}@b.org>"]
)
def test_what_is_no_message_id_is_refused(value: str) -> None:
    with pytest.raises(ContentError):
        headers.ids("Message-ID", [value])


@pytest.mark.parametrize(
    "address",
    ["a@b@example.org", "office", "office@", "office@ex ample.org", "<office@example.org>", '"a b"@example.org',
     "office@[127.0.0.1]", "a@example.org, b@example.org", "office@żółw.example", ".a@example.org", "a" * 65 + "@example.org"],
)  # fmt: skip
def test_an_address_that_is_not_plain_is_refused(address: str) -> None:
    with pytest.raises(ContentError):
        headers.mailbox("Reply-To", "", address)


def test_a_local_part_beyond_ascii_stands_as_an_empty_group() -> None:
    field = headers.recipient("żółw@example.org")
    assert field.isascii()
    to = reparsed(field)
    assert not to.addresses  # type: ignore[attr-defined]
    assert [group.display_name for group in to.groups] == ["żółw@example.org"]  # type: ignore[attr-defined]


def test_the_list_id_keeps_its_identifier_beside_any_title() -> None:
    field = headers.list_id("Przegląd <spotkań>", "events.example.org")
    assert field.endswith(b"<events.example.org>\r\n")
    assert field.count(b"<") == 1
    with pytest.raises(ContentError):
        headers.list_id("News", "events")


def test_a_date_has_a_numeric_zone() -> None:
    summer = timezone(timedelta(hours=2))
    assert (
        headers.date(datetime(2020, 4, 14, 7, 30, tzinfo=summer))
        == b"Date: Tue, 14 Apr 2020 07:30:00 +0200\r\n"
    )
    assert (
        headers.date(datetime(2020, 4, 14, 5, 30, tzinfo=UTC)) == b"Date: Tue, 14 Apr 2020 05:30:00 +0000\r\n"
    )
    with pytest.raises(ValueError, match="without a zone"):
        headers.date(datetime(2020, 4, 14))


def test_fields_stand_in_the_order_of_the_table_and_unknown_ones_nowhere() -> None:
    arranged = headers.arrange({"Subject": b"s", "Date": b"d", "To": b"t"})
    assert [name for name, _ in arranged] == ["Date", "To", "Subject"]
    with pytest.raises(KeyError):
        headers.arrange({"X-Mailer": b"x"})
