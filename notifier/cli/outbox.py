"""`notifier outbox`: one row per recipient and edition; what is unknown is settled here by a person."""

from __future__ import annotations

import getpass
from typing import Any

import click

from notifier.cli import answer, exits
from notifier.cli.project import Project, clock, opened, written
from notifier.cli.stamp import forget
from notifier.mail.outbox import Entry, EntryState

CODES = (exits.FINDINGS, exits.NO_PROJECT, exits.CONFIG, exits.UNREACHABLE)


@click.group(name="outbox")
def command() -> None:
    """Entries of the outbox: list, show, settle what is unknown."""


@command.command(
    "list",
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier outbox list --state unknown",
            "notifier -v outbox list --edition digest/events/2020-W15-2w",
        ),
    ),
)
@click.option("--state", "states", metavar="STATE[,STATE]", help="Only these states.")
@click.option("--edition", metavar="KEY", help="Only this edition.")
@click.option("-n", "limit", type=click.IntRange(1), default=100, show_default=True)
@click.pass_obj
def listing(shared: dict[str, Any], states: str | None, edition: str | None, limit: int) -> int:
    """Entries with state, attempts and the server's last words. Addresses are masked unless -v."""
    with opened(shared) as project:
        wanted, entries = _states(states), []
        counts = dict.fromkeys(EntryState, 0)
        if not project.app.is_new:
            entries = project.app.store.outbox.entries(edition=edition, states=wanted, limit=limit)
            counts = project.app.store.outbox.counts(edition)
        rows = [
            (e.state.value, f"{e.edition}:{e.position}", address(project, e), _tries(e), e.reply)
            for e in entries
        ]
        text = [
            *answer.table(rows, ("state", "entry", "to", "tries", "last reply")),
            ", ".join(f"{n} {s.value}" for s, n in counts.items() if n) or "the outbox is empty",
        ]
        return answer.give(
            shared,
            "outbox",
            {"entries": entries, "counts": {s.value: n for s, n in counts.items()}},
            text if rows else text[-1:],
        )


def _states(text: str | None) -> set[EntryState] | None:
    if not text:
        return None
    try:
        return {EntryState(part.strip()) for part in text.split(",")}
    except ValueError:
        raise click.BadParameter(
            f'"{text}": the states are {", ".join(s.value for s in EntryState)}', param_hint="--state"
        ) from None


def _tries(entry: Entry) -> str:
    return f"{entry.attempt}" + (f", {entry.doubt} in doubt" if entry.doubt else "")


def address(project: Project, entry: Entry) -> str:
    """The recipient's address, masked unless -v: o…@example.org."""
    subscriber = project.app.store.subscribers.get(entry.subscriber)
    return project.shown(subscriber.email) if subscriber else ""


@command.command(
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier outbox show digest/events/2020-W15-2w:3",
            "notifier --output-format json outbox show KEY:3",
        ),
    )
)
@click.argument("entry")
@click.pass_obj
def show(shared: dict[str, Any], entry: str) -> int:
    """One entry: state, why this person, attempts, the server's words, the next try."""
    with opened(shared) as project:
        found = _find(project, entry)
        lines = [
            f"entry       {found.edition}:{found.position}",
            f"to          {address(project, found)}",
            f"state       {found.state.value}",
            f"why         {found.reason}",
            f"tries       {_tries(found)}",
            f"last reply  {found.reply or '-'}",
            f"next try    {project.local(found.not_before) if found.not_before else '-'}",
        ]
        return answer.give(shared, "entry", found, lines)


def _find(project: Project, text: str) -> Entry:
    key, _, position = text.rpartition(":")
    if not position.isdigit():
        raise click.UsageError(
            f'"{text}" names no entry; write EDITION:NUMBER as `notifier outbox list` shows it'
        )
    entries = [] if project.app.is_new else project.app.store.outbox.entries(edition=key)
    found = [e for e in entries if e.position == int(position)]
    if not found:
        raise click.UsageError(f"no entry {text}; see `notifier outbox list --edition {key}`")
    return found[0]


@command.command(
    epilog=exits.epilog(
        *CODES,
        examples=("notifier outbox settle KEY:3 --treat-as-sent", "notifier outbox settle KEY:3 --resend"),
    )
)
@click.argument("entry")
@click.option("--resend", "as_sent", flag_value=False, type=bool, help="Send it again.")
@click.option("--treat-as-sent", "as_sent", flag_value=True, type=bool, help="It arrived; leave it.")
@click.pass_obj
def settle(shared: dict[str, Any], entry: str, as_sent: bool | None) -> int:
    """Decide what becomes of an `unknown` entry: content left, but no final reply was read."""
    if as_sent is None:
        raise click.UsageError("say --resend or --treat-as-sent")
    with written(shared) as project:
        found = _find(project, entry)
        done = project.app.store.outbox.settle_unknown(
            found.edition, found.position, as_sent=as_sent, who=getpass.getuser(), now=clock()
        )
        forget(project.config)
        words = (
            f"{entry}: {'treated as sent' if as_sent else 'will be sent again'}"
            if done
            else f"{entry} is {found.state.value}, not unknown"
        )
        return answer.give(
            shared,
            "settle",
            {"entry": entry, "done": done},
            words,
            code=exits.DONE if done else exits.FINDINGS,
        )
