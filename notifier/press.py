"""From an edition and a variant to a compiled page, and from a page and an entry to a message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from notifier.app import template_folders
from notifier.config import Config, Newsletter
from notifier.editions.base import Edition, Kind
from notifier.errors import ContentError, Problem
from notifier.events import calendar
from notifier.events.calendar import CalendarSettings
from notifier.events.event import Project, Snapshot, Texts, Type, pick
from notifier.mail import compose, languages, links, lint, render, views
from notifier.mail.compose import WITH_CALENDAR, Envelope, Prepared
from notifier.mail.languages import Catalogue
from notifier.mail.links import Links
from notifier.mail.outbox import Entry
from notifier.mail.page import Attachment, Hole, Message, Page, Piece
from notifier.mail.voice import TYPES
from notifier.sources.base import Reading
from notifier.subscribers.subscriber import Subscriber, Variant

PREPARED = 64  # pages kept encoded at a time


@dataclass
class Press:
    """Compiles pages and fills them, for one set of facts. Pages of earlier ticks come from the store."""

    config: Config
    links: Links
    reading: Reading
    snapshots: Mapping[str, Snapshot]
    _prepared: dict[tuple[str, str], Prepared] = field(default_factory=dict, repr=False)

    @cached_property
    def templates(self) -> render.Templates:
        return templates(tuple(template_folders(self.config)))

    def page(self, edition: Edition, variant: Variant) -> Page:
        """The page of one variant, linted; `edition.date` is its stored instant.

        Raises:
            TemplateError, ContentError: what must not leave, with its place.
        """
        page = self.compiled(edition, variant)
        if errors := [p for p in self.findings(page, edition, variant) if p.is_error]:
            raise ContentError(errors)
        return page

    def findings(
        self, page: Page, edition: Edition, variant: Variant, raw: bytes | None = None
    ) -> list[Problem]:
        """What the lint says of a page, and of one message made from it."""
        events = [self.snapshots[m.uid].event for m in edition.mentions if m.uid in variant.uids]
        order = (*variant.languages, *self.config.organisation.languages)
        facts = lint.Facts(
            base_url=self.config.web.base_url,
            postal_address=self.config.organisation.postal_address,
            catalogue=self.templates.catalogue(variant.languages),
            titles=tuple(dict.fromkeys(pick(event.title, order) for event in events)),
            hosts=lint.hosts(self.config, events, self.projects),
            links=self.links,
        )
        return lint.lint(page, raw, facts)

    def compiled(self, edition: Edition, variant: Variant) -> Page:
        """The page as the templates make it, whatever the lint would say."""
        catalogue = self.templates.catalogue(variant.languages)
        content = views.Content(
            edition=edition,
            variant=variant,
            snapshots=self.snapshots,
            organisation=self.config.organisation,
            newsletter=self.newsletter(edition.newsletter),
            catalogue=catalogue,
            links=self.links,
            projects=self.projects,
            note=self.note(edition),
        )
        attachments = self._attachments(edition, variant) if edition.kind.value in WITH_CALENDAR else ()
        return render.compile_page(
            content, self.templates, attachments=attachments, max_size=self.config.editions.digest.max_size
        )

    def _attachments(self, edition: Edition, variant: Variant) -> tuple[Attachment, ...]:
        uids = dict.fromkeys(m.uid for m in edition.mentions if m.uid in variant.uids)
        return tuple(
            Attachment(file_name(self.snapshots[uid].event.slug), raw)
            for uid in uids
            if (raw := self.calendar_of([uid], variant.languages))
        )

    def calendar_of(self, uids: Sequence[str], order: Sequence[str]) -> bytes:
        """One calendar file with these events; empty if none has a day yet."""
        settings = calendar_settings(self.config, self.links)
        return calendar.publish([self.snapshots[uid] for uid in uids], order, settings=settings)

    def content_hash(self, edition: Edition) -> str:
        """Of everything that decides what this edition says: events, note, templates, catalogues, settings."""
        digest = hashlib.blake2b(digest_size=12)
        config = self.config
        for m in sorted(edition.mentions):
            # The event itself and not its revision: an edit that is not stored yet has no number of its own.
            said = json.dumps(self.snapshots[m.uid].event.to_json(), sort_keys=True)
            digest.update(repr((m.uid, m.occurrence, m.section, said)).encode())
        digest.update(repr(sorted(self.note(edition).items())).encode())
        digest.update(repr(sorted((key, p.model_dump()) for key, p in self.projects.items())).encode())
        digest.update(repr((config.organisation, self.newsletter(edition.newsletter), config.mail)).encode())
        digest.update(
            repr((config.web.base_url, config.editions.digest.max_size, config.subscribers.topics)).encode()
        )
        for folder in template_folders(self.config):
            for path in sorted(
                p for p in folder.rglob("*") if p.suffix in (".html", ".txt", ".css", ".po") and p.is_file()
            ):
                digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    def prepare(self, edition: Edition, entry: Entry, page: bytes) -> None:
        """Encode the stored page of the entry's variant, once for all its recipients.

        Raises:
            ContentError: a header or calendar part that must not leave.
        """
        if len(self._prepared) >= PREPARED:
            self._prepared.pop(next(iter(self._prepared)))
        self._prepared[entry.edition, entry.variant] = self.encoded(edition, Page.loads(page))

    def encoded(self, edition: Edition, page: Page) -> Prepared:
        """The page encoded for the wire, but for the recipient's values. Raises ContentError as `prepare` does."""
        return compose.prepare(page, self.envelope(edition, page.language))

    def is_prepared(self, entry: Entry) -> bool:
        return (entry.edition, entry.variant) in self._prepared

    def message(
        self, edition: Edition, entry: Entry, subscriber: Subscriber, references: Sequence[str] = ()
    ) -> Message:
        """The message of one entry, whose page was prepared.

        `references`: Message-IDs of what this person was told before about the same event, oldest first.

        Raises:
            ContentError: a value of this person that fits no header.
        """
        language = self.templates.catalogue(subscriber.languages).language
        envelope = self.envelope(edition, language)
        values = compose.values(envelope, entry, subscriber, self.texts(subscriber), references)
        return compose.fill(self._prepared[entry.edition, entry.variant], values)

    def sample(self, edition: Edition, entry: Entry, subscriber: Subscriber, page: Page) -> Message:
        """The message that one person would get of a page that is not stored: for previews, checks and tests.

        Raises:
            ContentError: what must not leave.
        """
        envelope = self.envelope(edition, page.language)
        values = compose.values(envelope, entry, subscriber, self.texts(subscriber))
        return compose.fill(compose.prepare(page, envelope), values)

    def message_id(self, edition: Edition, entry: Entry) -> str:
        domain = self.config.organisation.sender.rpartition("@")[2]
        return links.message_id(entry.edition_id, entry.position, self.links.edition_key(edition.key), domain)

    def texts(self, subscriber: Subscriber) -> dict[str, str]:
        """What stands in the holes of this person's page, in the language of the page."""
        catalogue = self.templates.catalogue((*subscriber.languages, *self.config.organisation.languages))
        zone = ZoneInfo(subscriber.timezone or self.config.organisation.timezone)
        consent = subscriber.consent
        return {
            "consent_date": languages.single_date(consent.at.astimezone(zone).date(), catalogue.language)
            if consent
            else "–",
            "frequency": views.frequency(subscriber, catalogue),
            "choices": views.choices(subscriber, catalogue, self.projects, self.config.subscribers.topics),
        }

    def filled(self, page: Page, subscriber: Subscriber) -> tuple[str, str]:
        """HTML and text as this person reads them, not encoded for the wire; for previews."""
        values = {
            "address": subscriber.email,
            "unsubscribe_url": self.links.unsubscribe(subscriber.public_id),
            **self.texts(subscriber),
        }
        return _joined(page.html, values), _joined(page.text, values)

    def envelope(self, edition: Edition, language: str) -> Envelope:
        organisation, mail = self.config.organisation, self.config.mail
        newsletter = self.newsletter(edition.newsletter)
        return Envelope(
            from_name=named(organisation.name, language),
            from_address=organisation.sender,
            newsletter=newsletter.name,
            title=named(newsletter.title, language) or newsletter.name,
            sender_id=mail.feedback_id,
            links=self.links,
            mid_key=self.links.edition_key(edition.key),
            reply_to=organisation.reply_to,
            bounces=mail.bounces.address if mail.bounces else "",
            owner_url=f"mailto:{organisation.reply_to or organisation.sender}",
        )

    def newsletter(self, name: str) -> Newsletter:
        return next((n for n in self.config.newsletter if n.name == name), self.config.newsletter[0])

    @property
    def projects(self) -> Mapping[str, Project]:
        return self.reading.projects

    def note(self, edition: Edition) -> Texts:
        """The officer's word for this digest."""
        return (
            self.reading.notes.get(f"{edition.newsletter}/{edition.slot}", {})
            if edition.kind is Kind.DIGEST
            else {}
        )

    def title(self, uid: str) -> str:
        """An event's title in the organisation's own language, for lists."""
        return pick(self.snapshots[uid].event.title, self.config.organisation.languages)[1]


