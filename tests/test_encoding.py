"""Transfer encodings with holes: what is filled in decodes to what a plain render would be."""

from __future__ import annotations

import base64
import quopri
import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.mail.encoding import Base64, QuotedPrintable, base64_lines, crlf, encode, quoted_printable
from notifier.mail.page import Hole, Piece

ALPHABETS = (
    "abc XYZ 019 .,:;=-_<>/\"'&",
    "zażółć gęślą jaźń – „tak”",
    "Предстоящи срещи в София",
    ". From \t=\n",
    "𝔘🇵🇱é\u00a0\u2009",
    "=",
    "\r\n",
)
NAMES = ("address", "unsubscribe_url", "consent_date", "frequency")


def decoded(encoded: QuotedPrintable | Base64, filled: bytes) -> str:
    raw = quopri.decodestring(filled) if encoded.name == "quoted-printable" else base64.b64decode(filled)
    return raw.decode()


def assert_fit_for_the_wire(filled: bytes) -> None:
    assert filled.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", filled)
    for line in filled.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


def assert_holes_filled_as_rendered(pieces: Sequence[Piece], values: dict[str, str]) -> None:
    plain = "".join(p if isinstance(p, str) else values[p.name] for p in pieces)
    for encoded in (QuotedPrintable.of(pieces), Base64.of(pieces)):
        filled = encoded.fill(lambda hole: values[hole.name])
        assert_fit_for_the_wire(filled)
        assert decoded(encoded, filled) == crlf(plain)


def a_random_text(chance: random.Random, longest: int) -> str:
    length = int(chance.triangular(0, longest, 0))
    return "".join(chance.choice(chance.choice(ALPHABETS)) for _ in range(length))


def a_random_case(chance: random.Random) -> tuple[list[Piece], dict[str, str]]:
    pieces: list[Piece] = []
    for _ in range(chance.randint(0, 7)):
        # A line end that is split between a text and a hole is no line end of the template.
        pieces += (a_random_text(chance, 200).replace("\r", ""), Hole(chance.choice(NAMES), "text"))
    pieces.append(a_random_text(chance, 300).replace("\r", ""))
    values = {name: re.sub(r"[\r\n\t]", "", a_random_text(chance, 150)) for name in NAMES}
    return pieces, values


@pytest.mark.parametrize("seed", range(4))
def test_holes_are_filled_as_a_plain_render(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(1000):
        assert_holes_filled_as_rendered(*a_random_case(chance))


@pytest.mark.slow
def test_holes_are_filled_as_a_plain_render_in_twenty_thousand_cases() -> None:
    chance = random.Random(2020)
    for _ in range(20_000):
        assert_holes_filled_as_rendered(*a_random_case(chance))


@pytest.mark.parametrize("length", range(8))
@pytest.mark.parametrize("value", ["", "a", "ab", "abc", "ż", ".", "From here", "  "])
def test_holes_beside_short_constants_keep_their_neighbours(length: int, value: str) -> None:
    hole = Hole("address", "text")
    constant = "ab.cdefg"[:length]
    assert_holes_filled_as_rendered([hole, constant, hole, hole, constant, hole], {"address": value})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_text_survives_quoted_printable(text: str) -> None:
    encoded = quoted_printable(text)
    assert_fit_for_the_wire(encoded)
    assert quopri.decodestring(encoded).decode() == crlf(text)


@given(st.binary(max_size=400))
def test_any_bytes_survive_base64(content: bytes) -> None:
    encoded = base64_lines(content)
    assert base64.b64decode(encoded) == content
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert encoded.endswith(b"\r\n") or not content


def test_a_line_never_begins_with_what_relays_change() -> None:
    assert quoted_printable(".x\nFrom a\nFromage\n") == b"=2Ex\r\n=46rom a\r\nFromage\r\n"
    for long in ("a" * 71 + ".b", "a" * 71 + "From b"):
        assert_fit_for_the_wire(quoted_printable(long))


@settings(max_examples=30)
@given(st.integers(0, 80), st.text("ж=a", max_size=60))
def test_no_escape_is_split_between_lines(before: int, text: str) -> None:
    for line in quoted_printable("a" * before + text).split(b"\r\n"):
        assert re.fullmatch(rb"(?:[^=]|=[0-9A-F]{2})*=?", line)


def test_the_shorter_encoding_is_taken() -> None:
    assert encode(["Nadchodzące spotkania: Kalabria 28–29 kwietnia"]).name == "quoted-printable"
    assert encode(["=", Hole("address", "text")] * 50).name == "quoted-printable"
    assert encode(["Предстоящи срещи: Калабрия 28 – 29 април"]).name == "base64"


def test_constants_are_encoded_once_however_many_recipients() -> None:
    encoded = encode(["<p>", Hole("address", "html"), "</p>" * 50])
    assert isinstance(encoded, QuotedPrintable)
    constants = encoded.constants
    filled = [encoded.fill(lambda hole, n=n: f"office{n}@example.org") for n in range(2)]
    assert encoded.constants is constants
    assert filled[0].replace(b"office0", b"office1") == filled[1]
