"""The parts of the programme that have a feed of their own: a project, a series, a topic, a region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from notifier.config import Config
from notifier.events.event import Event, Project, Series, Snapshot, Texts
from notifier.mail.links import Scope
from notifier.sources import markdown
from notifier.sources.base import ReadingSettings

SCOPES: tuple[Scope, ...] = ("project", "series", "topic", "region")
Names = Mapping[str, Texts]
"""Key -> its name in several languages; one without a name has no texts."""


def keys_of(event: Event, scope: Scope) -> tuple[str, ...]:
    """The keys of one scope that an event belongs to."""
    if scope == "project":
        return (event.project,) if event.project else ()
    if scope == "series":
        return (event.series,) if event.series else ()
    return event.topics if scope == "topic" else event.regions


def known(config: Config, public: Iterable[Snapshot]) -> Mapping[Scope, Names]:
    """Every key that may be told to anybody: of a public event, of a public file of the data folder, of the settings.

    A key that only hidden events have is not known here: whoever asks must not learn that there is such a project.
    """
    reading = markdown.read_folder(config.data, ReadingSettings.of(config), folders=("projects", "series"))
    projects = {key: project.name for key, project in reading.projects.items() if _is_public(project)}
    series = {
        key: one.title
        for key, one in reading.series.items()
        if _is_public(one) or (not one.visibility and one.project in ("", *projects))
    }
    named: dict[Scope, dict[str, Texts]] = {
        "project": projects,
        "series": series,
        "topic": dict(config.subscribers.topics),
        "region": {code: {} for code in config.subscribers.regions},
    }
    events = [snapshot.event for snapshot in public]
    return {
        scope: {key: {} for event in events for key in keys_of(event, scope)} | names
        for scope, names in named.items()
    }


def _is_public(it: Project | Series) -> bool:
    return it.visibility == "public"
