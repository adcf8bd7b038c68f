"""The `when` grammar: what a person writes for the time of a meeting, and the span it means.

    when    = days | month | timed
    days    = DATE [ ".." DATE ]                       whole days, both inclusive
    month   = YYYY-MM                                  the day is not fixed yet
    timed   = DATE " " TIME                            only the start is known; no end is invented
            | DATE " " TIME "-" TIME                   within one day
            | DATE " " TIME " .. " DATE " " TIME       across days

"–" is read as "-", "T" as a space, spaces around ".." are free. An offset is read only where the clock goes back and
a wall time comes twice: `02:30+02:00`, or `01:30 UTC-04:00` west of Greenwich, where a bare "-04:00" is an end.
Everything else is refused with a reason and with what to write instead (notifier/events/misread.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from notifier.errors import NotifierError
from notifier.events.span import Span

MAX_LENGTH = 200  # characters; what is longer is no date, and no pattern shall look at it
FIRST_YEAR, LAST_YEAR = 1970, 2200
MAX_DAYS = 366
OFFSET_REASON = "an offset in `when`: write local time and `timezone:`"

_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{2}:\d{2}"
_OFFSET = r"(?:\+\d{2}:\d{2}| ?UTC[+-]\d{2}:\d{2})"
_DAYS = re.compile(rf"({_DATE})(?: ?\.\. ?({_DATE}))?")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_TIMED = re.compile(rf"({_DATE}) ({_TIME})({_OFFSET})?(?: ?- ?({_TIME})({_OFFSET})?)?")
_ACROSS = re.compile(rf"({_DATE}) ({_TIME})({_OFFSET})? ?\.\. ?({_DATE}) ({_TIME})({_OFFSET})?")
_T = re.compile(r"(?<=\d)[Tt](?=\d)")


@dataclass
class WhenError(NotifierError):
    """A date or time that cannot be read: the code of content.md section 11, why, and what to write instead.

    `fixes` are values of `when` (several: alternatives between which only a person can choose). `sessions` holds the
    hours of each day where several days have hours, which one `when` cannot say.
    """

    code: str
    reason: str
    fixes: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__init__(f"{self.code} {self.reason}")


def parse(text: str, zone: str) -> Span:
    """The span that `text` means in `zone` (an IANA name that exists).

    Raises:
        WhenError: E010 not a date, E012 ends before it starts, E013 an hour that does not exist or comes twice,
            E015 can be read in two ways, E016 an offset where local time is meant.
    """
    written = tidy(text)
    if found := _DAYS.fullmatch(written):
        return _days(found, zone)
    if found := _TIMED.fullmatch(written):
        end = _Wall(found[1], found[4], found[5] or "") if found[4] else None
        return _timed(_Timed(_Wall(found[1], found[2], found[3] or ""), end), zone)
    if found := _ACROSS.fullmatch(written):
        end = _Wall(found[4], found[5], found[6] or "")
        return _timed(_Timed(_Wall(found[1], found[2], found[3] or ""), end), zone)
    if (found := _MONTH.fullmatch(written)) and 1 <= int(found[2]) <= 12:
        return _month(int(found[1]), int(found[2]), zone)
    from notifier.events import misread

    raise misread.explain(written, zone)


def parse_moment(text: str, zone: str) -> date | datetime:
    """A day (meant inclusively), or an instant in `zone` as an aware datetime; for deadlines and publication.

    Raises:
        WhenError: as `parse`, and E010 for a range.
    """
    span = parse(text, zone)
    if span.is_month or span.first != span.last or span.ends:
        raise WhenError("E010", "one day or one hour is wanted here", (write(_start(span)),))
    if span.begins is None:
        return span.first
    return datetime.combine(span.first, span.begins, ZoneInfo(zone)).replace(fold=span.fold_begins)


def write(span: Span) -> str:
    """The shortest text that `parse` reads as `span`.

    Raises:
        ValueError: the grammar has no words for it (an end without a start, a last day without an hour).
    """
    if span.is_month:
        return f"{span.first:%Y-%m}"
    if span.begins is None and span.ends is None:
        return f"{span.first}" if span.first == span.last else f"{span.first}..{span.last}"
    if span.begins is None or (span.ends is None and span.first != span.last):
        raise ValueError(f"no words for {span}")
    start = f"{span.first} {write_time(span.first, span.begins, span.zone, span.fold_begins)}"
    if span.ends is None:
        return start
    end = write_time(span.last, span.ends, span.zone, span.fold_ends)
    return f"{start}-{end}" if span.first == span.last else f"{start} .. {span.last} {end}"


def write_time(day: date, clock: time, zone: str, fold: int) -> str:
    """`10:00`, with the offset where the clock goes back and the hour alone would not do."""
    offsets = _offsets(day, clock, zone)
    if offsets[0] <= offsets[1]:
        return f"{clock:%H:%M}"
    return f"{clock:%H:%M}{_offset_text(offsets[fold])}"


def tidy(text: str) -> str:
    """One kind of dash, of space and of separator, so that the grammar stays small."""
    if len(text) > MAX_LENGTH:
        raise WhenError("E010", f"longer than {MAX_LENGTH} characters")
    text = text.translate({0x2013: "-", 0x2014: "-", 0x2212: "-", 0xA0: " ", 0x202F: " ", 0x2009: " "})
    return _T.sub(" ", " ".join(text.split()))


def read_date(text: str) -> date:
    """YYYY-MM-DD, in the years that this program knows.

    Raises:
        WhenError: E010, with the days that the month has.
    """
    year, month, day = (int(part) for part in text.split("-"))
    if not 1 <= month <= 12:
        raise WhenError("E010", f"there is no month {month}")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise WhenError("E010", f"the year {year} is not within {FIRST_YEAR} and {LAST_YEAR}")
    last = last_day(year, month)
    if not 1 <= day <= last.day:
        raise WhenError("E010", f"{last:%B} {year if month == 2 else ''}".rstrip() + f" has {last.day} days")
    return date(year, month, day)


def read_offset(text: str) -> timedelta:
    """`+02:00` or ` UTC-04:00` as a timedelta."""
    amount = timedelta(hours=int(text[-5:-3]), minutes=int(text[-2:]))
    return -amount if text[-6] == "-" else amount


def last_day(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _days(found: re.Match[str], zone: str) -> Span:
    first, last = _date_in(found, 1), _date_in(found, 2 if found[2] else 1)
    if last < first:
        raise WhenError("E012", "it ends before it starts", (f"{last}..{first}",))
    return _checked(Span(first, last, zone))


def _month(year: int, month: int, zone: str) -> Span:
    first = read_date(f"{year:04}-{month:02}-01")
    return Span(first, last_day(year, month), zone, is_month=True)


def _date_in(found: re.Match[str], group: int) -> date:
    """The date of a group; when it does not exist, the whole text with the month's last day is the fix."""
    try:
        return read_date(found[group])
    except WhenError as error:
        near = _nearest(found[group])
        fixes = (
            (found.string[: found.start(group)] + near + found.string[found.end(group) :],) if near else ()
        )
        raise WhenError(error.code, error.reason, fixes) from None


