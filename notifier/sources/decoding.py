"""Bytes -> text: UTF-8 or a finding that names what it looks like instead.

What is wrongly encoded is read on with the likely encoding, so that all its other problems come to light at once.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import pairwise

from notifier.sources.findings import WHOLE_FILE, Findings, Place

MAX_FILE_BYTES = 512_000
_BOM_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Controls but newline and tab; the separators U+2028/9 are lines for YAML and none for an editor.
_UNUSABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Marks that turn the direction of text: invisible, and able to make a name read as another (in headers and titles).
BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def decode(content: bytes, findings: Findings) -> str:
    """The text in NFC with \\n as line end; `findings` gets its lines and what is wrong (E007, E022)."""
    if len(content) > MAX_FILE_BYTES:
        findings.add("E022", WHOLE_FILE, f"file is {len(content):,} bytes, limit {MAX_FILE_BYTES:,}")
        return ""
    encoding = detect(content)
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    except UnicodeError:
        text = content.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    unusable = _UNUSABLE.search(text) if encoding == "utf-8" else None
    usable = _UNUSABLE.sub(" ", text) if unusable else text
    usable = usable if unicodedata.is_normalized("NFC", usable) else unicodedata.normalize("NFC", usable)
    findings.lines = usable.split("\n")
    if encoding != "utf-8":
        _not_utf8(content, encoding, findings)
    elif unusable:
        _unusable(text, unusable.start(), findings)
    return usable


def detect(content: bytes) -> str:
    """`utf-8`, or the encoding that it looks like: utf-16, cp1251, iso8859-2, cp1250.

    Cyrillic words in CP1251 are runs of high bytes; in the Latin encodings high bytes stand alone among ASCII.
    """
    if content.startswith(_BOM_16):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    high = [index for index, byte in enumerate(content) if byte >= 0x80]
    in_runs = sum(1 for one, two in pairwise(high) if two - one == 1)
    if in_runs * 2 > len(high):
        return "cp1251"
    values = {content[index] for index in high}
    # Ą Ś Ź ą ś ź of ISO 8859-2; in CP1250 these bytes are punctuation or soft consonants, and its own are below A0
    is_iso = not any(0x80 <= value < 0xA0 for value in values) and values & {
        0xA1,
        0xA6,
        0xAC,
        0xB1,
        0xB6,
        0xBC,
    }
    return "iso8859-2" if is_iso else "cp1250"


def to_utf8(content: bytes) -> bytes:
    """The same text in UTF-8 without unusable characters: what `check --fix` writes."""
    encoding = detect(content)
    text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    kept = _UNUSABLE.sub(
        lambda found: "\n" if found[0] in "\r\u2028\u2029" else "", text.replace("\r\n", "\n")
    )
    return kept.encode("utf-8")


_NAMES = {"utf-16": "UTF-16", "cp1251": "CP1251", "iso8859-2": "ISO-8859-2", "cp1250": "CP1250"}


def _not_utf8(content: bytes, encoding: str, findings: Findings) -> None:
    try:
        content.decode("utf-8")
        at = 0
    except UnicodeDecodeError as error:
        at = error.start
    before = content[:at].replace(b"\r\n", b"\n").decode("utf-8-sig", "replace")
    place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
    name = _NAMES[encoding]
    text = f"not UTF-8, looks like {name} (convert: iconv -f {name} -t UTF-8)"
    findings.add("E007", place, text, "notifier check --fix")


def _unusable(text: str, at: int, findings: Findings) -> None:
    place = Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    name = f"U+{ord(text[at]):04X}"
    findings.add("E007", place, f"the character {name} cannot stand in a text", "notifier check --fix")
