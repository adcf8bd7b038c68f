"""When something happens: the span that the `when` grammar (when.py) reads and writes.

A span is what a person wrote: whole days (both inclusive), an unfixed month, or local wall times in an IANA zone.
UTC is derived on demand and never stored alone, so a change of zone rules moves the instant and keeps the clock time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Span:
    """A stretch of days, or of local wall time, in the zone of the event."""

    first: date
    last: date  # inclusive; equal to `first` for one day
    zone: str  # IANA name
    begins: time | None = None  # None: whole days (or a month)
    ends: time | None = None  # None with `begins`: only the start is known, no end is invented
    is_month: bool = False  # only the month is fixed: `first` and `last` are its first and last day
    fold_begins: int = 0  # 1: the second of two equal wall times on the night the clock goes back
    fold_ends: int = 0

    @property
    def is_all_day(self) -> bool:
        return self.begins is None

    @property
    def days(self) -> int:
        """How many calendar days it touches, 1 or more."""
        return (self.last - self.first).days + 1

    @property
    def starts_at(self) -> datetime:
        """The first instant, in UTC; for whole days local midnight of the first day."""
        return to_utc(self.first, self.begins or time(0), self.zone, self.fold_begins)

    @property
    def ends_at(self) -> datetime:
        """The instant after which it is over, in UTC.

        Whole days: local midnight after the last day. Only a start known: the end of that day, because a reader who
        comes an hour late may still want to hear of it.
        """
        if self.begins is None or self.ends is None:
            return to_utc(self.last + timedelta(days=1), time(0), self.zone)
        return to_utc(self.last, self.ends, self.zone, self.fold_ends)


def to_utc(day: date, clock: time, zone: str, fold: int = 0) -> datetime:
    """The UTC instant of a local wall time.

    A time in the spring gap takes the offset before the gap (02:30 becomes 03:30); in the autumn fold the first
    counts unless `fold` is 1 (spec: delivery, section 2).
    """
    local = datetime.combine(day, clock, ZoneInfo(zone)).replace(fold=fold)
    return local.astimezone(UTC)
