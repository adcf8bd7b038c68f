"""What every page needs, made once when the site opens: settings, links, words, the clock, and the memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from notifier import press
from notifier.app import App, template_folders
from notifier.config import Config
from notifier.events.calendar import CalendarSettings
from notifier.mail import languages
from notifier.mail.links import Links
from notifier.mail.render import Templates
from notifier.store import open_store
from notifier.store.base import Store
from notifier.web.vevents import Vevents

Made = TypeVar("Made")


class Memory:
    """The store, opened when first asked for; a page neither creates nor upgrades one."""

    def __init__(self, app: App) -> None:
        self._config = app.config
        self._store = app.made_store
        self._lock = threading.Lock()

    def __call__(self) -> Store:
        """The open store.

        Raises:
            StoreError: there is none yet, or this program cannot use it as it is.
        """
        with self._lock:
            if self._store is None:
                self._store = open_store(self._config.store.url, self._config.state, create=False)
            return self._store


class Shelf:
    """What was rendered, kept for as long as the facts are the same: programs poll feeds without validators."""

    def __init__(self) -> None:
        self._facts: Hashable = None
        self._kept: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def take(self, facts: Hashable, name: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gave for `name` under these facts; other facts clear the shelf."""
        with self._lock:
            if facts != self._facts:
                self._facts, self._kept = facts, {}
            kept = self._kept
        if name not in kept:
            kept[name] = make()  # two threads may both make it: the same, and no third one waits
        made: Made = kept[name]
        return made


@dataclass(frozen=True)
class Hall:
    """Shared by all threads; nothing in it changes but the shelf and the kept entries."""

    config: Config
    links: Links
    clock: Callable[[], datetime]
    store: Callable[[], Store]
    folders: tuple[Path, ...]  # of templates, the organisation's own first
    templates: Templates
    calendar: CalendarSettings
    languages: tuple[str, ...]  # those with a catalogue; mails come in any of them, so pages and feeds do
    shelf: Shelf = field(default_factory=Shelf, repr=False)
    vevents: Vevents = field(default_factory=Vevents, repr=False)

    @property
    def prefix(self) -> str:
        """The path under which the site lives, as `base_url` has it: empty, or for example "/news"."""
        return unquote(urlsplit(self.config.web.base_url).path.rstrip("/"))

    def facts(self) -> Hashable:
        """What rendered bytes depend on: what was published, and the day (windows are whole days in UTC)."""
        return self.store().events.fingerprint(), self.clock().astimezone(UTC).date()


def open_hall(app: App, clock: Callable[[], datetime]) -> Hall:
    """The hall of a project's site; catalogues and settings are read now, and again only after a restart."""
    folders = template_folders(app.config)
    return Hall(
        config=app.config,
        links=app.links,
        clock=clock,
        store=Memory(app),
        folders=folders,
        templates=press.templates(folders),
        calendar=press.calendar_settings(app.config, app.links),
        languages=languages.available([folder / "locale" for folder in folders]),
    )


def hall_of(request: Request) -> Hall:
    hall: Hall = request.app.state.hall
    return hall
