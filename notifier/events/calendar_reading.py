"""Calendar bytes -> entries: enough to read back what we write.

Foreign files come through `sources`, behind limits; here a file that is not understood is refused as a whole.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from icalendar import Calendar

from notifier.errors import Problem, SourceError
from notifier.events.calendar_entry import Entry
from notifier.events.span import Span


def load(raw: bytes) -> list[Entry]:
    """The entries of one calendar file, in its order.

    Times in UTC come back in the zone UTC, whole days likewise: a file does not say where a day is spent.

    Raises:
        SourceError: not a calendar, or an entry with a value that cannot be read.
    """
    try:
        calendars = Calendar.from_ical(raw, multiple=True)
        if not calendars:
            raise ValueError("no VCALENDAR in it")
        return [_entry(event) for calendar in calendars for event in calendar.walk("VEVENT")]
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise SourceError(Problem("calendar", 0, 0, "E406", f"not readable as iCalendar: {error}")) from error


def _entry(event: Any) -> Entry:  # a Component: its union of all property types says less than a KeyError
    for name, problem in event.errors:
        raise ValueError(f"{event.get('UID', 'an event without UID')}: {name}: {problem}")
    organiser, conference = event.get("ORGANIZER"), event.get("CONFERENCE")
    categories = event.get("CATEGORIES")
    geo = event.get("GEO")
    return Entry(
        uid=str(event["UID"]),
        revised_at=event["DTSTAMP"].dt.astimezone(UTC),
        published_at=(event.get("CREATED") or event["DTSTAMP"]).dt.astimezone(UTC),
        sequence=int(event.get("SEQUENCE", 0)),
        span=_span(event["DTSTART"], event.get("DTEND")),
        title=str(event.get("SUMMARY", "")),
        status=str(event.get("STATUS", "CONFIRMED")),
        is_busy=event.get("TRANSP", "OPAQUE") == "OPAQUE",
        is_public=event.get("CLASS", "PUBLIC") == "PUBLIC",
        description=str(event.get("DESCRIPTION", "")),
        location=str(event.get("LOCATION", "")),
        geo=(geo.latitude, geo.longitude) if geo else None,
        url=str(event.get("URL", "")),
        organiser_name=str(organiser.params.get("CN", "")) if organiser else "",
        organiser_mail=str(organiser).removeprefix("mailto:") if organiser else "",
        categories=tuple(map(str, categories.cats)) if categories else (),
        materials=tuple(map(str, _all(event, "ATTACH"))),
        meeting_link=str(conference) if conference else "",
        meeting_label=str(conference.params.get("LABEL", "")) if conference else "",
    )


def _all(event: Any, name: str) -> list[Any]:
    value = event.get(name, [])
    return value if isinstance(value, list) else [value]


def _span(start: Any, end: Any) -> Span:
    if not isinstance(start.dt, datetime):
        first: date = start.dt
        last = end.dt - timedelta(days=1) if end else first
        return Span(first=first, last=last, zone="UTC")
    zone = str(start.params.get("TZID", "UTC"))
    begins, ends = _wall(start.dt), _wall(end.dt) if end else None
    last = ends.date() if ends else begins.date()
    return Span(begins.date(), last, zone, begins.time(), ends.time() if ends else None)


def _wall(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return datetime.combine(moment.date(), time(moment.hour, moment.minute, moment.second))
