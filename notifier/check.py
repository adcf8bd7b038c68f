"""`notifier check`: everything that can be wrong before anything is sent. Reads files, writes nothing, needs no database.

What is looked at: event files, the organisation's own texts, catalogues, calendar files, a sample of every kind in
every situation and language, and the editions of the next two months as they would go out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from notifier.app import SERVED, App, packaged, read, template_folders
from notifier.config import Config
from notifier.configfile import problem_at, without_effect
from notifier.editions import planning
from notifier.editions.base import Edition, Kind
from notifier.errors import ContentError, Problem, TemplateError, UserError
from notifier.events import calendar, calendar_times
from notifier.events.event import Event, Snapshot
from notifier.events.span import Span
from notifier.facts import Facts, look, trouble
from notifier.mail import languages, samples
from notifier.mail.links import Links
from notifier.mail.outbox import Entry
from notifier.mail.page import Page
from notifier.press import Press
from notifier.sources.base import Reading
from notifier.subscribers.audience import variant_key
from notifier.subscribers.subscriber import Consent, Standing, Subscriber, Variant

#: How far ahead editions are composed.
AHEAD = timedelta(days=62)
MAX_EDITIONS = 40
#: Warnings about a sample that are not about the sample's own words.
OF_TEMPLATES = ("M203", "M304")
_TOLD_AT_MOST = 5


@dataclass(frozen=True)
class Findings:
    """What is wrong, and what is good to know."""

    problems: tuple[Problem, ...]  # sorted by file and line
    events: int  # that were read, the broken ones too
    held: tuple[str, ...] = ()  # keys of editions of the next 62 days that wait until it is mended
    composed: int = 0  # sample messages
    #: slug -> language -> which of title, summary and body there are: "TSB", "T--"; "!" behind it: stale
    matrix: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def has_errors(self) -> bool:
        return any(problem.is_error for problem in self.problems)


def run(app: App, now: datetime, *, language: str | None = None) -> Findings:
    """Everything, in all languages of the organisation or in one of them.

    Raises:
        StoreError: there is a database, and it cannot be read.
    """
    facts = look(app, now)
    bench = _Bench(app.config, facts.reading, (language,) if language else app.config.organisation.languages)
    problems = [
        *facts.problems,
        *organisation(app.config),
        *without_effect(app.config),
        *bench.catalogues(),
        *bench.calendars(facts),
    ]
    problems += bench.samples()
    upcoming, held = bench.upcoming(facts, now)
    return Findings(
        problems=tuple(sorted(_once([*problems, *upcoming]))),
        events=len(facts.reading.events) + len(facts.reading.broken),
        held=tuple(dict.fromkeys([*_held(app.config, facts, now), *held])),
        composed=bench.composed,
        matrix=matrix(facts.reading, app.config.organisation.languages),
        notes=tuple(_notes(facts)),
    )


@dataclass(frozen=True)
class Sample:
    """One sample mail as its reader would have it."""

    name: str  # "digest-60-meetings.pl"
    html: str
    text: str
    raw: bytes  # the whole message


def compose_samples(app: App) -> Iterator[Sample]:
    """A mail of every kind in every situation and language, for whoever wants to judge them.

    Raises:
        TemplateError, ContentError: one cannot be composed.
    """
    bench = _Bench(app.config, read(app.config), app.config.organisation.languages)
    for situation, press in bench.situations():
        for tag in bench.tags:
            variant, reader = bench.variant(situation.edition, tag), _somebody(tag)
            page = press.compiled(situation.edition, variant)
            html, text = press.filled(page, reader)
            name = re.sub(r"\W+", "-", situation.name)
            yield Sample(f"{name}.{tag}", html, text, bench.message(press, situation.edition, page, reader))


def content(config: Config) -> list[Problem]:
    """What is wrong with events, projects, series, notes."""
    return list(read(config).problems)


def organisation(config: Config) -> list[Problem]:
    """W101 for names in config.toml that a language of the organisation lacks: its mails would mix languages."""
    named = {("organisation", "name"): config.organisation.name} | {
        ("newsletter", number, "title"): letter.title for number, letter in enumerate(config.newsletter)
    }
    problems = []
    for key, texts in named.items():
        absent = [tag for tag in config.organisation.languages if tag.split("-")[0] not in _bases(texts)]
        if absent and texts and "" not in texts and config.file.is_file():
            words = f"{key[0]}.{key[-1]} is missing in {', '.join(absent)}"
            found = problem_at(config.file, key, words)
            problems.append(replace(found, code="W101", severity="warning", fix=f'{absent[0]} = "…"'))
    return problems


def matrix(reading: Reading, tags: Sequence[str]) -> dict[str, dict[str, str]]:
    """Event x language x field: T title, S summary, B body, "-" where it is missing."""
    return {event.slug: {tag: _cell(event, tag) for tag in tags} for event in reading.events}


def _cell(event: Event, tag: str) -> str:
    fields = (("T", event.title), ("S", event.summary), ("B", event.body))
    letters = "".join(letter if tag.split("-")[0] in _bases(texts) else "-" for letter, texts in fields)
    return letters + ("!" if tag in event.stale else "")


def _bases(texts: Mapping[str, str]) -> set[str]:
    return {tag.split("-")[0] for tag, text in texts.items() if text}


@dataclass
class _Bench:
    """Where samples and coming editions are composed, with a key of its own: nothing here is ever sent."""

    config: Config
    reading: Reading
    tags: Sequence[str]
    composed: int = 0

    @cached_property
    def links(self) -> Links:
        box = self.config.mail.unsubscribe
        return Links(self.config.web.base_url, {1: b"for samples only"}, SERVED, box.address if box else "")

    def press(self, snapshots: Mapping[str, Snapshot], reading: Reading | None = None) -> Press:
        return Press(self.config, self.links, reading or self.reading, snapshots)

    def catalogues(self) -> Iterator[Problem]:
        """M304, E301, E304: what each language that is switched on has no words for."""
        folders = [folder / "locale" for folder in template_folders(self.config)]
        wanted = _msgids(packaged("templates") / "locale/notifier.pot")
        for tag in self.tags:
            try:
                found = languages.catalogue(tag, folders)
            except TemplateError as error:
                yield from error.problems
                continue
            absent = [m for m in wanted if not any(m in table.messages for table in found.tables)]
            if absent and tag.split("-")[0] != "en":
                told = ", ".join(repr(msgid) for msgid in absent[:_TOLD_AT_MOST])
                more = f" and {len(absent) - _TOLD_AT_MOST} more" if len(absent) > _TOLD_AT_MOST else ""
                text = (
                    f"{len(absent)} texts are not translated and would stand there in English: {told}{more}"
                )
                fix = f"translate them in templates/locale/{tag}.po"
                yield Problem(f"templates/locale/{tag}.po", 0, 0, "M304", text, fix, severity="warning")

    def calendars(self, facts: Facts) -> Iterator[Problem]:
        """M402 and what else keeps a calendar file from being made."""
        press = self.press(facts.snapshots)
        order = tuple(dict.fromkeys((*self.tags, *self.config.organisation.languages)))
        for uid, snapshot in facts.snapshots.items():
            slug = snapshot.event.slug
            try:
                raw = press.calendar_of([uid], order)
            except ContentError as error:
                yield from error.problems
                continue
            for words in calendar.validate(raw) if raw else ():
                yield Problem(f"{slug}.ics", 0, 0, "M402", words, f"look at the event {slug}", subject=slug)

    def situations(self) -> Iterator[tuple[samples.Situation, Press]]:
        own, nothing = self.config.organisation, Reading(projects=self.reading.projects)
        for situation in samples.situations(self.config.newsletter[0].name, own.languages, own.timezone):
            yield situation, self.press(situation.snapshots, nothing)

    def samples(self) -> Iterator[Problem]:
        """What is wrong with every kind in every situation, composed to the last byte."""
        for situation, press in self.situations():
            for tag in self.tags:
                found = self.compose(press, situation.edition, tag)
                yield from (p for p in found if p.is_error or p.code in OF_TEMPLATES)

    def upcoming(self, facts: Facts, now: datetime) -> tuple[list[Problem], list[str]]:
        """Problems of the editions that go out in the next 62 days, and the keys of those that have an error."""
        press = self.press(facts.snapshots)
        problems: list[Problem] = []
        held: list[str] = []
        planned = planning.plan(list(facts.snapshots.values()), now, now + AHEAD, self.config)
        for edition in planned[:MAX_EDITIONS]:
            dated = replace(edition, date=edition.due, id=1)
            found = {tag: self.compose(press, dated, tag) for tag in self.tags}
            problems += _by_edition(edition.key, found)
            held += [edition.key] if any(p.is_error for several in found.values() for p in several) else []
        return problems, held

    def compose(self, press: Press, edition: Edition, tag: str) -> list[Problem]:
        """What is wrong with one edition as somebody would get it who reads `tag` and wants everything."""
        self.composed += 1
        variant = self.variant(edition, tag)
        try:
            page = press.compiled(edition, variant)
            return press.findings(page, edition, variant, self.message(press, edition, page, _somebody(tag)))
        except UserError as error:
            return error.problems

    def variant(self, edition: Edition, tag: str) -> Variant:
        uids = tuple(dict.fromkeys(m.uid for m in edition.mentions))
        order = tuple(dict.fromkeys((tag, *self.config.organisation.languages)))
        return Variant(order, uids, variant_key(order, uids))

    def message(self, press: Press, edition: Edition, page: Page, reader: Subscriber) -> bytes:
        entry = Entry(edition.key, edition.id, 1, reader.id, page.variant)
        return press.sample(edition, entry, reader, page).content


def _by_edition(key: str, found: Mapping[str, Sequence[Problem]]) -> Iterator[Problem]:
    """The findings about an edition's mails under its key; a warning that several languages share once."""
    warned: dict[str, list[str]] = {}
    for tag, problems in found.items():
        for problem in problems:
            if problem.is_error:
                yield replace(problem, file=f"{key} ({tag})") if problem.code[0] == "M" else problem
            else:
                warned.setdefault(problem.code, []).append(tag)
    for code, tags in warned.items():
        first = next(p for p in found[tags[0]] if p.code == code)
        yield replace(first, file=f"{key} ({', '.join(dict.fromkeys(tags))})")