@lru_cache(maxsize=8)
def _templates(folders: tuple[Path, ...], fingerprint: int) -> render.Templates:
    return render.Templates(folders)


def templates(folders: tuple[Path, ...]) -> render.Templates:
    """Compiled templates, shared as long as no file of the folders changes."""
    state = tuple(
        (str(p), p.stat().st_mtime_ns, p.stat().st_size)
        for f in folders
        for p in sorted(f.rglob("*"))
        if p.is_file()
    )
    return _templates(folders, hash(state))


def content_languages(config: Config, language: str) -> tuple[str, ...]:
    """A reader's language, then the organisation's, each once."""
    return tuple(dict.fromkeys((language, *config.organisation.languages)))


def calendar_settings(config: Config, links: Links) -> CalendarSettings:
    """How the organisation's calendar files read, in all its languages."""
    organisation = config.organisation
    locales = [folder / "locale" for folder in template_folders(config)]
    catalogues = {code: languages.catalogue(code, locales) for code in languages.available(locales)}
    first = organisation.languages[0]
    return CalendarSettings(
        organiser_name=named(organisation.name, first),
        organiser_mail=organisation.sender,
        url_for_event=lambda event, language: links.event_page(event.slug, language) or "",
        feed_name={
            code: named(config.newsletter[0].title, code) or named(organisation.name, code)
            for code in catalogues
        },
        refresh=config.events.feed_refresh,
        timezone=organisation.timezone,
        keep_cancelled=config.events.keep_cancelled,
        words={code: calendar_words(catalogue) for code, catalogue in catalogues.items()},
        say_span=languages.date_range,
    )


def calendar_words(catalogue: Catalogue) -> dict[str, str]:
    """The words of a calendar file that come from no event."""
    return {
        "cancelled": catalogue.text("Cancelled:"),
        "postponed": catalogue.text("Postponed:"),
        "tentative": catalogue.text("planned, not confirmed"),
        "online": catalogue.text("Online"),
        "registration": catalogue.text("Registration:"),
        **{f"type.{kind.value}": catalogue.text(TYPES[kind]) for kind in Type if kind in TYPES},
    }


def named(texts: Mapping[str, str], language: str) -> str:
    """A name of the settings in a language; one that is the same in all stands under ""."""
    return pick(texts, (language, ""))[1] if texts else ""


def file_name(slug: str) -> str:
    """The name of an event's calendar file, ASCII and at most 100 characters."""
    ascii_only = (
        "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in slug).strip("-.")
        or "event"
    )
    return f"{ascii_only[:96]}.ics"


def _joined(pieces: tuple[Piece, ...], values: Mapping[str, str]) -> str:
    from markupsafe import escape

    def one(piece: Piece) -> str:
        if not isinstance(piece, Hole):
            return piece
        value = values[piece.name]
        return str(escape(value)) if piece.context == "html" else value

    return "".join(map(one, pieces))
