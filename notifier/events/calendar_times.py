"""How a span stands in a calendar file: whole days, local times of a zone that can be told, or UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from notifier.errors import ContentError, Problem
from notifier.events import vtimezone
from notifier.events.span import Span


def as_written(span: Span, subject: str) -> Span:
    """The same span as a calendar file can say it; `subject` names the event in a refusal.

    Whole days have no zone there and come in UTC. Timed spans keep their zone, or come in UTC where local times
    would be read as another instant (see `is_local`). An end that equals the start is left out: DTEND = DTSTART
    is not allowed, and an entry without DTEND takes no time (RFC 5545 3.6.1).

    Raises:
        ContentError: the span ends before it starts, or its zone is unknown; a guess would be in every calendar.
    """
    if span.zone not in vtimezone.zones():
        raise ContentError(Problem(subject, 0, 0, "E014", f"unknown zone {span.zone!r}", subject=subject))
    ends_early = span.begins and span.ends and span.ends_at < span.starts_at
    if span.last < span.first or ends_early:
        raise ContentError(Problem(subject, 0, 0, "E012", "ends before it starts", subject=subject))
    if span.begins is None:
        return Span(first=span.first, last=span.last, zone="UTC")
    if span.ends is None or span.ends_at == span.starts_at:
        span = replace(span, last=span.first, ends=None)
    return replace(span, fold_begins=0, fold_ends=0) if is_local(span) else _in_utc(span)


def is_local(span: Span) -> bool:
    """Whether its wall times can be written with their zone.

    Not so for zones without a rule that holds from a year before to two years after the span, and for wall times
    that are not one clear instant: a local time that exists twice always means the first (RFC 5545 3.3.5).
    """
    # A name without "/" (UTC, CET, EST5EDT) is no place; programs do not look for it in their own zone data.
    if "/" not in span.zone or not vtimezone.holds(span.zone, span.first.year - 1, span.last.year + 2):
        return False
    zone = ZoneInfo(span.zone)
    clocks = [(span.starts_at, span.first, span.begins), (span.ends_at, span.last, span.ends)]
    return all(_is_clear(at.astimezone(zone), day, clock) for at, day, clock in clocks if clock is not None)


def _is_clear(local: datetime, day: date, clock: time) -> bool:
    return not local.fold and local.replace(tzinfo=None) == datetime.combine(day, clock)


def _in_utc(span: Span) -> Span:
    start, end = span.starts_at, span.ends_at if span.ends else span.starts_at
    return Span(start.date(), end.date(), "UTC", start.time(), end.time() if span.ends else None)
