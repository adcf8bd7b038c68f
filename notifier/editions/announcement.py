"""The announcement: one notice when an event becomes known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from notifier.config import Config
from notifier.editions.base import Edition, Kind, announcement_key, mention, prepare_at
from notifier.editions.scope import begins_at, known_at, newsletters_of, takes_place
from notifier.events.event import Snapshot

#: An event this near is told after the short delay: the usual one would eat into the little time that is left.
NEAR = timedelta(hours=24)
SHORT_DELAY = timedelta(minutes=2)


def plan(
    snapshots: Sequence[Snapshot], since: datetime, until: datetime, settings: Config
) -> Iterator[Edition]:
    """One announcement per new event that some newsletter covers.

    None for a baseline (it was there before we were), for one that is part of a burst (it goes to the next digest),
    for one that does not take place, and none that would come after the event began.
    """
    rules = settings.editions.announcement
    times = sorted(known_at(s) for s in snapshots if not s.is_baseline)
    for snapshot in snapshots:
        due = due_at(snapshot, settings)
        known = prepare_at(rules, known_at(snapshot)) or due
        if due <= since or known > until or not _is_worth_it(snapshot, due):
            continue
        newsletters = newsletters_of(snapshot.event, settings)
        if newsletters and not _is_in_burst(snapshot, times, settings):
            yield Edition(
                key=announcement_key(snapshot.event),
                kind=Kind.ANNOUNCEMENT,
                newsletter=newsletters[0].name,
                due=due,
                useful_until=min(due + rules.useful_until, begins_at(snapshot.event)),
                mentions=(mention(snapshot),),
                prepare_at=prepare_at(rules, known_at(snapshot)),
                mode=rules.mode,
            )


def due_at(snapshot: Snapshot, settings: Config) -> datetime:
    """When the announcement leaves (UTC): late enough for a typing error to be mended unseen."""
    return known_at(snapshot) + _delay(snapshot, settings)


def _delay(snapshot: Snapshot, settings: Config) -> timedelta:
    usual = settings.editions.update.delay
    return min(usual, SHORT_DELAY) if begins_at(snapshot.event) - known_at(snapshot) <= NEAR else usual


def _is_worth_it(snapshot: Snapshot, due: datetime) -> bool:
    return not snapshot.is_baseline and takes_place(snapshot.event) and due < begins_at(snapshot.event)


def _is_in_burst(snapshot: Snapshot, times: Sequence[datetime], settings: Config) -> bool:
    """Whether any stretch of one delay that holds this event's instant holds more than `burst` new events.

    It looks back and ahead by less than one delay, so all that counts is known when the announcement is due, and
    planning again later gives the same answer.
    """
    burst, delay = settings.editions.announcement.burst, _delay(snapshot, settings)
    known = known_at(snapshot)
    first, last = bisect_left(times, known), bisect_right(times, known)
    # Each stretch of burst + 1 instants in a row that this one is part of: too close together, they are a burst.
    return any(
        times[start + burst] - times[start] < delay
        for start in range(max(0, first - burst), min(last, len(times) - burst))
    )
