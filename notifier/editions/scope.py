"""Which events an edition may speak of, for whom, and from when until when."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from notifier.config import Config, Newsletter
from notifier.events.event import Event, Snapshot, Status


class Choices(Protocol):
    """What a newsletter covers, or a subscriber chose: keys per dimension, ("*",) for everything."""

    @property
    def projects(self) -> tuple[str, ...]: ...
    @property
    def topics(self) -> tuple[str, ...]: ...
    @property
    def series(self) -> tuple[str, ...]: ...
    @property
    def regions(self) -> tuple[str, ...]: ...


def mismatch(event: Event, choices: Choices) -> str:
    """The first dimension in which `event` is not among `choices` (project, series, topic, region); "" if it is in all.

    Within a dimension one common key is enough. An event without a project matches only those who chose everything:
    whoever named a project asked for that project's meetings.
    """
    for dimension, chosen, keys in (
        ("project", choices.projects, (event.project,)),
        ("series", choices.series, (event.series,)),
        ("topic", choices.topics, event.topics),
        ("region", choices.regions, event.regions),
    ):
        if "*" not in chosen and not any(key in chosen for key in keys):
            return dimension
    return ""


def newsletters_of(event: Event, settings: Config) -> tuple[Newsletter, ...]:
    """The newsletters that cover `event`, in the order of the configuration."""
    return tuple(n for n in settings.newsletter if not mismatch(event, n))


def takes_place(event: Event) -> bool:
    """Whether, as far as is known, people will meet on the days that are told."""
    return event.status not in (Status.POSTPONED, Status.CANCELLED)


def begins_at(event: Event) -> datetime:
    """The instant (UTC) from which an invitation to it would come too late.

    Whole days: local midnight of the first. Only a month fixed: the end of that month, because until then the day
    may still lie ahead.
    """
    return event.span.ends_at if event.span.is_month else event.span.starts_at


def known_at(snapshot: Snapshot) -> datetime:
    """The instant (UTC) from which anybody may be told of it."""
    return max(snapshot.published_at, snapshot.event.publish_after or snapshot.published_at)
