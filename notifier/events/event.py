"""The event: one meeting as its file tells it, and the snapshots of it that were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from notifier.events.span import Span
from notifier.events.summary import first_sentence

Texts = Mapping[str, str]
"""One text in several languages: BCP 47 tag -> text."""


class Value(BaseModel):
    """A frozen value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Type(StrEnum):
    STUDY_VISIT = "study-visit"
    VISIT = "visit"
    SEMINAR = "seminar"
    CONFERENCE = "conference"
    MEETING = "meeting"
    WORKSHOP = "workshop"
    WEBINAR = "webinar"
    OTHER = "other"


class Status(StrEnum):
    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    MOVED = "moved"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


class Format(StrEnum):
    IN_PERSON = "in-person"
    ONLINE = "online"
    HYBRID = "hybrid"


class Place(Value):
    name: Texts = Field(default_factory=dict)
    address: str = ""
    city: str = ""
    country: str = ""  # ISO 3166-1 alpha-2
    geo: tuple[float, float] | None = None  # latitude, longitude in degrees
    access: str = ""


class Online(Value):
    platform: str = ""
    link: str = ""
    phone: str = ""
    passcode: str = ""
    show: str = "subscribers"  # subscribers | public | none
    from_hours: float = 24  # how long before the start the link is told


class Organiser(Value):
    name: str
    web: str = ""
    mail: str = ""


class Enquiries(Value):
    name: str = ""
    mail: str = ""  # one address, or several separated by ", "
    phone: str = ""
    purpose: str = ""  # `for:` in the file, e.g. "good practices"


class Registration(Value):
    link: str = ""
    by: date | datetime | None = None  # a date: that day inclusive; a datetime: aware
    places: int | None = None
    taken: int | None = None


class Deadline(Value):
    what: Texts
    by: date | datetime | None = None  # None: a standing call without an end
    link: str = ""
    remind: tuple[str, ...] = ()  # durations before it, e.g. "7d"


class Material(Value):
    title: Texts
    file: str = ""  # path under data/attachments
    link: str = ""
    lang: str = ""
    added: date | None = None
    size_bytes: int | None = None


class Session(Value):
    title: Texts
    span: Span | None = None  # None: no date of its own, the event's days are inherited
    place: Place | None = None
    online: Online | None = None
    project: str = ""
    organisers: tuple[Organiser, ...] = ()


class Event(Value):
    """One meeting, complete after inheritance from its series, project and organisation."""

    slug: str  # file name without .md
    uid: str
    title: Texts
    span: Span
    language: str  # of the original text
    type: Type = Type.MEETING
    summary: Texts = Field(default_factory=dict)  # one line; falls back to the first sentence of the body
    body: Texts = Field(default_factory=dict)  # Markdown
    status: Status = Status.CONFIRMED
    format: Format = Format.IN_PERSON
    format_is_assumed: bool = False
    place: Place | None = None
    online: Online | None = None
    organisers: tuple[Organiser, ...] = ()
    enquiries: Enquiries | None = None
    project: str = ""  # key of a Project
    series: str = ""  # key of a Series
    number: int | None = None
    topics: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # spoken at the event
    registration: Registration | None = None
    deadlines: tuple[Deadline, ...] = ()
    materials: tuple[Material, ...] = ()
    sessions: tuple[Session, ...] = ()
    follows: tuple[str, ...] = ()  # slugs
    attendance: str = ""
    link: str = ""
    change_note: Texts = Field(default_factory=dict)
    notify: str = ""  # now | next-digest | silent; empty: by materiality
    is_draft: bool = False
    publish_after: datetime | None = None  # aware
    visibility: str = "public"  # public | subscribers | group:NAME
    stale: tuple[str, ...] = ()  # languages whose translation is older than the original

    @model_validator(mode="before")
    @classmethod
    def _summarised(cls, data: Any) -> Any:
        """A language without a summary takes the first sentence of its body, so that nobody else has to know."""
        if not isinstance(data, dict) or not data.get("body"):
            return data
        written = data.get("summary") or {}
        added = {
            tag: line
            for tag, text in data["body"].items()
            if not written.get(tag) and (line := first_sentence(text))
        }
        return data | {"summary": {**written, **added}} if added else data

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store; `from_json(to_json(e)) == e`."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Event:
        return cls.model_validate(data)


class Project(Value):
    key: str  # file name without .md
    name: Texts
    programme: str = ""
    partners: tuple[str, ...] = ()
    web: str = ""
    funding: Texts = Field(default_factory=dict)
    logo: str = ""
    body: Texts = Field(default_factory=dict)
    visibility: str = (
        "public"  # of its events that say nothing else; a project that is not public is not told of
    )


class Series(Value):
    key: str
    title: Texts
    project: str = ""
    body: Texts = Field(default_factory=dict)
    visibility: str = ""  # of its events that say nothing else; empty: its project's


class Snapshot(Value):
    """An event as it was published at one time.

    `revision` counts every published snapshot from 1. `sequence` counts what calendars must replace, from 0
    (SEQUENCE of RFC 5545). A baseline event was there at the first refresh and is announced by nobody.
    """

    event: Event
    revision: int = 1
    sequence: int = 0
    published_at: datetime  # of revision 1, UTC
    revised_at: datetime  # of this revision, UTC
    is_baseline: bool = False


def pick(texts: Texts, languages: Sequence[str]) -> tuple[str, str]:
    """(language, text) of the first of `languages` that is there, else of any; ("", "") if there is none.

    BCP 47 lookup: a reader of `en-GB` is served `en`, and a text in `en-GB` serves a reader of `en`.
    """
    for wanted in languages:
        base = wanted.split("-")[0]
        for tag in (wanted, base, *(t for t in texts if t.split("-")[0] == base)):
            if texts.get(tag):
                return tag, texts[tag]
    for tag, text in texts.items():
        if text:
            return tag, text
    return "", ""
