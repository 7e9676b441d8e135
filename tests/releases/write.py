"""Writes down a database of today's schema, with what the service says of its jobs: run it before each release.

`python -m tests.releases.write` leaves `NNNN.sql` and `NNNN.json` beside this module, where NNNN is the schema.
"""

import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.serving import NoWorkers, served
from tests.store.stores import Stores
from thalweg.db.migrations import migrate
from thalweg.db.session import Database
from thalweg.engine.outcome import Outcome
from thalweg.engine.run import Run
from thalweg.engine.start import start
from thalweg.jobs.idempotency import Key
from thalweg.jobs.record import Attempt
from thalweg.settings import Settings
from thalweg.spec.job import JobSpec
from thalweg.workers.warm import kept_in

HERE = Path(__file__).parent
FORMS = ("application/json", "text/csv", "application/x-ndjson")

_XOR = {"layers": [2, 2, 1], "dataset": "xor"}
SPECS: dict[str, dict[str, Any]] = {
    "succeeded": {
        "function": "himmelblau",
        "optimizer": "adam",
        "lr": 0.01,
        "init": [[0, 0], [4, 0], [-4, -0.0]],
        "steps": 12,
        "label": "the lesson",
        "tags": ["a", "b"],
    },
    "single_precision": {
        "function": "rosenbrock",
        "optimizer": {"name": "sgd", "lr": 1e-4, "momentum": 0.9},
        "init": {"grid": {"low": [-1, 0], "high": [1, 2], "shape": [3, 2]}},
        "steps": 12,
        "dtype": "float32",
        "record_every": 5,
    },
    "diverged": {
        "function": "himmelblau",
        "optimizer": {"name": "sgd", "lr": 0.015},
        "init": [[1e200, 0], [3.1, 2.1], [7, 7]],
        "stop": {"f": 1e-3},
        "steps": 12,
    },
    "network": {
        "function": {"mlp": {**_XOR, "weight_init": "xavier_normal"}},
        "optimizer": "sgd",
        "init": {"random": 2, "seed": 5},
        "steps": 8,
        "record_every": 3,
    },
    "formula": {
        "function": {"expression": "sum(a * x[i]**2 for i in range(n))", "variables": ["x"], "constants": {"a": 2}},
        "optimizer": "lbfgs",
        "init": [[1, 2, 3]],
        "steps": 3,
        "tags": ["b"],
    },
    "cancelled": {"function": "himmelblau", "optimizer": "rmsprop", "init": [0, 0], "steps": 20},
    "failed": {"function": "himmelblau", "optimizer": "sgd", "init": [0, 0], "steps": 20},
    "timed_out": {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 20, "timeout_s": 9},
    "running": {"function": "himmelblau", "optimizer": "adam", "init": [1, 1], "steps": 20},
    "queued": {
        "function": {"name": "sphere", "dim": 3},
        "optimizer": "adam",
        "init": {"random": 2, "seed": 7},
        "scheduler": {"name": "step_lr", "step_size": 5},
        "steps": 10,
    },
    "queued_network": {
        "function": {"mlp": {**_XOR, "batch_size": 2}},
        "optimizer": "adam",
        "init": {"random": 1},
        "steps": 4,
    },
}


def fill(database: Database) -> dict[str, str]:
    """Store a job of each kind, driven to where its name says it is, and return their ids."""
    stores = Stores(database)
    ids = {}
    for name, fields in SPECS.items():
        spec = JobSpec.model_validate(fields)
        ids[name] = stores.submit(spec, key=Key(f"key-of-{name}"))[0].id
        if name.startswith("queued"):
            continue
        if name in {"cancelled", "failed", "timed_out", "running"}:
            attempt = stores.begin(ids[name])
            run = started(stores, attempt)
            stores.attempts.record(attempt, run.advance(4))
            end = Outcome.timed_out if name == "timed_out" else None
            stores.attempts.record(attempt, run.advance(3), ended_by=end)
            if name == "cancelled":
                stores.cancel(ids[name])
            elif name == "failed":
                stores.attempts.fail(attempt, "OSError: no space left on device")
        else:
            attempt = stores.begin(ids[name])
            run = started(stores, attempt)
            while not run.finished:
                stores.attempts.record(attempt, run.advance(5))
            stores.attempts.finish(attempt)
    return ids


def started(stores: Stores, attempt: Attempt) -> Run:
    """Return the run of an attempt on the engine of its job."""
    kernels = kept_in(str(stores.database.path.parent))
    return start(attempt.spec, attempt.engine, stores.attempts.checkpoint(attempt), kernels)


def answers(client: httpx.Client, ids: dict[str, str]) -> dict[str, Any]:
    """Return what the service says of these jobs: each in the list, with its runs, and its trajectory."""
    listed = {item["id"]: item for item in client.get("/v1/jobs").raise_for_status().json()["items"]}
    said: dict[str, Any] = {}
    for name, job_id in ids.items():
        at = f"/v1/jobs/{job_id}"
        trajectories = [client.get(f"{at}/trajectory", headers={"Accept": form}) for form in FORMS]
        said[name] = {
            "listed": listed[job_id],
            "job": client.get(at).raise_for_status().json(),
            "trajectory": {
                form: answer.raise_for_status().text for form, answer in zip(FORMS, trajectories, strict=True)
            },
        }
    return said


def write(folder: Path) -> None:
    """Write the database and the answers into files of `folder`."""
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data_dir=Path(data))
        database = Database(settings.url)
        migrate(database)
        ids = fill(database)
        database.dispose()
        with served(settings, NoWorkers()) as client:
            said = answers(client, ids)
        with sqlite3.connect(database.path) as connection:
            schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            folder.joinpath(f"{schema}.sql").write_text("\n".join(connection.iterdump()) + "\n")
    folder.joinpath(f"{schema}.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    write(HERE)
