"""What every source gives: a Reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from notifier.errors import Problem
from notifier.events.event import Event, Project, Series, Texts


def _empty() -> Mapping[str, Texts]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Reading:
    """Everything a source told at one time, good and bad.

    An event with an error is absent from `events` and named as `subject` of the problem, so that only the editions
    that would contain it wait. `notes` maps "newsletter/slot" to the officer's word in each language (Markdown).
    """

    events: tuple[Event, ...] = ()
    problems: tuple[Problem, ...] = ()
    projects: Mapping[str, Project] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    notes: Mapping[str, Texts] = field(default_factory=_empty)
    #: Days of events that could not be read, as far as they could: slug -> (first, last); for what to hold back.
    broken: tuple[str, ...] = ()
