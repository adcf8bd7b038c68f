"""The voice of a page: its language, its catalogue, and how it says what stands in other languages.

Everything that a template prints has passed through here: messages come from the catalogue, content in the reader's
languages carries its language where it differs, and both have the no-break spaces of the language they are in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from notifier.events.event import Texts, Type, pick
from notifier.events.span import Span
from notifier.mail import languages
from notifier.mail.languages import Catalogue
from notifier.mail.typography import typo

NBSP = "\u00a0"
_SPACE = "[ \u00a0\u2009\u202f]"


def msgid(text: str) -> str:
    """Marks a message for the catalogue where it stands away from the call that says it."""
    return text


#: How a page says that a part of it is in another language.
IN_LANGUAGE = {
    "bg": msgid("in Bulgarian"),
    "cs": msgid("in Czech"),
    "de": msgid("in German"),
    "en": msgid("in English"),
    "es": msgid("in Spanish"),
    "fr": msgid("in French"),
    "it": msgid("in Italian"),
    "pl": msgid("in Polish"),
}
TYPES = {
    Type.STUDY_VISIT: msgid("Study visit"),
    Type.VISIT: msgid("Visit"),
    Type.SEMINAR: msgid("Seminar"),
    Type.CONFERENCE: msgid("Conference"),
    Type.WORKSHOP: msgid("Workshop"),
    Type.WEBINAR: msgid("Webinar"),
}
#: Of what a headline counts; the first word of a sentence.
NUMBERS = (
    msgid("One"),
    msgid("Two"),
    msgid("Three"),
    msgid("Four"),
    msgid("Five"),
    msgid("Six"),
    msgid("Seven"),
    msgid("Eight"),
    msgid("Nine"),
    msgid("Ten"),
    msgid("Eleven"),
    msgid("Twelve"),
)
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})


class Voice:
    """What one page says, in one language, to readers of `reads` in this order."""

    def __init__(self, catalogue: Catalogue, reads: Sequence[str]) -> None:
        self.catalogue, self.reads = catalogue, tuple(reads)
        self.language = catalogue.language

    def text(self, msgid: str, /, **values: object) -> str:
        return self.polish(self.catalogue.text(msgid, **values))

    def count(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        return self.polish(self.catalogue.count(singular, plural, n, **values))

    def polish(self, text: str, language: str = "") -> str:
        return typo(text, language or self.language)

    def told(self, texts: Texts) -> dict[str, Any]:
        """A text of the content for templates: `text`, and where it is not in the page's language `lang`, `dir`,
        `note` ("po angielsku") and `mark` ("EN"); these are empty otherwise. All are empty where there is no text."""
        tag, text = pick(texts, self.reads)
        if not tag or is_same(tag, self.language):
            return {"text": self.polish(text), "lang": "", "dir": "", "note": "", "mark": ""}
        return {
            "text": self.polish(text, tag),
            "lang": tag,
            "dir": direction(tag) if direction(tag) != direction(self.language) else "",
            "note": self.in_language(tag),
            "mark": tag.split("-")[0].upper(),
        }

    def own(self, texts: Texts) -> str:
        """The text only if it is in the page's language (or in none): what may stand within a sentence of ours."""
        tag, text = pick(texts, (self.language,))
        return self.polish(text) if not tag or is_same(tag, self.language) else ""

    def any(self, texts: Texts) -> str:
        """The text in the best language there is: for names, which need no note."""
        return pick(texts, self.reads)[1]

    def in_language(self, tag: str) -> str:
        base = tag.split("-")[0]
        return self.text(IN_LANGUAGE[base]) if base in IN_LANGUAGE else base.upper()

    def dates(self, span: Span, relative_to: date | None = None) -> str:
        """The days of a span, written so that a day range stays with its month on one line."""
        return unbroken(languages.date_range(span, self.language, relative_to=relative_to))

    def day(self, day: date, relative_to: date | None = None) -> str:
        return unbroken(languages.single_date(day, self.language, relative_to=relative_to))

    def country(self, code: str) -> str:
        """The name of a country (ISO 3166) in the page's language; the code itself where CLDR has none."""
        return str(languages.locale_of(self.language).territories.get(code, code))

    def number(self, n: int) -> str:
        """ "Trzy": in words up to twelve, as the first word of a sentence about meetings."""
        return self.text(NUMBERS[n - 1]) if n <= len(NUMBERS) else str(n)


def is_same(tag: str, other: str) -> bool:
    return tag.split("-")[0].lower() == other.split("-")[0].lower()


def direction(language: str) -> str:
    return "rtl" if language.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def unbroken(dates: str) -> str:
    """`28–29 kwietnia 2020` that can only break before the year; `28 kwietnia – 3 maja` only after the dash."""
    kept = re.sub(rf"(\d\.?){_SPACE}(?=[^\W\d])", rf"\1{NBSP}", dates)
    kept = re.sub(rf"{_SPACE}–", f"{NBSP}–", kept)
    kept = re.sub(rf"(\d\.?{NBSP}?–){_SPACE}(?=\d+\.?{NBSP})", rf"\1{NBSP}", kept)
    return re.sub("[\u2009\u202f]", lambda found: NBSP if found[0] == "\u202f" else " ", kept)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words and ended by "…"."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    words = re.match(r"(.*\S)\s", cut, re.S)
    return (words[1] if words and len(words[1]) > limit // 3 else cut).rstrip(" ,;:–-·(…") + "…"
