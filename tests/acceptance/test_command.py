"""The `thalweg` command: what is wrong with how it was started is said in one sentence."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.workers.service import THALWEG, Service, until


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [THALWEG, *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "COLUMNS": "80", **environment},
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that the command has failed with one line that holds these words."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("thalweg: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"thalweg {version('thalweg')}\n", "")


def test_help_and_version_do_not_wait_for_torch() -> None:
    program = "import sys, thalweg.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_client_loads_nothing_of_the_service() -> None:
    program = "import sys, thalweg.client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {name for name in loaded if name.partition(".")[0] == "thalweg"} == {
        "thalweg",
        "thalweg.client",
        "thalweg.errors",
    }
    assert {"torch", "numpy", "pydantic", "fastapi", "sqlalchemy", "distributed"}.isdisjoint(loaded)


def test_a_port_that_is_in_use(taken: int, tmp_path: Path) -> None:
    done = run("serve", "--port", str(taken), "--data-dir", tmp_path)
    assert_refused(done, f"port {taken} on 127.0.0.1 is in use", "--port")
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_another_machine() -> None:
    assert_refused(run("serve", "--host", "192.0.2.1", "--no-auth"), "192.0.2.1 is not an address of this machine")


def test_a_host_that_has_no_address() -> None:
    assert_refused(run("serve", "--host", "nowhere.invalid", "--no-auth"), "cannot resolve", "'nowhere.invalid'")


@pytest.mark.parametrize(
    ("option", "value"), [("--workers", "0"), ("--port", "65536"), ("--port", "-1"), ("--workers", "-3")]
)
def test_a_value_out_of_range_is_named_as_the_option_that_it_was(option: str, value: str) -> None:
    done = run("serve", option, value)
    assert_refused(done, f"{option}: ")
    assert "THALWEG_" not in done.stderr


def test_a_value_of_the_environment_is_named_as_its_variable() -> None:
    assert_refused(run("serve", THALWEG_WORKERS="0"), "THALWEG_WORKERS: ")


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for command in (("serve", "--port", "0"), ("migrate",)):
        assert_refused(
            run(*command, "--data-dir", file), f"the data directory {file}", "not a folder", "--data-dir"
        )


def test_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("serve", "--port", "0", "--data-dir", tmp_path / "file" / "below")
    assert_refused(done, "below", "Not a directory")


def test_a_folder_for_temporary_files_whose_path_is_too_long(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    done = run("serve", "--port", "0", "--data-dir", tmp_path / "data", TMPDIR=str(folder))
    assert_refused(done, str(folder), "too long", "set TMPDIR")


def test_a_second_service_is_refused_whatever_name_it_has_for_the_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with Service(data, workers=1) as service:
        (tmp_path / "link.db").symlink_to(data / "thalweg.db")
        for beside in data.glob("*.lock"):
            beside.unlink()
        for command, path in (("serve", tmp_path / "link.db"), ("migrate", data / "thalweg.db")):
            done = run(
                command, "--data-dir", tmp_path / "second", DATABASE_URL=f"sqlite:///{path}", THALWEG_PORT="0"
            )
            assert_refused(done, "another service uses the database")
        assert service.ended(service.post(steps=10))["status"] == "succeeded"
        service.kill()
        service.start()  # the lock went with the process


@pytest.mark.parametrize("lines", [0, 1, 3, 4])
def test_a_service_that_is_stopped_while_it_starts_leaves_at_once(tmp_path: Path, lines: int) -> None:
    """However far it has come: measured in lines of its log, the last of which says that it listens."""
    log = tmp_path / "log"
    with TemporaryDirectory(dir="/tmp") as temporary, log.open("wb") as file:
        process = subprocess.Popen(
            [THALWEG, "serve", "--port", "0", "--data-dir", tmp_path / "data"],
            stdout=file,
            stderr=file,
            env={**os.environ, "TMPDIR": temporary},
        )
        try:
            until(lambda: log.read_bytes().count(b"\n") >= lines)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            process.wait(20)  # it took 40 s, and half a second now; a busy machine may take longer
        finally:
            process.kill()
        assert process.returncode == (143 if lines else -signal.SIGTERM)
        before, _, after = log.read_text().partition("Shutting down")
        assert "Traceback" not in before
        assert " ERROR app" not in after  # Dask's workers may log there that their connection was closed
        assert psutil.wait_procs(children, timeout=20)[1] == []
        assert list(Path(temporary).glob("pymp-*")) == []  # of the fork server; a crowd of them would fill the disk
