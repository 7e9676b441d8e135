"""The tables. The queries are in the modules beside this one."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

METADATA = MetaData(
    naming_convention={  # constraints have names, so that a migration can refer to them
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _job_id(*, primary_key: bool = False) -> Column[str]:
    reference = ForeignKey("jobs.id", ondelete="CASCADE")
    return Column("job_id", String(36), reference, primary_key=primary_key, nullable=False)


JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    # the specification: a document of `spec_version`, and the facts that lists need of it
    Column("spec", Text, nullable=False),
    Column("spec_version", Integer, nullable=False),
    Column("function", String(100), nullable=False),
    Column("optimizer", String(100), nullable=False),
    Column("n_runs", Integer, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("steps", BigInteger, nullable=False),
    Column("record_every", BigInteger, nullable=False),
    Column("engine_reason", Text),
    # `thalweg.jobs.record.JobRecord` says what these are; times are seconds since the epoch
    Column("engine", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("n_lost", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("queued_at", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("deadline_at", Double),
    Column("error", Text),
    Column("n_diverged", Integer),
    Column("gradient_check", JSON(none_as_null=True)),
    Index("ix_jobs_queue", "status", "queued_at", "id"),
    *(Index(f"ix_jobs_list_by_{column}", column, "id") for column in ("status", "function", "optimizer")),
    Index("ix_jobs_deadline", "deadline_at", sqlite_where=text("finished_at IS NULL")),
)
"""A job and its state."""

EVENTS = Table(
    "events",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _job_id(),
    Column("at", Double, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("steps", BigInteger),  # null for some events that happened before there was this table
    Column("reason", Text),
    Index("ix_events_history", "job_id", "seq"),
    sqlite_autoincrement=True,  # or the number of a deleted event would be given to a later one
)
"""Every transition of every job; rows are only added, and go with their job."""

TAGS = Table(
    "tags",
    METADATA,
    _job_id(primary_key=True),
    Column("tag", String(100), primary_key=True),
    Index("ix_tags_list", "tag", "job_id"),
)
"""The tags of jobs."""

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    _job_id(primary_key=True),
    Column("step", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("results", LargeBinary, nullable=False),
)
"""The engine's state to go on from, and the results so far, of each job that recorded something."""


def _entries(name: str) -> Table:
    """Recorded entries of some runs over some steps, as packed columns."""
    return Table(
        name,
        METADATA,
        _job_id(primary_key=True),
        Column("first_run", Integer, primary_key=True),
        Column("first_step", BigInteger, primary_key=True),
        Column("last_step", BigInteger, nullable=False),
        Column("last_run", Integer, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )


BLOCKS = _entries("blocks")
"""Blocks of trajectory."""

LOSSES = _entries("losses")
"""Blocks of the loss at every step, for jobs with a sparser trajectory."""

KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("key", String(255), primary_key=True),
    _job_id(),
    Column("digest", String(64), nullable=False),  # of the request that the key came with
    Column("created_at", Double, nullable=False),
    Index("ix_idempotency_keys_job_id", "job_id"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)
"""Idempotency keys, and the job that each led to."""
