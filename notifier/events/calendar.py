"""Event <-> iCalendar: the files that mails carry and pages offer, the feeds, and how they are read and checked.

The work is done in calendar_entry (what a reader is shown), calendar_times (which clock), calendar_lines (how it is written), vtimezone,
calendar_rules (what may leave) and calendar_reading. Only these modules know icalendar. Times follow RFC 5545;
methods follow RFC 5546: everything here is PUBLISH and names no attendee.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from notifier.events import vtimezone
from notifier.events.calendar_entry import WORDS, CalendarSettings, Entry
from notifier.events.calendar_entry import of as entry
from notifier.events.calendar_lines import opening, polling, vevent
from notifier.events.calendar_reading import load
from notifier.events.calendar_rules import validate
from notifier.events.event import Snapshot, Status, pick
from notifier.events.ics_bytes import to_bytes

__all__ = [
    "WORDS",
    "CalendarSettings",
    "Entry",
    "changed_at",
    "entry",
    "feed",
    "feed_of",
    "in_window",
    "load",
    "next_of",
    "publish",
    "validate",
    "vevent_bytes",
]

MAX_EVENTS = 10_000
DAYS_BACK = 90
MONTHS_AHEAD = 24
_GONE = (Status.CANCELLED, Status.POSTPONED)
_START_IN_ZONE = b"\nDTSTART;TZID="  # DTEND has the same zone; what is folded never begins a line


def publish(
    snapshots: Sequence[Snapshot], languages: Sequence[str], *, settings: CalendarSettings, name: str = ""
) -> bytes:
    """One calendar file with these events, for an attachment or a download; the same input gives the same bytes.

    `languages` are the reader's, in order. `name` is left out for one event: programs that import a named file
    make a new calendar for it. Empty bytes when no event has an entry yet (drafts, months without a day).

    Raises:
        ContentError: a span that no calendar can hold (see `calendar_times.as_written`).
    """
    vevents = [vevent_bytes(snapshot, languages, settings) for snapshot in _in_order(snapshots)]
    if not any(vevents):
        return b""
    return _file(opening(settings, name=name), vevents)


def feed(
    snapshots: Iterable[Snapshot],
    languages: Sequence[str],
    *,
    settings: CalendarSettings,
    now: datetime,
    name: str = "",
    source: str = "",
    visibility: Collection[str] = ("public",),
) -> bytes:
    """The feed of these events as programs poll it; it changes with a revision or at midnight UTC, never else.

    `name` takes the place of the settings' feed name, for a feed of one project or series. `source` is the feed's
    own address. Only events of these `visibility` values are in it: a public feed is read by everybody.
    """
    seen = [snapshot for snapshot in snapshots if snapshot.event.visibility in visibility]
    chosen = in_window(seen, now=now, settings=settings)
    vevents = [vevent_bytes(snapshot, languages, settings) for snapshot in chosen]
    return feed_of(vevents, languages, settings=settings, name=name, source=source)


def in_window(
    snapshots: Iterable[Snapshot], *, now: datetime, settings: CalendarSettings
) -> tuple[Snapshot, ...]:
    """What a feed shows today: 90 days back, 24 months ahead, by start; cancelled ones for `keep_cancelled`.

    Whole days in UTC, so that the bytes stay the same from midnight to midnight. Past 10,000 events the
    farthest ahead are cut.
    """
    today = now.astimezone(UTC).date()
    first, last = today - timedelta(days=DAYS_BACK), _months_after(today, MONTHS_AHEAD)

    def is_shown(snapshot: Snapshot) -> bool:
        span = snapshot.event.span
        if snapshot.event.status in _GONE and span.last + settings.keep_cancelled < today:
            return False
        return span.last >= first and span.first <= last

    return tuple(_in_order(filter(is_shown, snapshots))[:MAX_EVENTS])


def changed_at(
    snapshots: Iterable[Snapshot], *, now: datetime, settings: CalendarSettings
) -> datetime | None:
    """When a feed of these last became another one; None without events.

    That is the newest revision, or the midnight (UTC) at which the window last took one up or let one go: a client
    that asks by date only must hear of that, too.
    """
    told = list(snapshots)
    today = now.astimezone(UTC).date()
    turns = (day for snapshot in told for day in _turns(snapshot, settings) if day <= today)
    midnights = [datetime.combine(max(turns, default=date.min), time(0), UTC)]
    return max([*midnights, *(snapshot.revised_at for snapshot in told)]) if told else None


def next_of(snapshots: Iterable[Snapshot], *, now: datetime) -> Snapshot | None:
    """The first of these by start that is not over and will take place; None if there is none with a day yet."""

    def lies_ahead(snapshot: Snapshot) -> bool:
        event = snapshot.event
        is_on = not event.is_draft and event.status not in _GONE
        return is_on and not event.span.is_month and event.span.ends_at > now

    ahead = filter(lies_ahead, snapshots)
    return min(ahead, key=lambda s: (s.event.span.starts_at, s.event.uid), default=None)


def feed_of(
    vevents: Iterable[bytes],
    languages: Sequence[str],
    *,
    settings: CalendarSettings,
    name: str = "",
    source: str = "",
) -> bytes:
    """A feed from stored results of `vevent_bytes`, in the order given: a join, and the zones that they name."""
    title = name or pick(settings.feed_name, languages)[1]
    description = pick(settings.feed_description, languages)[1]
    head = opening(settings, name=title, description=description)
    return _file([*head, *polling(settings, source=source)], [vevent for vevent in vevents if vevent])


def vevent_bytes(snapshot: Snapshot, languages: Sequence[str], settings: CalendarSettings) -> bytes:
    """One VEVENT, folded, with its CRLF; empty for an event without an entry. Worth keeping per revision and language."""
    shown = entry(snapshot, languages, settings)
    return to_bytes(vevent(shown)) if shown else b""


def _file(head: list[str], vevents: Sequence[bytes]) -> bytes:
    # A calendar must hold a component (RFC 5545 3.6), so one without events holds a zone.
    zones = sorted(_zones(vevents)) if vevents else ["UTC"]
    zone_lines = [line for zone in zones for line in vtimezone.lines(zone)]
    return b"".join((to_bytes([*head, *zone_lines]), *vevents, b"END:VCALENDAR\r\n"))


def _zones(vevents: Iterable[bytes]) -> set[str]:
    """The zones in which the entries begin; those in UTC and of whole days have none."""
    found = set()
    for written in vevents:
        before = written.find(_START_IN_ZONE)
        if before >= 0:
            begin = before + len(_START_IN_ZONE)
            found.add(written[begin : written.index(b":", begin)])
    return {zone.decode() for zone in found}


def _in_order(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    return sorted(snapshots, key=lambda s: (s.event.span.first, s.event.span.begins or time(0), s.event.uid))


def _turns(snapshot: Snapshot, settings: CalendarSettings) -> tuple[date, date]:
    """The first day on which `in_window` shows it, and the first on which it does so no more."""
    span = snapshot.event.span
    back = timedelta(days=DAYS_BACK)
    if snapshot.event.status in _GONE:
        back = min(back, settings.keep_cancelled)
    enters = _months_after(span.first, -MONTHS_AHEAD)
    if _months_after(enters, MONTHS_AHEAD) < span.first:  # 29 February: there is none two years before
        enters += timedelta(days=1)
    return enters, span.last + back + timedelta(days=1)


def _months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = monthrange(years, month + 1)[1]
    return date(years, month + 1, min(day.day, length))
