"""The Atom feed of events (RFC 4287): one entry an event, which says what holds now and since when it does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from notifier.events import calendar
from notifier.events.calendar import CalendarSettings, Entry
from notifier.events.event import Event, Snapshot, pick
from notifier.events.ics_bytes import clean_url
from notifier.events.span import Span
from notifier.mail import languages as tongues
from notifier.mail.links import Links

MAX_ENTRIES = 200
#: What XML 1.0 cannot hold, not even as a reference.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def feed(
    snapshots: Iterable[Snapshot],
    languages: Sequence[str],
    *,
    settings: CalendarSettings,
    links: Links,
    author: str,
) -> bytes:
    """The feed of these events for a reader of `languages`, those revised last first; the same input, the same bytes.

    A cancelled event stays and says that it is. Past 200 events the ones that have been quiet for longest are left
    out. An entry keeps its id for ever, in all languages: feed readers know it again after a change.
    """
    shown = sorted(snapshots, key=_by_revision, reverse=True)[:MAX_ENTRIES]
    language = languages[0]
    here = links.atom(language) or links.base_url
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{_escaped(language)}">',
        _element("id", _urn(here)),
        _element("title", pick(settings.feed_name, languages)[1] or author),
        _element("updated", _instant(max((s.revised_at for s in shown), default=_NEVER))),
        _link("self", here, "application/atom+xml"),
        f"<author>{_element('name', author)}</author>",
        *(line for snapshot in shown for line in _entry(snapshot, languages, settings, links)),
        "</feed>",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _by_revision(snapshot: Snapshot) -> tuple[datetime, str, str]:
    return snapshot.revised_at, snapshot.event.span.first.isoformat(), snapshot.event.uid


def _entry(
    snapshot: Snapshot, languages: Sequence[str], settings: CalendarSettings, links: Links
) -> Iterator[str]:
    told = calendar.entry(_with_days(snapshot), languages, settings)
    if told is None:  # a draft
        return
    event, language = snapshot.event, languages[0]
    yield "<entry>"
    yield _element("id", _urn(event.uid))
    yield _element("title", told.title)
    yield _element("updated", _instant(snapshot.revised_at))
    yield _element("published", _instant(snapshot.published_at))
    yield from _links(event, language, links)
    yield from (_element("category", term=term) for term in told.categories)
    yield _element("content", _content(event, told, language), type="text")
    yield "</entry>"


def _with_days(snapshot: Snapshot) -> Snapshot:
    """A month as its days: calendars have no entry for it, here its texts are wanted and the days are said apart."""
    event = snapshot.event
    days = event.model_copy(update={"span": replace(event.span, is_month=False)})
    return snapshot.model_copy(update={"event": days})


def _links(event: Event, language: str, links: Links) -> Iterator[str]:
    page = links.event_page(event.slug, language) or clean_url(event.link)
    file = "" if event.span.is_month else links.event_ics(event.slug, language)
    if page:
        yield _link("alternate", page, "text/html")
    if file:
        yield _link("alternate", file, "text/calendar")


def _content(event: Event, told: Entry, language: str) -> str:
    """When and where on a line each, then what the calendar entry says."""
    return "\n\n".join(
        filter(
            None, ("\n".join(filter(None, (_when(event.span, language), told.location))), told.description)
        )
    )


def _when(span: Span, language: str) -> str:
    return ", ".join(filter(None, (tongues.date_range(span, language), tongues.time_of(span, language))))


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _link(relation: str, href: str, media_type: str) -> str:
    return _element("link", rel=relation, type=media_type, href=href)


def _element(name: str, text: str = "", **attributes: str) -> str:
    """One element without children; everything that comes from a file or the settings passes here."""
    given = "".join(f' {key}="{_escaped(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{_escaped(text)}</{name}>" if text else f"<{name}{given}/>"


def _escaped(text: str) -> str:
    return _ILLEGAL.sub("", text).translate(_ESCAPES)
