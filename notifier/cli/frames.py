"""How a problem looks in a terminal: place, line, caret, fix; and the summary below all of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from notifier.errors import Problem

TAB = 4  # columns; tabs are shown as so many spaces, so that line and caret agree in every terminal
MAX_WIDTH = 160  # columns of a source line; a longer one is shown around the caret

_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}
_DIM, _FIX, _OFF = "\x1b[2m", "\x1b[32m", "\x1b[0m"


def frame(problem: Problem, *, color: bool) -> str:
    """The lines that show one problem, without a line end; never a control character of the file.

    error[E010]: not a date: write year-month-day
     --> data/events/2020/2020-09-08-smarty-seminar-2.md:4:7
      |
    3 | title: Drugie Międzyregionalne Seminarium Tematyczne
    4 | when: 8.09.2020 10:00
      |       ^^^^^^^^^^^^^^^
      = fix: when: 2020-09-08 10:00
      = more: notifier explain E010
    """
    paint = _painter(color)
    gutter = " " * len(str(problem.line or ""))
    bar = paint(_DIM, f"{gutter} |")
    head = (
        paint(_COLOURS[problem.severity], f"{problem.severity}[{problem.code}]") + f": {_clean(problem.text)}"
    )
    lines = [head, f"{gutter}{paint(_DIM, '-->')} {_clean(_place(problem))}"]
    if problem.line and problem.source:
        shown, before, marked = _underlined(problem)
        lines.append(bar)
        if problem.before.strip():
            lines.append(
                f"{paint(_DIM, f'{problem.line - 1:>{len(gutter)}} |')} {_shortened(_clean(problem.before))}"
            )
        lines.append(f"{paint(_DIM, f'{problem.line} |')} {shown}")
        lines.append(f"{bar} {' ' * before}{paint(_COLOURS[problem.severity], '^' * marked)}")
    for number, fix in enumerate(line for line in problem.fix.split("\n") if line):
        lines.append(
            f"{gutter} {paint(_DIM, '=')} {'or:  ' if number else 'fix: '}{paint(_FIX, _clean(fix))}"
        )
    lines.append(f"{gutter} {paint(_DIM, '=')} more: notifier explain {problem.code}")
    return "\n".join(lines)


def summary(problems: Sequence[Problem], events_count: int, held: Sequence[str]) -> str:
    """`1 error, 1 warning in 6 events. 1 edition is held back: digest/events/2020-W36.`"""
    errors = sum(problem.is_error for problem in problems)
    found = [_counted(errors, "error")] if errors else []
    warnings = len(problems) - errors
    found += [_counted(warnings, "warning")] if warnings else []
    text = f"{', '.join(found) or 'no problem'} in {_counted(events_count, 'event')}."
    if held:
        are = "is" if len(held) == 1 else "are"
        text += f" {_counted(len(held), 'edition')} {are} held back: {', '.join(held)}."
    return text


def width(text: str) -> int:
    """How many columns a terminal gives to `text`: wide characters two, combining ones none."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file


def _underlined(problem: Problem) -> tuple[str, int, int]:
    """(line as shown, columns before the caret, columns of the caret)."""
    source = problem.source
    at = min(max(problem.column - 1, 0), len(source))
    before, marked, after = source[:at], source[at : at + problem.length], source[at + problem.length :]
    head, middle, tail = (_clean(part) for part in (before, marked, after))
    if width(head + middle + tail) > MAX_WIDTH:
        head = "…" + head[-40:] if len(head) > 41 else head
        middle = middle[: MAX_WIDTH // 2]
        tail = tail[:40] + "…" if len(tail) > 41 else tail
    return (head + middle + tail).rstrip(), width(head), max(width(middle), 1)


def _shortened(text: str) -> str:
    return text if width(text) <= MAX_WIDTH else text[: MAX_WIDTH // 2] + "…"


def _clean(text: str) -> str:
    """Tabs as spaces and control characters visible, so that a file cannot steer the terminal."""
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char == "\t":
        return " " * TAB
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if (
        0x7F <= code <= 0x9F
        or 0x202A <= code <= 0x202E
        or 0x2066 <= code <= 0x2069
        or 0xD800 <= code <= 0xDFFF
    ):
        return "\N{REPLACEMENT CHARACTER}"
    return char


def _painter(color: bool) -> Callable[[str, str], str]:
    def paint(style: str, text: str) -> str:
        return f"{style}{text}{_OFF}" if color else text

    return paint


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
