"""Revision 0001: the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were then: a revision does not follow later changes of schema.py.
UTC_TIME = sa.DateTime(timezone=True)
CHOICE = sa.String(20)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNFINISHED = sa.text("state IN ('planned', 'claimed', 'handed', 'deferred', 'unknown')")


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_act_at"), ["at"], unique=False)

    op.create_table(
        "edition",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", CHOICE, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("state", CHOICE, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("due", UTC_TIME, nullable=False),
        sa.Column("prepare_at", UTC_TIME, nullable=True),
        sa.Column("useful_until", UTC_TIME, nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False),
        sa.Column("offset", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", UTC_TIME, nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("date", UTC_TIME, nullable=True),
        sa.Column("changed_at", UTC_TIME, nullable=True),
        sa.CheckConstraint(
            "kind IN ('digest', 'announcement', 'reminder', 'update', 'cancellation', 'followup', 'confirm')",
            name=op.f("ck_edition_kind"),
        ),
        sa.CheckConstraint("mode IN ('at-least-once', 'at-most-once')", name=op.f("ck_edition_mode")),
        sa.CheckConstraint(
            "state IN ('planned', 'waiting', 'held', 'open', 'paused', 'draining', 'done', 'superseded', 'expired', 'cancelled')",
            name=op.f("ck_edition_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("key", name=op.f("uq_edition_key")),
    )
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_edition_state_due"), ["state", "due"], unique=False)

    op.create_table(
        "note",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_note")),
    )
    op.create_table(
        "run",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("started", UTC_TIME, nullable=False),
        sa.Column("ended", UTC_TIME, nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_started"), ["started"], unique=False)

    op.create_table(
        "snapshot",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("published_at", UTC_TIME, nullable=False),
        sa.Column("revised_at", UTC_TIME, nullable=False),
        sa.Column("is_baseline", sa.Boolean(), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("uid", "revision", name=op.f("pk_snapshot")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("newsletters", sa.JSON(), nullable=False),
        sa.Column("projects", sa.JSON(), nullable=False),
        sa.Column("series", sa.JSON(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("wants_invitations", sa.Boolean(), nullable=False),
        sa.Column("standing", CHOICE, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("updated_at", UTC_TIME, nullable=False),
        sa.CheckConstraint(
            "standing IN ('pending', 'confirmed', 'left', 'suppressed')", name=op.f("ck_subscriber_standing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("address", name=op.f("uq_subscriber_address")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscriber_public_id")),
    )
    op.create_table(
        "consent",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("subscriber_id", NUMBER, nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("noted_at", UTC_TIME, nullable=False),
        sa.CheckConstraint("act IN ('given', 'withdrawn')", name=op.f("ck_consent_act")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_consent_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_subscriber_id"), ["subscriber_id"], unique=False)

    op.create_table(
        "entry",
        sa.Column("edition_id", NUMBER, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", NUMBER, nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("state", CHOICE, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("not_before", UTC_TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("updated_at", UTC_TIME, nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'claimed', 'handed', 'accepted', 'deferred', 'failed', 'unknown', 'superseded', 'expired')",
            name=op.f("ck_entry_state"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_entry_position")),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_entry_edition_id_edition")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_entry_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("edition_id", "position", name=op.f("pk_entry")),
        sa.UniqueConstraint("edition_id", "subscriber_id", name=op.f("uq_entry_edition_id_subscriber_id")),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entry_subscriber_id"), ["subscriber_id"], unique=False)
        batch_op.create_index(
            "ix_entry_unfinished",
            ["edition_id", "position"],
            unique=False,
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        )

    op.create_table(
        "mention",
        sa.Column("edition_id", NUMBER, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_mention_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", "ordinal", name=op.f("pk_mention")),
    )
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mention_uid"), ["uid"], unique=False)

    op.create_table(
        "page",
        sa.Column("edition_id", NUMBER, nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_page_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", "variant", name=op.f("pk_page")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup from before the upgrade")
