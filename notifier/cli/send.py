"""`notifier send`: one edition by hand, now; or a test to named addresses that counts for nothing."""

from __future__ import annotations

import getpass
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click

from notifier import jobs
from notifier.cli import answer, confirm, exits, preview, reading, stamp, ticking
from notifier.cli.project import Project, clock, opened
from notifier.editions.base import Edition, Kind
from notifier.errors import LockedError
from notifier.mail.outbox import Entry, Outcome
from notifier.store.lock import RunLock
from notifier.subscribers.address import normalise


@click.command(
    epilog=exits.epilog(
        exits.IN_PART,
        exits.NEEDS_CONFIRMATION,
        exits.NO_PROJECT,
        exits.LOCKED,
        exits.CONFIG,
        exits.CONTENT,
        exits.UNREACHABLE,
        examples=(
            "notifier send events --test office@example.org",
            "notifier send 2020-04-28-cohes3ion-calabria --kind announcement --dry-run",
        ),
    )
)
@click.argument("what", metavar="NEWSLETTER|SLUG")
@click.option(
    "--kind", type=click.Choice(preview.KINDS), help="Of an event: announcement (default) or reminder."
)
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="ADDR",
    help="Only to this address, with a marked subject; counts for nothing.",
)
@click.option("--lang", "language", metavar="LANG", help="Of a test: in this language.")
@click.option("--dry-run", is_flag=True, help="Say who would get it; send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(
    shared: dict[str, Any],
    what: str,
    kind: str | None,
    tests: tuple[str, ...],
    language: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Send one edition now. Nobody who got it already gets it again."""
    with opened(shared) as project:
        if shared["at"] and not dry_run:
            raise click.UsageError("--at freezes the clock: send takes it only with --dry-run")
        at = reading.desk(project)
        edition = preview.choose(project, at, what, Kind(kind) if kind else None)
        edition = replace(edition, due=project.now, date=project.now, slot=edition.slot or "")
        if words := jobs.trouble(edition, at.facts):
            errors = [p for p in at.facts.problems if p.is_error]
            return answer.give(
                shared, "send", {"sent": 0}, f"not sent: {words}", problems=errors, code=exits.CONTENT
            )
        if tests:
            return _test(project, at, edition, tests, language, dry_run=dry_run)
        return _send(project, at, edition, dry_run=dry_run, yes=yes)


def _send(project: Project, at: jobs.Desk, edition: Edition, *, dry_run: bool, yes: bool) -> int:
    """Store the edition; deliver it, unless another run holds the lock: then that one does."""
    stored = None if project.app.is_new else project.app.store.editions.get(_by_hand(edition).key)
    if stored and stored.state.is_final:
        words = f"{stored.key} went out before: it is {stored.state.value}"
        return answer.give(project.shared, "send", {"key": stored.key, "sent": 0}, words, code=exits.FINDINGS)
    recipients = [] if project.app.is_new else jobs.audience_of(at, edition)
    page = at.press.page(edition, recipients[0].variant) if recipients else None
    count = len(recipients)
    effect = f'"{page.subject}" to {confirm.people(count)}' if page else "nothing: nobody would get it"
    if dry_run or not recipients:
        return answer.give(
            project.shared,
            "send",
            {"key": edition.key, "recipients": count},
            f"would send {effect}" if recipients else effect,
        )
    confirm.ask("Send", f"{effect} now", count, yes=yes)
    project.app.store.editions.plan([_by_hand(edition)], _planned_until(project))
    project.app.store.acts.note(getpass.getuser(), "send", clock(), about=edition.key)
    stamp.forget(project.config)
    lock = RunLock(project.config.state)
    try:
        lock.acquire()
    except LockedError as busy:
        return answer.give(
            project.shared,
            "send",
            {"key": edition.key, "recipients": count},
            f"stored; {busy}, and will send it",
        )
    with lock:
        outcomes = ticking.run(project)
    return ticking.report({**project.shared, "verbose": max(1, project.verbose)}, project, outcomes)


def _planned_until(project: Project) -> Any:
    """What was planned so far stays planned so far: sending by hand plans nothing else."""
    return project.app.store.editions.planned_until() or project.now


def _by_hand(edition: Edition) -> Edition:
    return replace(
        edition,
        slot=jobs.BY_HAND,
        prepare_at=None,
        useful_until=max(edition.useful_until, edition.due + timedelta(hours=1)),
    )


def _test(
    project: Project,
    at: jobs.Desk,
    edition: Edition,
    tests: tuple[str, ...],
    language: str | None,
    *,
    dry_run: bool,
) -> int:
    """The real message with "[Test]" before its subject, at most once, to these addresses; the ledger knows nothing of it."""
    sent: list[str] = []
    failed: list[str] = []
    for address in tests:
        try:
            found = normalise(address)
        except ValueError as error:
            raise click.BadParameter(f"{address}: {error}", param_hint="--test") from None
        if found.is_sample and not project.app.transport.takes_samples:
            raise click.BadParameter(
                f"{address} is a sample address; a real relay is not given it", param_hint="--test"
            )
        known = None if project.app.is_new else project.app.store.subscribers.by_address(found.normalised)
        reader = known or reading.sample_reader((language or project.config.organisation.languages[0],), "")
        reader = replace(reader, email=address, address=found.normalised)
        page = at.press.page(edition, preview.variant_of(at, edition, reader))
        marked = replace(page, subject=f"[Test] {page.subject}"[:110])
        entry = Entry(f"test/{edition.key}", 0, len(sent) + 1, reader.id, page.variant)
        message = at.press.sample(edition, entry, reader, marked)
        if dry_run:
            sent.append(address)
            continue
        with project.app.transport.open() as wire:
            receipt = wire.send(message, before_content=lambda: None)
        (sent if receipt.outcome is Outcome.ACCEPTED else failed).append(
            address if receipt.outcome is Outcome.ACCEPTED else f"{address}: {receipt.code} {receipt.text}"
        )
    words = (
        [f"{'would send' if dry_run else 'sent'} a test of {edition.kind.value} to {', '.join(sent)}"]
        if sent
        else []
    )
    return answer.give(
        project.shared,
        "send",
        {"test": sent, "failed": failed},
        words + [f"not taken: {f}" for f in failed],
        code=exits.IN_PART if failed else exits.DONE,
    )
