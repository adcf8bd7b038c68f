"""The problems of one file, collected with their places while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Protocol

from notifier.errors import Problem, Severity


class Placed(Protocol):
    """Anything with a place in the file: lines and columns count from 1 in characters."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def length(self) -> int: ...


@dataclass(frozen=True)
class Place:
    line: int = 0
    column: int = 0
    length: int = 1


#: The opening `---`: what is missing is added below it.
TOP = Place(1, 1, 3)
WHOLE_FILE = Place()


@dataclass
class Findings:
    """All problems of `file`, whose lines are at hand for the caret. `subject`: what they hold back."""

    file: str
    lines: Sequence[str] = ()
    subject: str = ""
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        code: str,
        place: Placed,
        text: str,
        fix: str | Iterable[str] = "",
        *,
        severity: Severity = "error",
    ) -> None:
        """One more problem; several fixes are alternatives and stand on lines of their own."""
        has_line = 0 < place.line <= len(self.lines)
        self.problems.append(
            Problem(
                file=self.file,
                line=place.line,
                column=place.column,
                code=code,
                text=text,
                fix=fix if isinstance(fix, str) else "\n".join(fix),
                length=max(place.length, 1),
                severity=severity,
                source=self.lines[place.line - 1] if has_line else "",
                subject=self.subject,
                before=self.lines[place.line - 2] if has_line and place.line > 1 else "",
            )
        )

    def warn(self, code: str, place: Placed, text: str, fix: str | Iterable[str] = "") -> None:
        self.add(code, place, text, fix, severity="warning")

    @property
    def has_errors(self) -> bool:
        return any(problem.is_error for problem in self.problems)


def near(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The words of `known` that look most like `word`, best first; none when nothing does."""
    return get_close_matches(word[:100], list(known), count, cutoff=0.6)
