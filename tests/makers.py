"""Builders with quiet defaults: say only what the test is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from notifier.app import App
from notifier.config import Config, Organisation
from notifier.editions.base import Edition, Kind, Mention
from notifier.events.event import Event, Place, Project, Snapshot
from notifier.events.span import Span
from notifier.sources.base import Reading
from notifier.subscribers.subscriber import Consent, Standing, Subscriber
from notifier.transports.memory import MemoryTransport


def a_span(
    first: str = "2020-04-28",
    last: str | None = None,
    *,
    at: str = "",
    until: str = "",
    zone: str = "Europe/Warsaw",
) -> Span:
    start = date.fromisoformat(first)
    return Span(
        first=start,
        last=date.fromisoformat(last) if last else start,
        zone=zone,
        begins=time.fromisoformat(at) if at else None,
        ends=time.fromisoformat(until) if until else None,
    )


def an_event(slug: str = "2020-04-28-calabria", **fields: Any) -> Event:
    """The Calabria meeting, whole days 28-29 April 2020, in English and Polish, unless said otherwise."""
    defaults: dict[str, Any] = {
        "slug": slug,
        "uid": f"{slug.replace('-', '')}@events.region.example",
        "title": {"en": "Calabria meeting", "pl": "Spotkanie w Kalabrii"},
        "span": a_span("2020-04-28", "2020-04-29", zone="Europe/Rome"),
        "language": "en",
        "place": Place(name={"en": "Calabria", "pl": "Kalabria"}, country="IT"),
        "project": "cohes3ion",
    }
    return Event(**(defaults | fields))


def a_snapshot(event: Event | None = None, **fields: Any) -> Snapshot:
    """Published on 2 March 2020, first revision, no baseline."""
    at = datetime(2020, 3, 2, 9, 0, tzinfo=UTC)
    defaults: dict[str, Any] = {"event": event or an_event(), "published_at": at, "revised_at": at}
    return Snapshot(**(defaults | fields))


def an_office(**fields: Any) -> Config:
    """Settings of an office in Warsaw that writes Polish and English; sections as arguments, all else by default."""
    organisation = Organisation(
        name={"en": "Cooperation Office", "pl": "Biuro Współpracy"},
        sender="events@region.example",
        postal_address="ul. Przykładowa 1, 00-000 Warszawa",
        languages=("pl", "en"),
        timezone="Europe/Warsaw",
    )
    return Config(**({"organisation": organisation} | fields))


def a_subscriber(address: str = "office@example.org", **fields: Any) -> Subscriber:
    """Confirmed, everything, English, biweekly."""
    defaults: dict[str, Any] = {
        "email": address,
        "address": address,
        "languages": ("en",),
        "standing": Standing.CONFIRMED,
        "consent": Consent(
            at=datetime(2020, 1, 7, tzinfo=UTC), basis="consent", source="paper form", text="form-v1"
        ),
        "public_id": "00112233aabbccdd",
        "id": 1,
    }
    return Subscriber(**(defaults | fields))


def an_edition(
    key: str = "reminder/20200428calabria@events.region.example/20200427T220000Z/P7D", **fields: Any
) -> Edition:
    """The reminder of the Calabria meeting a week before."""
    defaults: dict[str, Any] = {
        "key": key,
        "kind": Kind.REMINDER,
        "newsletter": "events",
        "due": datetime(2020, 4, 21, 5, 30, tzinfo=UTC),
        "useful_until": datetime(2020, 4, 27, 22, 0, tzinfo=UTC),
        "mentions": (Mention("20200428calabria@events.region.example", 1, "20200427T220000Z"),),
        "offset": "P7D",
    }
    return Edition(**(defaults | fields))


def a_config(folder: Path, **sections: Any) -> Config:
    """A project in a folder: four languages, mail into memory, no approvals unless said otherwise."""
    defaults: dict[str, Any] = {
        "file": folder / "config.toml",
        "organisation": {
            "name": {"pl": "Biuro", "en": "Office", "de": "Büro", "bg": "Бюро"},
            "sender": "events@region.example",
            "postal_address": "1 Sample Street, 00-000 Sampletown",
            "languages": ["pl", "en", "de", "bg"],
            "timezone": "Europe/Warsaw",
        },
        "newsletter": [{"name": "events", "title": {"pl": "Przegląd spotkań", "en": "Meetings ahead"}}],
        "web": {"base_url": "https://events.region.example"},
        "transports": {"url": "memory:"},
        "editions": {"digest": {"approval": "none"}, "announcement": {"approval": "none"}},
    }
    return Config.model_validate(defaults | sections)


def an_app(
    folder: Path, events: Sequence[Event] = (), *, reading: Reading | None = None, **sections: Any
) -> App:
    """An app over these events, with a real SQLite store in the folder and mail kept in memory."""
    told = reading or Reading(
        events=tuple(events), projects={"cohes3ion": Project(key="cohes3ion", name={"en": "COHES3ION"})}
    )
    return App(
        a_config(folder, **sections),
        read=lambda: told,
        made_transport=MemoryTransport(),
        made_keys={1: b"k" * 32},
    )
