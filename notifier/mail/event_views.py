"""One event as templates see it: plain data, every text already in words of the page.

Pure: an event, the reader's voice and the day of the edition in; a dict of texts, numbers and links out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from notifier.events import addlinks
from notifier.events.calendar_entry import CalendarSettings
from notifier.events.event import Event, Format, Place, Project, Session, Snapshot, Status, Texts, pick
from notifier.events.span import Span
from notifier.mail import languages, markdown
from notifier.mail.links import Links
from notifier.mail.voice import TYPES, Voice, msgid, shorten

MAX_SUMMARY = 220
#: Where links to maps lead.
MAP_HOST = "www.openstreetmap.org"
#: Where links into web calendars lead.
WEB_CALENDAR_HOSTS = ("calendar.google.com", "outlook.live.com")
#: All hosts in a mail that are neither ours nor an event's.
OTHER_HOSTS = frozenset({MAP_HOST, *WEB_CALENDAR_HOSTS})
#: Characters of a tag that fit beside a leaf at 320 px.
MAX_UNBROKEN_TAG = 16
STATUS = {
    Status.TENTATIVE: msgid("planned, not confirmed"),
    Status.POSTPONED: msgid("postponed, new date follows"),
    Status.CANCELLED: msgid("cancelled"),
    Status.MOVED: msgid("moved"),
}
#: Statuses whose old date is struck through: it is not to be travelled to.
CALLED_OFF = frozenset({Status.CANCELLED, Status.POSTPONED})


@dataclass(frozen=True)
class Setting:
    """What every event on a page is told in the light of."""

    voice: Voice
    now: datetime  # of the edition, aware
    today: date  # the same in the organisation's zone
    links: Links
    projects: Mapping[str, Project] = field(default_factory=dict)
    reader_zone: str = ""  # IANA, of online events' second time; empty: none


def card(snapshot: Snapshot, setting: Setting) -> dict[str, Any]:
    """A near event: everything that a reader needs to come, in a few lines."""
    event, voice = snapshot.event, setting.voice
    return row(snapshot, setting) | {
        "when": when(event, setting),
        "left": days_left(event, setting),
        "place": place_line(event, voice),
        "organisers": organisers(event, voice),
        "online": online_line(event, setting),
        "web_calendars": web_calendars(snapshot, setting),
    }


def row(snapshot: Snapshot, setting: Setting) -> dict[str, Any]:
    """A far event: leaf, name, one line of facts, one of summary, links."""
    event, voice = snapshot.event, setting.voice
    return line(snapshot, setting) | {
        "leaf": leaf(event, setting),
        "tags": tags(event, setting),
        "facts": joined(where_to_go(event, voice), organisers(event, voice)),
        "summary": noted_once(summary(event, voice), event, voice),
        "button": None,
        "links": links(event, setting),
    }


def line(snapshot: Snapshot, setting: Setting) -> dict[str, Any]:
    """The least that can be said of an event: when, what, where."""
    event, voice = snapshot.event, setting.voice
    return {
        "title": voice.told(event.title),
        "when": when(event, setting),
        "dates": voice.dates(event.span, relative_to=setting.today),
        "status": status(event, voice),
        "is_off": event.status in CALLED_OFF,
        "short_place": short_place(event, voice),
        "page": page_link(event, setting),
        "links": links(event, setting)[:1],
    }


def full(snapshot: Snapshot, setting: Setting) -> dict[str, Any]:
    """An event that has a notice to itself: all that its file tells readers."""
    event, voice = snapshot.event, setting.voice
    return card(snapshot, setting) | {
        "body": noted_once(prose(event.body, voice), event, voice),
        "form": voice.text(FORMATS[event.format]),
        "summary": noted_once(
            voice.told(event.summary), event, voice
        ),  # not made from the body: that stands below
        "spoken": ", ".join(spoken(tag, voice) for tag in event.languages),
        "sessions": [session(s, event, setting) for s in event.sessions],
        "materials": materials(event, setting),
        "enquiries": enquiries(event, voice),
        "change_note": voice.told(event.change_note),
        "funding": funding(event, setting),
    }


FORMATS = {
    Format.IN_PERSON: msgid("in person"),
    Format.ONLINE: msgid("online"),
    Format.HYBRID: msgid("in person and online"),
}


def when(event: Event, setting: Setting) -> str:
    """`wtorek–środa, 28–29 kwietnia 2020`, with the time of day where there is one."""
    voice = setting.voice
    days = languages.weekdays(event.span, voice.language)
    told = joined(days, voice.dates(event.span), between=", ")
    also = setting.reader_zone if event.format != Format.IN_PERSON else ""
    return joined(told, languages.time_of(event.span, voice.language, also=also), between=", ")


def days_left(event: Event, setting: Setting) -> str:
    """`za 27 dni`; empty once it has begun, and while only the month is fixed."""
    left = (event.span.first - setting.today).days
    return (
        ""
        if left < 0 or event.span.is_month
        else setting.voice.polish(setting.voice.catalogue.days_left(left))
    )


def leaf(event: Event, setting: Setting) -> dict[str, Any]:
    parts = languages.leaf(event.span, setting.voice.language)
    return {
        "month": parts.month,
        "days": parts.days or f"{event.span.first.year}",
        "weekday": parts.weekday,
        "is_wide": len(parts.days) > 3 or event.span.is_month,
        "is_marked": event.status in STATUS and event.status != Status.TENTATIVE,
    }


def tags(event: Event, setting: Setting) -> list[dict[str, Any]]:
    """Project, sort of meeting, form, status: `text`, `look` (plain, quiet, marked), and whether it fits on any line."""
    voice = setting.voice
    found = [
        (project_name(event.project, setting) if event.project else "", "plain"),
        (voice.text(TYPES[event.type]) if event.type in TYPES else "", "plain"),
        (voice.text(FORMATS[event.format]) if event.format != Format.IN_PERSON else "", "quiet"),
        (status(event, voice), "marked"),
    ]
    return [
        {"text": capital(text), "look": look, "is_short": len(text) <= MAX_UNBROKEN_TAG}
        for text, look in found
        if text
    ]


def status(event: Event, voice: Voice) -> str:
    return voice.text(STATUS[event.status]) if event.status in STATUS else ""


def project_name(key: str, setting: Setting) -> str:
    project = setting.projects.get(key)
    name = setting.voice.any(project.name) if project else ""
    return name if 0 < len(name) <= 24 else key.upper()


def summary(event: Event, voice: Voice) -> dict[str, Any]:
    """The summary, else the first sentence of the body, in at most 220 characters."""
    told = voice.told(event.summary)
    if not told["text"] and event.body:
        told = voice.told({tag: first_sentence(text) for tag, text in event.body.items()})
    return told | {"text": shorten(told["text"], MAX_SUMMARY)}


def noted_once(told: Mapping[str, Any], event: Event, voice: Voice) -> dict[str, Any]:
    """`told` without the note of its language where the title above it has the same one."""
    is_noted = told["lang"] == voice.told(event.title)["lang"]
    return dict(told) | ({"note": "", "mark": ""} if is_noted else {})


def first_sentence(body: str) -> str:
    words = " ".join(markdown.to_text(body, columns=100_000).split("\n\n")[0].split())
    end = next(
        (n + 1 for n in range(len(words) - 1) if words[n] in ".!?" and words[n + 1] == " "), len(words)
    )
    return words[:end]


def prose(texts: Texts, voice: Voice) -> dict[str, Any]:
    """Markdown as safe `html` and as `text`, with its language as `Voice.told` gives it."""
    tag, source = pick(texts, voice.reads)

    def polish(words: str) -> str:
        return voice.polish(words, tag)

    return voice.told(texts) | {
        "html": markdown.to_html(source, polish),
        "text": markdown.to_text(source, polish),
    }


def place_line(event: Event, voice: Voice) -> str:
    """`Kalabria, Włochy`; name, address, town and country, each once."""
    return place_words(event.place, voice, is_long=True) if event.format != Format.ONLINE else ""


def short_place(event: Event, voice: Voice) -> str:
    """Where in a word or two: `Kalabria, Włochy`, `MS Teams`, `online`."""
    if event.format == Format.ONLINE:
        return (event.online.platform if event.online else "") or voice.text(FORMATS[Format.ONLINE])
    return place_words(event.place, voice, is_long=False)


def where_to_go(event: Event, voice: Voice) -> str:
    """As `short_place`, but nothing where a tag says already that it is online."""
    told = short_place(event, voice)
    return "" if told == voice.text(FORMATS[Format.ONLINE]) else told


def place_words(place: Place | None, voice: Voice, *, is_long: bool) -> str:
    if place is None:
        return ""
    parts = [voice.any(place.name)]
    for part in (
        place.address if is_long else "",
        place.city,
        voice.country(place.country) if place.country else "",
    ):
        if part and not any(part in there for there in parts):
            parts.append(part)
    return voice.polish(joined(*parts, between=", "))


def short_name(event: Event, voice: Voice, limit: int = 40) -> str:
    """What one calls the event in a list: the town or region, else its title."""
    place = event.place if event.format != Format.ONLINE else None
    name = (place.city or voice.any(place.name).split(",")[0].strip()) if place else ""
    return name or shorten(voice.told(event.title)["text"], limit)


def organisers(event: Event, voice: Voice) -> str:
    return voice.polish(names(event))


def names(event: Event) -> str:
    return ", ".join(o.name for o in event.organisers)


def spoken(tag: str, voice: Voice) -> str:
    """A language spoken at the event, by its name in the page's language."""
    return str(languages.locale_of(voice.language).languages.get(tag.split("-")[0], tag))


