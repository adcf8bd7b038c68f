"""The bytes of a calendar file: what text may hold, and how lines are folded (RFC 5545 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MAX_OCTETS = 75
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_IN_URL = re.compile('[\\s"<>\\\\^`{|}\x00-\x20\x7f-\x9f]')


def clean(text: str) -> str:
    """`text` with LF as its only line end and without control characters; a tab becomes a space.

    Readers that split on every Unicode line end would see U+2028 as the end of a property, so it becomes LF too.
    """
    if text.isprintable():  # neither of what follows is
        return text.strip()
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text)).strip()


def clean_line(text: str) -> str:
    """`text` on one line, single spaces."""
    return " ".join(clean(text).split())


def clean_parameter(text: str) -> str:
    """`text` for a parameter such as CN: also without quotes and carets, because not every reader decodes RFC 6868."""
    return clean_line(re.sub(r"[\"^\\]", "", text))


def clean_url(url: str, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """`url` if it is a web address that can stand in a property as it is, else empty."""
    if _NOT_IN_URL.search(url) or _SURROGATE.search(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in schemes and parts.hostname else ""


def to_bytes(lines: Iterable[str]) -> bytes:
    """Content lines as bytes: UTF-8, CRLF after each, at most 75 octets in a row."""
    return b"".join(map(fold, lines))


def fold(line: str) -> bytes:
    """One content line as bytes with its CRLF.

    No fold splits a character, nor a backslash from what it escapes: Google drops such an event
    (reported: collective/icalendar#1501).
    """
    raw = line.encode()
    if len(raw) <= MAX_OCTETS:
        return raw + b"\r\n"
    rows, start, room = [], 0, MAX_OCTETS
    while len(raw) - start > room:
        end = _cut(raw, start, start + room)
        rows.append(raw[start:end])
        start, room = end, MAX_OCTETS - 1  # the space that opens a continuation counts
    rows.append(raw[start:])
    return b"\r\n ".join(rows) + b"\r\n"


def _cut(raw: bytes, start: int, end: int) -> int:
    """The last place at or before `end` where `raw` may be cut."""
    while raw[end] & 0xC0 == 0x80:
        end -= 1
    row = raw[start:end]
    backslashes = len(row) - len(row.rstrip(b"\\"))
    return end - backslashes % 2
