"""`notifier subscribers`: import, list, show, export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from notifier.app import read
from notifier.cli import answer, exits
from notifier.cli.project import Project, clock, opened
from notifier.cli.stamp import forget
from notifier.subscribers import roster
from notifier.subscribers.address import normalise
from notifier.subscribers.subscriber import Standing, Subscriber

CODES = (exits.FINDINGS, exits.NO_PROJECT, exits.CONFIG, exits.CONTENT, exits.UNREACHABLE)


@click.group(name="subscribers")
def command() -> None:
    """Who has agreed to hear it."""


@command.command(
    "import",
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier subscribers import list.csv --dry-run",
            "notifier subscribers import list.csv --accept-consent",
        ),
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--accept-consent",
    is_flag=True,
    help="Take rows with date, basis, source and wording of the consent as confirmed.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.pass_obj
def import_(shared: dict[str, Any], file: Path, accept_consent: bool, dry_run: bool) -> int:
    """Take subscribers from a CSV file: all rows or none. Rows without evidence of consent stay pending and silent."""
    with opened(shared) as project:
        if not file.is_file():
            raise click.UsageError(f"there is no file {file}")
        reading = read(project.config)
        found = roster.read(
            file.read_bytes(),
            project.config,
            projects=reading.projects,
            series=reading.series,
            accept_consent=accept_consent,
            file=str(file),
        )
        errors = [p for p in found.problems if p.is_error]
        if errors:
            refused = f"nothing was imported: {len(errors)} problem(s) in {file.name}"
            return answer.give(
                shared, "import", {"imported": 0}, refused, problems=found.problems, code=exits.CONTENT
            )
        gone = [] if project.app.is_new else _gone(project, found.subscribers)
        confirmed = sum(s.standing is Standing.CONFIRMED for s in found.subscribers)
        new, changed = (0, 0) if dry_run else project.app.store.subscribers.put(found.subscribers, clock())
        if not dry_run:
            forget(project.config)
        words = [
            f"{len(found.subscribers)} rows ({found.encoding}): {confirmed} with consent, {len(found.subscribers) - confirmed} pending (silent until they confirm)"
        ]
        words += [f"{project.shown(s.email)} had left or was suppressed and stays so" for s in gone]
        words.append("nothing was changed (--dry-run)" if dry_run else f"{new} new, {changed} changed")
        if not accept_consent and any(s.consent for s in found.subscribers):
            words.append(
                "rows with evidence of consent stay pending, too; --accept-consent takes them as confirmed"
            )
        data = {
            "rows": len(found.subscribers),
            "confirmed": confirmed,
            "new": new,
            "changed": changed,
            "stay_away": len(gone),
        }
        return answer.give(shared, "import", data, words, problems=found.problems)


def _gone(project: Project, people: Sequence[Subscriber]) -> list[Subscriber]:
    """Those who have left or are suppressed: an import does not bring them back."""
    known = project.app.store.subscribers
    away = (Standing.LEFT, Standing.SUPPRESSED)
    return [s for s in people if (found := known.by_address(s.address)) and found.standing in away]


@command.command(
    "list",
    epilog=exits.epilog(
        *CODES, examples=("notifier subscribers list", "notifier -v subscribers list --standing pending")
    ),
)
@click.option("--standing", type=click.Choice([s.value for s in Standing]), help="Only these.")
@click.option("-n", "limit", type=click.IntRange(1), default=100, show_default=True)
@click.pass_obj
def listing(shared: dict[str, Any], standing: str | None, limit: int) -> int:
    """Subscribers with their choices. Addresses are masked unless -v."""
    with opened(shared) as project:
        wanted = {Standing(standing)} if standing else None
        people = list(islice(_all(project, wanted), limit))
        rows = [
            (
                s.standing.value,
                project.shown(s.email),
                " ".join(s.languages),
                s.frequency,
                " ".join(s.projects),
            )
            for s in people
        ]
        standings = {} if project.app.is_new else project.app.store.subscribers.counts()
        counts = {k.value: n for k, n in standings.items() if n}
        text = [
            *answer.table(rows, ("standing", "address", "languages", "digest", "projects")),
            ", ".join(f"{n} {k}" for k, n in counts.items()) or "nobody yet",
        ]
        return answer.give(
            shared,
            "subscribers",
            {"counts": counts, "subscribers": [plain(s, project) for s in people]},
            text if rows else text[-1:],
        )


def _all(project: Project, standing: set[Standing] | None) -> Iterator[Subscriber]:
    """All subscribers; nobody where there is no database yet."""
    return iter(()) if project.app.is_new else project.app.store.subscribers.all(standing)


def plain(subscriber: Subscriber, project: Project) -> dict[str, Any]:
    """A subscriber as JSON carries it: the address only with -v, never the id that opens links."""
    email = project.shown(subscriber.email)
    names = (
        "languages",
        "newsletters",
        "projects",
        "series",
        "topics",
        "regions",
        "kinds",
        "frequency",
        "timezone",
        "country",
        "standing",
    )
    return {"email": email, **{name: getattr(subscriber, name) for name in names}}


@command.command(
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier subscribers show office@example.org",
            "notifier --output-format json subscribers show office@example.org",
        ),
    )
)
@click.argument("address")
@click.pass_obj
def show(shared: dict[str, Any], address: str) -> int:
    """All that is known of one person: choices, consent, what was sent."""
    with opened(shared) as project:
        subscriber = find(project, address)
        entries = project.app.store.outbox.entries(subscriber=subscriber.id)
        choices = [
            f"{name:<12} {' '.join(getattr(subscriber, name)) or '-'}"
            for name in (
                "languages",
                "newsletters",
                "projects",
                "series",
                "topics",
                "regions",
                "kinds",
                "groups",
            )
        ]
        consent = subscriber.consent
        said = (
            f"{consent.at:%Y-%m-%d}, {consent.basis}, {consent.source}, wording {consent.text}"
            if consent
            else "none: nothing is sent"
        )
        sent = [
            f"  {project.local(e.updated_at) if e.updated_at else '-'}  {e.state.value:<10} {e.edition}"
            for e in entries
        ]
        lines = [
            f"{'address':<12} {subscriber.email}",
            f"{'standing':<12} {subscriber.standing.value}",
            *choices,
            f"{'digest':<12} {subscriber.frequency}",
            f"{'consent':<12} {said}",
            "sent:",
            *(sent or ["  nothing yet"]),
        ]
        person: dict[str, Any] = {**plain(subscriber, project), "email": subscriber.email, "consent": consent}
        return answer.give(shared, "subscriber", {"subscriber": person, "entries": entries}, lines)


def find(project: Project, address: str) -> Subscriber:
    """The subscriber of this address, however it is typed."""
    try:
        wanted = normalise(address).normalised
    except ValueError as error:
        raise click.UsageError(f"{address}: {error}") from None
    found = None if project.app.is_new else project.app.store.subscribers.by_address(wanted)
    if found is None:
        raise click.UsageError(f"nobody is subscribed with {address}")
    return found


@command.command(
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier subscribers export > list.csv",
            "notifier subscribers export --standing confirmed",
        ),
    )
)
@click.option("--standing", type=click.Choice([s.value for s in Standing]), help="Only these.")
@click.pass_obj
def export(shared: dict[str, Any], standing: str | None) -> int:
    """All subscribers in the form that `import` reads."""
    with opened(shared) as project:
        wanted = {Standing(standing)} if standing else None
        rows = roster.write(_all(project, wanted)).decode()
        if project.wants_json:
            return answer.give(shared, "export", {"csv": rows})
        click.echo(rows, nl=False)
        return exits.DONE
