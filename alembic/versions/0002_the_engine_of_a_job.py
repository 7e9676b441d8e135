"""The engine that runs a job is written down with it."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # there was one only
    op.add_column("jobs", sa.Column("engine", sa.String(20), nullable=False, server_default="eager"))


def downgrade() -> None:
    op.drop_column("jobs", "engine")
