"""The history of each job: a row for every change of its state."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_EVENT = """
    INSERT INTO events (job_id, at, kind, attempt, step, steps, reason)
    SELECT id, {at}, {kind}, {attempt}, {step}, {steps}, {reason} FROM jobs WHERE {known} ORDER BY {at}, id
"""

# What the columns of a job prove: when it was created, first started, extended if that was the last thing that
# happened to it, and ended. How many steps it was to do before it was extended is not known.
_STEPS_THEN = "CASE WHEN queued_at > created_at THEN NULL ELSE steps END"
_KNOWN = (
    ("created_at", "'created'", "0", "0", _STEPS_THEN, "NULL", "1 = 1"),
    ("started_at", "'started'", "1", "0", _STEPS_THEN, "NULL", "started_at IS NOT NULL"),
    ("queued_at", "'extended'", "attempt", "step", "steps", "NULL", "queued_at > created_at AND status = 'queued'"),
    ("finished_at", "status", "attempt", "step", "steps", "error", "finished_at IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column(
            "job_id",
            sa.String(36),
            sa.ForeignKey("jobs.id", name="fk_events_job_id_jobs", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("steps", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_history", "events", ["job_id", "seq"])
    for at, kind, attempt, step, steps, reason, known in _KNOWN:
        op.execute(
            _EVENT.format(at=at, kind=kind, attempt=attempt, step=step, steps=steps, reason=reason, known=known)
        )
    op.execute("UPDATE jobs SET n_diverged = NULL WHERE finished_at IS NULL")


def downgrade() -> None:
    op.drop_table("events")
