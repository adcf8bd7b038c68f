"""Pages that say why something is not there, and what to do."""

from __future__ import annotations

import logging
import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from notifier.errors import NotifierError
from notifier.web import pages
from notifier.web.hall import hall_of

log = logging.getLogger(__name__)

RETRY_AFTER_S = 300
KNOWN = (404, 405, 413)


def refused(request: Request, error: Exception) -> Response:
    """404, 405, 413: what happened and what to do. OPTIONS is told what there is."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**headers, "cache-control": "no-store"})
    return _page(request, error.status_code, headers)


def unknown(request: Request, error: Exception) -> Response:
    """404 for a token that opens nothing, whatever is wrong with it."""
    return _page(request, 404)


def unavailable(request: Request, error: Exception) -> Response:
    """503 while there is no memory to look into; the log says why."""
    log.error("a page needs the store: %s", error)
    return _page(request, 503, {"retry-after": str(RETRY_AFTER_S)})


def broken(request: Request, error: Exception) -> Response:
    """500 for a bug, or a template that cannot be filled: a number that stands beside the error in the log too."""
    number = secrets.token_hex(4)
    log.error("a page failed, report %s", number, exc_info=error)
    try:
        return _page(request, 500, number=number)
    except NotifierError:  # the page of refusals is what is broken
        return PlainTextResponse(
            f"Something went wrong on our side. Report {number}\n", 500, headers=pages.PRIVATE
        )


def _page(
    request: Request, status: int, headers: dict[str, str] | None = None, *, number: str = ""
) -> Response:
    offered = pages.offer(hall_of(request)) if request.method in ("GET", "HEAD") else ()
    values = {"status": status if status in (*KNOWN, 500, 503) else 400, "number": number}
    return pages.page(
        request, "refused", pages.voice_for(request), values, offered=offered, status=status, headers=headers
    )
