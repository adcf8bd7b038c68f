"""Languages: which one a reader is served, its catalogue, and dates as its readers write them.

Dates follow CLDR through Babel (imported on first use: a tick with nothing due must not pay for it), months always
in full. A language is a BCP 47 tag. `en` is written as en-GB, day first, because the readers are European; who wants
the American form lists `en-US`. One English catalogue serves both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from notifier.errors import Problem, TemplateError
from notifier.events.span import Span

if TYPE_CHECKING:
    from babel import Locale
    from babel.dates import DateTimePattern
    from babel.messages.catalog import Message

shipped = ("pl", "en", "de", "bg")

_MONTH = re.compile(
    r"'[^']*'|[ML]{3,}|[ML]{1,2}\.?"
)  # a month field ("4." in cs), or a literal to be left alone
_SYNTAX = "compare with a shipped catalogue in templates/locale; `msgfmt -c FILE` names the place"
_COPY = "copy notifier.pot to this name and translate it, or take the language out of the settings"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class _Table:
    """One .po file: which form a number takes, and msgid (of plurals the singular) -> its forms."""

    form: Callable[[int], int]
    messages: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Catalogue:
    """What the page says, in one language; the msgids are the English.

    Gives plain text: what is put into HTML is escaped afterwards. English needs no file.
    """

    language: str
    tables: tuple[_Table, ...] = ()  # the organisation's first
    missing: set[str] = field(default_factory=set)  # msgids asked for and not translated, for `check`

    def text(self, msgid: str, /, **values: object) -> str:
        """The message with `{name}` replaced by `values`; the English one where it is not translated.

        Raises:
            KeyError: a placeholder has no value.
        """
        return _fill(self._find(msgid) or msgid, values)

    def count(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """The message in the form that `n` takes, `{n}` replaced by it: "2 spotkania", "5 spotkań"."""
        return _fill(self._find(singular, n) or (singular if n == 1 else plural), {"n": n, **values})

    def days_left(self, days: int) -> str:
        """`za 27 dni`, `jutro`, `dziś`; not Babel's timedelta, which rounds to "1 month".

        Raises:
            ValueError: the day is past.
        """
        if days < 0:
            raise ValueError(f"{days} days left")
        if days < 2:
            return self.text("tomorrow") if days else self.text("today")
        return self.count("in {n} day", "in {n} days", days)

    def _find(self, msgid: str, n: int | None = None) -> str:
        for table in self.tables:
            if forms := table.messages.get(msgid):
                return forms[0] if n is None or len(forms) == 1 else forms[table.form(n)]
        if not _is_english(self.language):
            self.missing.add(msgid)
        return ""


def catalogue(language: str, folders: Sequence[Path]) -> Catalogue:
    """The catalogue of `language` from `LANG.po` in each of `folders` that has one, the first folder winning.

    `de-AT` is served by `de-AT.po`, else `de.po`. Entries marked fuzzy count as missing (gettext's rule).

    Raises:
        TemplateError: no file, a file that cannot be read (E301), or placeholders that differ from those of the
            English (E304).
    """
    files = [found for folder in folders if (found := _po(folder, language))]
    if not files and not _is_english(language):
        raise TemplateError(_no_catalogue(language, folders))
    return Catalogue(language, tuple(_read(file) for file in files))


def available(folders: Sequence[Path]) -> tuple[str, ...]:
    """The languages that have a catalogue: English, and one for each .po file."""
    return tuple(sorted({"en", *(file.stem for folder in folders for file in folder.glob("*.po"))}))


def negotiate(wanted: Sequence[str], available: Iterable[str]) -> str:
    """The one of `available` that serves a reader of `wanted` (in order); the first of them if none does.

    RFC 4647 lookup: `de-AT` is served by `de`. Beyond it `en` is served by `en-GB`, but never by `de`.
    """
    there = {tag.lower(): tag for tag in available}
    for tag in wanted:
        subtags = tag.lower().split("-")
        for length in range(len(subtags), 0, -1):
            if found := there.get("-".join(subtags[:length])):
                return found
        for low, found in there.items():
            if low.split("-")[0] == subtags[0]:
                return found
    return next(iter(there.values()), "")


def date_range(span: Span, language: str, *, year: bool = True, relative_to: date | None = None) -> str:
    """`28–29 kwietnia 2020`, `28 April – 3 May 2020` (thin spaces), `listopad 2020`: without weekdays and times.

    `relative_to`, the edition's date, leaves the year out where it is the same. A span that crosses the New Year
    always says both years.
    """
    year = _shows_year(span.first, span.last, year, relative_to)
    if span.is_month:
        return _months(span, language, year)
    if span.first == span.last:
        return single_date(span.first, language, year=year)
    return _join(_day_intervals(language, year)[_differs(span)], span.first, span.last, language)


def single_date(day: date, language: str, *, year: bool = True, relative_to: date | None = None) -> str:
    """`28 kwietnia 2020`, `April 28, 2020`; `relative_to` leaves the year out where it is the same."""
    locale = locale_of(language)
    if _shows_year(day, day, year, relative_to):
        return _format(day, locale.date_formats["long"].pattern, language)
    return _format(day, _widened(_skeleton(locale, "MMMMd", "MMMd")), language)


def weekdays(span: Span, language: str) -> str:
    """`wtorek–środa`, `вторник – сряда`, `Tuesday`; empty for a month, and where a week repeats its days."""
    return _weekdays(span, language, "EEEE")


def weekday(day: date, language: str) -> str:
    """`wtorek`"""
    return _format(day, "cccc", language)


def month_heading(day: date, language: str) -> str:
    """`Kwiecień 2020`, `Април 2020`: stands alone, first letter capital."""
    heading = _format(day, "LLLL y", language)
    return heading[:1].upper() + heading[1:]


def month_after_until(day: date, language: str, *, relative_to: date | None = None) -> str:
    """`września` for "do września", `September` for "until September": the month in the case that "until" governs.

    With the year where it differs from that of `relative_to`.
    """
    year = relative_to is not None and relative_to.year != day.year
    return _format(day, "MMMM y" if year else "MMMM", language)


def short_month(day: date, language: str) -> str:
    """`kwi`, `Apr`: stands alone, without a full stop."""
    return _format(day, "LLL", language).rstrip(".")


@dataclass(frozen=True)
class Leaf:
    """The parts of a calendar leaf."""

    month: str  # "kwi"; over a month's end "kwi–maj"
    days: str  # "28", "28–29"; empty while only the month is fixed
    weekday: str  # "wt.", "wt.–śr."; empty with `days`


def leaf(span: Span, language: str) -> Leaf:
    """What stands on the small calendar leaf beside an event; dashes are closed because room is short."""
    months = [short_month(day, language) for day in (span.first, span.last)]
    days = [str(span.first.day), str(span.last.day)]
    return Leaf(
        month=months[0] if _differs(span) == "d" else "–".join(months),
        days="" if span.is_month else days[0] if span.days == 1 else "–".join(days),
        weekday=_weekdays(span, language, "EEE").replace(" – ", "–"),
    )


def time_of(span: Span, language: str, *, also: str = "") -> str:
    """`10:00 (Warszawa)`, `10:00–12:00 (Warsaw)`; empty for whole days and months.

    Over several days with weekdays: `wt. 10:00 – śr. 14:00 (Warszawa)`, because `10:00–14:00` would read as each day.
    `also`, an IANA zone, adds the same time there where its clock differs: `10:00 (Warszawa) · 09:00 (Londyn)`.
    Never abbreviations of zones: Babel has only "+0200" for some languages.
    """
    if span.begins is None:
        return ""
    here = _clock(span, span.zone, language)
    there = _clock(span, also, language) if also else here
    told = [f"{here} ({city(span.zone, language)})"]
    return " · ".join(told if there == here else [*told, f"{there} ({city(also, language)})"])


@lru_cache(maxsize=1024)
def city(zone: str, language: str) -> str:
    """The exemplar city of a zone in the page's language: `Warszawa`, `Варшава`; `UTC` for UTC."""
    from babel.dates import get_timezone_location

    return get_timezone_location(zone, locale_of(language), return_city=True)


def _fill(template: str, values: Mapping[str, object]) -> str:
    """Not str.format: that would let a catalogue reach attributes of the values."""
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)


