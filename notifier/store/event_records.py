"""What was published about events: every snapshot is kept."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from notifier.events.event import Event, Snapshot
from notifier.store.database import Database, Found, insert_new
from notifier.store.schema import snapshot


class EventRecords:
    """Snapshots of events, unique by (uid, revision)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> dict[str, Snapshot]:
        """Newest snapshot of every event ever published, by UID."""
        newest = (
            select(snapshot.c.uid, func.max(snapshot.c.revision).label("revision"))
            .group_by(snapshot.c.uid)
            .subquery()
        )
        query = (
            select(snapshot)
            .join(newest, (snapshot.c.uid == newest.c.uid) & (snapshot.c.revision == newest.c.revision))
            .order_by(snapshot.c.uid)
        )
        with self._database.read() as connection:
            return {row.uid: _snapshot(row) for row in connection.execute(query)}

    def history(self, uid: str) -> list[Snapshot]:
        """All snapshots of one event, oldest first."""
        query = select(snapshot).where(snapshot.c.uid == uid).order_by(snapshot.c.revision)
        with self._database.read() as connection:
            return [_snapshot(row) for row in connection.execute(query)]

    def fingerprint(self) -> str:
        """A short text that differs after every publication: snapshots are only ever added.

        Their number alone, because an index has it: the newest time would be looked for in every row, 20 ms with 10,000.
        """
        with self._database.read() as connection:
            return str(connection.execute(select(func.count()).select_from(snapshot)).scalar_one())

    def publish(self, snapshots: Sequence[Snapshot]) -> int:
        """Store new snapshots; how many were new. What was published before stays as it is."""
        rows = [
            {
                "uid": s.event.uid,
                "revision": s.revision,
                "sequence": s.sequence,
                "published_at": s.published_at,
                "revised_at": s.revised_at,
                "is_baseline": s.is_baseline,
                "event": s.event.to_json(),
            }
            for s in snapshots
        ]
        with self._database.write() as connection:
            return insert_new(connection, snapshot, rows)


def _snapshot(row: Found) -> Snapshot:
    return Snapshot(
        event=Event.from_json(row.event),
        revision=row.revision,
        sequence=row.sequence,
        published_at=row.published_at,
        revised_at=row.revised_at,
        is_baseline=row.is_baseline,
    )
