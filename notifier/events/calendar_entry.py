"""What a calendar shows of a published event, in one reader's language: a value between Event and iCalendar."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from notifier.events.calendar_times import as_written
from notifier.events.event import Event, Format, Place, Session, Snapshot, Status, Texts, Type, pick
from notifier.events.ics_bytes import clean, clean_line, clean_parameter, clean_url
from notifier.events.span import Span

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "cancelled": "Cancelled:",  # before the title
        "postponed": "Postponed:",  # before the title
        "tentative": "planned, not confirmed",
        "online": "Online",  # the place of a meeting whose platform is not named
        "registration": "Registration:",  # before its link
        # "meeting" and "other" would say nothing
        **{
            f"type.{kind.value}": kind.value.replace("-", " ")
            for kind in set(Type) - {Type.MEETING, Type.OTHER}
        },
    }
)
"""The words that stand in a calendar file and come from no event; English, and every key there is."""

_MAIL = re.compile(r"[^\s@<>\"',:;\\^\x00-\x20\x7f]+@[^\s@<>\"',:;\\^\x00-\x20\x7f]+")


def say_days(span: Span, language: str) -> str:
    """`2014-12-18`, `2014-12-18..2014-12-19`: the form of the event files."""
    return f"{span.first}" if span.first == span.last else f"{span.first}..{span.last}"


@dataclass(frozen=True)
class CalendarSettings:
    """What the organisation says about its calendars."""

    organiser_name: str  # the ORGANIZER of events that name none with a mail address
    organiser_mail: str
    prodid: str = "-//notifier//events//EN"
    url_for_event: Callable[[Event, str], str] | None = None  # (event, language) -> its public page, or ""
    feed_name: Texts = field(default_factory=dict)
    feed_description: Texts = field(default_factory=dict)
    refresh: str = "PT6H"  # how often programs should look, an RFC 5545 duration
    timezone: str = "UTC"  # the hint X-WR-TIMEZONE
    keep_cancelled: timedelta = timedelta(days=30)  # after its last day a cancelled event leaves the feed
    whole_days_busy: bool = False  # whether a whole-day event blocks the reader's day
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # language -> key of WORDS -> word
    say_span: Callable[[Span, str], str] = (
        say_days  # (span of a session, language) -> its days, without hours
    )


@dataclass(frozen=True)
class Entry:
    """One calendar entry as `calendar.load` reads it back; every text is clean (see ics_bytes.clean)."""

    uid: str
    revised_at: datetime  # DTSTAMP, LAST-MODIFIED; UTC, whole seconds
    published_at: datetime  # CREATED
    sequence: int
    span: Span  # as the file says it: whole days in UTC, times in their zone or in UTC; never a month
    title: str
    status: str  # TENTATIVE | CONFIRMED | CANCELLED
    is_busy: bool = True
    is_public: bool = True
    description: str = ""
    location: str = ""
    geo: tuple[float, float] | None = None
    url: str = ""
    organiser_name: str = ""
    organiser_mail: str = ""
    categories: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()  # https addresses
    meeting_link: str = ""  # of meetings whose link is public
    meeting_label: str = ""


def of(snapshot: Snapshot, languages: Sequence[str], settings: CalendarSettings) -> Entry | None:
    """The entry for a reader of `languages`, in that order; None for a draft and while only the month is fixed.

    A text that is missing in the reader's first language stands there in the next one with its code: `Wizyta (PL)`.
    A link for participants is never in it: one file is read by everybody who has its address.

    Raises:
        ContentError: a span that no calendar can hold (see `calendar_times.as_written`).
    """
    event = snapshot.event
    span = shown_span(event)
    if event.is_draft or span.is_month:
        return None
    reader = _Reader(event, tuple(languages), settings)
    name, mail = _organiser(event, settings)
    online = event.online if event.online and event.online.show == "public" else None
    link = clean_url(online.link) if online else ""
    status = _status(event.status)
    return Entry(
        uid=clean_line(event.uid),
        revised_at=_whole_seconds(snapshot.revised_at),
        published_at=_whole_seconds(snapshot.published_at),
        sequence=snapshot.sequence,
        span=as_written(span, event.slug),
        title=reader.title(),
        status=status,
        is_busy=status != "CANCELLED" and (settings.whole_days_busy or not span.is_all_day),
        is_public=event.visibility == "public",
        description=reader.description(link),
        location=reader.location(),
        geo=_geo(event.place),
        url=link or reader.page(),
        organiser_name=name,
        organiser_mail=mail,
        categories=reader.categories(),
        materials=tuple(filter(None, (clean_url(m.link, ("https",)) for m in event.materials))),
        meeting_link=link,
        meeting_label=clean_parameter(online.platform) if online and link else "",
    )


def shown_span(event: Event) -> Span:
    """The span of the event's one entry: sessions with hours on several days make a bar of whole days."""
    span = event.span
    has_hours = any(s.span and not s.span.is_all_day for s in event.sessions)
    if span.is_month or span.days == 1 or not has_hours:
        return span
    return Span(first=span.first, last=span.last, zone=span.zone)