def online_line(event: Event, setting: Setting) -> str:
    """`MS Teams`; until the link is told, with the day from which it is."""
    if event.online is None:
        return ""
    told = event.online.platform
    if event.online.link and event.online.show == "subscribers" and not join_link(event, setting):
        opens = event.span.starts_at - timedelta(hours=event.online.from_hours)
        day = setting.voice.day(opens.astimezone(ZoneInfo(event.span.zone)).date(), relative_to=setting.today)
        told = joined(told, setting.voice.text("link to join from {day}", day=day), between=", ")
    return told


def join_link(event: Event, setting: Setting) -> str | None:
    """The link to join, if it may be told now: always when public, else from `from_hours` before the start."""
    online = event.online
    if online is None or online.show == "none" or event.status in CALLED_OFF or not web(online.link):
        return None
    opens = event.span.starts_at - timedelta(hours=online.from_hours)
    return online.link if online.show == "public" or setting.now >= opens else None


def map_link(event: Event, voice: Voice) -> str | None:
    """A map of the place, if it is a place that a map can find."""
    place = event.place
    if place is None or event.format == Format.ONLINE or event.status in CALLED_OFF:
        return None
    if place.geo:
        north, east = place.geo
        return f"https://{MAP_HOST}/?mlat={north}&mlon={east}#map=15/{north}/{east}"
    if not (place.address or place.city):
        return None  # a region on a map helps nobody to the door
    words = joined(
        place.address, place.city, voice.country(place.country) if place.country else "", between=", "
    )
    return f"https://{MAP_HOST}/search?query={quote(words, safe='')}"


