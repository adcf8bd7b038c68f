"""All editions that are to be known at a time: the kinds composed, and when to ask again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from notifier.config import Config
from notifier.editions import announcement, digest, reminder
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
