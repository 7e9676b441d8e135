"""How many runs of an ended job diverged: a list can say so without the results of each."""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("n_diverged", sa.Integer))


def downgrade() -> None:
    op.drop_column("jobs", "n_diverged")
