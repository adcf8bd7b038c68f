"""What someone may have meant by a `when` that is not one: the refusal, with what to write instead.

Only asked after the grammar has refused, so it may be slow; every pattern here is linear and sees at most
`when.MAX_LENGTH` characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from notifier.events import when
from notifier.events.when import WhenError

_CLOCK = r"(\d{1,2})[:.](\d{2})(?::\d{2})?"
_ISO = r"(\d{4})-(\d{2})-(\d{2})"
_HOURS_ALONE = re.compile(rf"{_CLOCK}(?: ?- ?{_CLOCK})?")
_HOURS_ON_DAYS = re.compile(rf"({_ISO}) ?\.\. ?({_ISO}) (\d{{2}}:\d{{2}}) ?- ?(\d{{2}}:\d{{2}})")
_OFFSET_DATE = re.compile(rf"({_ISO}) ?(?:Z|[+-]\d{{2}}:?\d{{2}})")
_OFFSET_TIME = re.compile(
    rf"({_ISO}) (\d{{1,2}}:\d{{2}})(:\d{{2}}(?:\.\d{{1,6}})?)? ?(Z|(?:UTC ?)?[+-]\d{{2}}:?\d{{2}})"
)
_DAY_FIRST = re.compile(r"(\d{1,2})([./-]) ?(\d{1,2})[./-] ?(\d{4})(?: ?r\.| ?г\.?)?")
_YEAR_FIRST = re.compile(r"(\d{4})([./-])(\d{1,2})[./-](\d{1,2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SHORT_RANGE = re.compile(r"(\d{1,2})\.? ?(?:-|\.\.|and|to|i|do|und|bis|и|до) ?(\d{1,2})\.? ?(.+)")
_NAMED = re.compile(r"(\d{1,2})\.?(?:st|nd|rd|th)? ([^\W\d_]{3,20})\.?,? (\d{4})(?: ?r\.| ?г\.?)?")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,20})\.? (\d{1,2})(?:st|nd|rd|th)?(?: ?- ?(\d{1,2}))?,? (\d{4})")
_TAIL = re.compile(rf",? (?:(?:at|o|um|godz\.|в|от) )?{_CLOCK}(?: ?- ?{_CLOCK})?")
_WHOLE_HOURS = re.compile(r",? (?:(?:at|o|um|godz\.|в|от) )?(\d{1,2})() ?- ?(\d{1,2})()(?: ?h| Uhr| ч\.?)?")
_RANGE = re.compile(r" ?(?:\.\.|to|do|bis|до) ?| - |-(?=\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}-\d{2}-\d{2})")


def explain(text: str, zone: str) -> WhenError:
    """The refusal of `text`, which `when.tidy` gave and the grammar did not read; fixes only where one is certain."""
    if not text:
        return WhenError("E010", "write year-month-day, for instance 2020-09-08")
    if _HOURS_ALONE.fullmatch(text):
        return WhenError("E010", "the day is missing", (f"YYYY-MM-DD {text}",))
    if found := _HOURS_ON_DAYS.fullmatch(text):
        return _hours_on_days(found)
    if found := _OFFSET_DATE.fullmatch(text):
        return WhenError("E016", when.OFFSET_REASON, (found[1],))
    if found := _OFFSET_TIME.fullmatch(text):
        return _converted(found, zone)
    for cut in _cuts(text):
        if error := _meant(text[:cut], text[cut:]):
            return replace(error, fixes=_pastable(error.fixes, zone))
    return WhenError("E010", "write year-month-day, for instance 2020-09-08 or 2020-09-08 10:00-13:30")


def _pastable(fixes: tuple[str, ...], zone: str) -> tuple[str, ...]:
    """Only what the grammar reads; where it refuses a fix in turn, what it says instead."""
    kept: list[str] = []
    for fix in fixes:
        try:
            when.parse(fix, zone)
        except WhenError as error:
            kept += error.fixes
        else:
            kept.append(fix)
    return tuple(kept)


def _hours_on_days(found: re.Match[str]) -> WhenError:
    reason = "hours on several days: use `sessions`"
    try:
        first, last = when.read_date(found[1]), when.read_date(found[5])
    except WhenError as error:
        return error
    if not first < last < first + timedelta(days=14):
        return WhenError("E010", reason)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return WhenError("E010", reason, (), tuple(f"{day} {found[9]}-{found[10]}" for day in days))


def _converted(found: re.Match[str], zone: str) -> WhenError:
    try:
        day = when.read_date(found[1])
        hour, minute = (int(part) for part in found[5].split(":"))
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
    except (WhenError, ValueError):
        return WhenError("E016", when.OFFSET_REASON)
    sign = found[7].replace("UTC", "").strip()
    digits = sign.lstrip("+-Z").replace(":", "")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) if digits else timedelta(0)
    local = (local + shift if sign.startswith("-") else local - shift).astimezone(ZoneInfo(zone))
    clock = when.write_time(local.date(), local.time(), zone, local.fold)
    return WhenError("E016", when.OFFSET_REASON, (f"{local:%Y-%m-%d} {clock}",))


def _cuts(text: str) -> Iterator[int]:
    """Where the day may end and the hours begin: at the end of the text, or before a closing " 10:00-13:30"."""
    yield len(text)
    for found in re.finditer(",? ", text):
        if _TAIL.fullmatch(text, found.start()) or _WHOLE_HOURS.fullmatch(text, found.start()):
            yield found.start()


def _meant(days_text: str, tail: str) -> WhenError | None:
    hours = _hours(tail)
    if readings := _readings(days_text):
        return _refusal(readings, hours)
    parts = _RANGE.split(days_text, maxsplit=1)
    if len(parts) == 2 and (first := _readings(parts[0])) and (last := _readings(parts[1])):
        return _refusal([(a[0], b[-1]) for a, b in zip(first, last, strict=False)], hours)
    return None


def _hours(tail: str) -> str:
    found = _TAIL.fullmatch(tail) or _WHOLE_HOURS.fullmatch(tail)
    if not found:
        return ""
    clocks = [f"{int(h):02}:{m or '00'}" for h, m in ((found[1], found[2]), (found[3], found[4])) if h]
    return " " + "-".join(clocks)


_Reading = tuple[date, date]


def _refusal(readings: list[_Reading], hours: str) -> WhenError:
    fixes = tuple(dict.fromkeys(f"{a}{hours}" if a == b else f"{a}..{b}" for a, b in readings if a <= b))
    if len(fixes) > 1:
        return WhenError("E015", "can be read as " + " or ".join(fixes), fixes)
    return WhenError("E010", "write year-month-day", fixes)


def _readings(text: str) -> list[_Reading]:
    """Every (first, last) that these words can mean; more than one where day and month can change places."""
    if found := _COMPACT.fullmatch(text) or _ISO_LOOSE.fullmatch(text):
        return _real([tuple(int(part) for part in found.groups())])
    if found := _YEAR_FIRST.fullmatch(text):
        return _real([(int(found[1]), int(found[3]), int(found[4]))])
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        # A dot is written day first all over Europe; a slash or a hyphen is not, and there nobody may guess.
        orders = [(year, month, day)] if found[2] == "." else [(year, month, day), (year, day, month)]
        return _real(orders)
    if found := _NAMED.fullmatch(text):
        return _real([(int(found[3]), _month(found[2]), int(found[1]))])
    if found := _NAMED_FIRST.fullmatch(text):
        first = _real([(int(found[4]), _month(found[1]), int(found[2]))])
        last = _real([(int(found[4]), _month(found[1]), int(found[3] or found[2]))])
        return [(a[0], b[0]) for a, b in zip(first, last, strict=False)]
    if found := _SHORT_RANGE.fullmatch(text):
        first, last = (
            _readings(f"{day} {found[3]}") or _readings(f"{day}.{found[3]}") for day in found.group(1, 2)
        )
        return [(a[0], b[0]) for a, b in zip(first, last, strict=False)]
    return []


_ISO_LOOSE = re.compile(_ISO)


def _real(candidates: Sequence[tuple[int, ...]]) -> list[_Reading]:
    found = []
    for year, month, day in candidates:
        try:
            real = when.read_date(f"{year:04}-{month:02}-{day:02}")
        except WhenError:
            continue
        found.append((real, real))
    return found


def _month(name: str) -> int:
    """1-12, or 0 for a word that is no month in any language we know."""
    return next((number for known, number in _months() if known == name.casefold()), 0)


@cache
def _months() -> tuple[tuple[str, int], ...]:
    from babel import Locale  # here, because whoever writes dates as asked shall not wait for it

    names: dict[str, int] = {"sept": 9, "lipiec": 7}
    for language in ("en", "pl", "de", "bg"):
        months = Locale(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                names |= {str(name).casefold().rstrip("."): n for n, name in months[form][width].items()}
    return tuple(names.items())
