"""The first sentence of a body: what stands under a title when nobody wrote a summary."""

from __future__ import annotations

import re

MAX_LENGTH = 300  # characters, as of a summary that a person writes
MAX_LOOK = 4_000  # characters of a body that are looked at

_LINK = re.compile(r"!?\[([^\[\]]{0,400})\](?:\([^()\s]{0,2000}(?: \"[^\"]{0,200}\")?\)|\[[^\[\]]{0,200}\])?")
_MARKUP = re.compile(r"\\(?=[\W_])|[*`~]+|(?<!\w)_+|_+(?!\w)|<(?=https?:|mailto:)|(?<=\S)>(?=\s|$)")
_BLOCK = re.compile(r"#|>|[-*+] |\d{1,3}[.)] |\||```|~~~|!\[|---|\*\*\*|<!--")
_END = re.compile(r"[.!?…](?=[\"”»)]{0,2} )[\"”»)]{0,2}")
# Words that end with a full stop within a sentence; single letters, numbers and Roman numbers do so too.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(„\"«])(?:[^\W\d_]|\d{1,4}|[IVX]{1,6}|ok|godz|ul|woj|prof|dr|inż|tel|tzw|tzn|np|wg|ww|nr|im|św|al|pl|r|br"
    r"|bzw|ca|Nr|Dr|Prof|Str|Tel|usw|evtl|z\.\s?B|d\.\s?h|u\.\s?a|no|vs|etc|Mr|Mrs|Ms|St|e\.g|i\.e|approx|incl"
    r"|гр|ул|бул|чл|т\.\s?н|напр|стр|тел|проф|инж|д-р)\.$"
)


def first_sentence(markdown: str) -> str:
    """The first sentence of the first paragraph as plain text, at most MAX_LENGTH characters; "" if there is none."""
    for block in re.split(r"\n[ \t]*\n", markdown[:MAX_LOOK].strip()):
        if block.strip() and not _BLOCK.match(block.strip()):
            return _cut(_sentence(plain(block)))
    return ""


def plain(markdown: str) -> str:
    """One paragraph of Markdown as one line without its marks."""
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", markdown)).split())


def _sentence(text: str) -> str:
    for found in _END.finditer(text):
        head, tail = text[: found.end()], text[found.end() :].lstrip('"”») ')
        stops = found[0].startswith(".") and _ABBREVIATION.search(head[-16:])
        if not stops and not tail[:1].islower():
            return head
    return text


def _cut(text: str) -> str:
    if len(text) <= MAX_LENGTH:
        return text
    return text[: MAX_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"
