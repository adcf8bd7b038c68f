"""Subject and preheader: the state first, then what, then when; no word that is wrong a day later.

Wanted are at most 60 characters, enforced at most 110: titles are cut between words, dates never. The year stands only
where it is not the edition's. Counts go through the catalogue's plural forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from notifier.events.event import Event
from notifier.mail import languages
from notifier.mail.event_views import (
    Setting,
    capital,
    joined,
    names,
    project_name,
    short_name,
    short_place,
    spoken,
)
from notifier.mail.voice import shorten

WANTED = 60
LONGEST = 110
PREHEADER = range(40, 101)
#: Keeps the mail's first words out of the list view: the preheader is followed by nothing, repeated.
PADDING = "\u034f\u200c\u00a0"
MAX_PADDING = 60
#: Languages that write "Dienstag, 28. April" also in a line as short as a subject.
COMMA_AFTER_WEEKDAY = frozenset({"bg", "de"})


def digest(ahead: Sequence[Event], setting: Setting) -> str:
    """`Nadchodzące spotkania: Kalabria 28–29 kwietnia i 2 kolejne`"""
    catalogue = setting.voice.catalogue
    if not ahead:
        return plain(catalogue.text("Deadlines and materials, {date}", date=setting.voice.day(setting.today)))
    date = dates(ahead[0], setting)
    for name in _calls(ahead[0], setting):
        first = f"{name} {date}"
        subject = (
            catalogue.count(
                "Coming up: {first} and {n} more", "Coming up: {first} and {n} more", n, first=first
            )
            if (n := len(ahead) - 1)
            else catalogue.text("Coming up: {first}", first=first)
        )
        if len(subject) <= WANTED and not _seems_all_capitals(subject):
            break
    return plain(subject)


def _calls(event: Event, setting: Setting) -> tuple[str, ...]:
    """What a subject may call an event, best first: where it is, else its title; its project; its first words."""
    project = project_name(event.project, setting) if event.project else ""
    names = (short_name(event, setting.voice, LONGEST - 50), project, short_name(event, setting.voice, 24))
    return tuple(filter(None, names))


def _seems_all_capitals(subject: str) -> bool:
    """Whether filters that know Latin letters only (SpamAssassin's SUBJ_ALL_CAPS) take it for a shout: `среща: SMARTY`."""
    return bool(re.search("[A-Z]", subject)) and not re.search("[a-z]", subject)


def announcement(event: Event, setting: Setting) -> str:
    """`Nowe spotkanie: TITLE, DATE`"""
    return _fit(
        lambda title: setting.voice.catalogue.text("New: {what}", what=f"{title}, {dates(event, setting)}"),
        event,
        setting,
    )


def reminder(event: Event, setting: Setting) -> str:
    """`Przypomnienie: TITLE, wtorek 28 kwietnia, 10:00`"""
    language = setting.voice.language
    comma = ", " if language.split("-")[0] in COMMA_AFTER_WEEKDAY else " "
    days = joined(languages.weekdays(event.span, language), dates(event, setting), between=comma)
    clock = f"{event.span.begins:%H:%M}" if event.span.begins else ""
    when = joined(days, clock, between=", ")
    return _fit(
        lambda title: setting.voice.catalogue.text("Reminder: {what}", what=f"{title}, {when}"),
        event,
        setting,
    )


def digest_preheader(ahead: Sequence[Event], changed: Sequence[str], setting: Setting) -> str:
    """What changed, else the next two dates; where there is one only, its place and organisers."""
    voice = setting.voice
    told = list(changed) or [f"{dates(event, setting)}: {short_name(event, voice)}" for event in ahead[1:3]]
    if ahead and not told:
        told = [voice.told(ahead[0].title)["text"], short_place(ahead[0], voice), names(ahead[0])]
    return fit([*told, voice.text("Dates, places and files for your calendar")])


def notice_preheader(event: Event, setting: Setting) -> str:
    """Place or way to join, organisers, languages spoken."""
    voice = setting.voice
    tongues = ", ".join(spoken(tag, voice) for tag in event.languages)
    told = [capital(short_place(event, voice)), names(event), tongues]
    return fit([*told, voice.text("Details inside, with a file for your calendar")])


def dates(event: Event, setting: Setting) -> str:
    return plain(setting.voice.dates(event.span, relative_to=setting.today))


def fit(parts: Sequence[str]) -> str:
    """As many of the parts as make 40 characters, at most 100."""
    told = ""
    for part in parts:
        if len(told) >= PREHEADER.start:
            break
        told = joined(told, part)
    return shorten(plain(told), PREHEADER.stop - 1)


def padding(preheader: str) -> str:
    return PADDING * max(0, min(MAX_PADDING, PREHEADER.stop - 1 - len(preheader)))


def plain(text: str) -> str:
    """Ordinary spaces: subjects are one line, and searched for."""
    return " ".join(text.replace("\u2060", "").split())


def _fit(told: Callable[[str], str], event: Event, setting: Setting) -> str:
    """The subject with as much of the title as there is room for."""
    title = setting.voice.told(event.title)["text"]
    rest = len(plain(told("")))
    return plain(told(shorten(title, LONGEST - rest)))
