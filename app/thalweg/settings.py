"""Everything that is configured from outside, typed; nothing else reads the environment."""

import ipaddress
import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from thalweg.errors import SettingsError

Count = Annotated[int, Field(ge=1)]


class Limits(BaseModel):
    """What one request may ask for. Each is set in the environment as `THALWEG_` and its name."""

    model_config = ConfigDict(frozen=True)

    max_steps: Count = Field(1_000_000_000, description="steps of one job, extensions included")
    max_starts: Count = Field(100_000, description="starting points of one job")
    max_dim: Count = Field(10_000, description="dimension of a point")
    max_state_values: Count = Field(
        50_000_000, description="values that one job holds in its points and its optimizer's state"
    )
    max_recorded_points: Count = Field(
        20_000_000, description="recorded trajectory points of one job, over all its runs"
    )
    max_recorded_values: Count = Field(
        200_000_000, description="recorded values of one job: a point counts its coordinates and its f"
    )
    max_json_points: Count = Field(1_000_000, description="trajectory points in one JSON answer")
    max_grid_points: Count = Field(
        1_000_000, description="points of one surface, or values in the answer to one evaluation"
    )
    max_request_values: Count = Field(
        1_000_000_000,
        description="values computed for one answer (a surface, an evaluation, a landscape, critical points)",
    )
    max_evaluation_values: Count = Field(
        50_000_000, description="values computed in one evaluation of the function at all points of a job"
    )
    max_body_bytes: Count = Field(8 * 1024 * 1024, description="bytes of a request body")
    max_header_bytes: Count = Field(
        65_536, description="bytes of a request's line and headers, of which there may be 100"
    )
    max_body_values: Count = Field(
        500_000,
        description="values in a request body (numbers, strings, lists, objects), by its commas and brackets",
    )
    max_body_members: Count = Field(10_000, description="members of all objects in a request body, by its colons")


class Settings(Limits, BaseSettings):
    """The whole configuration. Every field is read from `THALWEG_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="THALWEG_", frozen=True, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(
        Path("data"),
        description="directory of the database, its 8 MiB reserve for a full disk, compiled kernels and the "
        "workers' scratch files; one service at a time",
    )
    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "THALWEG_DATABASE_URL"),
        description="SQLAlchemy URL of the database, an SQLite file; `thalweg.db` in the data directory if not set",
    )
    host: str = Field("127.0.0.1", description="address that the service listens on")
    port: int = Field(8000, ge=0, le=65535, description="port that the service listens on")
    workers: Count = Field(
        default_factory=lambda: os.cpu_count() or 1, description="worker processes that the service starts"
    )
    scheduler: str | None = Field(
        None,
        description="address of a Dask scheduler to use instead of its own workers, such as "
        "`tcp://127.0.0.1:8786`; it must be on the same machine as the SQLite file",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="bearer keys, comma-separated; without any, the service answers everybody"
    )
    no_auth: bool = Field(default=False, description="listen beyond loopback without keys (`--no-auth`)")
    max_connections: Count = Field(
        1000,
        description="open connections; fewer where `ulimit -n` is low. Beyond them the longest idle one is closed; "
        "if none is idle, only `/healthz` and `/readyz` are answered, everything else gets 503",
    )
    idle_seconds: Count = Field(
        60, description="seconds within which the headers of a connection's first or next request must arrive"
    )
    body_seconds: Count = Field(
        60, description="seconds within which a request body must arrive, plus one second for every 8 KiB"
    )
    stall_seconds: Count = Field(
        120, description="seconds after which a client that does not read its answer is disconnected"
    )
    idempotency_hours: Annotated[int, Field(ge=24)] = Field(
        48, description="hours for which an `Idempotency-Key` is remembered, at least 24"
    )

    computations: Count = Field(
        default_factory=lambda: os.cpu_count() or 1,
        description="long computations at once: large surfaces and evaluations, landscapes, critical points, "
        "pictures, long trajectories. Each ends when its client disconnects",
    )
    queued_computations: int = Field(
        16,
        ge=0,
        description="long computations that may wait, at most 20 s; further ones get 503 with `Retry-After`",
    )
    database_wait_seconds: float = Field(
        10.0,
        gt=0,
        description="seconds that a request waits for the database's lock or for other writing requests before it "
        "gets 503 with `Retry-After`; reads never wait",
    )

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @property
    def url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'thalweg.db'}"

    def check_exposure(self) -> Self:
        """Return these settings if they may be served.

        Raises:
            SettingsError: The address is reachable from elsewhere and nothing keeps strangers out.
        """
        if self.api_keys or self.no_auth or is_loopback(self.host):
            return self
        raise SettingsError(
            f"{self.host} can be reached from other machines and no API keys are set. Set THALWEG_API_KEYS, "
            "listen on 127.0.0.1, or say --no-auth if something in front of the service checks who asks."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load(**given: Any) -> Settings:
    """Return the settings from the environment, overridden by the options of the command line that are given.

    Raises:
        SettingsError: A value cannot be used; it is named as the person who set it knows it.
    """
    options = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**options)
    except ValidationError as error:
        complaints = (f"{_origin(str(issue['loc'][0]), options)}: {issue['msg']}" for issue in error.errors())
        raise SettingsError(f"the configuration cannot be used: {'; '.join(complaints)}") from error


def _origin(name: str, options: Collection[str]) -> str:
    if name in options:
        return f"--{name.replace('_', '-')}"
    return name if name.isupper() else f"THALWEG_{name}".upper()
