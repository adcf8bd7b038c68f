"""Exit codes. New ones may be added; any unknown non-zero code is a failure."""

from __future__ import annotations

from collections.abc import Iterable

DONE = 0
UNEXPECTED = 1
USAGE = 2
IN_PART = 3
FINDINGS = 4
NEEDS_CONFIRMATION = 5
NO_PROJECT = 10
LOCKED = 11
CONFIG = 12
CONTENT = 13
UNREACHABLE = 14

WORDS = {
    DONE: "done, also: nothing due",
    UNEXPECTED: "unexpected error; the path of the saved report is printed",
    USAGE: "wrong usage",
    IN_PART: "sent in part, or a content problem held an edition",
    FINDINGS: "findings",
    NEEDS_CONFIRMATION: "needs approval or confirmation and there is no terminal",
    NO_PROJECT: "no project here",
    LOCKED: "another run holds the lock",
    CONFIG: "configuration invalid",
    CONTENT: "content invalid, nothing at all could be sent",
    UNREACHABLE: "mail server or database not reachable",
}

_ORDER = (UNEXPECTED, CONFIG, UNREACHABLE, CONTENT, IN_PART, NEEDS_CONFIRMATION, FINDINGS)


def first(codes: Iterable[int]) -> int:
    """The one to report where several apply."""
    given = set(codes) - {DONE}
    return next((code for code in _ORDER if code in given), max(given, default=DONE))


def epilog(*codes: int, examples: tuple[str, str]) -> str:
    """The end of a command's --help: two examples and its exit codes."""
    listed = "\n".join(f"  {code:>2}  {WORDS[code]}" for code in (DONE, *codes))
    return f"\b\nExamples:\n  {examples[0]}\n  {examples[1]}\n\n\b\nExit codes (any other non-zero code is a failure, too):\n{listed}"
