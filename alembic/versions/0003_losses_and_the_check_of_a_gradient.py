"""The losses of networks at every step, and whether the gradient of a formula is its slope."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "losses",
        sa.Column(
            "job_id",
            sa.String(36),
            sa.ForeignKey("jobs.id", name="fk_losses_job_id_jobs", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("first_run", sa.Integer, nullable=False),
        sa.Column("first_step", sa.BigInteger, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("last_run", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "first_run", "first_step", name="pk_losses"),
    )
    op.add_column("jobs", sa.Column("gradient_check", sa.JSON))


def downgrade() -> None:
    op.drop_column("jobs", "gradient_check")
    op.drop_table("losses")
