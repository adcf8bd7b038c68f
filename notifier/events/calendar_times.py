"""How a span stands in a calendar file: whole days, local times of a zone that can be told, or UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
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

    Not so for zones without a rule that holds from a year before to two years after the span, nor for an hour that
    the night of a clock change has twice or not at all: of two, RFC 5545 3.3.5 means the first and ical.js, and so
    Thunderbird, takes the second.
    """
    # A name without "/" (UTC, CET, EST5EDT) is no place; programs do not look for it in their own zone data.
    if "/" not in span.zone or not vtimezone.holds(span.zone, span.first.year - 1, span.last.year + 2):
        return False
    clocks = [(span.first, span.begins), (span.last, span.ends)]
    return all(
        _is_clear(datetime.combine(day, clock), span.zone) for day, clock in clocks if clock is not None
    )


def _is_clear(local: datetime, zone: str) -> bool:
    """Whether a wall time is there exactly once: in a fold and in a gap its two readings differ (PEP 495)."""
    first = local.replace(tzinfo=ZoneInfo(zone))
    return first.utcoffset() == first.replace(fold=1).utcoffset()


def _in_utc(span: Span) -> Span:
    start, end = span.starts_at, span.ends_at if span.ends else span.starts_at
    return Span(start.date(), end.date(), "UTC", start.time(), end.time() if span.ends else None)
