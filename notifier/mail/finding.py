"""What a rule of the lint tells: an id of the table of findings (docs: `notifier explain M204`), and its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from notifier.errors import Problem, Severity


@dataclass(frozen=True)
class Finding:
    code: str
    text: str
    fix: str = ""
    severity: Severity = "error"

    def at(self, file: str) -> Problem:
        return Problem(file, 0, 0, self.code, self.text, self.fix, severity=self.severity)


def once(findings: Iterable[Finding], limit: int = 5) -> Iterator[Finding]:
    """Each finding once, and at most `limit` of a code: who mends five sees the next."""
    told: dict[str, set[Finding]] = {}
    for finding in findings:
        same = told.setdefault(finding.code, set())
        if finding not in same and len(same) < limit:
            same.add(finding)
            yield finding
