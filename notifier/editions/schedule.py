"""When a digest is due: the schedule grammar of config.toml, due instants in UTC, and the slots they fall into.

What a person writes is local wall time; the instants are computed here and nowhere else, so that neither a server's
zone nor a clock change can move a digest or send it twice (spec: delivery, section 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from notifier.events.span import to_utc

CADENCES = ("weekly", "biweekly", "monthly")
GRAMMAR = (
    'write "Tue 07:30", "every 2 weeks on Tue at 07:30", "1st Tue at 07:30", "last Fri at 09:00" '
    'or "cron: 30 7 * * TUE"'
)
DAYS_GRAMMAR = 'write "2026-12-24" or "2026-12-24..2027-01-02"'

Days = tuple[date, date]
"""A stretch of days, both inclusive."""

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CRON_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NTH = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1}
_PATTERN = re.compile(
    r"(?:(?P<fortnight>every 2 weeks on )|(?P<nth>1st|2nd|3rd|4th|last) )?"
    r"(?P<day>[a-z]{3,9}) (?:at )?(?P<at>\d{2}:\d{2})"
)
_EVERY_DAY = frozenset(range(7))
_EVERY_MONTH = frozenset(range(1, 13))
#: Weeks are counted from this Monday as week 0; the even ones are due where every second week is.
_WEEK_ZERO = date(1970, 1, 5)


@dataclass(frozen=True)
class Schedule:
    """On which days, and at what local wall time, something is due."""

    at: time
    weekdays: frozenset[int] = _EVERY_DAY  # 0 is Monday
    every_weeks: int = 1
    nth: int = 0  # 1 to 4: that weekday of the month; -1: the last; 0: each
    month_days: frozenset[int] = frozenset()  # of cron; empty: not asked for
    months: frozenset[int] = _EVERY_MONTH

    def falls_on(self, day: date) -> bool:
        if day.month not in self.months or (day - _WEEK_ZERO).days // 7 % self.every_weeks:
            return False
        if self.month_days and day.day in self.month_days:
            # Day of month and day of week, both given, are alternatives: crontab(5).
            return True
        return day.weekday() in self.weekdays and self.nth in (0, (day.day - 1) // 7 + 1, _from_end(day))

    def due_between(
        self, since: datetime, until: datetime, zone: str, exceptions: Sequence[Days] = ()
    ) -> list[datetime]:
        """Due instants in (since, until], in UTC, oldest first; `zone` is the IANA name that the wall time is in.

        A wall time in the spring gap takes the offset before the gap (02:30 becomes 03:30); of two equal ones in
        autumn only the first counts. Nothing is due on the days of `exceptions`.
        """
        return list(self._dues(since, until, zone, exceptions))

    def _dues(
        self, since: datetime, until: datetime, zone: str, exceptions: Sequence[Days]
    ) -> Iterator[datetime]:
        for day in _days_touching(since, until, zone):
            if not self.falls_on(day) or any(first <= day <= last for first, last in exceptions):
                continue
            due = to_utc(day, self.at, zone)
            if since < due <= until:
                yield due


def parse(text: str) -> Schedule:
    """The schedule that `text` writes.

    Raises:
        ValueError: the text is none of the forms; the message says what may be written.
    """
    return _parse(" ".join(text.split()))


def parse_days(text: str) -> Days:
    """The days of an `except` entry: one date, or two with ".." between, both inclusive.

    Raises:
        ValueError: not dates, or the last is before the first; the message says what may be written.
    """
    first, dots, last = (part.strip() for part in text.partition(".."))
    try:
        days = (date.fromisoformat(first), date.fromisoformat(last if dots else first))
    except ValueError as error:
        raise ValueError(f"not a date in {text!r}; {DAYS_GRAMMAR}") from error
    if days[1] < days[0]:
        raise ValueError(f"{text!r} ends before it begins; {DAYS_GRAMMAR}")
    return days


def slot(cadence: str, due: datetime, zone: str) -> str:
    """The part of a digest's key that names its turn: 2020-W16, 2020-W15-2w or 2020-04, by the local day of `due`.

    Raises:
        ValueError: `cadence` is none of CADENCES.
    """
    day = due.astimezone(ZoneInfo(zone)).date()
    year, week, _ = day.isocalendar()
    if cadence == "weekly":
        return f"{year}-W{week:02}"
    if cadence == "biweekly":
        return f"{year}-W{week:02}-2w"
    if cadence == "monthly":
        return f"{day:%Y-%m}"
    raise ValueError(f"unknown cadence {cadence!r}; write one of {', '.join(CADENCES)}")


@lru_cache(maxsize=256)
def _parse(text: str) -> Schedule:
    if text.lower().startswith("cron:"):
        return _parse_cron(text)
    found = _PATTERN.fullmatch(text.lower())
    if not found:
        raise ValueError(f"not a schedule: {text!r}; {GRAMMAR}")
    return Schedule(
        at=_clock(found["at"], text),
        weekdays=frozenset({_weekday(found["day"], text)}),
        every_weeks=2 if found["fortnight"] else 1,
        nth=_NTH.get(found["nth"] or "", 0),
    )


def _parse_cron(text: str) -> Schedule:
    fields = text.partition(":")[2].split()
    if len(fields) != 5:
        raise ValueError(f"cron has five fields (minute hour day month weekday): {text!r}; {GRAMMAR}")
    minute, hour, month_days, months, weekdays = fields
    if not (minute.isascii() and minute.isdigit() and hour.isascii() and hour.isdigit()):
        raise ValueError(
            f"a digest is due once a day: minute and hour are one number each: {text!r}; {GRAMMAR}"
        )
    asks_month_day, asks_weekday = month_days != "*", weekdays != "*"
    return Schedule(
        at=_clock(f"{int(hour):02}:{int(minute):02}", text),
        # A day of the month alone must not be widened by "every weekday".
        weekdays=_cron_weekdays(weekdays, text) if asks_weekday or not asks_month_day else frozenset(),
        month_days=_cron_field(month_days, 1, 31, (), text) if asks_month_day else frozenset(),
        months=_cron_field(months, 1, 12, _CRON_MONTHS, text),
    )


def _cron_weekdays(field: str, text: str) -> frozenset[int]:
    """Monday is 0 here; in crontab(5) Sunday is 0 and also 7."""
    upper = re.sub(r"-(SUN|0)(?![0-9])", "-7", field.upper())
    return frozenset((number - 1) % 7 for number in _cron_field(upper, 0, 7, _CRON_DAYS, text))


def _cron_field(field: str, low: int, high: int, names: Sequence[str], text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.upper().split(","):
        span, slash, step = part.partition("/")
        first, dash, last = ("*", "", "") if span == "*" else span.partition("-")
        try:
            start = low if first == "*" else _cron_number(first, low, names)
            end = high if first == "*" or (slash and not dash) else _cron_number(last or first, low, names)
            width = int(step) if slash else 1
        except ValueError as error:
            raise ValueError(f"cron: {part!r} is not understood in {text!r}; {GRAMMAR}") from error
        if not (low <= start <= end <= high and width > 0 and bool(dash) == bool(last)):
            raise ValueError(f"cron: {part!r} is not between {low} and {high} in {text!r}; {GRAMMAR}")
        numbers.update(range(start, end + 1, width))
    return frozenset(numbers)


def _cron_number(word: str, low: int, names: Sequence[str]) -> int:
    return low + names.index(word) if word in names else int(word)


def _weekday(word: str, text: str) -> int:
    for number, name in enumerate(_NAMES):
        if word in (name, name[:3]):
            return number
    raise ValueError(f"{word!r} is no day of the week (Mon Tue Wed Thu Fri Sat Sun) in {text!r}; {GRAMMAR}")


def _clock(word: str, text: str) -> time:
    try:
        return time.fromisoformat(word)
    except ValueError as error:
        raise ValueError(f"{word!r} is no time of day (00:00 to 23:59) in {text!r}; {GRAMMAR}") from error


def _from_end(day: date) -> int:
    """-1 for the last of its weekday in the month, else a number that no schedule asks for."""
    return -1 if (day + timedelta(days=7)).month != day.month else -9


def _days_touching(since: datetime, until: datetime, zone: str) -> Iterable[date]:
    """Local days that (since, until] may touch, with one to spare on each side for shifted wall times."""
    first = since.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    last = until.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
