"""Calendar files over HTTP: all public events, those of a project, series, topic or region, the next, and one event.

Each is in one language. What hidden events say is in none of them, and no answer tells that they are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from notifier import press
from notifier.events import calendar
from notifier.events.event import Snapshot, pick
from notifier.mail.links import Scope
from notifier.mail.voice import msgid
from notifier.web import atom
from notifier.web.documents import Document, answer, document
from notifier.web.hall import Hall, hall_of
from notifier.web.pages import PRIVATE
from notifier.web.programme import Programme, programme_of

CALENDAR = "text/calendar; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
PUBLIC = "public, max-age=900"
NOTHING_PLANNED = msgid("No meeting is planned at the moment.")


def everything(request: Request) -> Response:
    """The feed of all public events, for programs that poll it."""
    programme, language = _asked(request)

    def make() -> Document:
        source = programme.hall.links.feed(language)
        return _feed(programme, language, programme.shown(), source=source or "")

    return answer(request, programme.kept(("feed", language), make))


def of(scope: Scope) -> Callable[[Request], Response]:
    """The feed of one project, series, topic or region; 404 for a key that nobody may know, else at least empty."""

    def narrowed(request: Request) -> Response:
        programme, language = _asked(request)
        key = request.path_params["key"]
        if key not in programme.names(scope):
            raise HTTPException(404)
        return answer(
            request,
            programme.kept(("feed", language, scope, key), lambda: _part(programme, language, scope, key)),
        )

    return narrowed


def news(request: Request) -> Response:
    """What was announced and changed, newest first, for feed readers."""
    programme, language = _asked(request)
    return answer(request, programme.kept(("atom", language), lambda: _news(programme, language)))


def event(request: Request) -> Response:
    """One public event as a file, SLUG.LANG.ics, to be imported once; it does not update."""
    programme, slug, language = _named(request)
    snapshot = programme.by_slug().get(slug)
    if snapshot is None:
        raise HTTPException(404)
    found = _file(programme, snapshot, language)
    if not found.raw:  # only its month is known: calendars have no entry for that
        raise HTTPException(404)
    return answer(request, found)


def next_event(request: Request) -> Response:
    """The next public event as a file; 404 in words while none is planned."""
    programme, language = _asked(request)
    return _next(request, programme, language, programme.public())


def next_of_series(request: Request) -> Response:
    """The next public event of a series, SERIES.LANG.ics."""
    programme, series, language = _named(request)
    if series not in programme.names("series"):
        raise HTTPException(404)
    own = [snapshot for snapshot in programme.public() if snapshot.event.series == series]
    return _next(request, programme, language, own)


def _asked(request: Request) -> tuple[Programme, str]:
    """The programme, and the language of the address.

    Raises:
        HTTPException: 404, we have no such language.
    """
    hall = hall_of(request)
    return programme_of(hall), _language(hall, request.path_params["language"])


def _named(request: Request) -> tuple[Programme, str, str]:
    """The programme, and the two parts of NAME.LANG.

    Raises:
        HTTPException: 404, we have no such language.
    """
    hall = hall_of(request)
    name, _, language = request.path_params["name"].rpartition(".")
    return programme_of(hall), name, _language(hall, language)


def _language(hall: Hall, language: str) -> str:
    if language not in hall.languages:
        raise HTTPException(404)
    return language


def _part(programme: Programme, language: str, scope: Scope, key: str) -> Document:
    order = programme.languages(language)
    of_all = pick(programme.hall.calendar.feed_name, order)[1]
    own = pick(programme.names(scope)[key], (*order, ""))[1] or key
    source = programme.hall.links.scoped_feed(scope, key, language)
    return _feed(
        programme, language, programme.shown(scope, key), name=f"{of_all}: {own}", source=source or ""
    )


def _feed(
    programme: Programme, language: str, shown: Sequence[Snapshot], *, name: str = "", source: str = ""
) -> Document:
    raw = calendar.feed_of(
        programme.vevents(shown, language),
        programme.languages(language),
        settings=programme.hall.calendar,
        name=name,
        source=source,
    )
    return document(raw, CALENDAR, PUBLIC, modified=programme.changed_at())


def _news(programme: Programme, language: str) -> Document:
    hall = programme.hall
    raw = atom.feed(
        programme.public(),
        programme.languages(language),
        settings=hall.calendar,
        links=hall.links,
        author=press.named(hall.config.organisation.name, language),
    )
    return document(raw, ATOM, PUBLIC, modified=programme.revised_at())


def _next(request: Request, programme: Programme, language: str, among: Sequence[Snapshot]) -> Response:
    found = calendar.next_of(among, now=programme.now)
    if found is None:
        words = programme.hall.templates.catalogue((language,)).text(NOTHING_PLANNED)
        return PlainTextResponse(f"{words}\n", 404, headers={**PRIVATE, "content-language": language})
    # Which one is next changes without a revision, so only the bytes tell whether a client has them.
    return answer(request, replace(_file(programme, found, language), modified=None))


def _file(programme: Programme, snapshot: Snapshot, language: str) -> Document:
    def make() -> Document:
        order, settings = programme.languages(language), programme.hall.calendar
        raw = calendar.publish([snapshot], order, settings=settings)
        return document(raw, CALENDAR, PUBLIC, modified=snapshot.revised_at)

    return programme.kept(("event", snapshot.event.uid, language), make)
