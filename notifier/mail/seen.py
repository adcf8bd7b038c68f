"""A page's HTML as its reader meets it: elements with their styles, runs of text, links. What the lint looks at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser

#: Elements that end a line of text.
BLOCKS = frozenset(
    (
        "address",
        "article",
        "blockquote",
        "body",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "header",
        "hr",
        "li",
        "ol",
    )
    + ("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "section", "table", "td", "th", "tr", "ul")
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_UNREAD = frozenset({"head", "script", "style", "title"})
_UNSEEN = re.compile("[\u00ad\u034f\u200b-\u200f\u2060\ufeff]")
_SPACES = re.compile("[ \t\r\n\u00a0\u2009\u202f]+")


@dataclass(frozen=True)
class Element:
    """One element; what is inherited (language, being hidden) is worked out."""

    tag: str
    attributes: Mapping[str, str]
    parent: Element | None
    language: str
    is_hidden: bool  # from sight or from screen readers; its text is no part of what is read

    @cached_property
    def style(self) -> dict[str, str]:
        """Properties of the style attribute, the last of each."""
        pairs = (d.partition(":") for d in self.attributes.get("style", "").split(";"))
        return {name.strip().lower(): value.strip() for name, _, value in pairs if value}

    @cached_property
    def classes(self) -> frozenset[str]:
        return frozenset(self.attributes.get("class", "").split())

    @property
    def name(self) -> str:
        """How a person finds it in a template: `p.quiet`."""
        return ".".join([self.tag, *self.attributes.get("class", "").split()])


@dataclass(frozen=True)
class Link:
    url: str
    label: str  # accessible name


@dataclass(frozen=True)
class Seen:
    """All of one page."""

    elements: tuple[Element, ...]
    runs: tuple[tuple[str, Element], ...]  # in reading order; "\n" between blocks
    links: tuple[Link, ...]
    css: str  # of the style blocks that stay

    @cached_property
    def text(self) -> str:
        """What is read, a line for each block."""
        return plain("".join(text for text, element in self.runs if not element.is_hidden))

    def text_in(self, language: str) -> str:
        """What is read and marked as being in `language`."""
        same = (t if is_language(e.language, language) else "\n" for t, e in self.runs if not e.is_hidden)
        return plain("".join(same))


def read(html: str) -> Seen:
    """The page `html`, which is whole: holes are filled with something, every element is closed."""
    walk = _Walk()
    walk.feed(html)
    walk.close()
    return Seen(tuple(walk.elements), tuple(walk.runs), tuple(walk.links), "\n".join(walk.css))


def plain(text: str) -> str:
    """Ordinary spaces, nothing invisible; lines stay lines."""
    lines = (_SPACES.sub(" ", _UNSEEN.sub("", line)).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def is_language(tag: str, other: str) -> bool:
    return tag.split("-")[0].lower() == other.split("-")[0].lower()


class _Walk(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.runs: list[tuple[str, Element]] = []
        self.links: list[Link] = []
        self.css: list[str] = []
        self._open: list[Element] = []
        self._links: list[int] = []  # of open links: the runs before them

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self._open[-1] if self._open else None
        attributes = {name: value or "" for name, value in attrs}
        is_hidden = (
            tag in _UNREAD
            or attributes.get("aria-hidden") == "true"
            or "display:none" in attributes.get("style", "").replace(" ", "")
        )
        language = attributes.get("lang") or (parent.language if parent else "")
        element = Element(
            tag, attributes, parent, language, is_hidden or (parent is not None and parent.is_hidden)
        )
        self.elements.append(element)
        if tag in BLOCKS:
            self.runs.append(("\n", element))
        if tag not in _VOID:
            self._open.append(element)
        if tag == "a":
            self._links.append(len(self.runs))

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1:] and self._open[-1].tag != tag and all(e.tag != tag for e in self._open):
            return  # closes nothing, as in a browser
        while (element := self._open.pop()).tag != tag:
            pass
        if tag in BLOCKS:
            self.runs.append(("\n", element))
        if tag == "a":
            said = "".join(text for text, _ in self.runs[self._links.pop() :])
            label = plain(element.attributes.get("aria-label", "")) or plain(said)
            self.links.append(Link(element.attributes.get("href", ""), label.replace("\n", " ")))

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        if self._open[-1].tag == "style":
            self.css.append(data)
        else:
            # A line break in the source is a space to the reader.
            self.runs.append((data.replace("\n", " "), self._open[-1]))
