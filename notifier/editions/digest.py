"""The digest: what lies ahead, what is due, and what is worth reading afterwards, for one newsletter at its cadence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from notifier.config import Config, Newsletter
from notifier.editions import schedule
from notifier.editions.base import Edition, Kind, Mention, Section, digest_key, mention, prepare_at
from notifier.editions.scope import begins_at, known_at, mismatch, takes_place
from notifier.events.event import Event, Snapshot
from notifier.events.span import to_utc

#: Longer than any slot, so that the first due instant of a slot is always seen.
_LONGEST_SLOT = timedelta(days=32)


def plan(
    snapshots: Sequence[Snapshot], since: datetime, until: datetime, settings: Config
) -> Iterator[Edition]:
    """One digest per newsletter, cadence in its schedule and slot; none where there is nothing to say."""
    rules = settings.editions.digest
    lead = timedelta(0) if rules.approval_over is None else rules.prepare
    for newsletter in settings.newsletter:
        for cadence in newsletter.schedule:
            for slot, due in due_between(newsletter, cadence, since, until + lead, settings).items():
                mentions = contents(snapshots, due, settings, newsletter)
                if news(mentions, snapshots, due, settings) or rules.empty == "send":
                    yield Edition(
                        key=digest_key(newsletter.name, slot),
                        kind=Kind.DIGEST,
                        newsletter=newsletter.name,
                        due=due,
                        useful_until=useful_until(mentions, snapshots, due, settings),
                        mentions=mentions,
                        prepare_at=prepare_at(rules, due - rules.prepare),
                        slot=slot,
                        cadence=cadence,
                        mode=rules.mode,
                    )


def due_between(
    newsletter: Newsletter, cadence: str, since: datetime, until: datetime, settings: Config
) -> dict[str, datetime]:
    """slot -> due instant (UTC) in (since, until], oldest first.

    A slot has one digest: where the schedule names several days of a week or month, the first that is not excepted.
    """
    zone = settings.organisation.timezone
    exceptions = [schedule.parse_days(days) for days in newsletter.exceptions]
    times = schedule.parse(newsletter.schedule[cadence]).due_between(
        since - _LONGEST_SLOT, until, zone, exceptions
    )
    first: dict[str, datetime] = {}
    for due in times:
        first.setdefault(schedule.slot(cadence, due, zone), due)
    return {slot: due for slot, due in first.items() if due > since}


def contents(
    snapshots: Sequence[Snapshot], at: datetime, settings: Config, newsletter: Newsletter
) -> tuple[Mention, ...]:
    """What a digest sent at the instant `at` speaks of, section by section in the configured order.

    events: those that begin within the window, soonest first, also a cancelled or postponed one while that is news.
    deadlines: those that pass within the window, soonest first, then standing calls.
    recent: ended not long ago and with materials, latest first.
    An event may stand in several sections. Visibility is the audience's business: what only some may see is here.
    """
    choose: Mapping[Section, Callable[[Sequence[Snapshot], datetime, Config], list[Snapshot]]] = {
        "events": _ahead,
        "deadlines": _with_deadlines,
        "recent": _recent,
    }
    own = [s for s in snapshots if known_at(s) <= at and not mismatch(s.event, newsletter)]
    return tuple(
        mention(snapshot, section)
        for section in settings.editions.digest.sections
        if section in choose
        for snapshot in choose[section](own, at, settings)
    )


def news(
    mentions: Iterable[Mention], snapshots: Iterable[Snapshot], at: datetime, settings: Config
) -> frozenset[str]:
    """UIDs that make a digest worth sending: events ahead, changes, deadlines that pass.

    What is over and a standing call fill a digest, but carry none: they would come again and again, saying the same.
    """
    events = {snapshot.event.uid: snapshot.event for snapshot in snapshots}
    within = settings.editions.digest.window

    def carries(found: Mention) -> bool:
        if found.section == "deadlines":
            return bool(deadlines_ahead(events[found.uid], at, within))
        return found.section != "recent"

    return frozenset(found.uid for found in mentions if found.uid in events and carries(found))


def deadlines_ahead(event: Event, at: datetime, within: timedelta) -> list[datetime]:
    """The instants (UTC) at which deadlines of `event`, registration included, pass in (at, at + within], soonest first."""
    last_days = [deadline.by for deadline in event.deadlines]
    if event.registration:
        last_days.append(event.registration.by)
    passes = (deadline_passes_at(by, event.span.zone) for by in last_days if by)
    return sorted(instant for instant in passes if at < instant <= at + within)


def deadline_passes_at(by: date | datetime, zone: str) -> datetime:
    """The instant (UTC) from which it is too late: a day without an hour counts to its end in the event's zone."""
    return by if isinstance(by, datetime) else to_utc(by + timedelta(days=1), time(0), zone)


def _ahead(own: Sequence[Snapshot], at: datetime, settings: Config) -> list[Snapshot]:
    last = at + settings.editions.digest.window
    found = [s for s in own if at < begins_at(s.event) and s.event.span.starts_at <= last]
    return sorted((s for s in found if takes_place(s.event) or _is_news(s, at, settings)), key=_by_start)


def _is_news(snapshot: Snapshot, at: datetime, settings: Config) -> bool:
    """Whether people who saw the event in an earlier digest may still wait to hear that it does not take place."""
    return snapshot.revision > 1 and at - settings.events.keep_cancelled <= snapshot.revised_at


def _with_deadlines(own: Sequence[Snapshot], at: datetime, settings: Config) -> list[Snapshot]:
    dated: list[tuple[datetime, str, Snapshot]] = []
    standing: list[Snapshot] = []
    for snapshot in own:
        if not takes_place(snapshot.event):
            continue
        if ahead := deadlines_ahead(snapshot.event, at, settings.editions.digest.window):
            dated.append((ahead[0], snapshot.event.uid, snapshot))
        elif _has_standing_call(snapshot.event, at, settings):
            standing.append(snapshot)
    return [snapshot for *_, snapshot in sorted(dated, key=lambda row: row[:2])] + sorted(
        standing, key=_by_start
    )


def _has_standing_call(event: Event, at: datetime, settings: Config) -> bool:
    """A call without an end is told as long as its event is: from the window before it to `recent` after it.

    For ever would make every later digest of the newsletter worth sending for this one line.
    """
    rules = settings.editions.digest
    return (
        any(deadline.by is None for deadline in event.deadlines)
        and event.span.starts_at - rules.window <= at <= event.span.ends_at + rules.recent
    )


def _recent(own: Sequence[Snapshot], at: datetime, settings: Config) -> list[Snapshot]:
    since = at - settings.editions.digest.recent
    found = [
        s for s in own if s.event.materials and takes_place(s.event) and since <= s.event.span.ends_at <= at
    ]
    return sorted(found, key=lambda s: (-s.event.span.ends_at.timestamp(), s.event.uid))


def _by_start(snapshot: Snapshot) -> tuple[datetime, datetime, str]:
    return snapshot.event.span.starts_at, snapshot.event.span.ends_at, snapshot.event.uid


def useful_until(
    mentions: Sequence[Mention], snapshots: Sequence[Snapshot], due: datetime, settings: Config
) -> datetime:
    """Until it is stale, or until the first event that it invites to begins."""
    listed = {m.uid for m in mentions if m.section == "events"}
    starts = (begins_at(s.event) for s in snapshots if s.event.uid in listed and takes_place(s.event))
    return min((due + settings.editions.digest.useful_until, *starts))
