"""The deadlines of jobs that have not ended are found without looking at all jobs."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_deadline", "jobs", ["deadline_at"], sqlite_where=sa.text("finished_at IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_jobs_deadline", "jobs")
