"""Entry -> VEVENT and VCALENDAR: icalendar's property types, our order, our own folding.

icalendar writes a str value of an unknown property raw, folds inside an escape and derives zones by its own rules
(RDATE lists, `UTC+02:00`), so nothing here lets it choose: each value is typed, each text cleaned before it comes.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from icalendar import Parameters, vCalAddress, vDate, vDatetime, vInt, vText, vUri

from notifier.events.calendar_entry import CalendarSettings, Entry
from notifier.events.ics_bytes import clean, clean_line


def vevent(entry: Entry) -> list[str]:
    """The content lines of one VEVENT, unfolded."""
    return ["BEGIN:VEVENT", *_identity(entry), *_times(entry), *_words(entry), *_links(entry), "END:VEVENT"]


def opening(settings: CalendarSettings, *, name: str, description: str = "") -> list[str]:
    """The lines of a VCALENDAR before its components, BEGIN included."""
    return ["BEGIN:VCALENDAR", *_head(settings), *_title(name, description)]


def polling(settings: CalendarSettings, *, source: str) -> list[str]:
    """The lines of a feed that programs ask again and again (RFC 7986 5.7, 5.8)."""
    return [
        *([_line("SOURCE", _uri(source), VALUE="URI")] if source else []),
        _line("REFRESH-INTERVAL", clean_line(settings.refresh), VALUE="DURATION"),
        _line("X-PUBLISHED-TTL", clean_line(settings.refresh)),
        _line("X-WR-TIMEZONE", _text(clean_line(settings.timezone))),
    ]


def _head(settings: CalendarSettings) -> list[str]:
    prodid = _line("PRODID", _text(clean_line(settings.prodid)))
    return ["VERSION:2.0", prodid, "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]


def _title(name: str, description: str) -> Iterator[str]:
    if name := clean_line(name):
        yield _line("NAME", _text(name))
        yield _line("X-WR-CALNAME", _text(name))
    if description := clean(description):
        yield _line("DESCRIPTION", _text(description))
        yield _line("X-WR-CALDESC", _text(description))


def _identity(entry: Entry) -> list[str]:
    revised = _instant(entry.revised_at)
    return [
        _line("UID", _text(entry.uid)),
        _line("DTSTAMP", revised),
        _line("CREATED", _instant(entry.published_at)),
        _line("LAST-MODIFIED", revised),
        _line("SEQUENCE", _ical(vInt(entry.sequence))),
    ]


def _times(entry: Entry) -> Iterator[str]:
    span = entry.span
    if span.begins is None:
        yield _line("DTSTART", _date(span.first), VALUE="DATE")
        # Whole days end on the morning after: DTEND is exclusive (RFC 5545 3.6.1).
        yield _line("DTEND", _date(span.last + timedelta(days=1)), VALUE="DATE")
        return
    yield _time("DTSTART", span.first, span.begins, span.zone)
    if span.ends is not None:
        yield _time("DTEND", span.last, span.ends, span.zone)


def _words(entry: Entry) -> Iterator[str]:
    yield _line("SUMMARY", _text(entry.title))
    yield _line("STATUS", entry.status)
    yield _line("TRANSP", "OPAQUE" if entry.is_busy else "TRANSPARENT")
    if not entry.is_busy:
        yield _line("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
    yield _line("CLASS", "PUBLIC" if entry.is_public else "PRIVATE")
    if entry.categories:
        yield _line("CATEGORIES", ",".join(map(_text, entry.categories)))
    if entry.location:
        yield _line("LOCATION", _text(entry.location))
    if entry.geo:
        yield _line("GEO", ";".join(_degrees(value) for value in entry.geo))
    if entry.description:
        yield _line("DESCRIPTION", _text(entry.description))


def _links(entry: Entry) -> Iterator[str]:
    if entry.url:
        yield _line("URL", _uri(entry.url))
    if entry.meeting_link:
        label = {"LABEL": entry.meeting_label} if entry.meeting_label else {}
        features = ["AUDIO", "VIDEO"]
        yield _line("CONFERENCE", _uri(entry.meeting_link), VALUE="URI", FEATURE=features, **label)
    for link in entry.materials:
        kind = mimetypes.guess_type(urlsplit(link).path)[0]
        yield _line("ATTACH", _uri(link), **({"FMTTYPE": kind} if kind else {}))
    if entry.organiser_mail:
        name = {"CN": entry.organiser_name} if entry.organiser_name else {}
        yield _line("ORGANIZER", _ical(vCalAddress(f"mailto:{entry.organiser_mail}")), **name)


def _line(name: str, value: str, **parameters: str | list[str]) -> str:
    """`NAME;PARAMETERS:value`; the value is already in its iCalendar form."""
    tail = f";{Parameters(parameters).to_ical().decode()}" if parameters else ""
    return f"{name}{tail}:{value}"


def _text(text: str) -> str:
    return _ical(vText(text))


def _uri(url: str) -> str:
    return _ical(vUri(url))


def _date(day: date) -> str:
    return _ical(vDate(day))


def _instant(moment: datetime) -> str:
    return _ical(vDatetime(moment.astimezone(UTC)))


def _ical(value: Any) -> str:
    """The iCalendar form of one of icalendar's property values; some types give bytes, some text."""
    raw = value.to_ical()
    return raw.decode() if isinstance(raw, bytes) else str(raw)


def _time(name: str, day: date, clock: time, zone: str) -> str:
    moment = datetime.combine(day, clock)
    if zone == "UTC":
        return _line(name, _instant(moment.replace(tzinfo=UTC)))
    return _line(name, _ical(vDatetime(moment)), TZID=zone)


def _degrees(value: float) -> str:
    text = f"{value:.6f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
