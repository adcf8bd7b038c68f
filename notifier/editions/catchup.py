"""What becomes of editions that are due late: after a pause, a downtime, or a day without cron."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from notifier.editions.base import Edition, Kind, State

#: After a gap a person looks at these first; the others concern dates that would pass meanwhile.
HELD_AFTER_A_GAP = frozenset({Kind.DIGEST, Kind.ANNOUNCEMENT, Kind.FOLLOWUP})
_UNSENT = frozenset({State.PLANNED, State.WAITING, State.HELD})


def catch_up(
    editions: Iterable[Edition],
    now: datetime,
    *,
    last_tick: datetime | None = None,
    hold_after: timedelta = timedelta(days=1),
) -> tuple[Edition, ...]:
    """The same editions in the same order, with state and reason as the policy wants them (spec: delivery, section 6).

    Only what is due and not yet opened changes. Past `useful_until`: expired. Of several digests of one newsletter and
    cadence, and of several reminders of one occurrence, the last due stays and the others are superseded. If the gap
    since `last_tick` is longer than `hold_after`, digests, announcements and follow-ups that fell due in it are held.
    `last_tick` None: there was none before, so nothing was missed. Applying it twice gives the same.
    """
    everything = tuple(editions)
    due = [e for e in everything if e.due <= now and e.state is not State.CANCELLED]
    latest = {_turn(e): e for e in sorted(due, key=lambda e: e.due) if e.useful_until > now}
    gap_from = last_tick if last_tick is not None and now - last_tick > hold_after else None
    return tuple(_settled(e, now, latest, gap_from) for e in everything)


def _settled(
    edition: Edition, now: datetime, latest: Mapping[tuple[str, ...], Edition], gap_from: datetime | None
) -> Edition:
    if edition.state not in _UNSENT or edition.due > now:
        return edition
    if edition.useful_until <= now:
        return replace(edition, state=State.EXPIRED, reason="it could not be sent while it was of use")
    newer = latest[_turn(edition)]
    if newer.key != edition.key:
        return replace(
            edition, state=State.SUPERSEDED, reason=f"{newer.key} was due before this one was sent"
        )
    if (
        gap_from is not None
        and edition.kind in HELD_AFTER_A_GAP
        and edition.due > gap_from
        and edition.state is not State.HELD
    ):
        return replace(
            edition,
            state=State.HELD,
            reason=f"gap: no run between {gap_from:%Y-%m-%d %H:%M} UTC and its due time",
        )
    return edition


def _turn(edition: Edition) -> tuple[str, ...]:
    """What a reader needs only the newest of."""
    if edition.kind is Kind.DIGEST and edition.cadence:
        return ("digest", edition.newsletter, edition.cadence)
    if edition.kind is Kind.REMINDER:
        return ("reminder", edition.key.rpartition("/")[0])
    return ("alone", edition.key)
