"""Pages to look at: content with quiet defaults, and the shipped templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from makers import a_snapshot, a_span, an_edition, an_event

from notifier.config import Newsletter, Organisation
from notifier.editions.base import Kind, Mention
from notifier.events.event import (
    Deadline,
    Enquiries,
    Event,
    Format,
    Material,
    Online,
    Organiser,
    Place,
    Project,
    Type,
)
from notifier.mail.links import Links
from notifier.mail.page import Hole, Page, Piece
from notifier.mail.render import Templates
from notifier.mail.views import Content
from notifier.subscribers.subscriber import Variant

TEMPLATES = Path(__file__).parents[1] / "templates"
LANGUAGES = ("pl", "en", "de", "bg")
KEYS = {1: b"a key of sixteen bytes or more"}
#: Wednesday 1 April 2020, 07:30 in Warsaw.
NOW = datetime(2020, 4, 1, 5, 30, tzinfo=UTC)

ORGANISATION = Organisation(
    name={
        "pl": "Biuro współpracy międzyregionalnej",
        "en": "Interregional Cooperation Office",
        "de": "Büro für interregionale Zusammenarbeit",
        "bg": "Бюро за междурегионално сътрудничество",
    },
    sender="events@region.example",
    postal_address="ul. Przykładowa 1, 00-000 Warszawa",
    languages=LANGUAGES,
    timezone="Europe/Warsaw",
)
NEWSLETTER = Newsletter(
    title={
        "pl": "Przegląd spotkań",
        "en": "Meetings ahead",
        "de": "Kommende Treffen",
        "bg": "Предстоящи срещи",
    }
)
PROJECTS = {
    "cohes3ion": Project(key="cohes3ion", name={"en": "COHES3ION"}),
    "smarty": Project(key="smarty", name={"en": "SMARTY"}),
}
VALUES = {
    "address": "a.kowalska@example.org",
    "unsubscribe_url": "https://events.region.example/u/10011223344556677abcdefghijklmnopqrstuvwxyz",
    "consent_date": "12.01.2020",
    "frequency": "often",
    "choices": "COHES3ION, SMARTY",
}


@cache
def shipped() -> Templates:
    return Templates([TEMPLATES])


def links(*served: str) -> Links:
    return Links("https://events.region.example", KEYS, frozenset(served or ("event_ics", "feed")))


def calabria(**fields: Any) -> Event:
    """28-29 April 2020 in all four languages."""
    told = {
        "title": {
            "pl": "Spotkanie projektu w Kalabrii",
            "en": "Project meeting in Calabria",
            "de": "Projekttreffen in Kalabrien",
            "bg": "Среща по проекта в Калабрия",
        },
        "summary": {
            "pl": "Następne spotkanie po wizycie w Essen.",
            "en": "The next meeting after the visit to Essen.",
            "de": "Das nächste Treffen nach dem Besuch in Essen.",
            "bg": "Следващата среща след посещението в Есен.",
        },
        "place": Place(
            name={"pl": "Kalabria", "en": "Calabria", "de": "Kalabrien", "bg": "Калабрия"}, country="IT"
        ),
    }
    return an_event(**(told | fields))


def stakeholders(**fields: Any) -> Event:
    """14 July 2020 on MS Teams, in Polish and English, with a standing call."""
    told = {
        "title": {"pl": "2. spotkanie Regionalnej Grupy Interesariuszy", "en": "Second stakeholder meeting"},
        "summary": {"pl": "Online o projekcie SMARTY.", "en": "Online, about SMARTY."},
        "body": {"pl": "Spotykamy się **zdalnie**.\n\n- Przemysł 4.0;\n- dobre praktyki.\n"},
        "span": a_span("2020-07-14"),
        "language": "pl",
        "format": Format.ONLINE,
        "place": None,
        "online": Online(platform="MS Teams"),
        "organisers": (Organiser(name="Instytut Technologii Eksploatacji"),),
        "enquiries": Enquiries(mail="office@region.example"),
        "project": "smarty",
        "deadlines": (Deadline(what={"pl": "Propozycje dobrych praktyk", "en": "Good practices"}),),
    }
    return an_event("2020-07-14-smarty-rgi-2", **(told | fields))


def seminar(**fields: Any) -> Event:
    """8-9 September 2020, in Polish only."""
    told = {
        "title": {"pl": "Drugie Seminarium Tematyczne"},
        "span": a_span("2020-09-08", "2020-09-09"),
        "language": "pl",
        "type": Type.SEMINAR,
        "format": Format.ONLINE,
        "place": None,
        "project": "smarty",
    }
    return an_event("2020-09-08-smarty-seminar-2", **(told | fields))


def essen(**fields: Any) -> Event:
    """15-16 January 2020, past, with materials."""
    told = {
        "title": {"pl": "Wizyta w Essen", "en": "Visit to Essen"},
        "span": a_span("2020-01-15", "2020-01-16", zone="Europe/Berlin"),
        "type": Type.STUDY_VISIT,
        "materials": (
            Material(title={"en": "Lead markets"}, link="https://region.example/lead.pdf", lang="en"),
            Material(title={"en": "Cyber security"}, lang="en"),
        ),
    }
    return an_event("2020-01-15-cohes3ion-essen", **(told | fields))


def many(count: int) -> list[Event]:
    """Meetings every two or three days from 3 April on, three kinds in turn."""
    made = []
    for number in range(count):
        kind = (calabria, stakeholders, seminar)[number % 3]()
        first = date(2020, 4, 3) + timedelta(days=5 * number // 2)
        span = replace(kind.span, first=first, last=first + timedelta(days=number % 2))
        made.append(
            kind.model_copy(update={"slug": f"m{number}", "uid": f"m{number}@region.example", "span": span})
        )
    return made


def a_content(
    *events: Event,
    kind: Kind = Kind.DIGEST,
    language: str = "pl",
    sections: Mapping[str, Sequence[Event]] | None = None,
    now: datetime = NOW,
    **fields: Any,
) -> Content:
    """A digest of `events` as of 1 April 2020; the fields of Content may be given by name."""
    told = {"events": events, **(sections or {})}
    snapshots = {event.uid: a_snapshot(event) for several in told.values() for event in several}
    mentions = tuple(
        Mention(event.uid, 1, "", section) for section, several in told.items() for event in several
    )
    slot = "2020-W15-2w" if kind == Kind.DIGEST else ""
    edition = an_edition(f"{kind}/events/{slot}", kind=kind, mentions=mentions, due=now, date=now, slot=slot)
    defaults: dict[str, Any] = {
        "edition": edition,
        "variant": Variant(tuple(dict.fromkeys((language, *LANGUAGES))), tuple(snapshots), "v1"),
        "snapshots": snapshots,
        "organisation": ORGANISATION,
        "newsletter": NEWSLETTER,
        "catalogue": shipped().catalogue((language,)),
        "links": links(),
        "projects": PROJECTS,
    }
    return Content(**(defaults | fields))


def a_digest(language: str = "pl", **fields: Any) -> Content:
    """Three meetings, a standing call, a past visit with materials."""
    told = {"deadlines": [stakeholders()], "recent": [essen()]}
    return a_content(calabria(), stakeholders(), seminar(), language=language, sections=told, **fields)


def filled(pieces: Sequence[Piece]) -> str:
    return "".join(VALUES[piece.name] if isinstance(piece, Hole) else piece for piece in pieces)


def html_of(page: Page) -> str:
    return filled(page.html)


def text_of(page: Page) -> str:
    return filled(page.text)
