"""What everybody may see at one moment; worked out once for all feeds, and again when something was published."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from notifier import press
from notifier.events import calendar
from notifier.events.event import Snapshot
from notifier.mail.links import Scope
from notifier.web import scopes
from notifier.web.hall import Hall

Made = TypeVar("Made")


@dataclass(frozen=True)
class Programme:
    """The programme of one request."""

    hall: Hall
    facts: Hashable
    now: datetime

    def kept(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gave for `name` under the facts of this request."""
        return self.hall.shelf.take(self.facts, name, make)

    def public(self) -> Sequence[Snapshot]:
        """The newest snapshot of every public event; drafts are not."""
        return self.kept("public", self._public)

    def by_slug(self) -> Mapping[str, Snapshot]:
        return self.kept("slugs", lambda: {snapshot.event.slug: snapshot for snapshot in self.public()})

    def names(self, scope: Scope) -> scopes.Names:
        """The keys of a scope that may be told to anybody, with their names."""
        return self.kept("names", lambda: scopes.known(self.hall.config, self.public()))[scope]

    def shown(self, scope: Scope | None = None, key: str = "") -> Sequence[Snapshot]:
        """What the feed of everything, or of one key of a scope, has in it today."""
        if scope is None:
            return self.kept("shown", lambda: self._in_window(self.public()))
        # From all of them, not from what the feed of everything has: its limit must not cut this one.
        return self._in_window([s for s in self.public() if key in scopes.keys_of(s.event, scope)])

    def vevents(self, snapshots: Sequence[Snapshot], language: str) -> list[bytes]:
        """Their calendar entries in one language, as far as possible those written before."""
        order, settings = self.languages(language), self.hall.calendar
        return self.hall.vevents.take(
            snapshots, language, lambda snapshot: calendar.vevent_bytes(snapshot, order, settings)
        )

    def languages(self, language: str) -> tuple[str, ...]:
        return press.content_languages(self.hall.config, language)

    def revised_at(self) -> datetime | None:
        """When anything was revised last, hidden events too: one that was taken back must not stay in a client's copy."""
        return max((s.revised_at for s in self._current().values()), default=None)

    def changed_at(self) -> datetime | None:
        """The same, and also the last midnight at which the window of a feed took one up or let one go."""
        everything = self._current().values()
        return self.kept(
            "changed",
            lambda: calendar.changed_at(everything, now=self.now, settings=self.hall.calendar),
        )

    def _in_window(self, snapshots: Sequence[Snapshot]) -> Sequence[Snapshot]:
        return calendar.in_window(snapshots, now=self.now, settings=self.hall.calendar)

    def _public(self) -> Sequence[Snapshot]:
        current = self._current().values()
        return [s for s in current if s.event.visibility == "public" and not s.event.is_draft]

    def _current(self) -> Mapping[str, Snapshot]:
        return self.kept("current", self._read)

    def _read(self) -> Mapping[str, Snapshot]:
        current = self.hall.store().events.current()
        self.hall.vevents.keep_only(current)
        return current


def programme_of(hall: Hall) -> Programme:
    # The facts before the clock: over midnight, what is made then goes under yesterday's facts and is soon made anew.
    facts = hall.facts()
    return Programme(hall, facts, hall.clock())
