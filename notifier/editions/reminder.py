"""The reminder: one notice each `before` of config.toml, ahead of an event that is still to begin.

Whole days are reminded at a set hour of the organisation, where most readers live; an event with hours is reminded by
its own clock, because its quiet hours and its start are told in its own zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from notifier.config import Config
from notifier.editions.base import Edition, Kind, duration, mention, prepare_at, reminder_key
from notifier.editions.scope import known_at, newsletters_of, takes_place
from notifier.events.event import Event, Snapshot
from notifier.events.span import to_utc

QUIET_GRAMMAR = 'write "20:00-07:00", or "" for none'
AT_GRAMMAR = 'write a time of day such as "07:30"'
_DAY = timedelta(days=1)

Quiet = tuple[time, time]
"""From, to: local times between which nobody is written to; it may span midnight."""


def plan(
    snapshots: Sequence[Snapshot], since: datetime, until: datetime, settings: Config
) -> Iterator[Edition]:
    """All reminders, also the farther of two that are due together: `catch_up` keeps the nearest.

    None for an event whose day is not fixed or that does not take place, and none at an instant at which it was not
    yet known or had begun.
    """
    rules = settings.editions.reminder
    for snapshot in snapshots:
        event = snapshot.event
        if event.span.is_month or not takes_place(event) or event.span.starts_at <= since:
            continue
        for before in rules.before:
            due = due_at(event, before, settings)
            asked = prepare_at(rules, due - settings.editions.digest.prepare)
            if due <= since or (asked or due) > until:
                continue
            newsletters = newsletters_of(event, settings)
            if newsletters and known_at(snapshot) <= due < event.span.starts_at:
                yield Edition(
                    key=reminder_key(event, before),
                    kind=Kind.REMINDER,
                    newsletter=newsletters[0].name,
                    due=due,
                    useful_until=_useful_until(event, due, settings),
                    mentions=(mention(snapshot),),
                    prepare_at=asked,
                    offset=duration(before),
                    mode=rules.mode,
                )


def _useful_until(event: Event, due: datetime, settings: Config) -> datetime:
    """Until the event begins, or a nearer reminder says it with more point: no reader gets the farther one after it."""
    nearer = (due_at(event, before, settings) for before in settings.editions.reminder.before)
    return min([event.span.starts_at, *(other for other in nearer if other > due)])


def due_at(event: Event, before: timedelta, settings: Config) -> datetime:
    """When the reminder `before` the event is due (UTC).

    Whole days: that many days before the first (parts of a day count as one), at `at` in the organisation's zone.
    With hours: that long before the start, moved out of the quiet hours of the event's zone.
    """
    rules = settings.editions.reminder
    if event.span.is_all_day:
        day = event.span.first - timedelta(days=-(-before // _DAY))
        return to_utc(day, parse_at(rules.at), settings.organisation.timezone)
    instant = event.span.starts_at - before
    quiet = parse_quiet_hours(rules.quiet_hours)
    return instant if quiet is None else _outside(quiet, instant, event.span.starts_at, event.span.zone)


def parse_at(text: str) -> time:
    """A time of day.

    Raises:
        ValueError: it is none; the message says what may be written.
    """
    try:
        if not re.fullmatch(r"\d{2}:\d{2}", text):
            raise ValueError
        return time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"not a time of day: {text!r}; {AT_GRAMMAR}") from error


@lru_cache(maxsize=16)
def parse_quiet_hours(text: str) -> Quiet | None:
    """The quiet hours, or None where there are none.

    Raises:
        ValueError: not two times of day; the message says what may be written.
    """
    if not text.strip():
        return None
    first, _, last = text.replace("–", "-").partition("-")
    try:
        quiet = parse_at(first.strip()), parse_at(last.strip())
    except ValueError as error:
        raise ValueError(f"not quiet hours: {text!r}; {QUIET_GRAMMAR}") from error
    return None if quiet[0] == quiet[1] else quiet


def _outside(quiet: Quiet, instant: datetime, start: datetime, zone: str) -> datetime:
    """`instant`, or the end of the quiet hours around it; their begin if that end would pass the start."""
    first, last = quiet
    local = instant.astimezone(ZoneInfo(zone))
    day, clock = local.date(), local.time()
    # The very minute in which quiet begins is the last one that may still be used.
    is_quiet = first < clock < last if first < last else clock > first or clock < last
    if not is_quiet:
        return instant
    is_before_midnight = first > last and clock > first
    later = to_utc(day + _DAY if is_before_midnight else day, last, zone)
    if later < start:
        return later
    return to_utc(day if is_before_midnight or first < last else day - _DAY, first, zone)
