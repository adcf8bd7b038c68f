"""`notifier preview`: an edition as files to look at: html, txt, eml, ics. Works from files alone."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from notifier import jobs
from notifier.cli import answer, exits, reading
from notifier.cli.project import Project, opened
from notifier.cli.subscribers import find as find_subscriber
from notifier.config import Newsletter
from notifier.editions import digest, planning
from notifier.editions.base import Edition, Kind, announcement_key, mention, reminder_key
from notifier.events.event import Event
from notifier.mail.outbox import Entry
from notifier.mail.page import Page
from notifier.subscribers import audience
from notifier.subscribers.subscriber import Subscriber, Variant

KINDS = ("digest", "announcement", "reminder")
FAR = timedelta(days=400)
#: Of the digest that is shown: the one that most subscribers get (default of `frequency`).
CADENCE = "biweekly"
#: Farther than the next digest of any cadence, one left out for a holiday included.
NEXT_SLOT = timedelta(days=62)


@dataclass(frozen=True)
class Shown:
    """What was written for one language."""

    language: str
    subject: str
    files: tuple[str, ...]


@click.command(
    epilog=exits.epilog(
        exits.FINDINGS,
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.CONTENT,
        examples=(
            'notifier --at "2020-04-01 08:00" preview --kind digest --lang pl --out preview --no-open',
            "notifier preview 2020-04-28-cohes3ion-calabria --kind reminder",
        ),
    )
)
@click.argument("what", required=False, metavar="[NEWSLETTER|EDITION|SLUG]")
@click.option("--kind", type=click.Choice(KINDS), help="digest; of an event: announcement or reminder.")
@click.option("--lang", "language", metavar="LANG", help="Only this language; else all of the organisation.")
@click.option("--as", "address", metavar="ADDR", help="As this subscriber would get it.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("preview"),
    show_default=True,
    help="Where to write.",
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@click.pass_obj
def command(
    shared: dict[str, Any],
    what: str | None,
    kind: str | None,
    language: str | None,
    address: str | None,
    out: Path,
    no_open: bool,
) -> int:
    """Write an edition as it would go out: one folder with html, txt, eml and ics per language."""
    with opened(shared) as project:
        at = reading.desk(project)
        if what and what not in {s.event.slug for s in at.facts.snapshots.values()}:
            at = reading.desk(project, with_drafts=True)
        edition = choose(project, at, what, Kind(kind) if kind else None)
        readers = (
            [find_subscriber(project, address)]
            if address
            else [_sample(project, code) for code in _languages(project, language)]
        )
        shown = [_write(at, edition, reader, out) for reader in readers]
        first = out / next(f for f in shown[0].files if f.endswith(".html"))
        if not (no_open or project.wants_json):
            webbrowser.open(first.resolve().as_uri())
        lines = [
            f"{edition.kind.value}, as of {project.local(edition.due)}",
            *(f"  {s.language}: {s.subject}\n      {out}/{', '.join(s.files)}" for s in shown),
        ]
        problems = [p for p in at.facts.problems if p.is_error]
        return answer.give(
            shared,
            "preview",
            {"edition": edition, "shown": shown},
            lines,
            problems=problems,
            code=exits.FINDINGS if problems else exits.DONE,
        )


def _languages(project: Project, language: str | None) -> tuple[str, ...]:
    return (language,) if language else project.config.organisation.languages


def _sample(project: Project, language: str) -> Subscriber:
    return reading.sample_reader((language,), project.config.organisation.sender)


def choose(
    project: Project, at: jobs.Desk, what: str | None, kind: Kind | None, cadence: str = ""
) -> Edition:
    """The edition that is meant: a stored one by its key, an event's notice, or the digest of this moment."""
    stored = None if what is None or project.app.is_new else project.app.store.editions.get(what)
    if stored:
        current = None if stored.state.is_final else jobs.current_edition(at, stored)
        return replace(current or stored, date=stored.due)
    by_slug = {s.event.slug: uid for uid, s in at.facts.snapshots.items()}
    if what in by_slug:
        return of_event(at, by_slug[what], kind or Kind.ANNOUNCEMENT, project.now)
    newsletters = [n.name for n in project.config.newsletter]
    if what is not None and what not in newsletters:
        raise click.UsageError(
            f'"{what}" is no newsletter ({", ".join(newsletters)}), no event and no edition'
        )
    if kind in (Kind.ANNOUNCEMENT, Kind.REMINDER):
        ahead = sorted(
            (s for s in at.facts.snapshots.values() if s.event.span.starts_at > project.now),
            key=lambda s: s.event.span.starts_at,
        )
        if not ahead:
            raise click.UsageError("no event lies ahead; name one, or move the clock with --at")
        return of_event(at, ahead[0].event.uid, kind, project.now)
    return digest_now(at, what or newsletters[0], project.now, cadence)


