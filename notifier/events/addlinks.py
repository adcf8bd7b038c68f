"""Links that put one event into a web calendar: snapshots for a click, beside the `.ics` and the feed.

Each service has its own words for the same five things, and none documents them; the forms here are those that the
services' own buttons make. No service tells the reader when the event moves, so these never stand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from notifier.events.calendar_entry import CalendarSettings, Entry
from notifier.events.calendar_entry import of as entry_of
from notifier.events.event import Snapshot
from notifier.events.span import Span

MAX_LENGTH = 2_000  # what every browser and mail program carries
MAX_DETAILS = 500
_GOOGLE = "https://calendar.google.com/calendar/render"
_OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
_OFFICE = "https://outlook.office.com/calendar/action/compose"


def google(
    snapshot: Snapshot, languages: Sequence[str], page_url: str, *, settings: CalendarSettings | None = None
) -> str:
    """The Google Calendar link; empty for an event without an entry (a draft, a month without a day).

    `settings` is asked for its words only. Times are local with `ctz`, so that they show in the event's zone.
    """
    shown = entry_of(snapshot, languages, settings or _NOBODY)
    if shown is None:
        return ""
    fixed = {"action": "TEMPLATE", "dates": _google_dates(shown.span)}
    if not shown.span.is_all_day and shown.span.zone != "UTC":
        fixed["ctz"] = shown.span.zone
    return _link(_GOOGLE, fixed, shown, page_url, title="text", details="details")


def outlook(
    snapshot: Snapshot, languages: Sequence[str], page_url: str, *, settings: CalendarSettings | None = None
) -> str:
    """The Outlook.com link; empty as for `google`."""
    fixed = {"path": "/calendar/action/compose", "rru": "addevent"}
    return _microsoft(_OUTLOOK, fixed, snapshot, languages, page_url, settings)


def office(
    snapshot: Snapshot, languages: Sequence[str], page_url: str, *, settings: CalendarSettings | None = None
) -> str:
    """The Microsoft 365 link; empty as for `google`."""
    return _microsoft(_OFFICE, {"rru": "addevent"}, snapshot, languages, page_url, settings)


_NOBODY = CalendarSettings(organiser_name="", organiser_mail="")


def _microsoft(
    base: str,
    fixed: dict[str, str],
    snapshot: Snapshot,
    languages: Sequence[str],
    page_url: str,
    settings: CalendarSettings | None,
) -> str:
    shown = entry_of(snapshot, languages, settings or _NOBODY)
    if shown is None:
        return ""
    return _link(base, fixed | _microsoft_times(shown.span), shown, page_url, title="subject", details="body")


def _google_dates(span: Span) -> str:
    if span.begins is None:
        return f"{span.first:%Y%m%d}/{span.last + timedelta(days=1):%Y%m%d}"  # the end is exclusive
    mark = "Z" if span.zone == "UTC" else ""
    ends = datetime.combine(span.last, span.ends or span.begins)
    return f"{datetime.combine(span.first, span.begins):%Y%m%dT%H%M%S}{mark}/{ends:%Y%m%dT%H%M%S}{mark}"


def _microsoft_times(span: Span) -> dict[str, str]:
    if span.begins is None:
        end = span.last + timedelta(days=1)
        return {"startdt": f"{span.first}", "enddt": f"{end}", "allday": "true"}
    zone = ZoneInfo(span.zone)

    def moment(day: datetime) -> str:
        # Always with the offset: some places take a time in UTC for a local one (reported: calendar-link#236).
        return day.replace(tzinfo=zone).isoformat(timespec="seconds")

    start = {"startdt": moment(datetime.combine(span.first, span.begins))}
    return start | ({"enddt": moment(datetime.combine(span.last, span.ends))} if span.ends else {})


def _link(base: str, fixed: dict[str, str], shown: Entry, page_url: str, *, title: str, details: str) -> str:
    """The link below MAX_LENGTH: the description is cut first, then the place, at last the title."""
    description = shown.description.replace(page_url, "").strip()[:MAX_DETAILS]
    texts = {details: description, "location": shown.location, title: shown.title}
    while True:
        filled = {
            title: texts[title],
            details: _with_page(texts[details], page_url),
            "location": texts["location"],
        }
        query = urlencode(
            fixed | {key: text for key, text in filled.items() if text}, quote_via=quote, safe=""
        )
        link = f"{base}?{query}"
        longest = next((key for key in texts if texts[key]), None)
        if len(link) < MAX_LENGTH or longest is None:
            return link
        texts[longest] = _shorter(texts[longest])


def _with_page(text: str, page_url: str) -> str:
    return "\n\n".join(filter(None, (text, page_url)))


def _shorter(text: str) -> str:
    """About an eighth less, ending in an ellipsis; nothing at last."""
    kept = text.rstrip("…")
    kept = kept[: len(kept) - max(1, len(kept) // 8)].rstrip()
    return f"{kept}…" if len(kept) > 3 else ""
