"""A specification is a document with a version, and the facts that lists and results need stand beside it."""

import json
from itertools import pairwise
from math import prod
from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REASON = "the job was posted to a version of the service that did not keep the reason"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("document", sa.Text, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("spec_version", sa.Integer, nullable=False, server_default="1"))
    for name, kind in (("n_runs", sa.Integer), ("dim", sa.Integer), ("steps", sa.BigInteger)):
        op.add_column("jobs", sa.Column(name, kind, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("record_every", sa.BigInteger, nullable=False, server_default="1"))
    op.add_column("jobs", sa.Column("engine_reason", sa.Text))
    op.execute("UPDATE jobs SET document = spec")
    op.drop_column("jobs", "spec")
    op.alter_column("jobs", "document", new_column_name="spec")
    _fill_in(op.get_bind())


def downgrade() -> None:
    op.add_column("jobs", sa.Column("document", sa.JSON, nullable=False, server_default=""))
    op.execute("UPDATE jobs SET document = spec")
    for name in ("spec", "spec_version", "n_runs", "dim", "steps", "record_every", "engine_reason"):
        op.drop_column("jobs", name)
    op.alter_column("jobs", "document", new_column_name="spec")


def _fill_in(connection: sa.Connection) -> None:
    names = ("id", "spec", "engine", "n_runs", "dim", "steps", "record_every", "engine_reason")
    jobs = sa.table("jobs", *(sa.column(name) for name in names))
    for job_id in connection.scalars(sa.select(jobs.c.id)).all():
        this = jobs.c.id == job_id
        text, engine = connection.execute(sa.select(jobs.c.spec, jobs.c.engine).where(this)).one()
        spec = json.loads(text)
        facts = {
            "n_runs": _n_runs(spec),
            "dim": _dim(spec),
            "steps": spec["steps"],
            "record_every": spec.get("record_every", 1),
            "engine_reason": _REASON if engine == "eager" and spec.get("engine") == "auto" else None,
        }
        connection.execute(sa.update(jobs).where(this).values(**facts))


def _n_runs(spec: dict[str, Any]) -> int:
    match spec["init"]:
        case {"grid": {"shape": shape}}:
            return prod(shape)
        case {"random": n}:
            return int(n)
        case points:
            return len(points)


def _dim(spec: dict[str, Any]) -> int:
    match spec["function"]:
        case {"mlp": {"layers": layers}}:  # a matrix of weights and a row of biases behind each layer but the last
            return sum((n_in + 1) * n_out for n_in, n_out in pairwise(layers))
        case {"dim": dim}:
            return int(dim)
    raise ValueError(f"a function without a dimension: {spec['function']}")
