"""Plain text as it travels: 72 columns, URLs alone on their lines, ordinary spaces."""

from __future__ import annotations

import re
import textwrap
import unicodedata

COLUMNS = 72
_SPACES = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2060": None})


def wrap(text: str, indent: str = "", columns: int = COLUMNS) -> str:
    """The text in lines of at most 72 columns, `indent` before each but the first; no-break spaces hold."""
    return "\n".join(
        textwrap.wrap(
            str(text), columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    )


def underline(text: str, sign: str = "-") -> str:
    """A heading with a line of `sign` below, as wide as it."""
    lines = wrap(text).split("\n")
    return "\n".join([*lines, sign * max(width(line) for line in lines)])


def width(line: str) -> int:
    """Columns in a terminal: wide characters take two, marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line
    )


def finished(text: str) -> str:
    """The text part: no-break spaces have done their work, at most one empty line, none at the end of a line.

    The signature mark `-- ` keeps its blank.
    """
    lines = [line if line == "-- " else line.rstrip() for line in text.translate(_SPACES).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