def digest_now(at: jobs.Desk, newsletter: str, now: datetime, cadence: str = "") -> Edition:
    """The digest as it would be if it were due at this moment, with the note of the next regular one.

    Without a cadence it is for everybody who wants digests, and the note is of the cadence that most have.
    """
    letter = at.press.newsletter(newsletter)
    usual = CADENCE if CADENCE in letter.schedule else next(iter(letter.schedule), "")
    mentions = digest.contents(list(at.facts.snapshots.values()), now, at.app.config, letter)
    return Edition(
        f"digest/{newsletter}/{now.date()}",
        Kind.DIGEST,
        newsletter,
        now,
        now + timedelta(days=2),
        mentions,
        slot=_slot(at, letter, cadence or usual, now),
        cadence=cadence,
        date=now,
    )


def _slot(at: jobs.Desk, letter: Newsletter, cadence: str, now: datetime) -> str:
    """The slot of the next regular digest at this cadence, so that its note is shown; empty where none is regular.

    Asked of the schedule, not of the plan: there the digests of all cadences stand side by side.
    """
    if cadence not in letter.schedule:
        return ""
    until = now + NEXT_SLOT
    slots = digest.due_between(letter, cadence, now - timedelta(seconds=1), until, at.app.config)
    return next(iter(slots), "")


def of_event(at: jobs.Desk, uid: str, kind: Kind, now: datetime) -> Edition:
    """The notice of an event as it is planned, of several the next; where none is planned, as it would be sent now."""
    snapshots = list(at.facts.snapshots.values())
    start = at.facts.snapshots[uid].event.span.starts_at
    planned = [
        e
        for e in planning.plan(snapshots, start - FAR, start, at.app.config)
        if e.kind is kind and any(m.uid == uid for m in e.mentions)
    ]
    if planned:
        ahead = next((e for e in planned if e.due >= now), planned[-1])
        return replace(ahead, date=ahead.due)
    snapshot = at.facts.snapshots[uid]
    return Edition(
        _key(at, snapshot.event, kind, now),
        kind,
        at.app.config.newsletter[0].name,
        now,
        start,
        (mention(snapshot),),
        date=now,
    )


def _key(at: jobs.Desk, event: Event, kind: Kind, now: datetime) -> str:
    """A reminder's names the nearest of those that there are, so that this one does not come again."""
    if kind is not Kind.REMINDER:
        return announcement_key(event)
    left = event.span.starts_at - now
    before = at.app.config.editions.reminder.before
    return reminder_key(event, min(before, key=lambda one: abs(one - left), default=timedelta(0)))


def _write(at: jobs.Desk, edition: Edition, reader: Subscriber, out: Path) -> Shown:
    variant = variant_of(at, edition, reader)
    page = at.press.page(edition, variant)
    html, text = at.press.filled(page, reader)
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{edition.kind.value}.{page.language}"
    files = {
        f"{stem}.html": html.encode(),
        f"{stem}.txt": text.encode(),
        f"{stem}.eml": message(at, edition, reader, page),
    }
    files |= _calendars(at, edition, variant, page, stem)
    for name, content in files.items():
        (out / name).write_bytes(content)
    return Shown(page.language, page.subject, tuple(files))


def variant_of(at: jobs.Desk, edition: Edition, reader: Subscriber) -> Variant:
    """What concerns this reader; somebody whom nothing concerns is shown everything."""
    decision = next(iter(audience.choose(edition, at.facts.snapshots, [reader], at.app.config)))
    uids = decision.uids or tuple(dict.fromkeys(m.uid for m in edition.mentions))
    order = tuple(dict.fromkeys((*reader.languages, *at.app.config.organisation.languages)))
    return Variant(order, uids, audience.variant_key(order, uids))


def message(at: jobs.Desk, edition: Edition, reader: Subscriber, page: Page) -> bytes:
    """The whole message, byte for byte as it would leave."""
    entry = Entry(edition.key, edition.id, 1, reader.id, page.variant)
    return at.press.sample(edition, entry, reader, page).content


def _calendars(at: jobs.Desk, edition: Edition, variant: Variant, page: Page, stem: str) -> dict[str, bytes]:
    """The attachment; of a digest, which carries none, the file of what it tells of."""
    if page.attachments:
        return {f"{stem}.ics": page.attachments[0].content}
    raw = at.press.calendar_of(variant.uids, variant.languages)
    return {f"{stem}.ics": raw} if raw else {}
