"""A page as templates see it: what one edition says to one variant of its readers, as plain data.

Pure: the same content gives the same data. Recipients' values are not here; `render` adds stand-ins for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from notifier.config import Names, Newsletter, Organisation
from notifier.editions.base import Edition, Kind
from notifier.events.event import Event, Project, Snapshot, Texts
from notifier.mail import event_views, languages, subjects
from notifier.mail.event_views import CALLED_OFF, Setting
from notifier.mail.languages import Catalogue
from notifier.mail.links import Links
from notifier.mail.strip import strip
from notifier.mail.voice import Voice, direction, msgid
from notifier.subscribers.subscriber import EVERYTHING, Subscriber, Variant

#: Events that begin within this are told in full; later ones in a few lines.
NEAR = timedelta(days=30)
MAX_DEADLINES = 12
MAX_RECENT = 8
FREQUENCIES = {
    "weekly": msgid("every week"),
    "biweekly": msgid("every two weeks"),
    "monthly": msgid("once a month"),
    "each": msgid("once after signing up"),
}


@dataclass(frozen=True)
class Change:
    """What readers of a digest are told about a changed event: field by field the old and the new, in words."""

    uid: str
    fields: tuple[tuple[str, str, str], ...]  # name, old, new
    stays: str = ""  # what does not change, a sentence


@dataclass(frozen=True)
class Content:
    """All that a page is made from."""

    edition: Edition
    variant: Variant
    snapshots: Mapping[str, Snapshot]  # by UID, at least those that the edition mentions
    organisation: Organisation
    newsletter: Newsletter
    catalogue: Catalogue
    links: Links
    projects: Mapping[str, Project] = field(default_factory=dict)
    note: Texts = field(default_factory=dict)  # the officer's word, Markdown in each language
    changes: tuple[Change, ...] = ()

    def in_section(self, section: str) -> list[Snapshot]:
        """What this variant is told in a section, in the edition's order; each event once."""
        uids = dict.fromkeys(m.uid for m in self.edition.mentions if m.section == section)
        wanted = frozenset(self.variant.uids)
        return [self.snapshots[uid] for uid in uids if uid in wanted and uid in self.snapshots]


def setting_of(content: Content) -> Setting:
    """The light in which all events of the page are told."""
    organisation = content.organisation
    now = content.edition.date or content.edition.due
    reads = tuple(dict.fromkeys((*content.variant.languages, *organisation.languages)))
    return Setting(
        voice=Voice(content.catalogue, reads),
        now=now,
        today=now.astimezone(ZoneInfo(organisation.timezone)).date(),
        links=content.links,
        projects=content.projects,
    )


def digest(content: Content, setting: Setting) -> dict[str, Any]:
    """The frame of a digest: everything but the events themselves."""
    events = [snapshot.event for snapshot in content.in_section("events")]
    ahead = [event for event in events if event.status not in CALLED_OFF]
    changes = [change for change in content.changes if change.uid in content.variant.uids]
    told = [_change(change, content.snapshots[change.uid].event, setting) for change in changes]
    dues = [d for s in content.in_section("deadlines") for d in event_views.deadlines(s.event, setting)]
    news = [f"{change['title']['text']}: {f['new']}" for change in told for f in change["fields"]]
    return _frame(content, setting) | {
        "subject": subjects.digest(ahead, setting),
        "preheader": subjects.digest_preheader(ahead, news, setting),
        "headline": _ours(headline(ahead, setting)),
        "sentence": _ours(sentence(ahead, len(changes), setting)),
        "note": event_views.prose(content.note, setting.voice),
        "strip": strip(events, [change.uid for change in changes], setting) if len(events) > 1 else None,
        "changes": told,
        "has_events": bool(events),
        "deadlines": dues[:MAX_DEADLINES],
        "recent": [_recent(s.event, setting) for s in content.in_section("recent")[:MAX_RECENT]],
    }


def notice(content: Content, setting: Setting) -> dict[str, Any]:
    """An announcement or a reminder: one event, told in full, under `event`."""
    snapshot = content.in_section("events")[0]
    event, voice = snapshot.event, setting.voice
    is_reminder = content.edition.kind == Kind.REMINDER
    dues = [d | {"event": _ours("")} for d in event_views.deadlines(event, setting)]
    told = event_views.full(snapshot, setting)
    return _frame(content, setting) | {
        "subject": (subjects.reminder if is_reminder else subjects.announcement)(event, setting),
        "preheader": subjects.notice_preheader(event, setting),
        "slot": event_views.joined(
            voice.text("Reminder") if is_reminder else voice.text("New meeting"), voice.day(setting.today)
        ),
        "headline": told["title"],
        "sentence": told["summary"],
        "note": event_views.prose({}, voice),
        "event": event_views.with_button(told, setting) | {"enquiries": _not_twice(told["enquiries"], dues)},
        "deadlines": dues,
    }


