"""Calendar files over HTTP: all public events, and one event, each in one language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from notifier import press
from notifier.events import calendar
from notifier.events.event import Snapshot
from notifier.web.documents import Document, answer, document
from notifier.web.hall import Hall, hall_of

CALENDAR = "text/calendar; charset=utf-8"
PUBLIC = "public, max-age=900"


def everything(request: Request) -> Response:
    """The feed of all public events, for programs that poll it."""
    hall, language = hall_of(request), request.path_params["language"]
    if language not in hall.languages:
        raise HTTPException(404)
    return answer(
        request, hall.shelf.take(hall.facts(), ("feed", language), lambda: _everything(hall, language))
    )


def event(request: Request) -> Response:
    """One public event as a file, SLUG.LANG.ics, to be imported once; it does not update."""
    hall = hall_of(request)
    slug, _, language = request.path_params["name"].rpartition(".")
    facts = hall.facts()
    snapshot = hall.shelf.take(facts, "events", lambda: _public(hall)).get(slug)
    if snapshot is None or language not in hall.languages:
        raise HTTPException(404)
    found = hall.shelf.take(facts, ("event", slug, language), lambda: _event(hall, snapshot, language))
    if not found.raw:  # a draft, or only its month is known: calendars have no entry for that
        raise HTTPException(404)
    return answer(request, found)


def _everything(hall: Hall, language: str) -> Document:
    snapshots = list(hall.store().events.current().values())
    raw = calendar.feed(
        snapshots,
        press.content_languages(hall.config, language),
        settings=hall.calendar,
        now=hall.clock(),
        source=hall.links.feed(language) or "",
    )
    return document(raw, CALENDAR, PUBLIC, modified=_newest(snapshots))


def _event(hall: Hall, snapshot: Snapshot, language: str) -> Document:
    order = press.content_languages(hall.config, language)
    raw = calendar.publish([snapshot], order, settings=hall.calendar)
    return document(raw, CALENDAR, PUBLIC, modified=snapshot.revised_at)


def _public(hall: Hall) -> Mapping[str, Snapshot]:
    """Slug -> what everybody may see of it."""
    current = hall.store().events.current().values()
    return {s.event.slug: s for s in current if s.event.visibility == "public"}


def _newest(snapshots: list[Snapshot]) -> datetime | None:
    """When anything was revised last, hidden events too: one that was taken back must not stay in a client's copy."""
    return max((s.revised_at for s in snapshots), default=None)
