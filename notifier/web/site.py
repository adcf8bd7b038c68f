"""The site: which page answers at which address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from notifier.app import App
from notifier.errors import LinkError, StoreError
from notifier.web import feeds, public, refusals
from notifier.web.guard import Guard
from notifier.web.hall import Hall, open_hall
from notifier.web.scopes import SCOPES


def make(app: App, clock: Callable[[], datetime]) -> ASGIApp:
    """The ASGI application of one project.

    GET, HEAD and OPTIONS change nothing, whatever they ask for, and make no database; only POST /u/TOKEN acts.
    """
    hall = open_hall(app, clock)
    site = Starlette(
        routes=routes(hall),
        exception_handlers={
            HTTPException: refusals.refused,
            LinkError: refusals.unknown,
            StoreError: refusals.unavailable,
            Exception: refusals.broken,
        },
    )
    # A slash too many is no address of ours, and the redirect would be built from the client's Host header.
    site.router.redirect_slashes = False
    site.state.hall = hall
    return Guard(site, app.config.web)


def routes(hall: Hall) -> list[Route]:
    """Every route, under the path of `base_url`: a proxy hands on paths as it gets them."""
    here = hall.prefix
    return [
        Route(f"{here}/u/{{token}}", public.unsubscribe, methods=["GET", "POST"]),
        Route(f"{here}/event/{{name}}.ics", feeds.event, methods=["GET"]),
        Route(f"{here}/feed/{{language}}/all.ics", feeds.everything, methods=["GET"]),
        Route(f"{here}/feed/{{language}}/all.atom", feeds.news, methods=["GET"]),
        *(
            Route(f"{here}/feed/{{language}}/{scope}/{{key}}.ics", feeds.of(scope), methods=["GET"])
            for scope in SCOPES
        ),
        Route(f"{here}/next.{{language}}.ics", feeds.next_event, methods=["GET"]),
        Route(f"{here}/next/{{name}}.ics", feeds.next_of_series, methods=["GET"]),
        Route(f"{here}/style.css", public.style, methods=["GET"]),
        Route(f"{here}/icon.svg", public.icon, methods=["GET"]),
        Route(f"{here}/healthz", public.healthz, methods=["GET"]),
    ]
