"""A file with front matter -> marked nodes and a body.

Every scalar is text, as it stands: `10:00` is no number, `no` is Norwegian. Every key and value knows its line and
column. Built straight from the events of libyaml, because the composer drops duplicate keys and resolves aliases,
which are refused here (security: section 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from notifier.sources.decoding import decode
from notifier.sources.findings import Findings, Place

MAX_FRONT_BYTES = 64_000
MAX_DEPTH = (
    4  # levels below the fields of the file: sessions, a session, its place, the place's name, a language
)
MAX_OPEN = 40  # brackets open at once, those in texts included; far more than levels, far fewer than hurt
MAX_REPAIRS = 20
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(slots=True)
class Scalar:
    text: str
    line: int
    column: int
    length: int


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    column: int
    length: int
    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Map:
    """Keys in the order of the file; each with its own place."""

    line: int
    column: int
    length: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return entry[1] if entry else None


Node: TypeAlias = Scalar | Items | Map


def scalars(node: Node) -> Iterator[Scalar]:
    """Every text in a node."""
    if isinstance(node, Scalar):
        yield node
        return
    for inner in node.nodes if isinstance(node, Items) else [value for _, value in node.entries.values()]:
        yield from scalars(inner)


@dataclass(frozen=True)
class Document:
    """What one file says, before anybody asks what it means."""

    front: Map
    body: str
    body_line: int  # where the body begins, from 1
    findings: Findings
    is_readable: bool = True  # False: nobody can say which fields are there


def parse(file: str, content: bytes, subject: str = "") -> Document:
    """The document in `content`; everything wrong with its form is in its findings.

    Args:
        subject: what its problems hold back (`Problem.subject`).
    """
    findings = Findings(file, subject=subject)
    text = decode(content, findings)
    empty = Map(1, 1, 3)
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        if not findings.has_errors:
            findings.add("E008", Place(1, 1, len(lines[0])), "the opening `---` is missing", "---")
        return Document(empty, text, 1, findings, is_readable=False)
    end = next(
        (n for n, line in enumerate(lines[1:], 1) if line.startswith("---") and line.rstrip() == "---"), None
    )
    if end is None:
        end = _front_end(lines)
        place = Place(end, 1, len(lines[end - 1]) or 1)
        findings.add("E008", place, "the closing `---` is missing after this line", "---")
        body_line = end + 1
    else:
        body_line = end + 2
    front = lines[1:end]
    size = sum(len(line.encode()) + 1 for line in front)
    if size > MAX_FRONT_BYTES:
        findings.add("E022", Place(1, 1, 3), f"front matter is {size:,} bytes, limit {MAX_FRONT_BYTES:,}")
        return Document(empty, "", body_line, findings, is_readable=False)
    body = "\n".join(lines[body_line - 1 :])
    if deep := _too_deep(front):
        findings.add("E005", deep, f"nested deeper than {MAX_DEPTH} levels")
        return Document(empty, body, body_line, findings, is_readable=False)
    tree = _tree(front, findings)
    return Document(
        tree or empty, body, body_line, findings, is_readable=tree is not None or not findings.has_errors
    )


def _too_deep(lines: list[str]) -> Place | None:
    """Where a bracket too many opens: libyaml takes n * n time for n open brackets, so it is not asked."""
    depth = 0
    for number, line in enumerate(lines, 2):
        for found in _BRACKET.finditer(line):
            depth = max(depth + (1 if found[0] in "[{" else -1), 0)
            if depth > MAX_OPEN:
                return Place(number, found.start() + 1)
    return None


def _front_end(lines: list[str]) -> int:
    """Without a closing `---`: up to the first line that is neither a field nor its continuation."""
    for number, line in enumerate(lines[1:], 1):
        if line.strip() and not re.match(r"[a-z_]{1,40}:|[ \t#\-\]}]", line):
            return number
        if not line.strip():
            return number
    return len(lines)


def _tree(lines: list[str], findings: Findings) -> Map | None:
    """The fields; a line that YAML cannot read is reported, mended in memory and read again to find what follows."""
    lines = list(lines)
    for _ in range(MAX_REPAIRS):
        builder = _Builder(findings)
        try:
            tree = builder.build("\n".join(lines) + "\n")
        except yaml.YAMLError as error:
            repaired = _unreadable(error, lines, findings)
            if repaired is None:
                return builder.top
            index, line = repaired
            lines[index] = line
            continue
        findings.problems += builder.found
        return tree
    return None


_Event: TypeAlias = Any  # of libyaml: always with marks, which its stubs do not know


class _Builder:
    """Events -> nodes, refusing what is not used here. Its findings count only once the whole text is readable."""

    def __init__(self, findings: Findings) -> None:
        self.findings = Findings(findings.file, findings.lines, findings.subject)
        self.found = self.findings.problems
        self.top: Map | None = None

    def build(self, text: str) -> Map | None:
        events = iter(yaml.parse(text, Loader=yaml.CBaseLoader))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if event.explicit:
                    self._refuse(event, "a second document or a directive is not used here")
                    return self.top
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event, events, 0)
                if isinstance(node, Map):
                    self.top = node
                elif node is not None:
                    self.findings.add(
                        "E009", node, "the front matter must be fields, one `name: value` a line"
                    )
            elif isinstance(event, yaml.DocumentEndEvent) and event.explicit:
                self._refuse(event, "`...` is not used here")
                return self.top
        return self.top

    def _node(self, event: _Event, events: Iterator[_Event], depth: int) -> Node | None:
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, "aliases and tags are not used here")
            return None
        if event.anchor is not None or event.tag is not None:
            self._refuse(event, "aliases and tags are not used here")
        line, column = start.line + 2, start.column + 1
        if isinstance(event, yaml.ScalarEvent):
            if end.line == start.line:
                return Scalar(event.value, line, column, max(end.column + 1 - column, 1))
            return Scalar(event.value, line, column, self._rest(line, column))
        if depth > MAX_DEPTH:
            place = Place(line, column, self._rest(line, column))
            self.findings.add("E005", place, f"nested deeper than {MAX_DEPTH} levels")
            _skip(events)
            return None
        if isinstance(event, yaml.SequenceStartEvent):
            items = Items(line, column, self._rest(line, column))
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                if (node := self._node(inner, events, depth + 1)) is not None:
                    items.nodes.append(node)
            items.length = _flow_length(items, inner)
            return items
        return self._map(Map(line, column, self._rest(line, column)), events, depth)

    def _map(self, found: Map, events: Iterator[_Event], depth: int) -> Map:
        while not isinstance(inner := next(events), yaml.MappingEndEvent):
            key = self._key(inner, events)
            value = self._node(next(events), events, depth + 1)
            if key is None or value is None:
                continue
            if first := found.entries.get(key.text):
                self.findings.add(
                    "E006",
                    key,
                    f'"{key.text}" is given twice, first at line {first[0].line}',
                    f"remove line {key.line}" if key.column == 1 else f'remove the second "{key.text}"',
                )
                continue
            found.entries[key.text] = (key, value)
        found.length = _flow_length(found, inner)
        return found

    def _key(self, event: _Event, events: Iterator[_Event]) -> Scalar | None:
        if isinstance(event, yaml.CollectionStartEvent):
            self._refuse(event, "only a word can name a field")
            _skip(events)
            return None
        node = self._node(event, events, 0)
        return node if isinstance(node, Scalar) else None

    def _refuse(self, event: _Event, text: str) -> None:
        line, column = event.start_mark.line + 2, event.start_mark.column + 1
        source = self.findings.lines[line - 1] if line <= len(self.findings.lines) else ""
        word = re.match(r"\S*", source[column - 1 :])
        place = Place(line, column, len(word[0].rstrip(",]}")) if word else 1)
        without = re.sub(r"(^|[\s\[{,])(?:[&!][^\s,\]}]* ?)+", r"\1", source)
        is_alias = isinstance(event, yaml.AliasEvent)
        self.findings.add("E005", place, text, "" if is_alias else without.strip())

    def _rest(self, line: int, column: int) -> int:
        """From a place to the end of its line."""
        text = self.findings.lines[line - 1] if line <= len(self.findings.lines) else ""
        return max(len(text.rstrip()) - column + 1, 1)


def _flow_length(node: Items | Map, end: _Event) -> int:
    """`[a, b]` is underlined as a whole; a block only in its first line."""
    if end.end_mark.line + 2 == node.line and end.end_mark.column >= node.column:
        return int(end.end_mark.column) + 1 - node.column
    return node.length


def _skip(events: Iterator[_Event]) -> None:
    """Past the end of the collection that was just opened, without recursion."""
    depth = 1
    while depth:
        event = next(events)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)


_COLON = "a colon inside a value needs quotes"
_WORD = re.compile(r"[a-z_]{1,40}")
_FIELD = re.compile(r"( *(?:- )?[^\s:#\[\]{}\"',][^:#\[\]{}\"',]{0,60}: +)(.*\S)")
_IN_BRACES = re.compile(r"([{,] *[\w-]{1,40}: *)([^\s\"'\[{,}][^\"'\[{,}]*: [^\"'\[{,}]*[^\s\"'\[{,}])")


def _unreadable(error: yaml.YAMLError, lines: list[str], findings: Findings) -> tuple[int, str] | None:
    """Report E001; the index and text of the line as it could be read, or None if nobody can say."""
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    reason = str(getattr(error, "problem", "") or "cannot be read")
    # What was opened and never closed is told where it was opened, not at the end of the text.
    if context is not None and mark is not None and context.line < mark.line and "block" not in str(error):
        mark = context
    index = min(mark.line if mark else 0, max(len(lines) - 1, 0))
    line = lines[index] if lines else ""
    place = Place(index + 2, min(mark.column if mark else 0, max(len(line) - 1, 0)) + 1)
    if any(problem.code == "E001" and problem.line == place.line for problem in findings.problems):
        return None
    words, repaired = _repair(line, place.column - 1)
    findings.add("E001", place, words or f"the line cannot be read: {reason}", repaired)
    if not words:
        return None
    # A word without a value says nothing that could be read on.
    return index, "#" if repaired.endswith("…") and not line.endswith("…") else repaired


def _repair(line: str, at: int) -> tuple[str, str]:
    """What is wrong with a line that YAML refused at a column, and the line as it could be; ("", "") if unknown."""
    line = line.rstrip()
    stripped = line.lstrip()
    indent = line[: len(line) - len(stripped)]
    if "\t" in indent:
        return "a tab cannot indent; use spaces", indent.replace("\t", "  ") + stripped
    if indent and line[at : at + 1] == ":" and _WORD.fullmatch(line[:at].strip()):
        return "this line is indented too far", stripped
    braced = _IN_BRACES.sub(lambda found: found[1] + _quoted(found[2]), line)
    if braced != line:
        return _COLON, braced
    found = _FIELD.fullmatch(line)
    if not found:
        return ("a field is `name: value`", f"{line}: …") if _WORD.fullmatch(line) else ("", "")
    return _repaired_value(found[1], found[2])


def _repaired_value(name: str, value: str) -> tuple[str, str]:
    if value[0] in "[{":
        close = {"[": "]", "{": "}"}[value[0]]
        is_open = value.count(value[0]) > value.count(close)
        return (f"the closing `{close}` is missing", name + value + close) if is_open else ("", "")
    if value[0] in "\"'":
        inner = value[1:-1] if len(value) > 1 and value[-1] == value[0] else value.replace(value[0], "", 1)
        return "the quotes do not match", name + _quoted(inner)
    return _COLON if ": " in value or value.endswith(":") else "this value needs quotes", name + _quoted(
        value
    )


def _quoted(value: str) -> str:
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"
