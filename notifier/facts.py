"""What is known at one moment: published events, what the files say beside them, and what of it cannot be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from notifier.app import App
from notifier.editions.base import Edition, Kind
from notifier.errors import Problem
from notifier.events import changes
from notifier.events.event import Event, Snapshot
from notifier.sources.base import Reading


@dataclass(frozen=True)
class Facts:
    """What is known at one tick: published events, and what the files say beside them."""

    snapshots: Mapping[str, Snapshot]
    reading: Reading
    problems: tuple[Problem, ...] = ()
    #: uid -> why nothing may be said of it now (file broken, or gone)
    unsound: Mapping[str, str] = field(default_factory=dict)
    #: unreadable events that were never published: slug -> their days, None where they cannot be told
    unread: Mapping[str, tuple[date, date] | None] = field(default_factory=dict)
    published: int = 0
    is_baseline: bool = False
    window: timedelta = timedelta(days=60)  # of digests: how far ahead an unreadable event matters


def refresh(app: App, now: datetime) -> Facts:
    """Read the sources and store what is new or different; the facts of this moment.

    The first refresh of a store is a baseline: its events are known, and announced by nobody.
    """
    reading = app.reading()
    known = app.store.events.current()
    is_baseline = app.store.noted("baseline") is None
    ready = [e for e in reading.events if not e.is_draft and not (e.publish_after and e.publish_after > now)]
    sound = [e for e in ready if not _uid_changed(e, known)]
    policy = app.config.editions.update.fields
    fresh = [
        s
        for e in sound
        if (s := changes.revise(known.get(e.uid), e, now, is_baseline=is_baseline, policy=policy))
    ]
    published = app.store.events.publish(fresh) if fresh else 0
    if is_baseline:
        app.store.note("baseline", now.isoformat())
    snapshots = {**known, **{s.event.uid: s for s in fresh}}
    return gather(
        app, reading, snapshots, {e.uid for e in sound}, now, published=published, is_baseline=is_baseline
    )


def look(app: App, now: datetime, *, with_drafts: bool = False) -> Facts:
    """The facts as a refresh would find them now, without storing anything; works without a database."""
    reading = app.reading()
    known = {} if app.is_new else app.store.events.current()
    is_baseline = app.is_new or app.store.noted("baseline") is None
    ready = [
        e
        for e in reading.events
        if with_drafts or not (e.is_draft or (e.publish_after and e.publish_after > now))
    ]
    if with_drafts:  # to be seen as they will be once they are not
        ready = [e.model_copy(update={"is_draft": False}) for e in ready]
    snapshots, policy = dict(known), app.config.editions.update.fields
    for event in ready:
        # Before the first tick an event is taken as known for two months, or since now if it is nearer.
        long_known = min(now, event.span.starts_at - timedelta(days=60))
        since = long_known if is_baseline else now
        revised = changes.revise(known.get(event.uid), event, since, is_baseline=is_baseline, policy=policy)
        found = revised or known[event.uid]
        if found.is_baseline and found.published_at > now:  # seen from a time before the database
            found = found.model_copy(update={"published_at": long_known})
        snapshots[event.uid] = found
    return gather(app, reading, snapshots, {e.uid for e in ready}, now, is_baseline=is_baseline)


def trouble(edition: Edition, facts: Facts) -> str:
    """Why nothing may be sent now: an event or note of it, or an event that may belong into it, cannot be trusted."""
    for mention in edition.mentions:
        if words := facts.unsound.get(mention.uid):
            return words
    if edition.kind is not Kind.DIGEST:
        return ""
    note = f"notes/{edition.newsletter}/{edition.slot}"
    if any(p.is_error and p.subject == note for p in facts.problems):
        return f"the word from the officer cannot be read ({note})"
    last = (edition.due + facts.window).date()
    for slug, days in facts.unread.items():
        if days is None or (days[1] >= edition.due.date() and days[0] <= last):
            return f"{slug} cannot be read"
    return ""


def gather(
    app: App,
    reading: Reading,
    snapshots: Mapping[str, Snapshot],
    present: set[str],
    now: datetime,
    *,
    published: int = 0,
    is_baseline: bool = False,
) -> Facts:
    """The facts of a moment: published events, those of them that are broken or gone now, and why."""
    window = app.config.editions.digest.window
    if app.config.events.on_invalid == "skip":
        sound = {uid: s for uid, s in snapshots.items() if uid in present or s.event.span.ends_at < now}
        return Facts(
            sound, reading, reading.problems, published=published, is_baseline=is_baseline, window=window
        )
    unsound: dict[str, str] = {}
    problems = list(reading.problems)
    renamed = {e.slug: e.uid for e in reading.events if e.uid not in present}
    for uid, snapshot in snapshots.items():
        slug = snapshot.event.slug
        if uid in present or snapshot.event.span.ends_at < now:
            continue
        if slug in renamed and renamed[slug] != uid:
            unsound[uid] = f"{slug} has another uid than it was published with"
            problems.append(_renamed(slug, uid))
        elif slug in reading.broken:
            unsound[uid] = f"{slug} cannot be read"
        elif any(e.slug == slug for e in reading.events):
            unsound[uid] = f"{slug} was published and is a draft again"
            problems.append(_withdrawn(slug))
        else:
            unsound[uid] = f"{slug} was published and is gone"
            problems.append(_gone(slug))
    published_slugs = {s.event.slug for s in snapshots.values()}
    unread = {slug: _days_of(slug, reading) for slug in reading.broken if slug not in published_slugs}
    return Facts(snapshots, reading, tuple(sorted(problems)), unsound, unread, published, is_baseline, window)


def _withdrawn(slug: str) -> Problem:
    text = f'published event "{slug}" was taken back: people have it in their calendars'
    fix = "take out draft or publish_after; if it does not take place: status: cancelled"
    return Problem(f"data/events/{slug}.md", 0, 0, "E040", text, fix, subject=slug)


def _renamed(slug: str, uid: str) -> Problem:
    text = "uid of a published event changed: calendars would show it twice"
    return Problem(f"data/events/{slug}.md", 0, 0, "E041", text, f"uid: {uid}", subject=slug)


def _uid_changed(event: Event, known: Mapping[str, Snapshot]) -> bool:
    return event.uid not in known and any(s.event.slug == event.slug for s in known.values())


def _gone(slug: str) -> Problem:
    return Problem(
        f"data/events/{slug}.md",
        0,
        0,
        "E040",
        f'published event "{slug}" was removed',
        "put the file back with status: cancelled",
        subject=slug,
    )


def _days_of(slug: str, reading: Reading) -> tuple[date, date] | None:
    """The days of an unreadable event: as far as they could be read, else by the date its name begins with."""
    if span := reading.broken_spans.get(slug):
        return span.first, span.last
    try:
        day = date.fromisoformat(slug[:10])
    except ValueError:
        return None
    return day, day
