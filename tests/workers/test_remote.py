"""A Dask cluster that is there already, instead of processes that the service starts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from tests.unit.driving import drive, job
from tests.workers.service import Service, until
from thalweg.db.session import Database
from thalweg.errors import SettingsError
from thalweg.settings import Settings
from thalweg.workers.cluster import check_scheduler


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of two workers, by the address of its scheduler."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path_factory.mktemp("cluster")),
    ) as cluster:
        yield str(cluster.scheduler_address)


def test_jobs_run_on_the_cluster_that_is_named(tmp_path: Path, scheduler: str) -> None:
    with Service(tmp_path, THALWEG_SCHEDULER=scheduler) as service:
        assert service.workers() == []
        job_ids = [service.post(init=[number, 0], steps=40) for number in range(6)]
        for number, job_id in enumerate(job_ids):
            ended = service.ended(job_id)
            assert ended["status"] == "succeeded"
            assert ended["runs"][0]["x"] == drive(job(init=[number, 0], steps=40)).x[0][-1].tolist()


def test_what_runs_there_goes_on_while_the_service_is_away(tmp_path: Path, scheduler: str) -> None:
    with Service(tmp_path, THALWEG_SCHEDULER=scheduler) as service:
        job_id = service.post(steps=15_000, record_every=50, engine="eager")
        until(lambda: service.is_running(job_id))
        service.kill()
        service.start()
        ended = service.ended(job_id)
        assert ended["status"] == "succeeded"
        assert ended["attempt"] == 1
        expected = drive(job(steps=15_000, record_every=50))
        assert ended["runs"][0]["x"] == expected.results.x[0].tolist()


def test_a_scheduler_that_dies_is_told_and_deadlines_are_kept(tmp_path: Path) -> None:
    with (
        LocalCluster(
            n_workers=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", local_directory=str(tmp_path)
        ) as cluster,
        Service(tmp_path, workers=1, THALWEG_SCHEDULER=str(cluster.scheduler_address)) as service,
    ):
        job_id = service.post(steps=50_000_000, record_every=1000, engine="eager", timeout_s=5.0)
        until(lambda: service.job(job_id)["status"] == "running")
        cluster.close()
        until(lambda: service.client.get("/readyz", timeout=10).status_code == 503)
        ended = service.ended(job_id)
        assert (ended["status"], ended["runs"][0]["outcome"]) == ("succeeded", "timed_out")


def test_a_scheduler_elsewhere_is_refused_with_sqlite(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, scheduler="tcp://192.0.2.1:8786")
    with pytest.raises(SettingsError, match="not on this machine"):
        check_scheduler(settings, Database(settings.url))