def _is_english(language: str) -> bool:
    return language.lower().split("-")[0] == "en"


def _po(folder: Path, language: str) -> Path | None:
    for tag in (language, language.split("-")[0]):
        if (file := folder / f"{tag}.po").is_file():
            return file
    return None


def _no_catalogue(language: str, folders: Sequence[Path]) -> Problem:
    file = str(folders[0] / f"{language}.po") if folders else f"{language}.po"
    return Problem(file, 0, 0, "E301", f"there is no catalogue for the language {language!r}", _COPY)


def _read(file: Path) -> _Table:
    from gettext import c2py

    from babel.messages.pofile import PoFileError, read_po

    try:
        with file.open("rb") as raw:
            parsed = read_po(raw, locale=file.stem.replace("-", "_"), abort_invalid=True)
        form = c2py(parsed.plural_expr)
    except PoFileError as error:
        raise TemplateError(Problem(str(file), error.lineno + 1, 1, "E301", str(error), _SYNTAX)) from error
    except (ValueError, LookupError) as error:  # not UTF-8, no plural rule, an unknown charset
        raise TemplateError(Problem(str(file), 0, 0, "E301", str(error), _SYNTAX)) from error
    if any(not 0 <= form(n) < parsed.num_plurals for n in range(200)):
        raise TemplateError(Problem(str(file), 0, 0, "E301", "Plural-Forms counts beyond nplurals", _SYNTAX))
    entries = [m for m in parsed if m.id and not m.fuzzy]
    if problems := [_differing(str(file), m) for m in entries if not _agrees(m)]:
        raise TemplateError(problems)
    return _Table(form, {_forms(m.id)[0]: _forms(m.string) for m in entries if all(_forms(m.string))})


