"""`notifier hold --all "reason"` and `notifier resume`: stop all sending, and go on from the ledger."""

from __future__ import annotations

import getpass
from typing import Any

import click

from notifier.cli import answer, exits
from notifier.cli.project import clock, written
from notifier.cli.stamp import forget


@click.command(
    epilog=exits.epilog(
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=('notifier hold --all "wrong date in the digest"', "notifier resume"),
    )
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    required=True,
    help="All editions; one alone: notifier editions hold KEY.",
)
@click.argument("reason")
@click.pass_obj
def command(shared: dict[str, Any], everything: bool, reason: str) -> int:
    """Stop all sending within a second, with a reason that `status` shows first."""
    with written(shared) as project:
        project.app.store.hold_all(f"{reason} ({getpass.getuser()})", clock())
        forget(project.config)
        return answer.give(
            shared,
            "hold",
            {"hold": reason},
            f'everything is on hold: "{reason}"; `notifier resume` goes on from where it stopped',
        )


@click.command(
    epilog=exits.epilog(
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=("notifier resume", "notifier --output-format json resume"),
    )
)
@click.pass_obj
def resume(shared: dict[str, Any]) -> int:
    """Go on after `hold --all`: nobody is missed and nobody gets anything twice."""
    with written(shared) as project:
        before = project.app.store.hold
        project.app.store.hold_all(None, clock())
        forget(project.config)
        words = f'sending goes on; it was on hold: "{before}"' if before else "nothing was on hold"
        return answer.give(shared, "resume", {"was_on_hold": before}, words)
