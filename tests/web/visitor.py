"""Whoever asks: every request goes through the whole site, in process."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from notifier.app import App
from notifier.store.base import Store
from notifier.web import site

HOST = "https://events.region.example"
KEY = b"0123456789abcdef0123456789abcdef"
READER = "00112233aabbccdd"
NOBODY = "ffffffffffffffff"
#: What httpx says of itself is not part of the tests.
UNASKED = frozenset({"accept", "accept-encoding", "connection", "user-agent"})


@dataclass
class Visitor:
    """A browser, a calendar program, a mail provider."""

    app: App
    store: Store
    now: datetime
    base: str = HOST
    clock: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = [self.now]
        self.reopen()

    def reopen(self) -> None:
        """The site as it is after a restart."""
        self.site = site.make(self.app, lambda: self.clock[0])

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.site)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, trust_env=False) as client:
                request = client.build_request(method, path, **more)
                for name in UNASKED - {name.lower() for name in more.get("headers") or {}}:
                    request.headers.pop(name, None)
                return await client.send(request)

        return asyncio.run(asked())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def token(self, public_id: str = READER) -> str:
        return self.app.links.token(public_id, "unsubscribe")

    @property
    def leave(self) -> str:
        return f"/u/{self.token()}"


def dump(state: Path) -> str:
    """Every row of every table."""
    with sqlite3.connect(state / "notifier.db") as connection:
        return "\n".join(connection.iterdump())
