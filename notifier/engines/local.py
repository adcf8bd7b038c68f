"""APScheduler in this process: one job, no memory of its own. The truth about what is due is in our store."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)


def run(tick: Callable[[], object], *, every: timedelta, for_s: float | None = None) -> None:
    """Tick now and every `every`, until SIGTERM, SIGINT, or `for_s` seconds have passed; a running tick is finished.

    The defaults of APScheduler are wrong here (measured: a grace of 1 s drops a run that is 2.5 s late), so: no
    misfire grace, runs that were missed count as one, one at a time, UTC.
    """
    stop = threading.Event()
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        _guarded,
        "interval",
        args=(tick,),
        seconds=every.total_seconds(),
        next_run_time=datetime.now(UTC),
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    scheduler.start()
    try:
        stop.wait(for_s)
    finally:
        scheduler.shutdown(wait=True)
        for number, former in before.items():
            signal.signal(number, former)


def _guarded(tick: Callable[[], object]) -> None:
    """The loop must go on whatever one tick meets; what it met is logged."""
    try:
        tick()
    except Exception:
        log.exception("a tick failed; the next one tries again")
