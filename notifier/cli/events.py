"""`notifier events`: list and show what the event files tell."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from notifier.app import read
from notifier.cli import answer, event_files, exits
from notifier.cli.project import Project, opened
from notifier.events import when
from notifier.events.event import Event, pick

CODES = (exits.FINDINGS, exits.NO_PROJECT, exits.CONFIG)


@click.group(name="events")
def command() -> None:
    """Meetings as their files tell them."""


@command.command(
    "list",
    epilog=exits.epilog(
        *CODES,
        examples=("notifier events list --future", "notifier events list --project smarty --missing de"),
    ),
)
@click.option("--future", is_flag=True, help="Only what is not over.")
@click.option("--project", "project_key", metavar="NAME", help="Only of this project.")
@click.option("--missing", metavar="LANG", help="Only what has no title in this language.")
@click.pass_obj
def listing(shared: dict[str, Any], future: bool, project_key: str | None, missing: str | None) -> int:
    """Events by date, with the languages they have."""
    with opened(shared) as project:
        reading = read(project.config)
        events = sorted(reading.events, key=lambda e: (e.span.starts_at, e.slug))
        events = [e for e in events if _matches(e, project, future, project_key, missing)]
        rows = [
            (when.write(e.span), state(e), " ".join(sorted(e.title)), e.slug, title(e, project))
            for e in events
        ]
        errors = [p for p in reading.problems if p.is_error]
        text = answer.table(rows, ("when", "status", "in", "slug", "title")) if rows else ["no such events"]
        code = exits.FINDINGS if errors else exits.DONE
        return answer.give(shared, "events", events, text, problems=errors, code=code)


def _matches(
    event: Event, project: Project, future: bool, project_key: str | None, missing: str | None
) -> bool:
    return (
        not (future and event.span.ends_at <= project.now)
        and (project_key is None or event.project == project_key)
        and (missing is None or missing not in event.title)
    )


def state(event: Event) -> str:
    return "draft" if event.is_draft else event.status.value


def title(event: Event, project: Project) -> str:
    return pick(event.title, project.config.organisation.languages)[1]


@command.command(
    epilog=exits.epilog(
        *CODES,
        exits.CONTENT,
        examples=(
            "notifier events show 2020-04-28-cohes3ion-calabria",
            "notifier --output-format json events show SLUG",
        ),
    )
)
@click.argument("slug")
@click.pass_obj
def show(shared: dict[str, Any], slug: str) -> int:
    """Everything one event says, after inheritance; problems of its files with place and fix."""
    with opened(shared) as project:
        reading = read(project.config)
        quiet = set() if project.verbose else {"W111"}
        mine = [p for p in reading.problems if p.subject == slug and p.code not in quiet]
        event = next((e for e in reading.events if e.slug == slug), None)
        if event is None:
            if mine:
                return answer.give(
                    shared, "event", None, f"{slug} cannot be read", problems=mine, code=exits.FINDINGS
                )
            near = difflib.get_close_matches(slug, [e.slug for e in reading.events], n=3, cutoff=0.4)
            raise click.UsageError(
                f'no event "{slug}"' + (f"; did you mean {' or '.join(near)}?" if near else "")
            )
        return answer.give(shared, "event", event, lines(event), problems=mine)


def lines(event: Event) -> list[str]:
    """An event as aligned lines, field by field, each text with its languages."""
    days = f"{when.write(event.span)}  ({event.span.zone}; UTC {event.span.starts_at:%Y-%m-%d %H:%M} to {event.span.ends_at - timedelta(0):%Y-%m-%d %H:%M})"
    rows: list[tuple[str, str]] = [
        ("when", days),
        ("type", event.type.value),
        ("status", state(event)),
        ("format", event.format.value + (" (assumed)" if event.format_is_assumed else "")),
    ]
    rows += [("uid", event.uid), ("language", event.language)]
    rows += _texts("title", event.title) + _texts("summary", event.summary)
    if event.place:
        rows += _texts("place", event.place.name) + [
            ("", ", ".join(filter(None, (event.place.address, event.place.city, event.place.country))))
        ]
    if event.online:
        rows.append(("online", event.online.platform or "yes"))
    rows += [("organiser", o.name) for o in event.organisers]
    rows += [
        (name, value)
        for name, value in (
            ("project", event.project),
            ("series", event.series),
            ("topics", " ".join(event.topics)),
            ("regions", " ".join(event.regions)),
        )
        if value
    ]
    rows += [
        (
            f"session {when.write(s.span) if s.span else '(days of the event)'}",
            pick(s.title, [event.language])[1],
        )
        for s in event.sessions
    ]
    rows += [(f"deadline {d.by or '(standing)'}", pick(d.what, [event.language])[1]) for d in event.deadlines]
    rows += [("material", pick(m.title, [event.language])[1]) for m in event.materials]
    rows += [("follows", slug) for slug in event.follows]
    return [f"{name:<10} {value}" for name, value in rows if value]


def _texts(name: str, texts: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (name if first else "", f"[{language}] {text}")
        for first, (language, text) in zip([True] + [False] * len(texts), sorted(texts.items()), strict=False)
    ]


command.add_command(event_files.new)
command.add_command(event_files.translate)