def links(event: Event, setting: Setting) -> list[dict[str, Any]]:
    """What can be done about an event, the calendar first; only what is served and known."""
    voice, name = setting.voice, full_name(event, setting)
    all_links = (
        (voice.text("+ Calendar"), ics_link(event, setting)),
        (voice.text("Join"), join_link(event, setting)),
        (voice.text("Map"), map_link(event, voice)),
        (voice.text("Event page"), page_link(event, setting)),
    )
    return [
        {"text": text, "alone": text, "url": url, "label": f"{text}: {name}", "is_first": number == 0}
        for number, (text, url) in enumerate(all_links)
        if url
    ]


def web_calendars(snapshot: Snapshot, setting: Setting) -> list[dict[str, Any]]:
    """Links that put the event into a calendar on the web; `text` beside our own calendar link, `alone` in the text part.

    They carry title, days and place only: the mail has the rest, and the text part shows every character of them.
    """
    event, voice = snapshot.event, setting.voice
    if not ics_link(event, setting):
        return []
    left_out: dict[str, Any] = {
        "summary": {},
        "body": {},
        "change_note": {},
        "sessions": (),
        "registration": None,
    }
    brief = snapshot.model_copy(update={"event": event.model_copy(update=left_out)})
    words = {
        "online": capital(voice.text(FORMATS[Format.ONLINE])),
        "tentative": voice.text(STATUS[Status.TENTATIVE]),
    }
    said = CalendarSettings(organiser_name="", organiser_mail="", words={voice.language: words})
    page, whole = page_link(event, setting) or "", full_name(event, setting)
    reads = (voice.language, *(tag for tag in voice.reads if tag != voice.language))
    return [
        {
            "text": service,
            "alone": (name := voice.text("{service} calendar", service=service)),
            "url": link(brief, reads, page, settings=said),
            "label": f"{name}: {whole}",
            "is_first": False,
        }
        for service, link in (("Google", addlinks.google), ("Outlook", addlinks.outlook))
    ]


def full_name(event: Event, setting: Setting) -> str:
    """Title, days and hour: what tells a meeting from all others on a page, for links that are heard alone."""
    dates = setting.voice.dates(event.span, relative_to=setting.today)
    clock = f"{event.span.begins:%H:%M}" if event.span.begins else ""
    return joined(setting.voice.told(event.title)["text"], dates, clock, between=", ")


