"""What surrounds every answer: headers, the names we answer to, a limit of size, and a log that tells nobody's business."""

from __future__ import annotations

import logging
import time
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notifier.config import Web

log = logging.getLogger(__name__)

#: Nothing is loaded from anywhere but here, and nobody may frame a page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
HSTS = {"strict-transport-security": "max-age=31536000"}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_FORM_BYTES = 64_000
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Guard:
    """Wraps the site. Nothing below it asks for the Host header or for the client's address."""

    def __init__(self, site: ASGIApp, web: Web) -> None:
        self.site = site
        self.names = LOOPBACK | names_of(web)
        headers = {**HEADERS, **(HSTS if web.base_url.startswith("https:") else {})}
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began = time.monotonic()
        status = size_bytes = 0

        async def limited() -> Message:
            nonlocal size_bytes
            message = await receive()
            size_bytes += len(message.get("body", b""))
            if size_bytes > MAX_FORM_BYTES:
                raise HTTPException(
                    413
                )  # raised where the page reads its form, so that it is answered in words
            return message

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self.headers]
            await send(message)

        site = self.site if host_of(scope) in {"", *self.names} else _STRANGER
        try:
            await site(scope, limited, guarded)
        except ClientDisconnect:
            return
        except Exception:
            # The site has logged the bug and answered it; only what broke before an answer must not vanish.
            if not status:
                raise
        log.info("%s %s %d %.0f ms", *_told(scope), status, (time.monotonic() - began) * 1000)


def names_of(web: Web) -> set[str]:
    """The hosts that the settings name."""
    listens = "" if web.listen.startswith("unix:") else urlsplit(f"//{web.listen}").hostname
    return {name for name in (urlsplit(web.base_url).hostname, listens) if name}


def host_of(scope: Scope) -> str:
    """The Host header without its port; empty if there is none."""
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    try:
        return urlsplit(f"//{given}").hostname or ""
    except ValueError:
        return "?"


_STRANGER = PlainTextResponse(
    "This server answers under the name that its settings give it ([web] base_url).\n",
    421,
    headers={"cache-control": "no-store"},
)


def _told(scope: Scope) -> tuple[str, str]:
    """Method and route, never the path: a token stands in it, or most of one."""
    route = scope.get("route")
    method = scope["method"]
    return method if method in METHODS else "?", getattr(route, "path", "-")
