"""The two parts of a mail say the same: M301; and what only the text shows: M302, M305."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from functools import lru_cache

from notifier.mail import languages
from notifier.mail.finding import Finding
from notifier.mail.seen import Seen, plain

COLUMNS = 72
_URL = re.compile(r"(?:https?|webcal|mailto):[^\s<>\"]+")
_ALONE = re.compile(r"\s*(?:>\s*|- )*\S+")


def findings(
    seen: Seen, text: str, *, language: str, titles: Collection[tuple[str, str]], sent_on: date | None
) -> Iterator[Finding]:
    """What differs between the HTML and its text twin, lines that are too long, weekdays that are wrong."""
    joined = unwrapped(text)
    yield from _same({link.url for link in seen.links}, urls(text), "the link")
    yield from _same(dates(seen.text, language), dates(joined, language), "the date")
    there = {title for _, given in titles if (title := plain(given).replace("\n", " "))}
    in_html, in_text = seen.text.replace("\n", " "), joined.replace("\n", " ")
    yield from _same({t for t in there if t in in_html}, {t for t in there if t in in_text}, "the event")
    for line in text.split("\n"):
        if len(line) > COLUMNS and not _ALONE.fullmatch(line):
            yield Finding(
                "M302",
                f'a line of the text has {len(line)} characters: "{line[:40]}…"',
                f"wrap it at {COLUMNS}: {{{{ …|wrap }}}}",
            )
    if sent_on:
        yield from _weekdays(joined, language, sent_on)


def urls(text: str) -> set[str]:
    """The links of a plain text."""
    return {found.rstrip(".,;:!?)]") for found in _URL.findall(text)}


def unwrapped(text: str) -> str:
    """Paragraphs of a wrapped text, one a line."""
    return "\n".join(plain(part.replace("\n", " ")) for part in re.split(r"\n[ \t]*\n", text))


def dates(text: str, language: str) -> set[str]:
    """The days named in `text` with a month in words, as "28 4"; of a range both ends."""
    names = _months(language)
    found = set()
    for first, last, month in _days(language).findall(text):
        found |= {f"{int(day)} {names[month.lower()]}" for day in (first, last) if day}
    for month, first, last in _month_first(language).findall(text):
        found |= {f"{int(day)} {names[month.lower()]}" for day in (first, last) if day}
    return found


def _same(in_html: set[str], in_text: set[str], what: str) -> Iterator[Finding]:
    for one, here, there in ((in_html - in_text, "HTML", "text"), (in_text - in_html, "text", "HTML")):
        for thing in sorted(one):
            shown = thing[:80] if what != "the date" else _shown(thing)
            yield Finding(
                "M301",
                f'{what} "{shown}" stands in the {here} and not in the {there}',
                "say the same in both templates",
            )


def _shown(day: str) -> str:
    number, _, month = day.partition(" ")
    return f"{number} of month {month}"


def _weekdays(text: str, language: str, sent_on: date) -> Iterator[Finding]:
    """M305. A date without a year is the one nearest to the day of sending."""
    for found in _named_days(language).finditer(text):
        said, number = found["weekday"].lower(), int(found["day"])
        day = _nearest(number, _months(language)[found["month"].lower()], found["year"], sent_on)
        if day and said not in _weekday_names(language)[day.weekday()]:
            right = languages.weekday(day, language)
            yield Finding(
                "M305", f'"{plain(found[0])}" is a {right}', "correct the weekday or the date", "warning"
            )


def _nearest(day: int, month: int, year: str | None, sent_on: date) -> date | None:
    years = [int(year)] if year else [sent_on.year - 1, sent_on.year, sent_on.year + 1]
    possible = []
    for candidate in years:
        try:
            possible.append(date(candidate, month, day))
        except ValueError:
            continue
    return min(possible, key=lambda found: abs(found - sent_on), default=None)


@lru_cache(maxsize=32)
def _months(language: str) -> dict[str, int]:
    locale = languages.locale_of(language)
    forms = (locale.months["format"]["wide"], locale.months["stand-alone"]["wide"])
    return {str(name).lower(): number for form in forms for number, name in form.items()}


@lru_cache(maxsize=32)
def _weekday_names(language: str) -> tuple[frozenset[str], ...]:
    """Monday first."""
    locale = languages.locale_of(language)
    forms = (locale.days["format"]["wide"], locale.days["stand-alone"]["wide"])
    return tuple(frozenset(str(form[number]).lower() for form in forms) for number in range(7))


def _any(names: Collection[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@lru_cache(maxsize=32)
def _days(language: str) -> re.Pattern[str]:
    """`28`, `28–29`, `28.–29.` before a month."""
    return re.compile(rf"(?:\b(\d{{1,2}})\.? ?– ?)?\b(\d{{1,2}})\.? ({_any(_months(language))})\b", re.I)


@lru_cache(maxsize=32)
def _month_first(language: str) -> re.Pattern[str]:
    """`April 28`, `April 28 – 29` (en-US); nothing elsewhere."""
    if not str(languages.locale_of(language).date_formats["long"].pattern).startswith("MMMM"):
        return re.compile(r"(?!)()()()")
    return re.compile(rf"\b({_any(_months(language))}) (\d{{1,2}})(?: ?– ?(\d{{1,2}}))?\b", re.I)


@lru_cache(maxsize=32)
def _named_days(language: str) -> re.Pattern[str]:
    """`wtorek, 28 kwietnia`, `wtorek–środa, 28–29 kwietnia 2020`, `Dienstag, den 28. April`."""
    names = _any([name for names in _weekday_names(language) for name in names])
    return re.compile(
        rf"\b(?P<weekday>{names})(?: ?– ?(?:{names}))?,? (?:den |the )?(?P<day>\d{{1,2}})\.?(?: ?– ?\d{{1,2}}\.?)? "
        rf"(?P<month>{_any(_months(language))})\b(?: (?P<year>\d{{4}}))?",
        re.I,
    )