def with_button(told: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    """`told`, a card, whose calendar link is the button: there is one in the whole mail, and with it the other ways
    into a calendar."""
    first = next((link for link in told["links"] if link["is_first"]), None)
    if first is None:
        return dict(told)
    text = setting.voice.text("Add to calendar")
    button = {"text": text, "url": first["url"], "label": f"{text}: {told['title']['text']}"}
    others = [link for link in told["links"] if link is not first]
    return dict(told) | {"button": button, "links": [*others, *told["web_calendars"]]}


def ics_link(event: Event, setting: Setting) -> str | None:
    """The address of its calendar file, where one is served: anybody could open it, so only of public events with a day."""
    if event.status in CALLED_OFF or event.span.is_month or event.visibility != "public":
        return None
    return setting.links.event_ics(event.slug, setting.voice.language)


def page_link(event: Event, setting: Setting) -> str | None:
    return setting.links.event_page(event.slug, setting.voice.language) or web(event.link)


def session(part: Session, event: Event, setting: Setting) -> dict[str, Any]:
    voice = setting.voice
    own = event.model_copy(update={"span": part.span or event.span, "format": event.format})
    return {
        "title": voice.told(part.title),
        "when": when(own, setting) if part.span else voice.text("within these days"),
        "place": place_words(part.place, voice, is_long=True),
        "organisers": voice.polish(", ".join(o.name for o in part.organisers)),
    }


def deadlines(event: Event, setting: Setting) -> Iterable[dict[str, Any]]:
    """What can still be done for an event, soonest first; calls without an end last."""
    voice = setting.voice
    told = [(d.by, voice.told(d.what), web(d.link)) for d in event.deadlines if is_open(d.by, setting)]
    if (
        (r := event.registration)
        and (r.link or r.by)
        and is_open(r.by, setting)
        and event.status not in CALLED_OFF
    ):
        told.append((r.by, voice.told({"": voice.text("Registration")}), web(r.link)))
    for by, what, link in sorted(told, key=lambda d: (d[0] is None, last_day(d[0], event))):
        yield {
            "by": due_day(by, event, setting) if by else voice.text("Open call"),
            "what": what,
            "link": link,
            "label": f"{what['text']}: {full_name(event, setting)}",
            "mail": [] if link or not event.enquiries else addresses(event.enquiries.mail),
            "event": voice.told(event.title),
        }


def is_open(by: date | datetime | None, setting: Setting) -> bool:
    if by is None:
        return True
    return by > setting.now if isinstance(by, datetime) else by >= setting.today


def due_day(by: date | datetime, event: Event, setting: Setting) -> str:
    """`15 kwietnia`, with an hour in the event's zone where the deadline has one: `15 kwietnia, 12:00 (Sofia)`."""
    voice, day = setting.voice, last_day(by, event)
    told = voice.day(day, relative_to=setting.today)
    if not isinstance(by, datetime):
        return told
    hour = by.astimezone(ZoneInfo(event.span.zone)).time()
    instant = Span(first=day, last=day, begins=hour, zone=event.span.zone)
    return joined(told, languages.time_of(instant, voice.language), between=", ")


def last_day(by: date | datetime | None, event: Event) -> date:
    if by is None:
        return date.max
    return by.astimezone(ZoneInfo(event.span.zone)).date() if isinstance(by, datetime) else by


def materials(event: Event, setting: Setting) -> dict[str, Any]:
    """What there is to read; before the event only what can be opened, because a bare title is a promise to nobody.

    `all`, and once for all of them the `note` if they are in one other language.
    """
    is_over = event.span.ends_at <= setting.now
    told: list[dict[str, Any]] = [
        {"title": setting.voice.told(part.title), "link": web(part.link)}
        for part in event.materials
        if is_over or web(part.link)
    ]
    notes = {part["title"]["note"] for part in told}
    if len(notes) == 1:
        told = [part | {"title": part["title"] | {"note": ""}} for part in told]
    return {"all": told, "note": notes.pop() if len(notes) == 1 else ""}


def enquiries(event: Event, voice: Voice) -> dict[str, Any]:
    asked = event.enquiries
    if asked is None:
        return {"name": "", "mail": [], "phone": ""}
    return {"name": voice.polish(asked.name), "mail": addresses(asked.mail), "phone": asked.phone}


def funding(event: Event, setting: Setting) -> str:
    project = setting.projects.get(event.project)
    return setting.voice.own(project.funding) if project else ""


def addresses(several: str) -> list[str]:
    return [one.strip() for one in several.split(",") if one.strip()]


def web(url: str) -> str | None:
    """The URL if it is one that may stand in a mail."""
    return url if url.startswith(("https://", "mailto:")) else None


def joined(*parts: str, between: str = " · ") -> str:
    return between.join(part for part in parts if part)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
