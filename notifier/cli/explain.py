"""`notifier explain`: what a code means; or why a person did or did not get an edition."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import click

from notifier import jobs
from notifier.cli import answer, codes, exits
from notifier.cli.editions import find as find_edition
from notifier.cli.project import Project, opened
from notifier.cli.subscribers import find as find_subscriber
from notifier.editions.base import Edition
from notifier.subscribers import audience
from notifier.subscribers.subscriber import Subscriber


@click.command(
    epilog=exits.epilog(
        exits.FINDINGS,
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=(
            "notifier explain E010",
            "notifier explain --to office@example.org --event 2020-04-28-cohes3ion-calabria",
        ),
    )
)
@click.argument("code", required=False)
@click.option("--to", "address", metavar="ADDR", help="Why this person did or did not get it.")
@click.option("--edition", metavar="KEY", help="This edition.")
@click.option("--event", "slug", metavar="SLUG", help="Every edition that speaks of this event.")
@click.pass_obj
def command(
    shared: dict[str, Any], code: str | None, address: str | None, edition: str | None, slug: str | None
) -> int:
    """What a problem code means and how it is mended; or, with --to, why someone got an edition or did not."""
    if code and not address:
        return _code(shared, code.upper())
    if not address:
        raise click.UsageError("name a code, or a person with --to")
    with opened(shared) as project:
        person = find_subscriber(project, address)
        stories = [story(project, person, e) for e in _editions(project, edition, slug)]
        lines = [line for s in stories for line in s.lines] or [
            "no edition speaks of it yet; `notifier plan` shows what will come"
        ]
        return answer.give(shared, "explain", stories, lines)


def _code(shared: dict[str, Any], code: str) -> int:
    if code not in codes.CODES:
        near = difflib.get_close_matches(code, codes.CODES, n=3, cutoff=0.5)
        raise click.UsageError(f'no code "{code}"' + (f"; did you mean {', '.join(near)}?" if near else ""))
    title, more = codes.CODES[code]
    return answer.give(
        shared, "code", {"code": code, "title": title, "text": more}, f"{code}: {title}\n\n{more}"
    )


def _editions(project: Project, key: str | None, slug: str | None) -> list[Edition]:
    if key:
        return [find_edition(project, key)]
    editions = project.app.store.editions.list()
    if slug is None:
        return editions[-20:]
    uids = {s.event.uid for s in project.app.store.events.current().values() if s.event.slug == slug}
    if not uids:
        raise click.UsageError(f'nothing was ever published as "{slug}"')
    return [e for e in editions if uids & {m.uid for m in e.mentions}]


@dataclass(frozen=True)
class Story:
    """What became of one edition for one person."""

    edition: str
    kind: str
    due: object
    outcome: str  # the entry's state, or "not addressed"
    why: str
    language: str
    reply: str
    lines: tuple[str, ...]


def story(project: Project, person: Subscriber, edition: Edition) -> Story:
    """The rule, the choices, the language and why, the receipt."""
    entry = next(
        (e for e in project.app.store.outbox.entries(edition=edition.key, subscriber=person.id)), None
    )
    if entry is None:
        snapshots = project.app.store.events.current()
        decision = next(iter(audience.choose(edition, snapshots, [person], project.config)))
        reason = edition.reason.removeprefix(jobs.BY_PERSON)
        state = f"the edition is {edition.state.value}" + (f" ({reason})" if reason else "")
        why = decision.words if not decision.is_included else f"would get it: {decision.words}; {state}"
        outcome, reply, language = "not addressed", "", ""
    else:
        outcome, why, reply = entry.state.value, entry.reason, entry.reply
        language = person.languages[0]
    due = project.local(edition.due)
    lines = [f"{due}  {edition.kind.value:<12} {edition.key}", f"    {outcome}: {why}"]
    if language:
        lines.append(f"    in {language}: the first of the languages chosen ({' '.join(person.languages)})")
    if reply:
        lines.append(f'    the server said "{reply}"')
    return Story(edition.key, edition.kind.value, edition.due, outcome, why, language, reply, tuple(lines))
