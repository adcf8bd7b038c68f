"""`notifier run`: the clock in this process calls the tick, for machines without cron."""

from __future__ import annotations

import logging
from typing import Any

import click

from notifier.cli import exits
from notifier.cli.project import opened, parse_span_of_time


@click.command(
    epilog=exits.epilog(
        exits.NO_PROJECT,
        exits.LOCKED,
        exits.CONFIG,
        examples=("notifier run", "notifier -v run --max-time 1h"),
    )
)
@click.option("--max-time", metavar="1h", help="End after so long.")
@click.pass_obj
def command(shared: dict[str, Any], max_time: str | None) -> int:
    """Tick again and again in the foreground (APScheduler), until SIGTERM or Ctrl-C."""
    from notifier.cli import ticking
    from notifier.engines import local
    from notifier.store.lock import RunLock

    if shared["at"]:
        raise click.UsageError("--at freezes the clock: run does not take it")
    # A tick that lasts longer than the distance between two is nothing to report: the next one does the rest.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    with opened(shared) as project, RunLock(project.config.state):
        local.run(
            lambda: ticking.report(shared, project, ticking.run(project)),
            every=project.config.engines.tick,
            for_s=parse_span_of_time(max_time),
        )
    return exits.DONE
