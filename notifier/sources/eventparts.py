"""The parts of an event that are maps or lists in its file: place, online, organisers, deadlines, materials, sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from notifier.config import parse_duration
from notifier.events.event import (
    Deadline,
    Enquiries,
    Material,
    Online,
    Organiser,
    Place,
    Registration,
    Session,
)
from notifier.sources.base import ReadingSettings
from notifier.sources.fields import LANGUAGE, Fields, one_line
from notifier.sources.findings import near
from notifier.sources.frontmatter import Items, Map, Scalar

MAX_TITLE = 200
_PLACE = ("name", "address", "city", "country", "geo", "access")
_ONLINE = ("platform", "link", "phone", "passcode", "show", "from")
_ORGANISER = ("name", "web", "mail")
_ENQUIRIES = ("name", "mail", "phone", "for")
_REGISTRATION = ("link", "by", "places", "taken")
_DEADLINE = ("what", "by", "link", "remind")
_MATERIAL = ("title", "file", "link", "lang", "added")
_SESSION = ("title", "when", "place", "online", "project", "organiser")
_SHOWN = ("subscribers", "public", "none")


@dataclass(frozen=True)
class Context:
    """What the parts of one event are read with."""

    settings: ReadingSettings
    language: str
    zone: str
    slug: str = ""
    projects: tuple[str, ...] = ()  # keys that exist


def read_place(fields: Fields, language: str) -> Place | None:
    """`place: Essen`, or a map with its name, perhaps in several languages."""
    node = fields.get("place")
    if not isinstance(node, Map):
        name = fields.text("place")
        return Place(name={language: name}) if name else None
    inner = Fields(node, fields.findings, _PLACE)
    place = Place(
        name=inner.texts("name", language),
        address=inner.text("address"),
        city=inner.text("city"),
        country=_country(inner),
        geo=_geo(inner),
        access=inner.text("access"),
    )
    if "name" not in inner and "city" not in inner and "address" not in inner and "country" not in inner:
        inner.missing("name", "place: {name: …}")
    return place


def _country(fields: Fields) -> str:
    word = fields.text("country")
    if word and not re.fullmatch("[A-Z]{2}", word):
        fix = f"country: {word.upper()}" if re.fullmatch("[A-Za-z]{2}", word) else "country: PL"
        fields.wrong("country", "a code of two capital letters (ISO 3166)", fix)
        return ""
    return word


def _geo(fields: Fields) -> tuple[float, float] | None:
    node = fields.get("geo")
    if node is None:
        return None
    words = fields.words("geo") if isinstance(node, Items) else re.split(r"[,;\s]+", fields.text("geo"))
    numbers = [float(word) for word in words if re.fullmatch(r"-?\d{1,3}(?:\.\d{1,12})?", word)]
    if len(numbers) == len(words) == 2 and abs(numbers[0]) <= 90 and abs(numbers[1]) <= 180:
        return numbers[0], numbers[1]
    fields.wrong("geo", "latitude and longitude in degrees", "geo: [52.2297, 21.0122]")
    return None


def read_online(fields: Fields) -> Online | None:
    inner = fields.map("online", _ONLINE)
    if inner is None:
        return None
    show = inner.choice("show", _SHOWN) or "subscribers"
    link = inner.link("link")
    if show == "public" and link:
        text = "the meeting link is public: anybody may come, and robots will read it"
        inner.findings.warn("W113", inner.place("show"), text, "show: subscribers")
    return Online(
        platform=inner.text("platform"),
        link=link,
        phone=inner.text("phone"),
        passcode=inner.text("passcode"),
        show=show,
        from_hours=_hours_before(inner),
    )


def _hours_before(fields: Fields) -> float:
    word = fields.text("from")
    if not word:
        return 24
    try:
        return parse_duration(word[:40]) / timedelta(hours=1)
    except ValueError:
        fields.wrong("from", "a time before the start, like 24h or 30m", "from: 24h")
        return 24


def read_organisers(fields: Fields) -> tuple[Organiser, ...]:
    """A text, a map, or a list of both; the first is the one that calendars name."""
    node = fields.get("organiser")
    found = []
    for item in node.nodes if isinstance(node, Items) else [node] if node else []:
        if isinstance(item, Scalar):
            found += [Organiser(name=name)] if (name := one_line(item.text)) else []
        elif isinstance(item, Map):
            inner = Fields(item, fields.findings, _ORGANISER)
            if "name" not in inner:
                inner.missing("name", "name: …")
            found.append(Organiser(name=inner.text("name"), web=inner.link("web"), mail=inner.mail("mail")))
        else:
            fields.findings.add("E009", item, 'each of "organiser" must be a text or a map', "{name: …}")
    return tuple(found)


def read_enquiries(fields: Fields) -> Enquiries | None:
    """Who answers questions; a plain text is a mail address or the name of an office."""
    if isinstance(fields.get("enquiries"), Scalar):
        return enquiries_from(fields.text("enquiries"))
    inner = fields.map("enquiries", _ENQUIRIES)
    if inner is None:
        return None
    return Enquiries(
        name=inner.text("name"), mail=inner.mail("mail"), phone=inner.text("phone"), purpose=inner.text("for")
    )


def enquiries_from(text: str) -> Enquiries | None:
    if not text:
        return None
    return Enquiries(mail=text) if "@" in text and " " not in text else Enquiries(name=text)


def read_registration(fields: Fields, context: Context) -> Registration | None:
    inner = fields.map("registration", _REGISTRATION)
    if inner is None:
        return None
    return Registration(
        link=inner.link("link"),
        by=inner.moment("by", context.zone),
        places=inner.number("places"),
        taken=inner.number("taken"),
    )


def read_deadlines(fields: Fields, context: Context) -> tuple[Deadline, ...]:
    found = []
    for inner in fields.maps("deadlines", _DEADLINE):
        if "what" not in inner:
            inner.missing("what", "what: …")
        found.append(
            Deadline(
                what=inner.texts("what", context.language, MAX_TITLE),
                by=inner.moment("by", context.zone),
                link=inner.link("link"),
                remind=_durations(inner),
            )
        )
    return tuple(found)


def _durations(fields: Fields) -> tuple[str, ...]:
    words = fields.words("remind")
    for word in words:
        try:
            parse_duration(word[:40])
        except ValueError:
            fields.wrong("remind", "a list of times before the day, like 7d or 12h", "remind: [7d, 1d]")
            return ()
    return words


def read_materials(fields: Fields, context: Context) -> tuple[Material, ...]:
    found = []
    for inner in fields.maps("materials", _MATERIAL):
        if "title" not in inner:
            inner.missing("title", "title: …")
        path, size = _attachment(inner, context.settings)
        found.append(
            Material(
                title=inner.texts("title", context.language, MAX_TITLE),
                file=path,
                link=inner.link("link"),
                lang=read_language(inner, "lang"),
                added=inner.day("added"),
                size_bytes=size,
            )
        )
    return tuple(found)


def read_language(fields: Fields, name: str) -> str:
    """A BCP 47 tag."""
    word = fields.text(name)
    if word and not LANGUAGE.fullmatch(word):
        fix = f"{name}: {word.lower()}" if LANGUAGE.fullmatch(word.lower()) else f"{name}: en"
        fields.wrong(name, "a language tag such as pl or en-GB", fix)
        return ""
    return word


def _attachment(fields: Fields, settings: ReadingSettings) -> tuple[str, int | None]:
    path = fields.text("file")
    if not path:
        return "", None
    parts = PurePosixPath(path).parts
    place = fields.place("file")
    size = settings.attachments.get(path)
    if path.startswith(("/", "~")) or ".." in parts or "\\" in path or ":" in path or (size or 0) < 0:
        fields.findings.add("E024", place, f'"{path[:80]}" leaves {settings.folder}/attachments')
    elif size is None:
        close = near(path, settings.attachments)
        text = f"file missing: {settings.folder}/attachments/{path[:80]}"
        fields.findings.add("E021", place, text, [f"file: {name}" for name in close])
    elif size > settings.max_attachment_bytes:
        limit = settings.max_attachment_bytes / 1_000_000
        text = (
            f"file is {size / 1_000_000:.1f} MB, limit {limit:g} MB; put it on the web and give its address"
        )
        fields.findings.add("E022", place, text, "link: https://…")
    else:
        return path, size
    return "", None


def read_sessions(fields: Fields, context: Context) -> tuple[Session, ...]:
    found = []
    for inner in fields.maps("sessions", _SESSION):
        if "title" not in inner:
            inner.missing("title", "title: …")
        found.append(
            Session(
                title=inner.texts("title", context.language, MAX_TITLE),
                span=inner.span("when", context.zone, context.slug),
                place=read_place(inner, context.language),
                online=read_online(inner),
                project=inner.key("project", context.projects, "project"),
                organisers=read_organisers(inner),
            )
        )
    return tuple(found)