def _somebody(tag: str) -> Subscriber:
    consent = Consent(samples.NOW, "consent", "sample", "sample")
    return Subscriber(
        "a.reader@example.org",
        "a.reader@example.org",
        (tag,),
        standing=Standing.CONFIRMED,
        consent=consent,
        public_id="0" * 16,
        id=1,
    )


def _msgids(template: Path) -> list[str]:
    from babel.messages.pofile import read_po

    if not template.is_file():
        return []
    with template.open("rb") as file:
        found = [message.id for message in read_po(file) if message.id]
    return [one if isinstance(one, str) else one[0] for one in found]


def _held(config: Config, facts: Facts, now: datetime) -> Iterator[str]:
    """Editions that wait because an event of theirs is broken or gone; of digests also those it would be in."""
    stand_ins = {s.event.uid: s for s in _stand_ins(facts, config, now)}
    snapshots = [*facts.snapshots.values(), *stand_ins.values()]
    for edition in planning.plan(snapshots, now, now + AHEAD, config):
        unread = {m.uid for m in edition.mentions} & set(stand_ins)
        # Of an event that was never published there are no notices yet; a digest would have had it.
        if edition.kind is Kind.DIGEST if unread else trouble(edition, facts):
            yield edition.key


def _stand_ins(facts: Facts, config: Config, now: datetime) -> Iterator[Snapshot]:
    """For events that cannot be read: their days, so that the plan can be asked where they belong."""
    known = now - timedelta(days=60)
    for slug, days in facts.unread.items():
        if days:
            tag = config.organisation.languages[0]
            span = Span(days[0], days[1], config.organisation.timezone)
            event = Event(slug=slug, uid=f"unread:{slug}", title={tag: slug}, span=span, language=tag)
            yield Snapshot(event=event, published_at=known, revised_at=known, is_baseline=True)


def _notes(facts: Facts) -> Iterator[str]:
    for snapshot in facts.snapshots.values():
        span = snapshot.event.span
        if span.begins and not calendar_times.is_local(span):
            yield (
                f"{snapshot.event.slug}: calendar files give its times in UTC, because not every calendar program"
                f" would read the local time of {span.zone} right"
            )


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """A finding that many mails share is told of the first."""
    seen = set()
    for problem in problems:
        is_of_mail = problem.code.startswith("M") and not problem.line
        key = (problem.code, problem.text, "" if is_of_mail else problem.file, problem.line, problem.column)
        if key not in seen:
            seen.add(key)
            yield problem
