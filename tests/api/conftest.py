import time
from collections.abc import Iterator

import httpx
import pytest

from tests.serving import NoWorkers, served
from thalweg.settings import Settings


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The application with real workers, for tests that need jobs to run."""
    with served(Settings(data_dir=tmp_path_factory.mktemp("running"), workers=2)) as client:
        while client.get("/readyz").status_code != 200:  # on a busy machine workers take a minute to start
            time.sleep(0.1)
        yield client


@pytest.fixture(scope="session")
def idle_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The application without workers and with narrow limits: everything is stored, nothing runs."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("idle"),
        max_body_bytes=20_000,
        max_starts=1000,
        max_dim=50,
        max_state_values=50_000,
        max_grid_points=100_000,
    )
    with served(settings, NoWorkers()) as client:
        yield client


@pytest.fixture
def idle(idle_service: httpx.Client) -> Iterator[httpx.Client]:
    """The idle application, without any job."""
    yield idle_service
    for job in idle_service.get("/v1/jobs?limit=1000").json()["items"]:
        idle_service.delete(f"/v1/jobs/{job['id']}")
