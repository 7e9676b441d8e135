"""The configuration, typed. No other module reads the environment."""

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
    """Upper bounds on what one request may ask for, read from the environment as `THALWEG_` plus the name."""

    model_config = ConfigDict(frozen=True)

    max_steps: Count = Field(1_000_000_000, description="maximum steps of a job, extensions included")
    max_starts: Count = Field(100_000, description="maximum starting points of a job")
    max_dim: Count = Field(10_000, description="maximum dimension of a function")
    max_state_values: Count = Field(
        50_000_000, description="maximum values held in points plus optimizer state, over all runs of a job"
    )
    max_recorded_points: Count = Field(
        20_000_000, description="maximum trajectory points recorded by a job, over all its runs"
    )
    max_recorded_values: Count = Field(
        200_000_000,
        description="maximum values recorded by a job: a point counts its coordinates and its function value",
    )
    max_json_points: Count = Field(1_000_000, description="maximum trajectory points in one JSON response")
    max_grid_points: Count = Field(
        1_000_000, description="maximum points of a surface, or values in the response to an evaluation"
    )
    max_request_values: Count = Field(
        1_000_000_000, description="maximum values computed for one response while the client waits"
    )
    max_evaluation_values: Count = Field(
        50_000_000,
        description="maximum intermediate values of one evaluation of the function at all points of a job",
    )
    max_body_bytes: Count = Field(8 * 1024 * 1024, description="maximum size of a request body, in bytes")
    max_header_bytes: Count = Field(
        65_536, description="maximum size of a request line plus headers, in bytes; at most 100 headers"
    )
    max_body_values: Count = Field(
        500_000, description="maximum JSON values in a request body, estimated by counting commas and brackets"
    )
    max_body_members: Count = Field(
        10_000, description="maximum object members in a request body, estimated by counting colons"
    )


class Settings(Limits, BaseSettings):
    """The whole configuration, read from the environment: `THALWEG_` plus the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="THALWEG_", frozen=True, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(
        Path("data"),
        description="directory of the database (and 8 MiB of reserve for a full disk), compiled kernels and the "
        "workers' scratch files; one service at a time",
    )
    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "THALWEG_DATABASE_URL"),
        description="SQLAlchemy URL of the database, which must be an SQLite file; by default `thalweg.db` in the "
        "data directory. `THALWEG_DATABASE_URL` is the same",
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    workers: Count = Field(
        default_factory=lambda: os.cpu_count() or 1,
        description="number of local worker processes",
    )
    scheduler: str | None = Field(
        None,
        description="address of a Dask scheduler to use instead of local worker processes, such as "
        "`tcp://127.0.0.1:8786`; with SQLite it must run on the same machine",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="bearer keys, comma-separated; if empty, requests need no key"
    )
    no_auth: bool = Field(
        default=False, description="allow listening beyond loopback without API keys (`--no-auth`)"
    )
    max_connections: Count = Field(
        1000,
        description="maximum simultaneous connections; fewer if `ulimit -n` allows fewer. At the limit, a new one "
        "closes the longest idle one; if none is idle, it gets 503, except for `/healthz` and `/readyz`",
    )
    idle_seconds: Count = Field(
        60, description="seconds that a connection may stay open without complete headers of a request"
    )
    body_seconds: Count = Field(
        60, description="seconds within which a request body must arrive, plus one second per 8 KiB received"
    )
    stall_seconds: Count = Field(
        120, description="seconds until a client that stops reading its response is disconnected"
    )
    idempotency_hours: Annotated[int, Field(ge=24)] = Field(
        48, description="hours an `Idempotency-Key` is remembered, at least 24"
    )

    computations: Count = Field(
        default_factory=lambda: os.cpu_count() or 1,
        description="maximum long computations running at once (surfaces, evaluations, landscapes, critical "
        "points, plots, thinned trajectories); each ends when its client disconnects",
    )
    queued_computations: int = Field(
        16,
        ge=0,
        description="maximum long computations queued, each for at most 20 s; further ones get 503 "
        "with `Retry-After`",
    )
    database_wait_seconds: float = Field(
        10.0,
        gt=0,
        description="seconds a request waits for the database lock, or behind other writing requests, before it "
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
        """Return these settings if it is safe to serve with them.

        Raises:
            SettingsError: Other machines can reach the address, and no key is required.
        """
        if self.api_keys or self.no_auth or is_loopback(self.host):
            return self
        raise SettingsError(
            f"{self.host} can be reached from other machines and no API keys are set. Set THALWEG_API_KEYS, "
            "listen on 127.0.0.1, or pass --no-auth if a proxy in front of the service authenticates callers."
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
    """Return the settings from the environment, overridden by the command-line options given.

    Raises:
        SettingsError: A value is invalid; the message names the option or variable that set it.
    """
    options = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**options)
    except ValidationError as error:
        complaints = (f"{_origin(str(issue['loc'][0]), options)}: {issue['msg']}" for issue in error.errors())
        raise SettingsError(f"invalid configuration: {'; '.join(complaints)}") from error


def _origin(name: str, options: Collection[str]) -> str:
    if name in options:
        return f"--{name.replace('_', '-')}"
    return name if name.isupper() else f"THALWEG_{name}".upper()
