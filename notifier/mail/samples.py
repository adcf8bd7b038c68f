"""Meetings that do not exist, in every shape that a mail must be able to show: what `notifier check` composes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from notifier.editions.base import Edition, Kind, Mention, Section
from notifier.events.event import (
    Deadline,
    Enquiries,
    Event,
    Format,
    Material,
    Online,
    Organiser,
    Place,
    Registration,
    Session,
    Snapshot,
    Status,
    Texts,
    Type,
)
from notifier.events.span import Span

#: Wednesday 1 April 2020, 05:30 UTC.
NOW = datetime(2020, 4, 1, 5, 30, tzinfo=UTC)
MANY = 60
#: A language that no reader of the samples has.
FOREIGN = "it"
_TITLES = {
    "pl": "Spotkanie robocze grupy interesariuszy w Łodzi",
    "en": "Working meeting of the stakeholder group",
    "de": "Arbeitstreffen der Interessengruppe in Köln",
    "bg": "Работна среща на групата на заинтересованите страни",
}
_BODIES = {
    "pl": "Rozmawiamy o **dobrych praktykach** i o tym, co dalej.\n\n- pierwszy dzień: wizyta;\n- drugi dzień: rozmowy.",
    "en": "We talk about **good practices** and about what comes next.\n\n- first day: a visit;\n- second day: talks.",
    "de": "Wir sprechen über **gute Beispiele** und die nächsten Schritte.\n\n- erster Tag: Besuch;\n- zweiter Tag: Gespräche.",
    "bg": "Говорим за **добри практики** и за следващите стъпки.\n\n- първи ден: посещение;\n- втори ден: разговори.",
}
_LONG = " – ".join(["A very long title that somebody pasted from an official letter of invitation"] * 3)[:200]


@dataclass(frozen=True)
class Situation:
    """One edition to compose, and the meetings that it speaks of."""

    name: str  # "digest of 60", for a person
    edition: Edition
    snapshots: Mapping[str, Snapshot]


def situations(newsletter: str, languages: Sequence[str], zone: str) -> Iterator[Situation]:
    """Every kind in every situation, for an organisation that writes `languages`."""
    make = _Maker(tuple(languages), zone)
    told, bare, foreign, online = (
        make.full("full"),
        make.bare("bare"),
        make.foreign("foreign"),
        make.online("online"),
    )
    states = (Status.CANCELLED, Status.POSTPONED, Status.MOVED)
    called_off = [make.full(s.value, status=s, span=make.span(30 + n)) for n, s in enumerate(states)]
    month = make.bare("month", status=Status.TENTATIVE, span=replace(make.span(60), is_month=True))
    yield _digest("one meeting", newsletter, [told])
    yield _digest(f"{MANY} meetings", newsletter, make.many())
    yield _digest("every state", newsletter, [told, bare, foreign, online, *called_off, month])
    yield _digest("nothing ahead", newsletter, [], {"deadlines": [told], "recent": [make.past()]})
    for kind in (Kind.ANNOUNCEMENT, Kind.REMINDER):
        for event in (told, bare, foreign, online, make.full("tentative", status=Status.TENTATIVE)):
            yield _of(f"{kind.value}, {event.slug}", kind, newsletter, {"events": [event]})


def _digest(
    name: str, newsletter: str, events: Sequence[Event], more: Mapping[Section, Sequence[Event]] | None = None
) -> Situation:
    sections: dict[Section, Sequence[Event]] = {"events": events, **(more or {})}
    return _of(f"digest, {name}", Kind.DIGEST, newsletter, sections)


def _of(name: str, kind: Kind, newsletter: str, sections: Mapping[Section, Sequence[Event]]) -> Situation:
    at = NOW - timedelta(days=10)
    events = {event.uid: event for several in sections.values() for event in several}
    edition = Edition(
        f"{kind.value}/{newsletter}/sample",
        kind,
        newsletter,
        NOW,
        NOW + timedelta(days=2),
        tuple(Mention(e.uid, 1, "", section) for section, several in sections.items() for e in several),
        slot="sample" if kind is Kind.DIGEST else "",
        date=NOW,
        id=1,
    )
    snapshots = {uid: Snapshot(event=e, published_at=at, revised_at=at) for uid, e in events.items()}
    return Situation(name, edition, snapshots)


@dataclass(frozen=True)
class _Maker:
    languages: tuple[str, ...]
    zone: str

    def texts(self, known: Mapping[str, str]) -> Texts:
        return {tag: known.get(tag.split("-")[0], known["en"]) for tag in self.languages}

    def span(self, days_ahead: int, **fields: Any) -> Span:
        first = NOW.date() + timedelta(days=days_ahead)
        return replace(Span(first, first, self.zone), **fields)

    def full(self, slug: str, **fields: Any) -> Event:
        """Everything that a file can say."""
        told: dict[str, Any] = {
            "summary": self.texts(_TITLES),
            "body": self.texts(_BODIES),
            "type": Type.STUDY_VISIT,
            "place": Place(name=self.texts(_TITLES), address="1 Sample Street", city="Sampletown", country="PL"),
            "organisers": (Organiser(name="Example Agency", mail="office@example.org"),),
            "enquiries": Enquiries(name="Example Agency", mail="office@example.org", phone="+48 000 000 000"),
            "languages": self.languages[:2],
            "registration": Registration(link="https://example.org/register", by=date(2020, 4, 10)),
            "deadlines": (Deadline(what=self.texts(_TITLES), by=date(2020, 4, 14)), Deadline(what=self.texts(_BODIES))),
            "sessions": (Session(title=self.texts(_TITLES), span=self.span(20, begins=time(10), ends=time(12))),),
            "materials": (Material(title=self.texts(_TITLES), link="https://example.org/file.pdf"),),
            "link": "https://example.org/meeting",
            "change_note": self.texts(_TITLES),
        }  # fmt: skip
        span = fields.pop("span", self.span(20, last=date(2020, 4, 22)))
        return self._event(slug, self.texts(_TITLES), span, told | fields)

    def bare(self, slug: str, **fields: Any) -> Event:
        """The least that a file must say, and a title as long as it may be."""
        span = fields.pop("span", self.span(40))
        return self._event(slug, dict.fromkeys(self.languages, _LONG), span, fields)

    def foreign(self, slug: str) -> Event:
        """In a language that is not the reader's."""
        told = {
            "language": FOREIGN,
            "summary": {FOREIGN: "Una giornata di lavoro."},
            "body": {FOREIGN: "Una giornata di lavoro."},
        }
        return self._event(slug, {FOREIGN: "Incontro di lavoro"}, self.span(25), told)

    def online(self, slug: str) -> Event:
        """With hours, and a link to join."""
        link = Online(platform="Example Meet", link="https://meet.example.org/abc", show="public")
        span = self.span(8, begins=time(10), ends=time(12))
        return self._event(slug, self.texts(_TITLES), span, {"format": Format.ONLINE, "online": link})

    def past(self) -> Event:
        return self.full("past", span=self.span(-20), deadlines=(), registration=None)

    def many(self) -> list[Event]:
        made = []
        for number in range(MANY):
            titles = {tag: f"{text} {number + 1}" for tag, text in self.texts(_TITLES).items()}
            span = self.span(3 + 5 * number // 2)
            made.append(self._event(f"meeting-{number + 1}", titles, span, {"summary": self.texts(_BODIES)}))
        return made

    def _event(self, slug: str, title: Texts, span: Span, fields: Mapping[str, Any]) -> Event:
        told: dict[str, Any] = {
            "slug": slug,
            "uid": f"sample-{slug}@example.org",
            "title": title,
            "span": span,
            "language": self.languages[0],
        }
        return Event(**(told | dict(fields)))
