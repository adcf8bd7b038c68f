"""`notifier events new` and `events translate`: the two ways in which a file of an event begins."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import click

from notifier.app import read
from notifier.cli import answer, confirm, exits
from notifier.cli.project import Project, opened
from notifier.events import when
from notifier.events.when import WhenError
from notifier.sources import translations
from notifier.sources.base import ReadingSettings

CODES = (exits.FINDINGS, exits.NEEDS_CONFIRMATION, exits.NO_PROJECT, exits.CONFIG)


@click.command(
    "new",
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier events new",
            'notifier events new --title "Spring seminar" --when 2030-04-09 --place "Town hall"',
        ),
    ),
)
@click.option("--title", metavar="TEXT")
@click.option(
    "--when", "day", metavar="WHEN", help="2030-04-09, 2030-04-09..2030-04-10, 2030-04-09 10:00-12:00"
)
@click.option("--place", metavar="TEXT", help='Where; "online" for a meeting without a place.')
@click.pass_obj
def new(shared: dict[str, Any], title: str | None, day: str | None, place: str | None) -> int:
    """Write the file of a new event, as a draft; asks what no flag gives."""
    with opened(shared) as project:
        if not (title and day) and not sys.stdin.isatty():
            raise confirm.NotConfirmed("name it with --title and --when")
        title = title or click.prompt("Title")
        day = day or click.prompt("When (2030-04-09, 2030-04-09..2030-04-10, 2030-04-09 10:00-12:00)")
        place = (
            place
            if place is not None
            else (click.prompt("Where (empty: not known yet)", default="") if sys.stdin.isatty() else "")
        )
        try:
            span = when.parse(day, project.config.organisation.timezone)
        except WhenError as error:
            fix = f"; write {' or '.join(error.fixes)}" if error.fixes else ""
            raise click.BadParameter(f'"{day}": {error.reason}{fix}', param_hint="--when") from None
        slug = f"{span.first}-{slugged(title)}"
        path = project.config.data / "events" / str(span.first.year) / f"{slug}.md"
        if path.exists():
            raise click.UsageError(f"{path} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_draft(project, slug, title, when.write(span), place or ""), encoding="utf-8")
        lines = [
            f"{path} is written, as a draft: nothing is planned or sent until you take out `draft: yes`.",
            f"next: notifier check; notifier preview {slug}",
        ]
        return answer.give(shared, "new", {"file": str(path), "slug": slug}, lines)


def slugged(title: str) -> str:
    """The part of a file name that a title gives: ASCII, lower case, words joined by hyphens."""
    plain = title.translate(str.maketrans("łŁøØßđĐ", "lLoOsdD"))
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-") or "event"


def _draft(project: Project, slug: str, title: str, day: str, place: str) -> str:
    domain = ReadingSettings.of(project.config).uid_domain
    quoted = title.replace('"', "”")
    where = "format: online\n" if place.lower() == "online" else f'place: "{place}"\n' if place else ""
    uid = f"{slug[:10].replace('-', '')}{slug[10:]}@{domain}"
    return f'---\nuid: {uid}\ntitle: "{quoted}"\nwhen: {day}\n{where}draft: yes\n---\n'


@click.command(
    "translate",
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier events translate 2020-04-28-cohes3ion-calabria bg",
            "notifier events translate SLUG de",
        ),
    ),
)
@click.argument("slug")
@click.argument("language", metavar="LANG")
@click.pass_obj
def translate(shared: dict[str, Any], slug: str, language: str) -> int:
    """Begin the file of a translation beside the original, marked with the original it belongs to."""
    with opened(shared) as project:
        original = original_of(project, slug)
        target = original.with_name(f"{slug}.{language}.md")
        if target.exists():
            raise click.UsageError(f"{target} is there already")
        if language not in project.config.organisation.languages:
            known = ", ".join(project.config.organisation.languages)
            raise click.UsageError(f'"{language}" is none of the languages of the organisation ({known})')
        text = translations.blank(original.read_bytes(), project.config.organisation.languages[0])
        target.write_text(text, encoding="utf-8")
        return answer.give(
            shared, "translate", {"file": str(target)}, f"{target} is written; translate what stands in it"
        )


def original_of(project: Project, slug: str) -> Path:
    """The file of an event, wherever it lies under data/events."""
    found = sorted((project.config.data / "events").rglob(f"{slug}.md"))
    if not found:
        import difflib

        near = difflib.get_close_matches(slug, [e.slug for e in read(project.config).events], n=3, cutoff=0.4)
        raise click.UsageError(
            f'no event "{slug}"' + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    return found[0]
