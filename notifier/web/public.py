"""What a reader meets who follows a link of a mail, and what a mail provider meets who follows it for the reader."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from notifier.app import packaged
from notifier.subscribers.address import masked
from notifier.subscribers.subscriber import Standing, Subscriber
from notifier.web import pages
from notifier.web.documents import Document, answer, document
from notifier.web.hall import Hall, hall_of

MAX_FIELDS = 100
MAX_FILES = 10
OUT = (Standing.LEFT, Standing.SUPPRESSED)
STYLE = "public, max-age=3600"


async def unsubscribe(request: Request) -> Response:
    """GET shows a page with one button and changes nothing; POST leaves, at once and as often as it is sent.

    A mail provider's one-click POST (RFC 8058) is answered with one short line, without redirect or cookie; the button
    of the page leads back to the page, which then says what happened. Whoever holds the valid link of an erased
    subscription is told the same as one who has left.

    Raises:
        LinkError: the token opens nothing.
    """
    hall = hall_of(request)
    public_id = hall.links.verify(request.path_params["token"], "unsubscribe")
    if request.method != "POST":
        return await run_in_threadpool(_leaving, request, hall, public_id)
    form = await _form(request)
    is_one_click = form.get("List-Unsubscribe") == "One-Click"
    how = "one-click" if is_one_click else "page"
    await run_in_threadpool(lambda: hall.store().subscribers.leave(public_id, hall.clock(), how=how))
    if is_one_click or "leave" not in form:
        return PlainTextResponse("You have been unsubscribed.\n", headers=pages.PRIVATE)
    return RedirectResponse(_same_page(request), 303, headers=pages.PRIVATE)


def style(request: Request) -> Response:
    """The one style sheet of all pages."""
    return answer(request, _file(hall_of(request), "site.css", "text/css; charset=utf-8"))


def icon(request: Request) -> Response:
    """The calendar leaf in the browser's tab."""
    return answer(request, _file(hall_of(request), "icon.svg", "image/svg+xml"))


async def healthz(request: Request) -> Response:
    """That the process answers; nothing about anybody."""
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})


async def _form(request: Request) -> FormData:
    """The fields of a form in either encoding; empty if it is none: whoever posts to a valid link leaves all the same.

    Raises:
        HTTPException: 413, it is larger than a form.
    """
    await request.body()  # whatever it calls itself: the limit is for all of them
    try:
        async with request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES) as form:
            return form
    except HTTPException:  # not to be read as a form
        return FormData()


def _leaving(request: Request, hall: Hall, public_id: str) -> Response:
    reader = hall.store().subscribers.by_public_id(public_id)
    reads = reader.languages if reader else ()
    voice = pages.voice_for(request, reads)
    values = {
        "has_left": reader is None or reader.standing in OUT,
        "newsletters": [
            voice.told(n.title or {"": n.name}) for n in hall.config.newsletter if _takes(reader, n.name)
        ],
        "address": masked(reader.email) if reader else "",
    }
    return pages.page(request, "unsubscribe", voice, values, offered=pages.offer(hall, reads))


def _takes(reader: Subscriber | None, newsletter: str) -> bool:
    return reader is not None and bool({"*", newsletter} & set(reader.newsletters))


def _same_page(request: Request) -> str:
    """The page that was posted to, as a relative reference: no host of a header, no path that a proxy hides."""
    language = request.query_params.get("lang", "")
    chosen = f"?lang={language}" if language in hall_of(request).languages else ""
    return f"{request.path_params['token']}{chosen}"


def _file(hall: Hall, name: str, media_type: str) -> Document:
    """A file beside the templates, the organisation's own first."""
    candidates = [folder / "web" / name for folder in (*hall.folders, packaged("templates"))]
    raw = next(path for path in candidates if path.is_file()).read_bytes()
    return document(raw, media_type, STYLE)
