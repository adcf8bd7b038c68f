"""VTIMEZONE from the rule that ends a zone's TZif file (RFC 8536 3.3), and whether that rule may be trusted.

Calendar programs read one yearly rule best: Outlook ignores RDATE lists, and generators that write them get the
spring onset an hour late. So a zone is written from its POSIX rule, or, where that rule does not tell what
`zoneinfo` tells for the years around an event, not at all: the times then go out in UTC.

The rule comes from the `tzdata` package. Start the process with PYTHONTZPATH='' so that `zoneinfo` reads the same
package and not the machine's files; otherwise an edition that differs shows as a zone that cannot be trusted.
"""

from __future__ import annotations

import calendar as months
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_NAME = r"(<[A-Za-z0-9+-]+>|[A-Za-z]{3,})"
_TIME = r"[+-]?\d{1,3}(?::\d{2}(?::\d{2})?)?"
_RULE = rf"M(\d{{1,2}})\.([1-5])\.([0-6])(?:/({_TIME}))?"
_FOOTER = re.compile(rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,{_RULE},{_RULE})?")
_EPOCH = 1970


@dataclass(frozen=True)
class Onset:
    """When the clock changes each year: the nth weekday of a month and the wall time, seconds after midnight."""

    month: int
    week: int  # 1-5; 5 is the last
    weekday: int  # 0 is Sunday
    seconds: int  # may be negative or more than a day: the change then falls on another day

    def wall(self, year: int) -> datetime:
        """The wall clock at the change, as read before it."""
        first = date(year, self.month, 1)
        ahead = (self.weekday - first.isoweekday()) % 7
        day = first + timedelta(days=ahead + 7 * (self.week - 1))
        if day.month != self.month:
            day -= timedelta(days=7)
        return datetime.combine(day, time(0)) + timedelta(seconds=self.seconds)

    def rrule(self) -> str | None:
        """The yearly RRULE; None where none can be written.

        A time outside 0-24 h moves the weekday, so the seven days on which it may fall are listed. A last weekday
        that moves over the end of its month (Africa/Cairo: the day after the last Thursday) has no such list.
        """
        moved = self.seconds // 86400
        if not moved:
            nth = -1 if self.week == 5 else self.week
            return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={nth}{_DAYS[self.weekday]}"
        length = months.monthrange(2001, self.month)[1]
        first = (length - 6 if self.week == 5 else 7 * self.week - 6) + moved
        if first < 1 or first + 6 > length or (self.week == 5 and self.month == 2):
            return None
        days = ",".join(str(day) for day in range(first, first + 7))
        weekday = _DAYS[(self.weekday + moved) % 7]
        return f"FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={days};BYDAY={weekday}"


@dataclass(frozen=True)
class Rule:
    """The offsets of a zone, in seconds east of UTC, for every year from now on."""

    name: str
    offset: int
    other_name: str = ""
    other_offset: int = 0
    begins: Onset | None = None  # of the other offset, read in `offset`
    ends: Onset | None = None  # read in `other_offset`

    def changes(self, year: int) -> tuple[datetime, datetime] | None:
        """When the other offset begins and ends in a year, UTC without tzinfo; None without changes."""
        if not self.begins or not self.ends:
            return None
        return (
            self.begins.wall(year) - timedelta(seconds=self.offset),
            self.ends.wall(year) - timedelta(seconds=self.other_offset),
        )


def lines(zone: str) -> tuple[str, ...]:
    """The content lines of a zone's VTIMEZONE, unfolded; empty where no rule can be written.

    Times are wall clock in TZOFFSETFROM (RFC 5545 3.6.5): in Warsaw spring comes at 02:00 and autumn at 03:00.
    """
    rule = rule_of(zone)
    if rule is None:
        return ()
    return ("BEGIN:VTIMEZONE", f"TZID:{zone}", *_observances(rule), "END:VTIMEZONE")


