"""Markdown that editors write -> safe HTML for a mail, and its plain-text twin.

Both come from the same tokens, so both carry the same words and the same links. Headings become bold paragraphs,
because the levels of a mail's headings belong to the mail; pictures become their alternative text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from notifier.errors import ContentError, Problem

MAX_BYTES = 64_000
MAX_DEPTH = 12
COLUMNS = 72
SCHEMES = frozenset({"https", "mailto"})
TAGS = frozenset({"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "code"})

Polish = Callable[[str], str]
"""What is done to words, never to code and addresses: the no-break spaces of a language."""


def to_html(source: str, polish: Polish = str, *, file: str = "") -> str:
    """Paragraphs, lists, quotes, bold, italic, code and links; everything else of Markdown as plain words.

    Raises:
        ContentError: more than 64 kB, or nested deeper than 12.
    """
    html = _Html(polish).blocks(_tokens(source, file))
    return nh3.clean(
        html, tags=set(TAGS), attributes={"a": {"href"}}, url_schemes=set(SCHEMES), link_rel=None
    ).strip()


def to_text(source: str, polish: Polish = str, *, columns: int = COLUMNS, file: str = "") -> str:
    """Wrapped lines; each URL stands alone on a line below the paragraph that links to it.

    Raises:
        ContentError: as `to_html`.
    """
    return _Text(polish, columns).blocks(_tokens(source, file)).strip()


def _tokens(source: str, file: str) -> list[Token]:
    _refuse_large(source, file)
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_DEPTH * 2})
    tokens = parser.parse(source)
    if any(token.level > MAX_DEPTH for token in tokens):
        _refuse(file, f"lists and quotes are nested deeper than {MAX_DEPTH}", "write it flatter")
    return tokens


def _refuse_large(source: str, file: str) -> None:
    if (size := len(source.encode())) > MAX_BYTES:
        _refuse(
            file, f"the text has {size} bytes; a mail takes {MAX_BYTES}", "shorten it and link to the rest"
        )
    # Depth is counted before parsing too: the parser itself walks down once for each sign.
    for number, line in enumerate(source.splitlines(), 1):
        lead = line[: len(line) - len(line.lstrip(" \t>-*+"))]
        if sum(c in ">-*+" for c in lead) > MAX_DEPTH * 4:
            _refuse(
                file,
                f"line {number} opens more than {MAX_DEPTH * 4} lists and quotes",
                "write it flatter",
                number,
            )


def _refuse(file: str, text: str, fix: str, line: int = 0) -> None:
    raise ContentError(Problem(file, line, 0, "E022", text, fix))


def _is_safe(href: str) -> bool:
    return href.split(":", 1)[0].lower() in SCHEMES


class _Html:
    def __init__(self, polish: Polish) -> None:
        self.polish = polish

    def blocks(self, tokens: Sequence[Token]) -> str:
        return "".join(self._block(token) for token in tokens)

    def _block(self, token: Token) -> str:
        match token.type:
            case "heading_open":
                return "<p><strong>"
            case "heading_close":
                return "</strong></p>"
            case "paragraph_open" | "paragraph_close" if token.hidden:
                return ""
            case "inline":
                return self._inline(token.children or [])
            case "fence" | "code_block":
                return f"<p><code>{escape(token.content)}</code></p>"
            case _ if token.tag in TAGS:
                return f"<{'/' if token.nesting < 0 else ''}{token.tag}>"
            case _:
                return ""

    def _inline(self, tokens: Sequence[Token]) -> str:
        return "".join(self._span(token) for token in tokens)

    def _span(self, token: Token) -> str:
        match token.type:
            case "text":
                return escape(self.polish(token.content))
            case "softbreak":
                return " "
            case "hardbreak":
                return "<br>"
            case "code_inline":
                return f"<code>{escape(token.content)}</code>"
            case "image":
                return escape(self.polish(token.content))
            case "link_open":
                return f'<a href="{escape(str(token.attrGet("href") or ""))}">'
            case _ if token.tag in TAGS:
                return f"<{'/' if token.nesting < 0 else ''}{token.tag}>"
            case _:
                return ""


class _Text:
    """One pass over the tokens; `lead` is what each line of the open lists and quotes begins with."""

    def __init__(self, polish: Polish, columns: int) -> None:
        self.polish, self.columns = polish, columns

    def blocks(self, tokens: Sequence[Token]) -> str:
        lines: list[str] = []
        lists: list[int | None] = []  # open lists: the next number, None for bullets
        lead, first, tight, begins = "", "", False, False
        for token in tokens:
            match token.type:
                case "bullet_list_open":
                    begins = not lists
                    lists.append(None)
                case "ordered_list_open":
                    begins = not lists
                    lists.append(int(token.attrGet("start") or 1))
                case "bullet_list_close" | "ordered_list_close":
                    lists.pop()
                case "list_item_open":
                    number = lists[-1]
                    mark = "- " if number is None else f"{number}. "
                    lists[-1] = None if number is None else number + 1
                    first, lead = lead + mark, lead + " " * len(mark)
                case "list_item_close":
                    lead, first = lead[: -2 if lists[-1] is None else -len(f"{lists[-1] - 1}. ")], ""
                case "blockquote_open":
                    lead += "> "
                case "blockquote_close":
                    lead = lead[:-2]
                case "paragraph_open":
                    tight = token.hidden
                case "inline" | "fence" | "code_block":
                    if lines and (begins or not (tight and lists)):
                        lines.append("")
                    lines += self._paragraph(token, first or lead, lead)
                    first, tight, begins = "", False, False
                case _:
                    pass
        return "\n".join(line.rstrip() for line in lines)

    def _paragraph(self, token: Token, first: str, lead: str) -> list[str]:
        words, urls = self._words(token)
        lines: list[str] = []
        for part in words.split("\n"):
            lines += textwrap.wrap(
                part,
                self.columns,
                initial_indent=lead if lines else first,
                subsequent_indent=lead,
                break_long_words=False,
                break_on_hyphens=False,
            )
        return lines + [lead + url for url in urls]

    def _words(self, token: Token) -> tuple[str, list[str]]:
        if token.type != "inline":
            return token.content.rstrip("\n"), []
        words: list[str] = []
        urls: list[str] = []
        for child in token.children or []:
            match child.type:
                case "text" | "image":
                    words.append(self.polish(child.content))
                case "code_inline":
                    words.append(child.content)
                case "softbreak":
                    words.append(" ")
                case "hardbreak":
                    words.append("\n")
                case "link_open":
                    href = str(child.attrGet("href") or "")
                    if _is_safe(href) and href not in urls:
                        urls.append(href)
                case _:
                    pass
        # An address that is its own link text would stand twice.
        text = "".join(words)
        return text, [url for url in urls if url not in text.split()]
