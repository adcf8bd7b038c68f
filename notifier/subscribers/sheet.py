"""CSV as office programs write and read it: encodings, separators, limits, and cells that would run as formulas."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from notifier.errors import ContentError, Problem

MAX_BYTES = 10_000_000
MAX_ROWS = 500_000
MAX_COLUMNS = 50
MAX_CELL_BYTES = 4_000
#: A spreadsheet runs a cell that begins so; full-width forms included, because some programs fold them first.
FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
_GUARD = "'"


@dataclass(frozen=True)
class Row:
    """One record. `line` is the line of the file on which it starts, from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The records of a file, and how they were read, so that a person can be shown it before anything is stored."""

    encoding: str  # utf-8, cp1250 or cp1251
    separator: str  # , or ;
    header: Row
    rows: tuple[Row, ...]  # without blank ones


def read(raw: bytes, file: str) -> Sheet:
    """The records of a CSV file; each cell in NFC, runs of white space as one space, one guarding ' taken off.

    Raises:
        ContentError: empty, over a limit, in no known encoding, or a quotation mark is out of place (E405); the
            first such thing only, because what follows it cannot be trusted.
    """
    if len(raw) > MAX_BYTES:
        raise _unreadable(file, 0, f"the file is {len(raw)} bytes long, the limit is {MAX_BYTES}")
    text, encoding = _decode(raw, file)
    separator = _separator(text)
    records = list(_records(text, separator, file))
    if not records:
        raise _unreadable(file, 0, "the file has no header")
    return Sheet(encoding, separator, records[0], tuple(records[1:]))


def write(rows: Iterable[Sequence[str]], *, is_raw: bool = False) -> bytes:
    """CSV with ";", all cells quoted, CRLF, UTF-8 with the mark by which spreadsheets know it.

    A cell that a spreadsheet would run, or that begins with ' itself, gets a ' in front, which `read` takes off.
    `is_raw` leaves it out, for programs that take +48 123 literally.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell if is_raw else guarded(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def guarded(cell: str) -> str:
    return _GUARD + cell if cell.startswith((*FORMULA_STARTS, _GUARD)) else cell


def _decode(raw: bytes, file: str) -> tuple[str, str]:
    if b"\0" in raw:
        raise _unreadable(
            file, 0, "the file is no CSV text (it may be UTF-16 or a spreadsheet): save it as CSV UTF-8"
        )
    try:
        return raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        encoding = "cp1251" if _looks_cyrillic(raw) else "cp1250"
    try:
        return raw.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _unreadable(file, line, "neither UTF-8, CP1250 nor CP1251: save it as CSV UTF-8") from error


def _looks_cyrillic(raw: bytes) -> bool:
    """In Cyrillic words the high bytes stand side by side; in Polish and German ones mostly alone among ASCII."""
    is_high = [byte >= 0x80 for byte in raw]
    beside = sum(a and b for a, b in pairwise(is_high))
    return beside * 2 > sum(is_high)


def _separator(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return ";" if header.count(";") > header.count(",") else ","


def _records(text: str, separator: str, file: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    count, line = 0, 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                count += 1
                yield Row(
                    line, tuple(_cell(cell, line, file) for cell in _within_limits(cells, count, line, file))
                )
            line = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(file, line, f"the row that starts here cannot be read: {error}") from error


def _within_limits(cells: list[str], count: int, line: int, file: str) -> list[str]:
    if count > MAX_ROWS + 1:
        raise _unreadable(file, line, f"more than {MAX_ROWS} rows: split the file")
    if len(cells) > MAX_COLUMNS:
        raise _unreadable(file, line, f"{len(cells)} columns, the limit is {MAX_COLUMNS}")
    return cells


def _cell(cell: str, line: int, file: str) -> str:
    if len(cell) > MAX_CELL_BYTES // 4 and len(cell.encode()) > MAX_CELL_BYTES:
        raise _unreadable(file, line, f"a cell is longer than {MAX_CELL_BYTES} bytes")
    text = " ".join(unicodedata.normalize("NFC", cell.removeprefix(_GUARD)).split())
    if not text.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise _unreadable(file, line, "a cell holds a control character")
    return text


def _unreadable(file: str, line: int, text: str) -> ContentError:
    return ContentError(Problem(file, line, 1 if line else 0, "E405", text))
