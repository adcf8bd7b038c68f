"""Entry -> VEVENT and VCALENDAR: icalendar's parameters, our values, our order, our own folding.

icalendar writes a str value of an unknown property raw, folds inside an escape and derives zones by its own rules
(RDATE lists, `UTC+02:00`), so nothing here lets it choose: each value has its form, each text is cleaned before it
comes. Its property types would write the same (a test says so) and take two thirds of the time of a large feed; but one
of them reads the folder `C:\\New` as a line end.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from icalendar import Parameters

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
        _line("SEQUENCE", str(entry.sequence)),
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
        features = ("AUDIO", "VIDEO")
        yield _line("CONFERENCE", _uri(entry.meeting_link), VALUE="URI", FEATURE=features, **label)
    for link in entry.materials:
        kind = mimetypes.guess_type(urlsplit(link).path)[0]
        yield _line("ATTACH", _uri(link), **({"FMTTYPE": kind} if kind else {}))
    if entry.organiser_mail:
        name = {"CN": entry.organiser_name} if entry.organiser_name else {}
        yield _line("ORGANIZER", _uri(f"mailto:{entry.organiser_mail}"), **name)


def _line(name: str, value: str, **parameters: str | tuple[str, ...]) -> str:
    """`NAME;PARAMETERS:value`; the value is already in its iCalendar form."""
    return f"{_named(name, tuple(parameters.items()))}:{value}" if parameters else f"{name}:{value}"


@lru_cache(maxsize=1024)
def _named(name: str, parameters: tuple[tuple[str, str | tuple[str, ...]], ...]) -> str:
    """`NAME;PARAMETERS`, quoted where they must be; a feed says the same few again and again."""
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in parameters}
    return f"{name};{Parameters(given).to_ical().decode()}"


def _text(text: str) -> str:
    """`text` with its escapes (RFC 5545 3.3.11); the folder `C:\\New` stays one, where vText would break the line."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _uri(url: str) -> str:
    if "\r" in url or "\n" in url:
        raise ValueError(f"a URI on two lines: {url!r}")
    return url


def _date(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _clock(clock: time | datetime) -> str:
    return f"{clock.hour:02}{clock.minute:02}{clock.second:02}"


def _instant(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{_date(moment)}T{_clock(moment)}Z"


def _time(name: str, day: date, clock: time, zone: str) -> str:
    value = f"{_date(day)}T{_clock(clock)}"
    return _line(name, f"{value}Z") if zone == "UTC" else _line(name, value, TZID=zone)


def _degrees(value: float) -> str:
    text = f"{value:.6f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
