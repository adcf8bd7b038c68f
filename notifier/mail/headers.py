"""Header fields: a strict encoder and folder of our own.

CPython's `email` turns a long List-Unsubscribe and long References into encoded-words, which mail providers ignore,
and writes a long display name followed by `, <other@example.org>` without quotes, which adds a recipient (3.11 to
3.13). Here each field has one of three forms: unstructured (Subject), a mailbox, or structured (ASCII or refused).
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime

from notifier.errors import ContentError, Problem

#: Every field that we write, in the order in which it stands; DKIM-Signature is put before it.
ORDER = (
    "Date",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Message-ID",
    "References",
    "In-Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Help",
    "List-Subscribe",
    "List-Owner",
    "List-Archive",
    "List-Post",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
    "Feedback-ID",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
)
#: What may hold words in any script; all others are ASCII.
ENCODED = frozenset({"From", "Reply-To", "Subject", "List-Id"})

LINE = 76  # octets of a line that holds an encoded-word (RFC 2047, section 2)
FOLDED = 78  # octets of any line that can be folded (RFC 5322 2.1.1)
HARD = 998  # octets of any line, and of any value before folding
_WORD = 75  # octets of an encoded-word
_FRAME = "=?utf-8?{}?{}?="
_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+( [A-Za-z0-9-]+)*")
_PLAIN_NAME_LENGTH = 60
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_DOMAIN}")
_ASCII_LINE = re.compile(r"[!-~]+( [!-~]+)*")
_ID = re.compile(rf"<{_ATOM}(?:\.{_ATOM})*@{_DOMAIN}>")
_URL = re.compile(r"<(https?|mailto):(?:(?!=\?)[!-;=?-~])+>")
_Q_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")


def arrange(fields: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """(name, field) in the order of `ORDER`, each once by construction.

    Raises:
        KeyError: a field that we do not send.
    """
    return sorted(fields.items(), key=lambda item: _PLACE[item[0]])


_PLACE = {name: place for place, name in enumerate(ORDER)}


def unstructured(name: str, text: str) -> bytes:
    """A field of words: as it is where ASCII suffices, else encoded-words split between whole characters.

    Runs of spaces become one; white space at the ends goes.

    Raises:
        ContentError: a control or line separator, or over 998 octets (M101).
    """
    text = _clean(name, text)
    if (
        _ASCII_LINE.fullmatch(text)
        and "=?" not in text
        and max(map(len, text.split(" "))) < LINE - len(name) - 2
    ):
        return _fold(name, text.split(" "), LINE)
    return _fold(name, _encoded_words(text, LINE - len(name) - 2), LINE)


def mailbox(name: str, display: str, address: str) -> bytes:
    """`From: Display name <address>`; without a display name the bare address.

    Raises:
        ContentError: an address that is no plain ASCII `local@domain`; a control, bidi or zero-width character in the
            display name, which could show another sender than the address says (M101).
    """
    if not display:
        return _fold(name, [plain_address(name, address)], FOLDED)
    return _fold(name, [*_phrase(name, display), f"<{plain_address(name, address)}>"], LINE)


def recipient(address: str) -> bytes:
    """`To:` with the bare address.

    A local part that is not ASCII stands as a group without members whose name is the address (RFC 6857, section
    3.1.8): the content stays 7-bit, only the envelope needs SMTPUTF8.
    """
    if address.isascii():
        return b"To: %b\r\n" % plain_address("To", address).encode()
    if address.count("@") != 1:
        raise _refused("To", f"{address!r} is no address", "write it as name@domain")
    return _fold("To", [*_encoded_words(_clean("To", address), LINE - 4), ":;"], LINE)


def list_id(title: str, identifier: str) -> bytes:
    """`List-Id: Name of the newsletter <events.example.org>` (RFC 2919)."""
    if not re.fullmatch(_DOMAIN, identifier) or "." not in identifier:
        raise _refused(
            "List-Id", f"{identifier!r} is no list identifier", "letters, digits, hyphens and dots only"
        )
    return _fold("List-Id", [*_phrase("List-Id", title), f"<{identifier}>"], LINE)


def ids(name: str, values: Sequence[str]) -> bytes:
    """Message-ID, References, In-Reply-To: ids in angle brackets.

    Raises:
        ContentError: not of the form `<left@right>`, or longer than 76 octets (M101).
    """
    for value in values:
        if len(value) > LINE or not _ID.fullmatch(value):
            raise _refused(name, f"{value!r} is no message id", "an id is ASCII, in <>, at most 76 octets")
    return _fold(name, values, FOLDED)


def urls(name: str, values: Sequence[str]) -> bytes:
    """A List field: each URL in `<>`, folded after the comma only (RFC 2369, section 2).

    Raises:
        ContentError: not ASCII, not http, https or mailto, with a space, an angle bracket, or what begins an
            encoded-word (M102).
    """
    bracketed = [f"<{value}>" for value in values]
    for value in bracketed:
        if len(value) > HARD - len(name) - 3 or not _URL.fullmatch(value):
            raise _refused(name, f"{value!r} is no URL that may stand here", "percent-encode it", "M102")
    return _fold(name, [*(f"{value}," for value in bracketed[:-1]), bracketed[-1]], FOLDED)


def structured(name: str, value: str) -> bytes:
    """A field of tokens: ASCII only, folded at its spaces only, never encoded.

    Raises:
        ContentError: anything but printable ASCII and single spaces, an encoded-word, or too long (M102).
    """
    if not _ASCII_LINE.fullmatch(value) or "=?" in value:
        raise _refused(
            name, f"{value!r} is not plain ASCII", "this field cannot hold other characters", "M102"
        )
    if len(value) > HARD - len(name) - 2:
        raise _refused(name, f"is longer than {HARD} octets", "shorten it", "M102")
    return _fold(name, value.split(" "), FOLDED)


def date(instant: datetime) -> bytes:
    """`Date: Tue, 14 Apr 2020 05:30:00 +0000`, always with a numeric zone."""
    if instant.tzinfo is None:
        raise ValueError("a Date without a zone would be read as local time somewhere else")
    return b"Date: %b\r\n" % format_datetime(instant).encode()


def plain_address(name: str, address: str) -> str:
    """The address, if it is a dot-atom `local@domain` in ASCII of at most 254 octets (local part 64)."""
    # `=?utf-8?q?x?=@example.org` is a dot-atom, but parsers decode it into another address.
    if len(address) > 254 or address.find("@") > 64 or "=?" in address or not _ADDRESS.fullmatch(address):
        raise _refused(
            name, f"{address!r} is no plain address", "write it as name@domain, the domain in A-labels"
        )
    return address


def _phrase(name: str, text: str) -> list[str]:
    """The words of a display name: as they are only where nobody could misread them, never a quoted string.

    Any run of white space becomes one space, as parsers of addresses do.
    """
    for character in text:
        if unicodedata.category(character) == "Cf":
            raise _forbidden(name, character)
    text = " ".join(_clean(name, text).split())
    if _PLAIN_NAME.fullmatch(text) and len(text) <= _PLAIN_NAME_LENGTH:
        return text.split(" ")
    return _encoded_words(text, LINE - len(name) - 2)


def _clean(name: str, text: str) -> str:
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise _forbidden(name, character)
    text = " ".join(word for word in text.strip().split(" ") if word)
    if not text:
        raise _refused(name, "is empty", "give it a text")
    if len(text.encode()) > HARD:
        raise _refused(name, f"is longer than {HARD} octets", "shorten it")
    return text


def _forbidden(name: str, character: str) -> ContentError:
    title = unicodedata.name(character, "a control character")
    return _refused(
        name, f"U+{ord(character):04X} ({title}) must not stand in a header", "delete the character"
    )


def _refused(name: str, text: str, fix: str, code: str = "M101") -> ContentError:
    return ContentError(Problem(name, 0, 0, code, f"{name}: {text}", fix))


def _fold(name: str, words: Sequence[str], width: int) -> bytes:
    """The field with a line break before a word that would pass `width`; a longer word keeps a line of its own."""
    lines = [f"{name}: {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join([*lines, ""]).encode("ascii")


def _encoded_words(text: str, first: int) -> list[str]:
    """RFC 2047 words of at most 75 octets (`first` for the first one), in the shorter of the two encodings.

    ASCII is never written as base64: filters take that for hiding.
    """
    around = len(_FRAME.format("q", ""))
    rooms = (min(first, _WORD) - around, _WORD - around)
    quoted = _packed(text, rooms, "q", _q)
    return quoted if text.isascii() else min(quoted, _packed(text, rooms, "b", _b), key=_length)


def _packed(text: str, rooms: tuple[int, int], letter: str, encode: Callable[[str], str]) -> list[str]:
    """`rooms`: octets of the payload in the first and in every other word."""
    words: list[str] = []
    held = ""
    for unit in _units(text, lambda unit: len(encode(unit)) <= rooms[0]):
        if held and len(encode(held + unit)) > rooms[bool(words)]:
            words.append(_FRAME.format(letter, encode(held)))
            held = ""
        held += unit
    return [*words, _FRAME.format(letter, encode(held))]


def _units(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """What an encoded-word holds whole: a word with the space after it, else a character with its marks.

    Splitting after a space keeps names right even where a parser leaves the white space between two encoded-words
    standing, as Python's does (python/cpython#128110).
    """
    for word in re.findall(r"[^ ]+ ?", text):
        if fits(word):
            yield word
        else:
            yield from _characters(word)


def _characters(word: str) -> Iterator[str]:
    unit = ""
    for character in word:
        if unit and unicodedata.category(character)[0] == "M" and len(unit.encode()) < 12:
            unit += character
            continue
        if unit:
            yield unit
        unit = character
    yield unit


def _length(words: Sequence[str]) -> int:
    return sum(map(len, words))


def _q(text: str) -> str:
    return "".join("_" if o == 32 else chr(o) if o in _Q_SAFE else f"={o:02X}" for o in text.encode())


def _b(text: str) -> str:
    return b64encode(text.encode()).decode()
