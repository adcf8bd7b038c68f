"""All editions that are to be known at a time: the kinds composed, and when to ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from notifier.config import Config
from notifier.editions import announcement, digest, reminder, schedule
from notifier.editions.base import Edition, Kind, Plan, prepare_at
from notifier.editions.scope import known_at
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


def again(edition: Edition, snapshots: Sequence[Snapshot], settings: Config) -> Edition | None:
    """A stored edition as it stands now: what it speaks of, until when it is of use, whether it needs an approval.

    Its due instant stays, whatever the schedule says by now. None: it has nothing to say at present, because its event
    does not take place, has moved away from it, or belongs into a digest; that may change again.
    """
    if edition.kind is Kind.DIGEST:
        return _digest_again(edition, snapshots, settings)
    told = {m.uid for m in edition.mentions}
    own = [s for s in snapshots if s.event.uid in told]
    if not own:
        return None
    since = min(known_at(s) for s in own) - timedelta(seconds=1)
    last = max(edition.due, *(s.event.span.starts_at for s in own))
    kind = announcement.plan if edition.kind is Kind.ANNOUNCEMENT else reminder.plan
    # A burst is judged among all that is known; a reminder looks at its own event only.
    planned = kind(snapshots if edition.kind is Kind.ANNOUNCEMENT else own, since, last, settings)
    found = next((e for e in planned if e.key == edition.key), None)
    if found is None:
        return None
    return replace(
        edition,
        mentions=found.mentions,
        useful_until=found.useful_until,
        prepare_at=found.prepare_at,
        newsletter=found.newsletter,
    )


def _digest_again(edition: Edition, snapshots: Sequence[Snapshot], settings: Config) -> Edition | None:
    letter = next((n for n in settings.newsletter if n.name == edition.newsletter), None)
    if letter is None:
        return None
    mentions = digest.contents(snapshots, edition.due, settings, letter)
    rules = settings.editions.digest
    if not digest.news(mentions, snapshots, edition.due, settings) and rules.empty != "send":
        return None
    return replace(
        edition,
        mentions=mentions,
        useful_until=digest.useful_until(mentions, snapshots, edition.due, settings),
        prepare_at=prepare_at(rules, edition.due - rules.prepare),
    )


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
