"""`notifier send`: one edition by hand, now; or a test to named addresses that counts for nothing."""

from __future__ import annotations

import getpass
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click

from notifier import jobs
from notifier.cli import answer, confirm, editions, exits, preview, reading, stamp, ticking
from notifier.cli.project import Project, clock, opened
from notifier.editions.base import Edition, Kind
from notifier.editions.schedule import CADENCES
from notifier.errors import LockedError
from notifier.mail.outbox import Entry, EntryState, Outcome
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
@click.option(
    "--cadence",
    type=click.Choice(CADENCES),
    help="Of a digest: only to readers of this one; else to all who want digests.",
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
    cadence: str | None,
    language: str | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """Send one edition now. Nobody who got it already gets it again."""
    with opened(shared) as project:
        if shared["at"] and not dry_run:
            raise click.UsageError("--at freezes the clock: send takes it only with --dry-run")
        at = reading.desk(project)
        edition = preview.choose(project, at, what, Kind(kind) if kind else None, cadence or "")
        edition = replace(edition, due=project.now, date=project.now)
        if edition.id:  # planned for later, it would leave out what is over by then
            edition = jobs.current_edition(at, edition) or edition
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
    stored = None if project.app.is_new else project.app.store.editions.get(edition.key)
    if words := _against_sending(stored):
        return answer.give(
            project.shared, "send", {"key": edition.key, "sent": 0}, words, code=exits.FINDINGS
        )
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
    by_hand = _by_hand(edition, at.press.content_hash(edition))
    project.app.store.editions.plan([by_hand], _planned_until(project))
    project.app.store.editions.hasten(by_hand, getpass.getuser(), clock())
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
    return _result(project, edition.key, outcomes)


def _against_sending(stored: Edition | None) -> str:
    """Why it is not sent by hand; "" if it may be."""
    if stored is None:
        return ""
    if stored.state.is_final:
        return f"{stored.key} went out before: it is {stored.state.value}"
    if editions.is_held_by_person(stored):
        return editions.words_of_hold(stored)
    if stored.state not in editions.UNSENT:
        return f"{stored.key} is {stored.state.value}: it is being sent already; see `notifier outbox list --edition {stored.key}`"
    return ""


def _result(project: Project, key: str, outcomes: jobs.Outcomes) -> int:
    """What became of it, for whoever sent it: to how many, or why not; what else the run did is told as a tick tells it."""
    edition = project.app.store.editions.get(key)
    assert edition is not None  # it was stored before
    counts = {state.value: n for state, n in project.app.store.outbox.counts(key).items() if n}
    accepted = counts.get(EntryState.ACCEPTED.value, 0)
    left = [f"{n} {state}" for state, n in counts.items() if state != EntryState.ACCEPTED.value]
    if counts:
        words = ", ".join([f"sent to {confirm.people(accepted)}", *left])
    elif project.app.store.hold:
        words = f'not sent yet: everything is on hold: "{project.app.store.hold}"; it goes out after `notifier resume`'
    else:
        words = f"not sent: {key} is {edition.state.value}" + (
            f": {edition.reason}" if edition.reason else ""
        )
    code = ticking.code_of(outcomes)
    if not accepted:
        code = exits.first([code, exits.FINDINGS])
    data = {"key": key, "state": edition.state, "sent": accepted, "outbox": counts}
    if not project.wants_json:
        ticking.tell_failures(project, outcomes, code)
    return answer.give(project.shared, "send", data, words, code=code)


def _planned_until(project: Project) -> Any:
    """What was planned so far stays planned so far: sending by hand plans nothing else."""
    return project.app.store.editions.planned_until() or project.now


def _by_hand(edition: Edition, content: str) -> Edition:
    """As it was shown and confirmed, whatever the schedule says of it."""
    return replace(
        edition,
        offset=jobs.BY_HAND,
        prepare_at=None,
        content_hash=content,
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
