"""An older database brought up to date, after a backup; the only importer of Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from notifier.store import sqlite
from notifier.store.database import WRITES, Database

SCRIPTS = "notifier.store:migrations"


def upgrade(database: Database, path: Path, *, scripts: str = SCRIPTS, to: str = "head") -> Path:
    """Run the migrations that are missing, in one transaction; where the backup from before lies."""
    kept = _free_name(path)
    sqlite.backup(database.engine, kept)
    migrate(database, scripts=scripts, to=to)
    return kept


def migrate(database: Database, *, scripts: str = SCRIPTS, to: str = "head") -> None:
    """The migrations up to `to`, all or none. Two that run at once do it one after the other."""
    config = Config()
    config.set_main_option("script_location", scripts)
    with database.engine.connect() as connection:
        # A table that SQLite cannot alter is built anew and renamed; with the check on, that would drop its children.
        sqlite.foreign_keys(connection, on=False)
        try:
            writing = connection.execution_options(**{WRITES: True})
            with writing.begin():
                config.attributes["connection"] = writing
                command.upgrade(config, to)
                sqlite.check_foreign_keys(writing)
        finally:
            sqlite.foreign_keys(connection, on=True)


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}-before-upgrade-{number}{path.suffix}")).exists():
        number += 1
    return kept
