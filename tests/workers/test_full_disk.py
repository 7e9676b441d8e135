"""A service whose disk is full: it starts, and makes room."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.workers.service import Service, until

NAMESPACE = ("--mount",) if os.geteuid() == 0 else ("--user", "--map-root-user", "--mount")
DISK_BYTES = 64 * 1024 * 1024


class SmallDisk:
    """A disk of its own for a folder, in a mount namespace that ends with its keeper."""

    def __init__(self, folder: Path) -> None:
        mount = f"mount -t tmpfs -o size={DISK_BYTES} none {folder} && echo mounted && exec sleep infinity"
        self._keeper = subprocess.Popen(["unshare", *NAMESPACE, "sh", "-c", mount], stdout=subprocess.PIPE)
        assert self._keeper.stdout is not None
        self.is_mounted = self._keeper.stdout.readline() == b"mounted\n"
        pid = self._keeper.pid
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        self.inside = ("nsenter", "--target", str(pid), *user, "--mount")
        self.folder = Path(f"/proc/{pid}/root{folder}")

    def fill(self) -> None:
        """Write until nothing more can be written."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            for size in (2**20, 2**12):
                self._write(filler.write, bytes(size))

    @staticmethod
    def _write(write: object, piece: bytes) -> None:
        assert callable(write)
        try:
            while True:
                write(piece)
        except OSError:
            return

    def empty(self) -> None:
        """Give the room back."""
        (self.folder / "filler").unlink()

    def close(self) -> None:
        """End the namespace, and the disk with it."""
        self._keeper.kill()
        self._keeper.wait()
        assert self._keeper.stdout is not None
        self._keeper.stdout.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "data"
    folder.mkdir()
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare to give a folder a disk of its own")
    disk = SmallDisk(folder)
    if not disk.is_mounted:
        disk.close()
        pytest.skip("this machine does not let the tests mount a disk of their own")
    yield disk
    disk.close()


def test_on_a_full_disk_a_service_starts_and_deletes(disk: SmallDisk, tmp_path: Path) -> None:
    with Service(tmp_path / "data", workers=1, inside=disk.inside, log=tmp_path / "log") as service:
        jobs = [service.post(init={"random": 20, "seed": seed}, steps=2000, record_every=2) for seed in range(4)]
        for job_id in jobs:
            assert service.ended(job_id)["status"] == "succeeded"
        service.kill()
        disk.fill()
        service.start()

        assert {job["id"] for job in service.client.get("/v1/jobs").json()["items"]} == set(jobs)
        for job_id in jobs:
            assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 204
        assert service.client.get("/v1/jobs").json()["items"] == []

        disk.empty()
        assert service.ended(service.post(steps=10))["status"] == "succeeded"
        service.kill()
        service.start()
        reserve = disk.folder / "thalweg.db.reserve"
        assert reserve.stat().st_blocks * 512 >= 8 * 1024 * 1024
        assert service.ended(service.post(steps=10))["status"] == "succeeded"


def test_what_finds_no_room_is_refused_and_not_half_written(disk: SmallDisk, tmp_path: Path) -> None:
    with Service(tmp_path / "data", workers=1, inside=disk.inside, log=tmp_path / "log") as service:
        before = service.post(steps=10)
        service.ended(before)
        disk.fill()
        init = [[k / 7, -k / 11] for k in range(3000)]  # long in JSON: SQLite's files hold a little room already
        body = {"function": "sphere", "optimizer": "sgd", "init": init, "steps": 1}
        answers: list[httpx.Response] = []

        def is_refused() -> bool:
            answers.append(service.client.post("/v1/jobs", json=body))
            return answers[-1].status_code == 507

        until(is_refused)
        assert answers[-1].json()["type"] == "urn:thalweg:problem:disk-full"
        assert "delete jobs" in answers[-1].json()["detail"]
        accepted = [answer.json()["id"] for answer in answers[:-1]]
        listed = {job["id"] for job in service.client.get("/v1/jobs?limit=1000").json()["items"]}
        assert listed == {before, *accepted}
        disk.empty()
        for job_id in accepted:
            assert service.ended(job_id)["status"] == "succeeded"
