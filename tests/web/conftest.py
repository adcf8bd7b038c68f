"""A project with a real memory behind the real site."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from makers import a_snapshot, a_subscriber, an_event

from notifier.app import App
from notifier.config import Config, Organisation, Paths, Web
from notifier.store import open_store
from notifier.store.base import Store

sys.path.insert(0, str(Path(__file__).parent))  # so that `import visitor` works

from visitor import HOST, KEY, READER, Visitor


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., App]:
    """An App over settings in `tmp_path`; pl, en, de, bg, in this order."""

    def make(store: Store | None = None, web: Web | None = None, **fields: Any) -> App:
        organisation = Organisation(
            name={"en": "Cooperation Office", "pl": "Biuro Współpracy"},
            sender="events@region.example",
            postal_address="ul. Przykładowa 1, 00-000 Warszawa",
            languages=("pl", "en", "de", "bg"),
            timezone="Europe/Warsaw",
        )
        config = Config(
            file=tmp_path / "config.toml",
            paths=Paths(state="state"),
            **{"organisation": organisation, "web": web or Web(base_url=HOST), **fields},
        )
        return App(config, made_store=store, made_keys={1: KEY})

    return make


@pytest.fixture
def store(tmp_path: Path, now: datetime) -> Iterator[Store]:
    """One event in two languages, and one subscriber who reads German first."""
    opened = open_store("sqlite:///notifier.db", tmp_path / "state")
    opened.events.publish([a_snapshot(an_event())])
    opened.subscribers.put([a_subscriber(languages=("de", "en"), public_id=READER)], now)
    yield opened
    opened.close()


@pytest.fixture
def visitor(project: Callable[..., App], store: Store, now: datetime) -> Visitor:
    return Visitor(project(store), store, now)
