"""The audience: who gets an edition, which of its events, and why or why not in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifier.config import Config
from notifier.editions import digest
from notifier.editions.base import Edition, Kind
from notifier.editions.scope import mismatch, newsletters_of
from notifier.events.event import Event, Snapshot
from notifier.subscribers.subscriber import Recipient, Standing, Subscriber, Variant

#: They follow what a person was told, not what a person chose.
TOLD_KINDS = frozenset({Kind.UPDATE, Kind.CANCELLATION})
_STANDING_WORDS = {
    Standing.PENDING: "has not confirmed the subscription",
    Standing.LEFT: "has unsubscribed",
    Standing.SUPPRESSED: "is not written to any more: mail came back, or was complained about",
}


@dataclass(frozen=True)
class Decision:
    """Whether one subscriber gets an edition.

    `reason` is a code: chosen, told; or, of those left out: pending, left, suppressed, not-told, kind, newsletter,
    frequency, visibility, project, series, topic, region, nothing.
    """

    subscriber: Subscriber
    is_included: bool
    reason: str
    words: str  # one English sentence without a subject, e.g. "gets no reminders"
    uids: tuple[str, ...] = ()  # of the events that concern this subscriber, in the edition's order


@dataclass(frozen=True)
class _Verdict:
    is_included: bool
    reason: str
    words: str
    uids: tuple[str, ...] = ()


def choose(
    edition: Edition,
    snapshots: Mapping[str, Snapshot],
    subscribers: Iterable[Subscriber],
    settings: Config,
    *,
    told: Collection[int] = (),
) -> Iterator[Decision]:
    """A decision for each subscriber, in their order; `snapshots` by UID.

    Someone is in who is confirmed, chose the kind, the newsletter and (for a digest) its cadence, and whom at least
    one of its events concerns: in all of projects, series, topics and regions, and visible to them. A digest without a
    cadence (sent by hand) is for everyone who wants digests. A digest that was planned without any event (`empty = "send"`) goes to everyone else who is due one.

    An update or a cancellation goes to the confirmed among `told`, the `id` of those who were sent an edition that
    mentions the event, whatever they choose now.
    """
    events = [snapshots[uid].event for uid in _uids(edition) if uid in snapshots]
    told = frozenset(told)
    carrying = digest.news(edition.mentions, snapshots.values(), edition.due, settings)
    known: dict[tuple[object, ...], _Verdict] = {}
    for subscriber in subscribers:
        # A million subscribers make some hundred different choices.
        is_told = subscriber.id in told
        choices = _choices(subscriber, is_told=is_told)
        verdict = known.get(choices)
        if verdict is None:
            verdict = known[choices] = _judge(
                edition, events, subscriber, settings, carrying, is_told=is_told
            )
        yield Decision(subscriber, verdict.is_included, verdict.reason, verdict.words, verdict.uids)


def recipients(decisions: Iterable[Decision], organisation_languages: Sequence[str]) -> list[Recipient]:
    """Those who are included, each with the variant that they share with all who read and are concerned alike."""
    variants: dict[tuple[tuple[str, ...], tuple[str, ...]], Variant] = {}
    found = []
    for decision in decisions:
        if not decision.is_included:
            continue
        languages = tuple(dict.fromkeys((*decision.subscriber.languages, *organisation_languages)))
        key = (languages, decision.uids)
        if key not in variants:
            variants[key] = Variant(languages, decision.uids, variant_key(languages, decision.uids))
        found.append(Recipient(decision.subscriber, variants[key], decision.words))
    return found


def variant_key(languages: Sequence[str], uids: Sequence[str]) -> str:
    """16 hex digits; the same for the same languages and events on every host and run."""
    raw = json.dumps([list(languages), list(uids)], ensure_ascii=False).encode()
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def _judge(
    edition: Edition,
    events: Sequence[Event],
    reader: Subscriber,
    settings: Config,
    carrying: Collection[str],
    *,
    is_told: bool,
) -> _Verdict:
    if reader.standing is not Standing.CONFIRMED:
        return _out(reader.standing.value, _STANDING_WORDS[reader.standing])
    if edition.kind in TOLD_KINDS:
        return _judge_told(events, is_told=is_told)
    against = _choice_against(edition, events, reader, settings)
    return against or _judge_events(edition, events, reader, carrying)


def _judge_told(events: Sequence[Event], *, is_told: bool) -> _Verdict:
    if not is_told:
        return _out("not-told", "was not told of the meeting before, so there is nothing to correct")
    return _Verdict(
        True, "told", "was told of the meeting before it changed", tuple(event.uid for event in events)
    )


def _choice_against(
    edition: Edition, events: Sequence[Event], reader: Subscriber, settings: Config
) -> _Verdict | None:
    """What in kinds, newsletters or frequency keeps this edition away; None: nothing does."""
    if edition.kind is not Kind.CONFIRM and edition.kind.value not in reader.kinds:
        return _out("kind", f"gets no {_plural(edition.kind)}: chose {_listed(reader.kinds)}")
    newsletters = _newsletters(edition, events, settings)
    if not {"*", *newsletters} & set(reader.newsletters):
        return _out(
            "newsletter", f"does not read {_listed(newsletters)}: chose {_listed(reader.newsletters)}"
        )
    wants_none = reader.frequency == "each"
    if edition.kind is Kind.DIGEST and (
        wants_none or (edition.cadence and reader.frequency != edition.cadence)
    ):
        wanted = "notices only, no digest" if wants_none else f"the {reader.frequency} digest"
        digest = " ".join(filter(None, (edition.cadence, "digest")))
        return _out("frequency", f"gets no {digest}: chose {wanted}")
    return None


def _newsletters(edition: Edition, events: Sequence[Event], settings: Config) -> tuple[str, ...]:
    """A digest is of one newsletter. A notice goes out once, for the readers of every newsletter that covers its event."""
    if edition.kind is Kind.DIGEST:
        return (edition.newsletter,)
    names = (n.name for event in events for n in newsletters_of(event, settings))
    return tuple(dict.fromkeys((edition.newsletter, *names)))


def _judge_events(
    edition: Edition, events: Sequence[Event], reader: Subscriber, carrying: Collection[str]
) -> _Verdict:
    obstacles = [(event, _obstacle(event, reader)) for event in events]
    uids = tuple(event.uid for event, obstacle in obstacles if not obstacle)
    if uids and edition.kind is Kind.DIGEST and not set(uids) & set(carrying):
        return _out("nothing", "what concerns them in it is over, or has no end: no news for them")
    if uids or (edition.kind is Kind.DIGEST and not edition.mentions) or edition.kind is Kind.CONFIRM:
        return _Verdict(True, "chosen", _welcome(edition, reader, len(uids), len(events)), uids)
    if len(obstacles) == 1:
        event, obstacle = obstacles[0]
        return _out(obstacle, _obstacle_words(event, obstacle, reader))
    return _out("nothing", f"nothing in it concerns their choices: {_choices_words(reader)}")


def _obstacle(event: Event, reader: Subscriber) -> str:
    """Why `event` does not concern `reader`: visibility, project, series, topic, region; "" if it does."""
    if event.visibility.startswith("group:") and event.visibility[len("group:") :] not in reader.groups:
        return "visibility"
    return mismatch(event, reader)


def _obstacle_words(event: Event, obstacle: str, reader: Subscriber) -> str:
    if obstacle == "visibility":
        return f"is not in the {event.visibility.replace(':', ' ')}, for which the meeting is"
    keys = {
        "project": ((event.project,), reader.projects),
        "series": ((event.series,), reader.series),
        "topic": (event.topics, reader.topics),
        "region": (event.regions, reader.regions),
    }
    of_event, chosen = keys[obstacle]
    told = _listed([key for key in of_event if key]) or "none"
    return f"the meeting's {obstacle} is {told}: chose {_listed(chosen)}"


def _welcome(edition: Edition, reader: Subscriber, count: int, total: int) -> str:
    if edition.kind is not Kind.DIGEST:
        return (
            f"gets {_plural(edition.kind)}, and the meeting matches their choices: {_choices_words(reader)}"
        )
    digest = f"gets the {edition.cadence} digest" if edition.cadence else "gets the current digest once"
    return f"{digest} of {edition.newsletter}; {count} of its {total} meetings match their choices: {_choices_words(reader)}"


def _choices_words(reader: Subscriber) -> str:
    narrowed = [
        f"{name} {_listed(keys)}"
        for name, keys in (
            ("projects", reader.projects),
            ("series", reader.series),
            ("topics", reader.topics),
            ("regions", reader.regions),
        )
        if "*" not in keys
    ]
    return "; ".join(narrowed) or "everything"


def _plural(kind: Kind) -> str:
    return "follow-ups" if kind is Kind.FOLLOWUP else f"{kind.value}s"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "none"


def _out(reason: str, words: str) -> _Verdict:
    return _Verdict(False, reason, words)


def _uids(edition: Edition) -> tuple[str, ...]:
    return tuple(dict.fromkeys(m.uid for m in edition.mentions))


def _choices(reader: Subscriber, *, is_told: bool) -> tuple[object, ...]:
    """All that a verdict depends on."""
    return (
        reader.standing,
        reader.newsletters,
        reader.projects,
        reader.series,
        reader.topics,
        reader.regions,
        reader.kinds,
        reader.frequency,
        reader.groups,
        is_told,
    )
