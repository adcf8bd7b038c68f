"""The strict check before calendar bytes leave: a reader of its own, so that it judges bytes and not our intentions.

It knows what libraries and even libical let pass, and calendar programs then drop, move by an hour, or show twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from notifier.events import vtimezone

_FOLD = re.compile(rb"\r\n[ \t]")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_VALUE = r'(?:"[^"\x00-\x1f]*"|[^";:,\x00-\x1f]*)'
_LINE = re.compile(rf"([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+={_VALUE}(?:,{_VALUE})*)*):(.*)", re.DOTALL)
_PARAMETER = re.compile(rf";([A-Za-z0-9-]+)=({_VALUE}(?:,{_VALUE})*)")
_UTC = re.compile(r"\d{8}T\d{6}Z")
_MAILTO = re.compile(r"mailto:[^\s@]+@[^\s@]+", re.IGNORECASE)
_METHODS = ("PUBLISH", "REQUEST", "CANCEL", "REPLY")
_ONCE = ("UID", "DTSTAMP", "SEQUENCE", "DTSTART", "SUMMARY", "ORGANIZER")
_AT_MOST_ONCE = (
    *("DTEND", "CREATED", "LAST-MODIFIED", "STATUS", "TRANSP", "CLASS", "LOCATION", "GEO", "URL"),
    *("DESCRIPTION", "RRULE", "RECURRENCE-ID", "X-MICROSOFT-CDO-BUSYSTATUS"),
)
_STATUSES = ("TENTATIVE", "CONFIRMED", "CANCELLED")


def validate(raw: bytes) -> list[str]:
    """What is wrong with calendar bytes, in words; empty for bytes that may leave (lint M402)."""
    findings = list(_bytes(raw))
    if findings:
        return findings  # a reader that guesses behind broken bytes would report nonsense
    try:
        calendar = _read(raw)
    except ValueError as error:
        return [str(error)]
    return list(_calendar(calendar))


@dataclass
class _Component:
    name: str
    lines: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    parts: list[_Component] = field(default_factory=list)

    def all(self, name: str) -> list[tuple[dict[str, str], str]]:
        return [(parameters, value) for found, parameters, value in self.lines if found == name]

    def one(self, name: str) -> str:
        """The value of the first line of that name; empty if there is none."""
        return next((value for _, value in self.all(name)), "")


def _bytes(raw: bytes) -> Iterator[str]:
    if raw.startswith(b"\xef\xbb\xbf"):
        yield "byte-order mark"
    if not raw.endswith(b"\r\n"):
        yield "the file does not end with CRLF"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        yield "a line end that is not CRLF"
    rows = raw.split(b"\r\n")[:-1]
    for number, row in enumerate(rows, 1):
        for finding in _row(row, is_folded=rows[number : number + 1] and rows[number][:1] in (b" ", b"\t")):
            yield f"line {number}: {finding}"


def _row(row: bytes, is_folded: object) -> Iterator[str]:
    if len(row) > 75:
        yield f"{len(row)} octets"
    if not row:
        yield "empty"
    if _CONTROL.search(row):
        yield "control character"
    try:
        row.decode()
    except UnicodeDecodeError:
        yield "not UTF-8, or a fold inside a character"
    if is_folded and (len(row) - len(row.rstrip(b"\\"))) % 2:
        yield "the fold splits an escape"


def _read(raw: bytes) -> _Component:
    root = _Component("")
    stack = [root]
    for line in _FOLD.sub(b"", raw).decode().split("\r\n")[:-1]:
        found = _LINE.fullmatch(line)
        if not found:
            raise ValueError(f"not a content line: {line[:60]!r}")
        name, value = found[1].upper(), found[3]
        if name == "BEGIN":
            part = _Component(value.upper())
            stack[-1].parts.append(part)
            stack.append(part)
        elif name == "END":
            if len(stack) == 1 or stack.pop().name != value.upper():
                raise ValueError(f"END:{value} closes nothing")
        elif len(stack) == 1:
            raise ValueError(f"{name} outside VCALENDAR")
        else:
            parameters = {key.upper(): text for key, text in _PARAMETER.findall(found[2])}
            stack[-1].lines.append((name, parameters, value))
    if len(stack) > 1 or [part.name for part in root.parts] != ["VCALENDAR"]:
        raise ValueError("not exactly one complete VCALENDAR")
    return root.parts[0]


def _calendar(calendar: _Component) -> Iterator[str]:
    method = calendar.one("METHOD")
    for name, wanted in (("VERSION", ("2.0",)), ("CALSCALE", ("GREGORIAN",)), ("METHOD", _METHODS)):
        if [value for _, value in calendar.all(name)] not in [[value] for value in wanted]:
            yield f"{name} is not one of {', '.join(wanted)}"
    if not calendar.one("PRODID"):
        yield "PRODID missing"
    if calendar.one("NAME") != calendar.one("X-WR-CALNAME"):
        yield "NAME and X-WR-CALNAME differ"
    if any(p.get("VALUE", "").upper() != "DURATION" for p, _ in calendar.all("REFRESH-INTERVAL")):
        yield "REFRESH-INTERVAL without VALUE=DURATION"
    if not calendar.parts:
        yield "a VCALENDAR without a component"
    zones: set[str] = set()
    for part in calendar.parts:
        if part.name == "VTIMEZONE":
            zones.add(part.one("TZID"))
            yield from _zone(part)
        elif part.name == "VEVENT":
            yield from (f"{part.one('UID') or '(no UID)'}: {text}" for text in _event(part, method, zones))
        else:
            yield f"{part.name} is not written here"
    yield from _identities([part for part in calendar.parts if part.name == "VEVENT"], method)


def _zone(zone: _Component) -> Iterator[str]:
    name = zone.one("TZID")
    if name not in vtimezone.zones():
        yield f"VTIMEZONE {name}: not an IANA zone"
        return
    ours = {line for line in vtimezone.lines(name) if line.startswith(("TZOFFSET", "DTSTART", "RRULE"))}
    for part in zone.parts:
        if part.all("RDATE"):
            yield f"VTIMEZONE {name}: RDATE, which Outlook ignores"
        for key in ("TZOFFSETFROM", "TZOFFSETTO", "DTSTART", "RRULE"):
            if part.one(key) and f"{key}:{part.one(key)}" not in ours:
                yield f"VTIMEZONE {name}: {key}:{part.one(key)} is not the zone's rule"


def _event(event: _Component, method: str, zones: set[str]) -> Iterator[str]:
    yield from _counts(event)
    if not _UTC.fullmatch(event.one("DTSTAMP")):
        yield "DTSTAMP is not UTC"
    if not event.one("SEQUENCE").isdigit():
        yield "SEQUENCE is not a number"
    if not event.one("SUMMARY").strip():
        yield "SUMMARY is empty"
    if any("LANGUAGE" in parameters for parameters, _ in event.all("SUMMARY")):
        yield "LANGUAGE on SUMMARY"
    if event.all("STATUS") and event.one("STATUS") not in _STATUSES:
        yield f"STATUS:{event.one('STATUS')}"
    if event.parts:
        yield f"{event.parts[0].name} inside: reminders are mails"
    yield from _event_times(event, zones)
    yield from _recurrence(event)
    yield from _people(event, method)
    if method == "CANCEL" and event.one("STATUS") != "CANCELLED":
        yield "CANCEL without STATUS:CANCELLED"


def _counts(event: _Component) -> Iterator[str]:
    counts = Counter(name for name, _, _ in event.lines)
    for name in _ONCE:
        if counts[name] != 1:
            yield f"{counts[name]} {name} lines"
    for name in _AT_MOST_ONCE:
        if counts[name] > 1:
            yield f"{counts[name]} {name} lines"


def _event_times(event: _Component, zones: set[str]) -> Iterator[str]:
    starts, ends = event.all("DTSTART"), event.all("DTEND")
    kind = _kind(*starts[0]) if starts else ""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"):
        for parameters, value in event.all(name):
            found = _kind(parameters, value)
            if found == "floating":
                yield f"{name} floats: no zone"
            elif found not in ("DATE", "UTC", "invalid") and found not in zones:
                yield f"{name}: no VTIMEZONE {found} before it"
            elif found == "invalid":
                yield f"{name}:{value} is not a date or time"
            if kind and found != kind:
                yield f"{name} is {found}, DTSTART is {kind}"
    if starts and ends and _kind(*ends[0]) == kind and ends[0][1] <= starts[0][1]:
        yield "DTEND is not after DTSTART (the end of whole days is exclusive)"


def _kind(parameters: dict[str, str], value: str) -> str:
    """DATE, UTC, floating, invalid, or the TZID."""
    if parameters.get("VALUE", "").upper() == "DATE":
        return "DATE" if all(re.fullmatch(r"\d{8}", v) for v in value.split(",")) else "invalid"
    if not all(re.fullmatch(r"\d{8}T\d{6}Z?", v) for v in value.split(",")):
        return "invalid"
    if value.endswith("Z"):
        return "invalid" if "TZID" in parameters else "UTC"
    return parameters.get("TZID", "floating")


def _recurrence(event: _Component) -> Iterator[str]:
    zoned = any("VALUE" not in parameters for parameters, _ in event.all("DTSTART"))
    for _, rule in event.all("RRULE"):
        parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
        until = parts.get("UNTIL", "")
        if until and "COUNT" in parts:
            yield "UNTIL together with COUNT"
        if until and zoned and not until.endswith("Z"):
            yield "UNTIL is not UTC"
        nth = [day for day in parts.get("BYDAY", "").split(",") if re.match(r"[+-]?\d", day)]
        if len(nth) > 1 or "," in parts.get("BYMONTHDAY", "") + parts.get("BYSETPOS", ""):
            yield "a rule that Outlook skips: more than one nth weekday or month day"


def _people(event: _Component, method: str) -> Iterator[str]:
    attendees = event.all("ATTENDEE")
    if method == "PUBLISH" and attendees:
        yield "ATTENDEE in a published calendar"
    if method != "PUBLISH" and len(attendees) != 1:
        yield f"{method} with {len(attendees)} ATTENDEE lines"
    for _, value in (*event.all("ORGANIZER"), *attendees):
        if not _MAILTO.fullmatch(value):
            yield f"not a mailto address: {value}"


def _identities(events: list[_Component], method: str) -> Iterator[str]:
    uids = Counter(event.one("UID") for event in events if not event.all("RECURRENCE-ID"))
    for uid, count in uids.items():
        if count > 1:
            yield f"{uid}: {count} entries with one UID"
    everyone = {event.one("UID") for event in events}
    if method == "PUBLISH" and everyone - set(uids):
        yield f"{min(everyone - set(uids))}: an override without its series"
    if method != "PUBLISH" and len(everyone) > 1:
        yield f"{method} with {len(everyone)} UIDs"