def _nearest(text: str) -> str:
    """The last day of the month of a date that does not exist, or nothing if the month does not exist either."""
    year, month, _ = (int(part) for part in text.split("-"))
    return f"{last_day(year, month)}" if 1 <= month <= 12 and FIRST_YEAR <= year <= LAST_YEAR else ""


@dataclass(frozen=True)
class _Wall:
    """One end of a timed span as it is written."""

    day: str
    clock: str
    offset: str = ""

    @property
    def text(self) -> str:
        return f"{self.day} {self.clock}{self.offset}"


@dataclass(frozen=True)
class _Timed:
    """Both ends as they are written; `end` is None where only the start is known."""

    start: _Wall
    end: _Wall | None

    @property
    def text(self) -> str:
        if self.end is None:
            return self.start.text
        if self.end.day == self.start.day:
            return f"{self.start.text}-{self.end.clock}{self.end.offset}"
        return f"{self.start.text} .. {self.end.text}"

    def having(self, old: _Wall, day: date | str, clock: str, offset: str = "") -> str:
        """The text with one end replaced; a fix."""
        new = _Wall(str(day), clock, offset)
        return replace(self, start=new).text if old is self.start else replace(self, end=new).text


def _timed(written: _Timed, zone: str) -> Span:
    day, clock, fold = _read_wall(written, written.start, zone)
    if written.end is None:
        return Span(day, day, zone, clock, fold_begins=fold)
    last, end, end_fold = _read_wall(written, written.end, zone)
    span = Span(day, last, zone, clock, end, fold_begins=fold, fold_ends=end_fold)
    if span.ends_at <= span.starts_at:
        raise _backwards(span)
    return _checked(span)


