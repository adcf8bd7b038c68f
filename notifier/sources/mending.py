"""What `notifier check --fix` writes: only what a program may decide without asking.

UTF-8 without unusable characters, a missing uid, and `start`/`end` as one `when`. Everything else is shown as a fix
for a person to paste.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from notifier.errors import Problem
from notifier.events.when import MAX_LENGTH
from notifier.sources.decoding import detect, to_utf8
from notifier.sources.eventfile import joined
from notifier.sources.frontmatter import Document, Scalar, parse

_UID = re.compile(r"uid: \S+")


def mend(content: bytes, problems: Iterable[Problem]) -> bytes:
    """The file with its `problems` mended as far as is certain; the same bytes when there is nothing to mend.

    Args:
        problems: those of this one file, as the reading told them.
    """
    problems = list(problems)
    if any(problem.code == "E007" for problem in problems):
        content = to_utf8(content)
    content = _with_when(content)
    uids = [problem.fix for problem in problems if problem.code == "E003" and _UID.fullmatch(problem.fix)]
    return _below_top(content, uids[0]) if uids else content


def _below_top(content: bytes, line: str) -> bytes:
    top, end, rest = content.partition(b"\n")
    if top.removeprefix(b"\xef\xbb\xbf").rstrip() != b"---":
        return content
    close = b"\r\n" if top.endswith(b"\r") else b"\n"
    return top + end + line.encode() + close + rest


def _with_when(content: bytes) -> bytes:
    """`start` becomes `when`, `end` goes; left alone where either is not a plain line of its own."""
    if detect(content) != "utf-8":
        return content
    document = parse("", content)
    start, end = (_own_line(document, name) for name in ("start", "end"))
    if start is None or "when" in document.front.entries or (end is None and "end" in document.front.entries):
        return content
    lines = content.split(b"\n")
    text = joined(start.text.strip(), end.text.strip() if end else "")
    close = b"\r" if lines[start.line - 1].endswith(b"\r") else b""
    lines[start.line - 1] = f"when: {text}{_comment(document, start)}".encode() + close
    if end:
        del lines[end.line - 1]
    return b"\n".join(lines)


def _own_line(document: Document, name: str) -> Scalar | None:
    key, value = document.front.entries.get(name, (None, None))
    if (
        key
        and isinstance(value, Scalar)
        and key.column == 1
        and key.line == value.line
        and value.text.strip()
    ):
        return value if len(value.text) <= MAX_LENGTH else None
    return None


def _comment(document: Document, value: Scalar) -> str:
    """What stands behind the value on its line."""
    return document.findings.lines[value.line - 1][value.column - 1 + value.length :].rstrip()