@lru_cache(maxsize=512)
def holds(zone: str, first_year: int, last_year: int) -> bool:
    """Whether a VTIMEZONE can be written that agrees with `zoneinfo` over these whole years.

    Every day is compared, and both sides of every change that the rule names.
    """
    rule = rule_of(zone)
    if rule is None:
        return False
    changes = {year: rule.changes(year) for year in range(first_year - 1, last_year + 2)}
    truth = ZoneInfo(zone)

    def agrees(moment: datetime) -> bool:
        said = truth.utcoffset(moment.replace(tzinfo=UTC).astimezone(truth))
        return said == timedelta(seconds=_offset(rule, moment, changes[moment.year]))

    begin, end = datetime(first_year, 1, 1), datetime(last_year + 1, 1, 1)  # noqa: DTZ001 (UTC throughout)
    named = [change for pair in changes.values() if pair for change in pair if begin < change < end]
    sides = [side for change in named for side in (change - timedelta(seconds=1), change)]
    days = (begin + timedelta(days=n) for n in range((end - begin).days))
    return all(agrees(moment) for moment in (*sides, *days))


@lru_cache(maxsize=512)
def rule_of(zone: str) -> Rule | None:
    """The rule at the end of the zone's TZif file; None where it has none that VTIMEZONE can say.

    Raises:
        LookupError: no such zone in the `tzdata` package.
    """
    found = _FOOTER.fullmatch(_footer(zone))
    if not found:
        return None
    name, offset, other, other_offset, *onsets = found.groups()
    east = -_seconds(offset)
    if other is None:
        return Rule(name.strip("<>"), east)
    begins, ends = _onset(onsets[:4]), _onset(onsets[4:])
    if begins.rrule() is None or ends.rrule() is None:
        return None
    other_east = -_seconds(other_offset) if other_offset else east + 3600
    return Rule(name.strip("<>"), east, other.strip("<>"), other_east, begins, ends)


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """All names that the `tzdata` package knows."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


def _footer(zone: str) -> str:
    if zone not in zones():  # also what keeps a name such as ../../etc from becoming a path
        raise LookupError(f"no time zone {zone!r} in tzdata")
    raw = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    return raw.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")


def _onset(parts: list[str]) -> Onset:
    month, week, weekday, clock = parts
    return Onset(int(month), int(week), int(weekday), _seconds(clock or "2"))


def _seconds(text: str) -> int:
    """`-3:30` as -12600. POSIX counts offsets west of UTC; the caller turns the sign."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = [*(int(part) for part in text.lstrip("+-").split(":")), 0, 0][:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)


def _offset(rule: Rule, moment: datetime, changes: tuple[datetime, datetime] | None) -> int:
    if changes is None:
        return rule.offset
    begins, ends = changes
    is_other = begins <= moment < ends if begins < ends else not ends <= moment < begins
    return rule.other_offset if is_other else rule.offset


def _observances(rule: Rule) -> list[str]:
    if rule.begins is None or rule.ends is None:
        return _observance("STANDARD", rule.name, rule.offset, rule.offset, None)
    # Ireland's winter time is its "other" one, an hour back: DAYLIGHT is whichever is further east.
    kinds = ("DAYLIGHT", "STANDARD") if rule.other_offset > rule.offset else ("STANDARD", "DAYLIGHT")
    return [
        *_observance(kinds[0], rule.other_name, rule.offset, rule.other_offset, rule.begins),
        *_observance(kinds[1], rule.name, rule.other_offset, rule.offset, rule.ends),
    ]


def _observance(kind: str, name: str, before: int, after: int, onset: Onset | None) -> list[str]:
    start = onset.wall(_EPOCH) if onset else datetime(_EPOCH, 1, 1)  # noqa: DTZ001 (wall clock)
    rrule = onset.rrule() if onset else None
    return [
        f"BEGIN:{kind}",
        f"TZNAME:{name}",
        f"TZOFFSETFROM:{_utc_offset(before)}",
        f"TZOFFSETTO:{_utc_offset(after)}",
        f"DTSTART:{start:%Y%m%dT%H%M%S}",
        *([f"RRULE:{rrule}"] if rrule else []),
        f"END:{kind}",
    ]


def _utc_offset(seconds: int) -> str:
    sign, rest = "-" if seconds < 0 else "+", abs(seconds)
    return f"{sign}{rest // 3600:02}{rest // 60 % 60:02}" + (f"{rest % 60:02}" if rest % 60 else "")
