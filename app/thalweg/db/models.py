"""The tables. What each is for stands in its docstring; the queries are in `thalweg.db.store` and beside it."""

from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Step = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """What all tables share: constraints have names, so that a migration can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Job(Base):
    """A job and where it stands. Times are seconds since the epoch, UTC, with their fraction."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_queue", "status", "queued_at", "id"),
        *(Index(f"ix_jobs_list_by_{column}", column, "id") for column in ("status", "function", "optimizer")),
        Index("ix_jobs_deadline", "deadline_at", sqlite_where=text("finished_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    spec: Mapped[str] = mapped_column(Text)  # a document of `spec_version`; what lists need of it stands beside it
    spec_version: Mapped[int]
    function: Mapped[str] = mapped_column(String(100))
    optimizer: Mapped[str] = mapped_column(String(100))
    n_runs: Mapped[int]
    dim: Mapped[int]
    steps: Mapped[Step]
    record_every: Mapped[Step]
    engine: Mapped[str] = mapped_column(String(20))
    engine_reason: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    generation: Mapped[int] = mapped_column(default=1)
    attempt: Mapped[int] = mapped_column(default=0)
    n_lost: Mapped[int] = mapped_column(default=0)  # attempts, since it was extended, that died with their worker
    revision: Mapped[int] = mapped_column(default=1)
    step: Mapped[Step] = mapped_column(default=0)
    queued_at: Mapped[float]
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    deadline_at: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    n_diverged: Mapped[
        int | None
    ]  # of the runs of a job that has ended; null of what ended before this was counted
    gradient_check: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Tag(Base):
    """A tag of a job, for finding it."""

    __tablename__ = "tags"
    __table_args__ = (Index("ix_tags_list", "tag", "job_id"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)


class Checkpoint(Base):
    """Where a job is: what the engine needs to go on, and the results so far."""

    __tablename__ = "checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[Step]
    state: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)  # those who look at results need it not
    results: Mapped[bytes] = mapped_column(LargeBinary)


class _Entries:
    """Recorded entries of some runs over some steps, as packed columns."""

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    first_run: Mapped[int] = mapped_column(primary_key=True)
    first_step: Mapped[Step] = mapped_column(primary_key=True)
    last_step: Mapped[Step]
    last_run: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Block(_Entries, Base):
    """A block of trajectory."""

    __tablename__ = "blocks"


class LossBlock(_Entries, Base):
    """A block of the values at every step, of jobs whose trajectory is sparser."""

    __tablename__ = "losses"


class IdempotencyKey(Base):
    """A key that a client sent with a job, so that sending it again gives the same job."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))  # of the specification that it came with
    created_at: Mapped[float] = mapped_column(index=True)


# for statements that every job needs, and that are built once: through the classes they take twice as long
JOBS = Base.metadata.tables["jobs"]
TAGS = Base.metadata.tables["tags"]
CHECKPOINTS = Base.metadata.tables["checkpoints"]
BLOCKS = Base.metadata.tables["blocks"]
LOSSES = Base.metadata.tables["losses"]