def headline(ahead: Sequence[Event], setting: Setting) -> str:
    """`Trzy spotkania do września`: how much lies ahead, and how far."""
    voice = setting.voice
    if not ahead:
        return voice.text("Deadlines and materials")
    if len(ahead) == 1:
        return voice.text("One meeting: {dates}", dates=voice.dates(ahead[0].span, relative_to=setting.today))
    last = max(event.span.last for event in ahead)
    month = languages.month_after_until(last, voice.language, relative_to=setting.today)
    n, number = len(ahead), voice.number(len(ahead))
    if (last.year, last.month) == (setting.today.year, setting.today.month):
        return voice.count(
            "{number} meeting until the end of {month}",
            "{number} meetings until the end of {month}",
            n,
            number=number,
            month=month,
        )
    return voice.count(
        "{number} meeting until {month}", "{number} meetings until {month}", n, number=number, month=month
    )


def sentence(ahead: Sequence[Event], changes: int, setting: Setting) -> str:
    """`Najbliższe: Spotkanie w Kalabrii, za 27 dni. Jedno spotkanie się zmieniło.`

    A title in another language than the page's does not stand within our sentence; the days do in its place.
    """
    voice, told = setting.voice, []
    if ahead:
        is_one = len(ahead) == 1  # its days stand in the headline
        dates = "" if is_one else voice.dates(ahead[0].span, relative_to=setting.today)
        what = voice.own(ahead[0].title) or dates
        what = event_views.joined(what, event_views.days_left(ahead[0], setting), between=", ")
        if what:
            told.append(f"{event_views.capital(what)}." if is_one else voice.text("Next: {what}.", what=what))
    if changes:
        told.append(voice.count("One meeting has changed.", "{n} meetings have changed.", changes))
    return " ".join(told)


def choices(
    subscriber: Subscriber, catalogue: Catalogue, projects: Mapping[str, Project], topics: Mapping[str, Names]
) -> str:
    """What a subscriber chose, in words of the page: `COHES3ION, Przemysł 4.0`, `wszystkie spotkania`."""
    voice = Voice(catalogue, (catalogue.language, *subscriber.languages))
    named = [
        *(
            voice.any(projects[key].name) if key in projects else key.upper()
            for key in _chosen(subscriber.projects)
        ),
        *_chosen(subscriber.series),
        *(voice.any(topics[key]) if key in topics else key for key in _chosen(subscriber.topics)),
        *_chosen(subscriber.regions),
    ]
    return ", ".join(named) if named else voice.text("all meetings")


def frequency(subscriber: Subscriber, catalogue: Catalogue) -> str:
    """`co dwa tygodnie`: how often a subscriber gets the digest."""
    return catalogue.text(FREQUENCIES.get(subscriber.frequency, FREQUENCIES["each"]))


def _chosen(keys: Iterable[str]) -> tuple[str, ...]:
    return () if tuple(keys) == EVERYTHING else tuple(keys)


def _frame(content: Content, setting: Setting) -> dict[str, Any]:
    """What every mail has above and below."""
    voice, organisation = setting.voice, content.organisation
    title = voice.own(content.newsletter.title) or voice.text("Meetings ahead")
    return {
        "kind": content.edition.kind.value,
        "lang": voice.language,
        "dir": direction(voice.language),
        "sender": voice.polish(voice.any(organisation.name)),
        "slot": f"{title} · {voice.day(setting.today)}",
        "leaves_early": False,
        "in_language": voice.in_language(voice.language),
        "feed": content.links.feed(voice.language),
        "links": _links(content, voice),
        "postal_address": organisation.postal_address,
    }


def _links(content: Content, voice: Voice) -> list[dict[str, str]]:
    """Of the footer, but for the unsubscribe link, which is the recipient's own."""
    links, edition, language = content.links, content.edition, voice.language
    issue = links.browser_view(edition.newsletter, edition.slot, language) if edition.slot else None
    possible = (
        (voice.text("View in browser"), issue),
        (voice.text("Archive"), links.archive(language)),
        (voice.text("Privacy"), event_views.web(content.organisation.privacy_url)),
    )
    return [{"text": text, "url": url} for text, url in possible if url]


def _ours(text: str) -> dict[str, str]:
    """A text of the page itself in the form that `Voice.told` gives those of the content."""
    return {"text": text, "lang": "", "dir": "", "note": "", "mark": ""}


def _not_twice(enquiries: Mapping[str, Any], dues: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The enquiries without the addresses that stand beside a deadline already."""
    told = {mail for due in dues for mail in due["mail"]}
    return dict(enquiries) | {"mail": [mail for mail in enquiries["mail"] if mail not in told]}


def _change(change: Change, event: Event, setting: Setting) -> dict[str, Any]:
    voice = setting.voice
    return {
        "title": voice.told(event.title),
        "dates": voice.dates(event.span, relative_to=setting.today),
        "fields": [{"name": name, "old": old, "new": new} for name, old, new in change.fields],
        "note": voice.told(event.change_note),
        "stays": change.stays,
    }


def _recent(event: Event, setting: Setting) -> dict[str, Any]:
    voice = setting.voice
    return {
        "title": voice.told(event.title),
        "name": event_views.full_name(event, setting),
        "dates": voice.dates(event.span, relative_to=setting.today),
        "page": event_views.page_link(event, setting),
        "materials": event_views.materials(event, setting),
    }