@dataclass(frozen=True)
class _Reader:
    """An event in the words of one reader."""

    event: Event
    languages: tuple[str, ...]
    settings: CalendarSettings

    @property
    def language(self) -> str:
        return self.languages[0] if self.languages else self.event.language

    def title(self) -> str:
        title = clean_line(self.say(self.event.title))
        state = {Status.CANCELLED: "cancelled", Status.POSTPONED: "postponed"}.get(self.event.status)
        return clean_line(f"{self.word(state)} {title}") if state else title

    def description(self, link: str) -> str:
        event = self.event
        platform = event.online.platform if event.online else ""
        parts = [
            f"{platform}: {link}" if link and platform else link,
            self.word("tentative") if event.status is Status.TENTATIVE else "",
            self.say(event.change_note) if event.status in _CHANGED else "",
            self.say(event.summary),
            "\n".join(self.session_lines()),
            self.registration(),
            self.page(),
        ]
        return clean("\n\n".join(filter(None, parts)))

    def location(self) -> str:
        event = self.event
        place = self.place(event.place) if event.place else ""
        if event.format is Format.IN_PERSON and place:
            return place
        platform = event.online.platform if event.online else ""
        online = platform or (self.word("online") if event.online or not place else "")
        if event.format is Format.IN_PERSON and not event.online:
            return ""  # the place is not known yet; "Online" would be wrong
        return clean_line(" / ".join(filter(None, (place, online))))

    def place(self, place: Place) -> str:
        """Name, address, town. Names of places carry no language code: maps look them up."""
        name = pick(place.name, self.chain)[1]
        parts = dict.fromkeys(clean_line(part) for part in (name, place.address, place.city))
        return ", ".join(filter(None, parts))

    def session_lines(self) -> list[str]:
        return [self._session_line(session) for session in self.event.sessions]

    def _session_line(self, session: Session) -> str:
        when = self.when(session.span) if session.span else ""
        platform = session.online.platform if session.online else ""
        where = self.place(session.place) if session.place else platform
        what = ", ".join(filter(None, (self.say(session.title), where)))
        return clean_line(": ".join(filter(None, (when, what))))

    def when(self, span: Span) -> str:
        days = self.settings.say_span(span, self.language)
        if span.begins is None:
            return days
        return f"{days}, {span.begins:%H:%M}" + (f"–{span.ends:%H:%M}" if span.ends else "")

    def registration(self) -> str:
        link = clean_url(self.event.registration.link) if self.event.registration else ""
        return f"{self.word('registration')} {link}" if link else ""

    def page(self) -> str:
        make = self.settings.url_for_event
        return clean_url((make(self.event, self.language) if make else "") or self.event.link)

    def categories(self) -> tuple[str, ...]:
        kind = f"type.{self.event.type.value}"
        words = (self.word(kind) if kind in WORDS else "", *self.event.topics)
        return tuple(dict.fromkeys(filter(None, map(clean_line, words))))

    @property
    def chain(self) -> tuple[str, ...]:
        return (*self.languages, self.event.language)

    def say(self, texts: Texts) -> str:
        """The text for this reader, with its language code where that is not the reader's first language."""
        tag, text = pick(texts, self.chain)
        text = clean(text)
        base = tag.split("-")[0]
        is_foreign = bool(text and base) and base != self.language.split("-")[0]
        return f"{text} ({base.upper()})" if is_foreign else text

    def word(self, key: str) -> str:
        """A word of the reader's first language that has it, else English."""
        for tag in self.languages:
            for known in (tag, tag.split("-")[0]):
                if found := self.settings.words.get(known, {}).get(key):
                    return clean_line(found)
        return WORDS[key]


_CHANGED = (Status.CANCELLED, Status.POSTPONED, Status.MOVED)


def _status(status: Status) -> str:
    if status in (Status.CANCELLED, Status.POSTPONED):
        return "CANCELLED"
    return "TENTATIVE" if status is Status.TENTATIVE else "CONFIRMED"


def _organiser(event: Event, settings: CalendarSettings) -> tuple[str, str]:
    """(name, address): the event's first organiser where it has an address, else the organisation."""
    for organiser in event.organisers[:1]:
        if _MAIL.fullmatch(organiser.mail):
            return clean_parameter(organiser.name), organiser.mail
    mail = settings.organiser_mail if _MAIL.fullmatch(settings.organiser_mail) else ""
    return clean_parameter(settings.organiser_name), mail


def _geo(place: Place | None) -> tuple[float, float] | None:
    if place is None or place.geo is None:
        return None
    latitude, longitude = place.geo
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return round(latitude, 6) + 0.0, round(longitude, 6) + 0.0  # + 0.0 turns -0.0 into 0.0


def _whole_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
