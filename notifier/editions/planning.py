"""All editions that are to be known at a time: the kinds composed, and when to ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from notifier.config import Config
from notifier.editions import announcement, digest, reminder, schedule
from notifier.editions.base import Edition, Plan
from notifier.events.event import Snapshot

#: The kinds that follow from events and time alone. Update, cancellation and follow-up follow from changes,
#: confirm from what a person did on a page.
KINDS: tuple[Plan, ...] = (digest.plan, announcement.plan, reminder.plan)


def plan(
    snapshots: Sequence[Snapshot], since: datetime, until: datetime, settings: Config
) -> tuple[Edition, ...]:
    """Every edition that is due after `since` and due, or to be prepared, by `until`; sorted by due instant and key.

    Pure, and the same for the same snapshots however the time is cut: the editions of (a, b] and of (b, c] are together
    those of (a, c]. Keys are unique, so what a store has already is left as it is (spec: delivery, section 2).
    An event only `known_at` a later instant than an edition's due one is not spoken of in it.
    """
    found = {edition.key: edition for kind in KINDS for edition in kind(snapshots, since, until, settings)}
    return tuple(sorted(found.values(), key=lambda edition: (edition.due, edition.key)))


def next_due(
    snapshots: Sequence[Snapshot], after: datetime, horizon: timedelta, settings: Config
) -> datetime | None:
    """The next instant (UTC) in (after, after + horizon] at which an edition is to be prepared or is due; None: none.

    It holds while the snapshots stay as they are.
    """
    last = after + horizon
    instants = (
        instant
        for edition in plan(snapshots, after, last, settings)
        for instant in (edition.prepare_at, edition.due)
        if instant is not None and after < instant <= last
    )
    return min(instants, default=None)


def faults(settings: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(key in config.toml, what is wrong with its value and what may be written), for all that is planned by.

    The settings cannot look at it themselves: they stand below this floor. With any fault, `plan` raises ValueError.
    """
    for number, newsletter in enumerate(settings.newsletter):
        for cadence, text in newsletter.schedule.items():
            key = ("newsletter", number, "schedule", cadence)
            if cadence not in schedule.CADENCES:
                yield key, f"unknown cadence {cadence!r}; write one of {', '.join(schedule.CADENCES)}"
            yield from _fault(key, schedule.parse, text)
        for days in newsletter.exceptions:
            yield from _fault(("newsletter", number, "except"), schedule.parse_days, days)
    rules = settings.editions.reminder
    yield from _fault(("editions", "reminder", "at"), reminder.parse_at, rules.at)
    yield from _fault(("editions", "reminder", "quiet_hours"), reminder.parse_quiet_hours, rules.quiet_hours)


def _fault(
    key: tuple[str | int, ...], parse: Callable[[str], object], text: str
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    try:
        parse(text)
    except ValueError as error:
        yield key, str(error)
