"""Run by Alembic: migrations on the connection that `upgrade.py` gives, inside its transaction."""

from __future__ import annotations

from alembic import context

from notifier.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,  # SQLite can alter little of a table: it is built anew and renamed
    compare_type=True,
)
context.run_migrations()