def _read_wall(written: _Timed, wall: _Wall, zone: str) -> tuple[date, time, int]:
    """(day, clock, fold) of one end; refuses what no clock shows, and what it shows twice without an offset."""
    try:
        day = read_date(wall.day)
    except WhenError as error:
        near = _nearest(wall.day)
        fixes = (written.having(wall, near, wall.clock, wall.offset),) if near else ()
        raise WhenError(error.code, error.reason, fixes) from None
    if wall.clock == "24:00":
        next_day = day + timedelta(days=1)
        raise WhenError("E010", "24:00 is 00:00 of the next day", (written.having(wall, next_day, "00:00"),))
    hour, minute = int(wall.clock[:2]), int(wall.clock[3:])
    if hour > 23 or minute > 59:
        raise WhenError("E010", f"there is no hour {wall.clock}")
    clock = time(hour, minute)
    before, after = _offsets(day, clock, zone)
    if wall.offset:
        return day, clock, _fold(written, wall, day, clock, zone)
    if before < after:
        raise WhenError(
            "E013",
            f"this hour does not exist that night in {zone}: the clock goes forward",
            _around_the_gap(written, wall, datetime.combine(day, clock), after - before),
        )
    if before > after:
        raise WhenError(
            "E013",
            f"this hour occurs twice that night in {zone}: the clock goes back",
            _both(written, wall, (before, after)),
        )
    return day, clock, 0


def _around_the_gap(written: _Timed, wall: _Wall, local: datetime, gap: timedelta) -> tuple[str, ...]:
    near = (local + gap, local - gap)
    return tuple(written.having(wall, moment.date(), f"{moment:%H:%M}") for moment in near)


def _both(written: _Timed, wall: _Wall, offsets: tuple[timedelta, timedelta]) -> tuple[str, ...]:
    return tuple(written.having(wall, wall.day, wall.clock, _offset_text(offset)) for offset in offsets)


def _fold(written: _Timed, wall: _Wall, day: date, clock: time, zone: str) -> int:
    """Which of two equal wall times the offset names; an offset anywhere else is refused."""
    before, after = _offsets(day, clock, zone)
    given = read_offset(wall.offset)
    if before > after and given in (before, after):
        return int(given == after)
    if before > after:
        reason = f"the offset of {zone} is never {wall.offset.strip()} that night"
        raise WhenError("E013", reason, _both(written, wall, (before, after)))
    local = (datetime.combine(day, clock, UTC) - given).astimezone(ZoneInfo(zone))
    text = write_time(local.date(), local.time(), zone, local.fold)
    raise WhenError("E016", OFFSET_REASON, (written.having(wall, local.date(), text),))


def _backwards(span: Span) -> WhenError:
    if span.ends_at == span.starts_at:
        return WhenError("E012", "it ends when it starts", (write(_start(span)),))
    if span.first == span.last:
        following = span.last + timedelta(days=1)
        later = Span(span.first, following, span.zone, span.begins, span.ends, fold_begins=span.fold_begins)
        return WhenError("E012", "it ends before it starts; does it end the next day?", (write(later),))
    swapped = Span(
        span.last, span.first, span.zone, span.ends, span.begins,
        fold_begins=span.fold_ends, fold_ends=span.fold_begins,
    )  # fmt: skip
    return WhenError("E012", "it ends before it starts", (write(swapped),))


def _checked(span: Span) -> Span:
    if span.days > MAX_DAYS:
        raise WhenError("E010", f"{span.days} days are longer than a meeting can be ({MAX_DAYS})")
    return span


def _start(span: Span) -> Span:
    return Span(span.first, span.first, span.zone, span.begins, fold_begins=span.fold_begins)


def _offsets(day: date, clock: time, zone: str) -> tuple[timedelta, timedelta]:
    """The UTC offsets of a wall time with fold 0 and 1: smaller first in a gap, larger first where it comes twice."""
    local = datetime.combine(day, clock, ZoneInfo(zone))
    return local.utcoffset() or timedelta(0), local.replace(fold=1).utcoffset() or timedelta(0)


def _offset_text(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    text = f"{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f" UTC-{text}" if minutes < 0 else f"+{text}"
