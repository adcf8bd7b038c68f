"""Marked nodes -> typed values; every failure is a finding at its place, with a line that can be pasted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from notifier.events import when
from notifier.events.span import Span
from notifier.events.when import WhenError
from notifier.sources.decoding import BIDI
from notifier.sources.findings import TOP, Findings, Placed, near
from notifier.sources.frontmatter import Items, Map, Node, Scalar

T = TypeVar("T")

MAX_TEXT = 2_000  # characters of any one-line text without a limit of its own
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")
_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`][^:#\[\]{},\"'\n]*")


@dataclass(frozen=True)
class Fields:
    """The fields of one map of a file. `known`: their names; any other is E002, whichever is asked for."""

    node: Map
    findings: Findings
    known: Sequence[str]
    #: True for the fields of the file itself: what is missing is then added below the opening `---`.
    is_top: bool = False

    def __post_init__(self) -> None:
        for name, (key, _) in self.node.entries.items():
            if name not in self.known:
                close = near(name, self.known, 1)
                hint = f'; did you mean "{close[0]}"?' if close else ""
                fix = (
                    rewritten(self.findings, key, close[0])
                    if close
                    else f"remove the field; known: {_listed(self.known)}"
                )
                self.findings.add("E002", key, f'unknown field "{name[:60]}"{hint}', fix)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Node | None:
        """The node of a field; an empty one counts as not given."""
        node = self.node.get(name)
        if isinstance(node, Scalar) and not node.text.strip():
            return None
        return node

    def place(self, name: str) -> Placed:
        """The value of a field, else its key, else where it would be added."""
        entry = self.node.entries.get(name)
        if entry is None:
            return TOP if self.is_top else self.node
        return entry[1] if self.get(name) is not None else entry[0]

    def missing(self, name: str, fix: str) -> None:
        self.findings.add("E003", self.place(name), f'"{name}" is missing', fix)

    def wrong(self, name: str, kind: str, fix: str = "") -> None:
        self.findings.add("E009", self.place(name), f'"{name}" must be {kind}', fix)

    # --- one value -----------------------------------------------------------------------------------------

    def text(self, name: str, limit: int = MAX_TEXT) -> str:
        """One line of text, or "" if it is not given or not usable."""
        node = self.get(name)
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            first = _first_text(node)
            self.wrong(name, "a text", f"{name}: {quoted(first)}" if first else "")
            return ""
        return self._fitting(name, node, limit)

    def _fitting(self, name: str, node: Scalar, limit: int) -> str:
        line = one_line(node.text)
        if len(line) > limit:
            text = f'"{name}" must be at most {limit} characters long; it has {len(line)}'
            self.findings.add("E009", node, text, f"{name}: {quoted(line[: limit - 1].rstrip() + '…')}")
            return ""
        return line

    def texts(self, name: str, language: str, limit: int = MAX_TEXT) -> dict[str, str]:
        """A text, which stands under `language`, or a map of languages."""
        node = self.get(name)
        if not isinstance(node, Map):
            line = self.text(name, limit)
            return {language: line} if line else {}
        found: dict[str, str] = {}
        for tag, (key, value) in node.entries.items():
            if not LANGUAGE.fullmatch(tag):
                text = f'"{tag[:60]}" is not a language; a comma inside a value needs quotes'
                self.findings.add("E002", key, text, f"{name}: {_rejoined(node)}")
            elif not isinstance(value, Scalar):
                self.findings.add("E009", value, f'"{name}" in {tag} must be a text')
            elif line := self._fitting(name, value, limit):
                found[tag] = line
        return found

    def choice(self, name: str, options: Iterable[str]) -> str:
        """One of `options`, or "" (E011 with the nearest)."""
        node = self.get(name)
        word = self.text(name)
        if not word or word in (known := list(options)):
            return word
        close = near(word.casefold().replace(" ", "-"), known, 1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        text = f'unknown {name} "{word[:60]}"{hint} One of: {", ".join(known)}'
        text = text if close else text.replace('" One', '". One')
        if node is not None:
            self.findings.add("E011", node, text, [f"{name}: {option}" for option in (close or known)])
        return ""

    def key(self, name: str, known: Iterable[str], what: str) -> str:
        """A name that must be known: a project, a series, a slug (E020 with near names)."""
        node = self.get(name)
        word = self.text(name)
        if word and isinstance(node, Scalar):
            return known_key(self.findings, node, word, known, what, prefix=f"{name}: ")
        return ""

    def number(self, name: str, lowest: int = 0, highest: int = 1_000_000) -> int | None:
        word = self.text(name)
        if not word:
            return None
        if re.fullmatch(r"[0-9]{1,7}", word) and lowest <= int(word) <= highest:
            return int(word)
        digits = re.search(r"[0-9]{1,7}", word[:200])
        kind = f"a whole number from {lowest} to {highest}"
        self.wrong(name, kind, f"{name}: {min(max(int(digits[0]), lowest), highest)}" if digits else "")
        return None

    def flag(self, name: str) -> bool:
        word = self.text(name).casefold()
        if word and word not in _FLAGS:
            self.wrong(name, "yes or no", f"{name}: yes\n{name}: no")
        return _FLAGS.get(word, False)

    def link(self, name: str) -> str:
        """An http or https address (E023)."""
        word = self.text(name)
        if not word or is_link(word):
            return word
        guess = "https://" + word.removeprefix("//").removeprefix("http:/").lstrip("/")
        fix = f"{name}: {guess}" if ":" not in word.split("/")[0] and is_link(guess) and "." in guess else ""
        self.findings.add("E023", self.place(name), f'"{name}" is not an http or https link', fix)
        return ""

    def mail(self, name: str) -> str:
        """One mail address, or several as a list; joined by ", "."""
        words = self.words(name) if isinstance(self.get(name), Items) else self.text(name).split(",")
        addresses = [word.strip() for word in words if word.strip()]
        if all(_MAIL.fullmatch(address) for address in addresses):
            return ", ".join(addresses)
        self.wrong(name, "a mail address", f"{name}: office@example.org")
        return ""

    # --- dates ---------------------------------------------------------------------------------------------

    def span(self, name: str, zone: str, slug: str = "") -> Span | None:
        return self._dated(name, lambda text: when.parse(text, zone), slug)

    def moment(self, name: str, zone: str) -> date | datetime | None:
        return self._dated(name, lambda text: when.parse_moment(text, zone))

    def day(self, name: str) -> date | None:
        """A day without an hour."""
        found = self.moment(name, "UTC")
        if isinstance(found, datetime):
            self.findings.add(
                "E010", self.place(name), "a day is wanted here, without an hour", f"{name}: {found:%Y-%m-%d}"
            )
            return None
        return found

    def _dated(self, name: str, read: Callable[[str], T], slug: str = "") -> T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return read(text)
        except WhenError as error:
            self.findings.add(error.code, self.place(name), told(error), date_fixes(name, error, slug))
            return None

    # --- lists and maps ------------------------------------------------------------------------------------

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(text for _, text in self.marked_words(name))

    def marked_words(self, name: str) -> list[tuple[Scalar, str]]:
        node = self.get(name)
        if node is None:
            return []
        if not isinstance(node, Items):
            inner = ", ".join(re.split(r"[,;\s]+", node.text.strip())) if isinstance(node, Scalar) else "…"
            self.wrong(name, "a list", f"{name}: [{inner}]")
            return []
        found = []
        for item in node.nodes:
            if isinstance(item, Scalar):
                found += [(item, line)] if (line := one_line(item.text)) else []
            else:
                self.findings.add("E009", item, f'each of "{name}" must be a text')
        return found

    def keys(self, name: str, known: Iterable[str], what: str) -> tuple[str, ...]:
        """A list of names that must be known (E020)."""
        known = list(known)
        found = (known_key(self.findings, node, word, known, what) for node, word in self.marked_words(name))
        return tuple(word for word in dict.fromkeys(found) if word)

    def map(self, name: str, known: Sequence[str]) -> Fields | None:
        node = self.get(name)
        if node is None:
            return None
        if not isinstance(node, Map):
            inner = quoted(node.text) if isinstance(node, Scalar) else "…"
            self.wrong(name, f"a map of {_listed(known)}", f"{name}: {{{known[0]}: {inner}}}")
            return None
        return Fields(node, self.findings, known)

    def maps(self, name: str, known: Sequence[str]) -> Iterator[Fields]:
        """A list of maps."""
        node = self.get(name)
        if node is None:
            return
        if not isinstance(node, Items):
            inner = f"{{{known[0]}: {quoted(node.text)}}}" if isinstance(node, Scalar) else "{…}"
            if isinstance(node, Map) and node.length and self._is_flow(node):
                inner = self._source(node)
            self.wrong(name, "a list", f"{name}: [{inner}]")
            return
        for item in node.nodes:
            if isinstance(item, Map):
                yield Fields(item, self.findings, known)
            else:
                inner = quoted(item.text) if isinstance(item, Scalar) else "…"
                text = f'each of "{name}" must be a map of {_listed(known)}'
                self.findings.add("E009", item, text, f"{{{known[0]}: {inner}}}")

    def _is_flow(self, node: Map) -> bool:
        return self._source(node).startswith("{")

    def _source(self, node: Placed) -> str:
        line = self.findings.lines[node.line - 1]
        return line[node.column - 1 : node.column - 1 + node.length]


_FLAGS: Mapping[str, bool] = {"": False, "yes": True, "true": True, "no": False, "false": False}


def one_line(text: str) -> str:
    """Spaces and line ends as one space each, without marks that turn the direction of text: it may reach a header."""
    return " ".join(text.translate(BIDI).split())


def quoted(text: str) -> str:
    """The text as it can stand after `name: `, in quotes where YAML needs them."""
    if _PLAIN.fullmatch(text) and text == text.strip():
        return text
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def rewritten(findings: Findings, key: Scalar, name: str) -> str:
    """The line of a key with another name, without its indentation."""
    line = findings.lines[key.line - 1]
    before = line[: key.column - 1]
    return (before + name + line[key.column - 1 + key.length :]).strip().removeprefix("- ")


def known_key(
    findings: Findings, node: Placed, word: str, known: Iterable[str], what: str, prefix: str = ""
) -> str:
    """`word` if it is known, else "" and E020 with the nearest names."""
    known = list(known)
    if word in known:
        return word
    close = near(word, known)
    hint = (
        f'; did you mean "{close[0]}"?'
        if close
        else (f"; known: {_listed(known)}" if known else "; none is known")
    )
    findings.add("E020", node, f'unknown {what} "{word[:60]}"{hint}', [prefix + name for name in close])
    return ""


def is_link(text: str) -> bool:
    """http or https, with a host, without spaces or credentials."""
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and " " not in text
        )
    except ValueError:
        return False


def told(error: WhenError) -> str:
    return f"not a date: {error.reason}" if error.code == "E010" else error.reason


def date_fixes(name: str, error: WhenError, slug: str = "") -> list[str]:
    """Lines to paste; a missing day is taken from the file's name where it begins with one."""
    if error.sessions:
        inner = ", ".join(f'{{title: "{n}", when: {text}}}' for n, text in enumerate(error.sessions, 1))
        return [f"sessions: [{inner}]"]
    return [f"{name}: {fix}".replace("YYYY-MM-DD", _slug_day(slug)) for fix in error.fixes]


def _rejoined(node: Map) -> str:
    """A map of languages whose values were cut at their commas, put together again."""
    found: dict[str, str] = {}
    for tag, (_, value) in node.entries.items():
        text = one_line(value.text) if isinstance(value, Scalar) else "…"
        if LANGUAGE.fullmatch(tag) or not found:
            found[tag] = text
        else:
            last = next(reversed(found))
            found[last] += f", {tag}" + (f": {text}" if text else "")
    return "{" + ", ".join(f"{tag}: {quoted(text)}" for tag, text in found.items()) + "}"


def _slug_day(slug: str) -> str:
    found = re.match(r"\d{4}-\d{2}-\d{2}(?=-)", slug)
    return found[0] if found else "YYYY-MM-DD"


def _first_text(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    inner = node.nodes if isinstance(node, Items) else [value for _, value in node.entries.values()]
    return next((node.text for node in inner if isinstance(node, Scalar)), "")


def _listed(words: Sequence[str] | Iterable[str], limit: int = 12) -> str:
    words = list(words)
    return ", ".join(words[:limit]) + (" …" if len(words) > limit else "")
