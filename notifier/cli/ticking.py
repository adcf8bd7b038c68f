"""The full tick behind `notifier tick`: lock, jobs, words, stamp."""

from __future__ import annotations

import sys
from collections.abc import Container
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from notifier import jobs
from notifier.cli import answer, exits, stamp
from notifier.cli.project import Project, clock, opened, parse_span_of_time
from notifier.cli.tick import clock_boot, fingerprint
from notifier.mail.outbox import EntryState
from notifier.store.lock import RunLock

MAX_LINES = 12


def tick(
    shared: dict[str, Any],
    *,
    limit: int | None,
    max_time: str | None,
    wait: str | None,
    dry_run: bool,
    accept_clock: bool,
) -> int:
    """One tick; the exit code."""
    with opened(shared) as project:
        if shared["at"] and not dry_run:
            raise click.UsageError("--at freezes the clock: tick takes it only with --dry-run")
        if dry_run:
            from notifier.cli.plan import dry_run as say

            return say(project)
        until = parse_span_of_time(max_time)
        lock = RunLock(project.config.state)
        lock.acquire(parse_span_of_time(wait) or 0.0)
        with lock:
            end = clock() + timedelta(seconds=until) if until else None
            outcomes = run(project, limit=limit, until=end, accept_clock=accept_clock)
        return report(shared, project, outcomes)


def run(
    project: Project, *, limit: int | None = None, until: datetime | None = None, accept_clock: bool = False
) -> jobs.Outcomes:
    """One tick under the lock, with the idle stamp left behind where nothing is left to do."""
    heartbeat = stamp.lift(project.config)
    before = fingerprint(stamp.watched(project.config))
    outcomes, facts = jobs.tick(
        project.app,
        clock,
        limit=limit,
        until=until,
        boot=(boot_id(), clock_boot()),
        heartbeat=heartbeat,
        accept_clock=accept_clock,
    )
    is_calm = not (outcomes.stopped or jobs.is_anything_due(project.app, clock()))
    if facts and is_calm and project.config.store.url.startswith("sqlite"):
        stamp.leave(project.config, jobs.next_due(project.app, facts, clock()), fingerprint=before)
    return outcomes


def boot_id() -> str:
    """What changes with every start of the machine, where the system tells it."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def code_of(outcomes: jobs.Outcomes) -> int:
    """The exit code of one run: what it caused, not what stands from before."""
    codes = []
    if outcomes.clock_jumped:
        codes.append(exits.NEEDS_CONFIRMATION)
    if outcomes.stopped:
        codes.append(exits.UNREACHABLE)
    sent = outcomes.sent
    if (sent and sent.failures) or outcomes.held:
        nothing = outcomes.held and not (outcomes.opened or (sent and sent.accepted))
        codes.append(exits.CONTENT if nothing else exits.IN_PART)
    return exits.first(codes)


def report(shared: dict[str, Any], project: Project, outcomes: jobs.Outcomes) -> int:
    """Nothing, when all is well and nobody looks; else what happened in at most 12 lines."""
    code = code_of(outcomes)
    if shared["output_format"] == "json":
        click.echo(answer.document("tick", outcomes, outcomes.problems, code))
        return code
    tell_failures(project, outcomes, code)
    if sys.stdout.isatty() or shared["verbose"]:
        click.echo("\n".join(success_lines(project, outcomes)))
    return code


def tell_failures(project: Project, outcomes: jobs.Outcomes, code: int) -> None:
    """On stderr, where something went wrong, or an approval fell: whoever gave it believes that it goes out."""
    fallen = [(key, words) for key, words in outcomes.unsent.items() if words == jobs.APPROVAL_FELL]
    for key, words in fallen[: MAX_LINES // 2]:
        click.echo(f"held: {key}: {words}; notifier editions show {key}", err=True)
    if code:
        for line in failure_lines(outcomes, _ended(project, outcomes))[: MAX_LINES - 1]:
            click.echo(line, err=True)
    if outcomes.stopped:
        waiting = project.app.store.outbox.counts()
        count = sum(waiting.get(state, 0) for state in (EntryState.PLANNED, EntryState.DEFERRED))
        click.echo(
            f"{count} messages wait; the next tick tries again. Look closer: notifier outbox list", err=True
        )


def _ended(project: Project, outcomes: jobs.Outcomes) -> set[tuple[str, str]]:
    """(edition, last reply) of what will not be tried again, among what went wrong in this run."""
    states = {EntryState.FAILED, EntryState.EXPIRED}
    keys = {key for key, *_ in outcomes.sent.failures} if outcomes.sent else set()
    outbox = project.app.store.outbox
    return {(key, e.reply) for key in keys for e in outbox.entries(edition=key, states=states)}


def failure_lines(outcomes: jobs.Outcomes, ended: Container[tuple[str, str]] = ()) -> list[str]:
    """Edition, number of recipients, the server's own words, next retry, the command to look closer.

    `ended`: (edition, words) of what will not be tried again.
    """
    lines = []
    if outcomes.clock_jumped:
        lines.append(outcomes.clock_jumped)
    if outcomes.stopped:
        lines.append(f"sending paused: {outcomes.stopped}")
    for key, words in outcomes.held.items():
        lines.append(f"held: {key}: {words}")
    grouped: dict[tuple[str, str], list[datetime | None]] = {}
    for key, words, retry in outcomes.sent.failures if outcomes.sent else ():
        grouped.setdefault((key, words), []).append(retry)
    for (key, words), retries in sorted(grouped.items(), key=lambda item: -len(item[1])):
        again = min((r for r in retries if r), default=None)
        people = f"{len(retries)} recipient{'s' if len(retries) != 1 else ''}"
        # Only a server begins with a reply code; the other words are ours.
        told = f'the server said "{words}"' if words[:3].isdecimal() else words or "no answer"
        after = "; not tried again" if (key, words) in ended else ""
        after = f"; next try {again:%Y-%m-%d %H:%M} UTC" if again else after
        lines.append(f"{key}: {people}: {told}{after}")
    if len(lines) >= MAX_LINES:
        lines = [*lines[: MAX_LINES - 2], f"and {len(lines) - MAX_LINES + 2} more"]
    errors = sum(p.is_error for p in outcomes.problems)
    if errors:
        lines.append(f"{errors} problem{'s' if errors != 1 else ''} in the data: notifier check")
    elif outcomes.sent and outcomes.sent.failures:
        lines.append("look closer: notifier outbox list --state deferred,failed,unknown")
    return lines


def success_lines(project: Project, outcomes: jobs.Outcomes) -> list[str]:
    lines = [f"opened: {key}" for key in outcomes.opened]
    lines += [f"not sent: {key}: {words}" for key, words in outcomes.unsent.items()]
    lines += [f"waits for approval: {key}   (notifier editions show {key})" for key in outcomes.waiting]
    if outcomes.sent and outcomes.sent.accepted:
        count = outcomes.sent.accepted
        lines.append(f"{count} message{'s' if count != 1 else ''} accepted")
    if outcomes.recovered[1]:
        lines.append(
            f"{outcomes.recovered[1]} message(s) of an interrupted run may have been delivered: notifier outbox list"
        )
    return lines or ["nothing due"]
