"""Small words that do not dangle: no-break spaces as each language wants them.

Sources: the Polish and Czech rule against one-letter words at the end of a line, the French narrow space before high
punctuation, a number that stays with its unit everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable

NBSP = "\u00a0"
NARROW = "\u202f"

# Addresses and URLs, which a no-break space would break. They begin where a word does and are bounded, so that a text
# of one endless word is read once and not once from each of its letters.
_LEFT_ALONE = re.compile(
    r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}://|(?<!\w)mailto:|(?<!\w)www\.)\S+"
    r"|(?<![^\s(<\[\"'„“])[^\s@]{1,64}@[^\s@]{1,255}"
)
# Tags, comments and what is code; everything between them is text.
_MARKUP = re.compile(r"<(code|pre|style|script)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)
_UNITS = (
    "%|‰|°C|€|EUR|USD|PLN|BGN|zł|лв|km|m|cm|mm|m²|km²|ha|kg|g|t|l|kB|MB|GB|kW|kWh|MW|h|min|s|"
    "am|pm|a\\.m\\.|p\\.m\\.|Uhr|days?|weeks?|months?|years?|hours?|minutes?|people|places|"
    "Tagen?|Tag|Wochen?|Monaten?|Monat|Jahren?|Jahr|Stunden?|Minuten?|Personen|Plätze"
)
_NUMBER_AND_UNIT = (re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?!\w))"), NBSP)
# Not a one-letter word: that one belongs to what follows it.
_NUMBER_AND_WORD = (re.compile(r"(?<=\d) (?=[^\W\d_]{2}|%)"), NBSP)


def _after_short_words(letters: str) -> tuple[re.Pattern[str], str]:
    return re.compile(rf"(?<!\w)([{letters}{letters.upper()}]) (?!\s)"), rf"\1{NBSP}"


def _before(ending: str) -> tuple[re.Pattern[str], str]:
    return re.compile(rf" (?={re.escape(ending)})"), NBSP


_RULES: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "pl": (_after_short_words("aiouwz"), _NUMBER_AND_WORD, _before("r.")),
    "cs": (_after_short_words("kosuvzai"), _NUMBER_AND_WORD, _before("r.")),
    "bg": (_before("г."), _NUMBER_AND_UNIT),
    "fr": (
        (re.compile(r"[ \u00a0]+(?=[:;!?»])"), NARROW),
        (re.compile(r"(?<=«)[ \u00a0]+"), NARROW),
        _NUMBER_AND_UNIT,
    ),
    "de": (_NUMBER_AND_UNIT,),
    "en": (_NUMBER_AND_UNIT,),
}


def typo(text: str, language: str) -> str:
    """`text` with the no-break spaces of `language`; URLs and mail addresses stay as they are.

    Text that is marked as HTML (it has `__html__`, as Jinja's Markup) keeps its tags, their attributes, code and its
    type; only its text nodes change. Unknown languages: unchanged.
    """
    rules = _RULES.get(language.lower().split("-")[0], ())
    if not rules:
        return text
    if hasattr(text, "__html__"):
        return type(text)(_between(_MARKUP, str(text), lambda node: _prose(node, rules)))
    return _prose(text, rules)


def _prose(text: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    def ruled(part: str) -> str:
        for pattern, replacement in rules:
            part = pattern.sub(replacement, part)
        return part

    return _between(_LEFT_ALONE, text, ruled)


def _between(left_alone: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """`text` with what stands between the matches changed."""
    changed: list[str] = []
    start = 0
    for found in left_alone.finditer(text):
        changed += (change(text[start : found.start()]), found[0])
        start = found.end()
    return "".join([*changed, change(text[start:])])
