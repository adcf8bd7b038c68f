"""What an event takes from its series, its project and the organisation, nearest first."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass, fields

from notifier.config import parse_zone
from notifier.events.event import Enquiries, Organiser, Place, Type
from notifier.sources.base import ReadingSettings
from notifier.sources.eventparts import (
    enquiries_from,
    read_enquiries,
    read_organisers,
    read_place,
)
from notifier.sources.fields import LANGUAGE, Fields
from notifier.sources.findings import near

INHERITED = (
    "timezone",
    "type",
    "place",
    "organiser",
    "enquiries",
    "topics",
    "regions",
    "languages",
    "visibility",
)
_VISIBLE = ("public", "subscribers", "group:NAME")


@dataclass(frozen=True)
class Inherited:
    """The nine fields that may come from above; None: not said here."""

    timezone: str | None = None
    type: Type | None = None
    place: Place | None = None
    organisers: tuple[Organiser, ...] | None = None
    enquiries: Enquiries | None = None
    topics: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    visibility: str | None = None

    def over(self, above: Inherited) -> Inherited:
        """This, with what is above where nothing is said here."""
        names = (field.name for field in fields(self))
        return Inherited(
            **{n: mine if (mine := getattr(self, n)) is not None else getattr(above, n) for n in names}
        )


def of_organisation(settings: ReadingSettings) -> Inherited:
    """The organiser is not among it: who publishes a meeting did not for that reason hold it."""
    return Inherited(timezone=settings.timezone, enquiries=enquiries_from(settings.enquiries))


def read(top: Fields, language: str, settings: ReadingSettings) -> Inherited:
    """What one file says itself."""
    return Inherited(
        timezone=_zone(top),
        type=Type(word) if (word := top.choice("type", list(Type))) else None,
        place=read_place(top, language),
        organisers=read_organisers(top) or None,
        enquiries=read_enquiries(top),
        topics=top.keys("topics", settings.topics, "topic") if "topics" in top else None,
        regions=_regions(top, settings) if "regions" in top else None,
        languages=_spoken(top) if "languages" in top else None,
        visibility=_visibility(top),
    )


def _zone(top: Fields) -> str | None:
    word = top.text("timezone")
    if not word:
        return None
    try:
        return parse_zone(word[:80])
    except ValueError:
        close = near(word, zoneinfo.available_timezones())
        hint = f'; did you mean "{close[0]}"?' if close else '; write an IANA name such as "Europe/Warsaw"'
        text = f'unknown zone "{word[:60]}"{hint}'
        top.findings.add("E014", top.place("timezone"), text, [f"timezone: {name}" for name in close])
        return None


def _regions(top: Fields, settings: ReadingSettings) -> tuple[str, ...]:
    if settings.regions:
        return top.keys("regions", settings.regions, "region")
    words = top.words("regions")
    if not all(re.fullmatch("[A-Z]{2}[A-Z0-9]{0,3}", word) for word in words):
        top.wrong("regions", "a list of NUTS codes", "regions: [PL92]")
        return ()
    return words


def _spoken(top: Fields) -> tuple[str, ...]:
    words = top.words("languages")
    if not all(LANGUAGE.fullmatch(word) for word in words):
        top.wrong("languages", "a list of language tags", "languages: [pl, en]")
        return ()
    return words


def _visibility(top: Fields) -> str | None:
    word = top.text("visibility")
    if re.fullmatch(r"group:[\w-]{1,60}", word):
        return word
    return top.choice("visibility", _VISIBLE) or None