def _agrees(message: Message) -> bool:
    """Whether each form has the placeholders of the English; a form of a plural may leave out the number."""
    wanted = {name for english in _forms(message.id) for name in _PLACEHOLDER.findall(english)}
    optional = {"n"} if message.pluralizable else set()
    translated = [set(_PLACEHOLDER.findall(form)) for form in _forms(message.string) if form]
    return all(names | optional == wanted | optional for names in translated)


def _differing(file: str, message: Message) -> Problem:
    return Problem(
        file,
        message.lineno or 0,
        1,
        "E304",
        f"the placeholders of the translation differ from those of {_forms(message.id)[0]!r}",
        "copy the names in braces from msgid; do not translate them",
    )


def _forms(strings: object) -> tuple[str, ...]:
    return (
        (strings,)
        if isinstance(strings, str)
        else tuple(strings)
        if isinstance(strings, list | tuple)
        else ()
    )


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Babel's locale for a tag; `en` is en-GB.

    Raises:
        ValueError: no such language is known to CLDR.
    """
    from babel import Locale, UnknownLocaleError

    tag = "en-GB" if language.lower() == "en" else language
    for known in (tag, tag.split("-")[0]):
        try:
            return Locale.parse(known, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise ValueError(f'unknown language {language!r}; write a tag such as "pl" or "en-GB"')


def _shows_year(first: date, last: date, year: bool, relative_to: date | None) -> bool:
    if first.year != last.year:
        return True
    return year if relative_to is None else first.year != relative_to.year


def _differs(span: Span) -> str:
    """The greatest field in which the first and the last day differ, by CLDR's letter: y, M or d."""
    if span.first.year != span.last.year:
        return "y"
    return "M" if span.first.month != span.last.month else "d"


def _months(span: Span, language: str, year: bool) -> str:
    locale = locale_of(language)
    if _differs(span) == "d":
        return _format(span.first, _skeleton(locale, "yMMMM") if year else "LLLL", language)
    parts = locale.interval_formats["yMMMM" if year else "MMM"][_differs(span)]
    return _join([_widened(part) for part in parts], span.first, span.last, language)


@lru_cache(maxsize=128)
def _day_intervals(language: str, year: bool) -> dict[str, list[str]]:
    """Greatest differing field (d, M, y) -> the two halves of the pattern, months in full."""
    intervals = locale_of(language).interval_formats
    full, short = ("yMMMMd", "yMMMd") if year else ("MMMMd", "MMMd")
    # Not format_interval(…, "yMMMMd"): where CLDR lacks it (de, en) Babel abbreviates the month without a word.
    halves = intervals.get(full) or intervals[short]
    return {field: [_widened(part) for part in parts] for field, parts in halves.items()}


def _widened(pattern: str) -> str:
    """The pattern with every month in full; literals stay."""
    return _MONTH.sub(lambda found: found[0] if found[0][0] == "'" else found[0][0] * 4, str(pattern))


def _skeleton(locale: Locale, *names: str) -> str:
    return str(next(locale.datetime_skeletons[n] for n in names if n in locale.datetime_skeletons))


def _join(halves: Sequence[str], first: date, last: date, language: str) -> str:
    return "".join(_format(day, half, language) for half, day in zip(halves, (first, last), strict=True))


def _weekdays(span: Span, language: str, pattern: str) -> str:
    if span.is_month or span.days > 7:
        return ""
    days = [span.first] if span.days == 1 else [span.first, span.last]
    return _dash(language).join(_format(day, pattern, language) for day in days)


@lru_cache(maxsize=64)
def _dash(language: str) -> str:
    """The dash between two words: closed, but spaced where the language spaces even `28 – 29` (bg)."""
    return re.sub(r"[\w.\u2009]", "", locale_of(language).interval_formats["d"]["d"][0]) or "–"


def _clock(span: Span, zone: str, language: str) -> str:
    instants = [span.starts_at] if span.ends is None else [span.starts_at, span.ends_at]
    local = [instant.astimezone(ZoneInfo(zone)) for instant in instants]
    if all(moment.date() == span.first for moment in local):
        return _dash(language).join(f"{moment:%H:%M}" for moment in local)
    return " – ".join(_day_and_clock(moment, language) for moment in local)


def _day_and_clock(moment: datetime, language: str) -> str:
    return f"{_format(moment.date(), 'EEE', language)} {moment:%H:%M}"


def _format(day: date, pattern: str, language: str) -> str:
    return _parsed(pattern).apply(day, locale_of(language))


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> DateTimePattern | Any:
    from babel.dates import parse_pattern

    return parse_pattern(pattern)
