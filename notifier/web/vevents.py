"""Calendar entries as bytes, kept while their revision stands: a whole feed is a join of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from notifier.events.event import Snapshot


class Vevents:
    """What `calendar.vevent_bytes` gave, by UID, revision and language, for one set of calendar settings."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, str], bytes] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def take(
        self, snapshots: Iterable[Snapshot], language: str, make: Callable[[Snapshot], bytes]
    ) -> list[bytes]:
        """The entry of each snapshot in this language, in the order given; `make` writes the ones not written yet."""
        kept = self._kept  # one dictionary for the whole call, whatever another thread lets go meanwhile
        found = []
        for snapshot in snapshots:
            name = (snapshot.event.uid, snapshot.revision, language)
            raw = kept.get(name)
            if raw is None:
                raw = kept[name] = make(snapshot)
            found.append(raw)
        return found

    def keep_only(self, current: Mapping[str, Snapshot]) -> None:
        """Let go of the entries of revisions that are no longer the newest; `current` by UID."""
        newest = {(uid, snapshot.revision) for uid, snapshot in current.items()}
        self._kept = {name: raw for name, raw in self._kept.items() if name[:2] in newest}
