"""`notifier plan`: what will go out, when, to how many and why. Read-only; works from files alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from notifier.cli import answer, exits
from notifier.cli.project import Project, opened
from notifier.config import parse_duration
from notifier.editions import planning
from notifier.editions.base import Edition
from notifier.facts import Facts, look
from notifier.subscribers import audience
from notifier.subscribers.subscriber import Standing


@dataclass(frozen=True)
class Row:
    """One edition of the plan."""

    due: datetime
    key: str
    kind: str
    cadence: str
    titles: tuple[str, ...]
    recipients: int
    languages: dict[str, int]
    waits: bool


@click.command(
    epilog=exits.epilog(
        exits.FINDINGS,
        exits.NO_PROJECT,
        exits.CONFIG,
        examples=("notifier plan", 'notifier --at "2020-04-01 07:00" plan --within 90d'),
    )
)
@click.option("--within", default="90d", show_default=True, metavar="90d", help="How far ahead to look.")
@click.option("-n", "limit", type=click.IntRange(1), default=40, show_default=True, help="At most so many.")
@click.pass_obj
def command(shared: dict[str, Any], within: str, limit: int) -> int:
    """What will go out, when and to how many, if nothing changes; with -v also what nobody would get."""
    try:
        horizon = parse_duration(within)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--within") from None
    with opened(shared) as project:
        facts = look(project.app, project.now)
        everything = rows_of(project, facts, project.now, horizon)
        heard = [row for row in everything if row.recipients]
        rows = (everything if project.verbose or not heard else heard)[:limit]
        lines = (
            answer.table([row_text(project, r) for r in rows], ("due", "kind", "to", "what"))
            if rows
            else [f"nothing is due within {within}"]
        )
        errors = [p for p in facts.problems if p.is_error]
        code = exits.FINDINGS if errors else exits.DONE
        return answer.give(
            shared,
            "plan",
            {"zone": project.config.organisation.timezone, "editions": rows},
            lines,
            problems=errors,
            code=code,
        )


def rows_of(project: Project, facts: Facts, now: datetime, horizon: timedelta) -> list[Row]:
    """The plan of the time ahead, with the audience as it stands now."""
    found = planning.plan(list(facts.snapshots.values()), now, now + horizon, project.config)
    due = [e for e in found if now < e.due <= now + horizon]
    people = [] if project.app.is_new else list(project.app.store.subscribers.all({Standing.CONFIRMED}))
    return [_row(project, facts, edition, people) for edition in due]


def _row(project: Project, facts: Facts, edition: Edition, people: list[Any]) -> Row:
    decisions = list(audience.choose(edition, facts.snapshots, people, project.config))
    included = [d.subscriber for d in decisions if d.is_included]
    language = project.config.organisation.languages[0]
    titles = tuple(
        dict.fromkeys(
            facts.snapshots[m.uid].event.title.get(language)
            or next(iter(facts.snapshots[m.uid].event.title.values()))
            for m in edition.mentions
        )
    )
    return Row(
        edition.due,
        edition.key,
        edition.kind.value,
        edition.cadence,
        titles,
        len(included),
        dict(Counter(s.languages[0] for s in included)),
        edition.prepare_at is not None,
    )


def row_text(project: Project, row: Row) -> tuple[str, str, str, str]:
    """Due in the organisation's zone, kind, people per language, what it tells of."""
    people = ", ".join(f"{language} {n}" for language, n in sorted(row.languages.items())) or "nobody"
    what = row.titles[0] + (f" and {len(row.titles) - 1} more" if len(row.titles) > 1 else "")
    return (
        f"{row.due.astimezone(project.zone):%a %Y-%m-%d %H:%M}",
        " ".join(filter(None, (row.cadence, row.kind, "(to approve)" if row.waits else ""))),
        people,
        what,
    )


def dry_run(project: Project) -> int:
    """What a tick would do now, without doing it."""
    facts = look(project.app, project.now)
    since = None if project.app.is_new else project.app.store.editions.planned_until()
    found = planning.plan(list(facts.snapshots.values()), since or project.now, project.now, project.config)
    lines = [f"would open: {e.key}" if e.due <= project.now else f"would prepare: {e.key}" for e in found]
    if not project.app.is_new:
        planned = sum(n for state, n in project.app.store.outbox.counts().items() if not state.is_final)
        lines += [f"would send: {planned} waiting message(s)"] if planned else []
    return answer.give(
        project.shared,
        "tick",
        {"would": [e.key for e in found]},
        lines or ["nothing due"],
        problems=[p for p in facts.problems if p.is_error],
    )
