"""What one cell of subscribers.csv says, or why it says nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time

from notifier.config import parse_zone
from notifier.subscribers.subscriber import EVERYTHING, KINDS

#: Written for an empty choice, because an empty cell is the default: everything.
NOTHING = "none"
_YES = frozenset({"yes", "true", "1", "tak", "ja", "да"})
_NO = frozenset({"no", "false", "0", "nie", "nein", "не"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_NUTS = re.compile(r"[A-Za-z]{2}[A-Za-z0-9]{0,3}")


class CellError(ValueError):
    """The cell cannot be used: `code` of the catalogue, the text, and a fix where there is one."""

    def __init__(self, code: str, text: str, fix: str = "") -> None:
        self.code, self.fix = code, fix
        super().__init__(text)


def keys(cell: str, word: str, known: Collection[str] | None) -> tuple[str, ...]:
    """Keys separated by spaces, in their order, in any case; "*" among them is everything, "none" alone is nothing.

    `known` None: what exists is not known here, every key goes.
    """
    words = cell.split()
    if words == [NOTHING] and NOTHING not in (known or ()):
        return ()
    if "*" in words:
        return EVERYTHING
    if known is None:
        return tuple(dict.fromkeys(words))
    return tuple(dict.fromkeys(one_of(key, known, word, "E020") for key in words))


def regions(cell: str, known: Collection[str] | None) -> tuple[str, ...]:
    """NUTS codes; without a list of those that exist, all of their form."""
    found = keys(cell, "region", known)
    for code in found if known is None and found != EVERYTHING else ():
        if not _NUTS.fullmatch(code):
            raise CellError("E020", f'unknown region "{code}"', "a NUTS code such as PL92")
    return found


def kinds(cell: str) -> tuple[str, ...]:
    if cell.casefold() == NOTHING:
        return ()
    return tuple(dict.fromkeys(one_of(word, KINDS, "kind") for word in cell.split()))


def languages(cell: str) -> tuple[str, ...]:
    for tag in cell.split():
        if not _LANGUAGE.fullmatch(tag):
            raise CellError("E011", f'unknown language "{tag}"', "codes separated by spaces, such as: pl en")
    return tuple(dict.fromkeys(_language(tag) for tag in cell.split()))


def zone(cell: str) -> str:
    try:
        return parse_zone(cell)
    except ValueError as error:
        raise CellError("E014", f'unknown zone "{cell}"', "Europe/Warsaw") from error


def country(cell: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", cell):
        raise CellError("E011", f'unknown country "{cell}"', "two letters, such as PL")
    return cell.upper()


def yes_or_no(cell: str) -> bool:
    if (word := cell.casefold()) not in _YES | _NO:
        raise CellError("E011", f'"{cell}" is neither yes nor no', "yes or no")
    return word in _YES


def moment(cell: str) -> datetime:
    """A day (its UTC midnight: consent is dated, not timed), or an instant with its offset."""
    try:
        if len(cell) == len("2020-01-07"):
            return datetime.combine(date.fromisoformat(cell), time(0), UTC)
        found = datetime.fromisoformat(cell)
    except ValueError as error:
        raise CellError("E401", f'"{cell}" is not a date', "write year-month-day: 2020-01-07") from error
    if found.tzinfo is None:
        raise CellError("E401", f'"{cell}" has no offset', f"write {cell}+00:00, or the day alone")
    return found.astimezone(UTC)


def one_of(text: str, known: Iterable[str], word: str, code: str = "E011") -> str:
    """The one of `known` that `text` means in any case."""
    folded = {key.casefold(): key for key in known}
    if (found := folded.get(text.casefold())) is not None:
        return found
    near = difflib.get_close_matches(text.casefold(), folded, 3)
    hint = "did you mean " if near else "one of: "
    raise CellError(
        code, f'unknown {word} "{text}"', hint + ", ".join(folded[key] for key in near or sorted(folded)[:12])
    )


def _language(tag: str) -> str:
    base, dash, rest = tag.partition("-")
    return base.lower() + dash + rest
