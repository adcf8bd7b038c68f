"""Who did what, and which runs there were; both are only ever added to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from notifier.store.base import Act, Run
from notifier.store.database import Database
from notifier.store.schema import act, run


class ActRecords:
    """The log of people's acts and of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, who: str, what: str, now: datetime, *, about: str = "", detail: str = "") -> None:
        """Add an act: `what` is a verb (approve, hold, settle ...), `about` an edition's key or a public id."""
        with self._database.write() as connection:
            add(connection, who, what, now, about=about, detail=detail)

    def list(self, *, about: str | None = None, limit: int = 100) -> tuple[Act, ...]:
        """The newest acts, newest first."""
        query = select(act).order_by(act.c.id.desc()).limit(limit)
        if about is not None:
            query = query.where(act.c.about == about)
        with self._database.read() as connection:
            return tuple(
                Act(at=r.at, who=r.who, what=r.what, about=r.about, detail=r.detail)
                for r in connection.execute(query)
            )

    def begin_run(self, now: datetime, *, host: str, pid: int) -> int:
        """Note that a run has begun; its number for `end_run`."""
        with self._database.write() as connection:
            adding = insert(run).values(started=now, host=host, pid=pid).returning(run.c.id)
            number: int = connection.execute(adding).scalar_one()
        return number

    def end_run(self, number: int, now: datetime, summary: Mapping[str, Any]) -> None:
        """Note how it ended, once. A run without an end was killed."""
        with self._database.write() as connection:
            connection.execute(
                update(run)
                .where(run.c.id == number, run.c.ended.is_(None))
                .values(ended=now, summary=dict(summary))
            )

    def runs(self, *, limit: int = 20) -> tuple[Run, ...]:
        """The newest runs, newest first."""
        query = select(run).order_by(run.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(
                Run(r.id, r.started, r.ended, r.host, r.pid, r.summary or {})
                for r in connection.execute(query)
            )


def add(
    connection: Connection, who: str, what: str, now: datetime, *, about: str = "", detail: str = ""
) -> None:
    """An act, within the transaction of what was done."""
    connection.execute(insert(act).values(at=now, who=who, what=what, about=about, detail=detail))
