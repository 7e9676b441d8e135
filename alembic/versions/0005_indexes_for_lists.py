"""Lists with a filter read only the jobs that they show: each filter's index has them newest first."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("function", "optimizer"):
        op.drop_index(f"ix_jobs_{column}", "jobs")
    op.drop_index("ix_tags_tag", "tags")
    for column in ("status", "function", "optimizer"):
        op.create_index(f"ix_jobs_list_by_{column}", "jobs", [column, "id"])
    op.create_index("ix_tags_list", "tags", ["tag", "job_id"])


def downgrade() -> None:
    op.drop_index("ix_tags_list", "tags")
    for column in ("status", "function", "optimizer"):
        op.drop_index(f"ix_jobs_list_by_{column}", "jobs")
    op.create_index("ix_tags_tag", "tags", ["tag"])
    for column in ("function", "optimizer"):
        op.create_index(f"ix_jobs_{column}", "jobs", [column])
