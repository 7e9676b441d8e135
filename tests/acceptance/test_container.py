"""The container without a container engine: its files are checked, and the Dockerfile's commands are run."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from thalweg.client import Client
from thalweg.settings import Limits, Settings

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
# RUNs that begin so need root, and a machine of their own
NEEDS_ROOT = ("useradd",)
START_SECONDS = 120.0
JOB = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 10}

MAPPING_OR_NULL = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Z][A-Z0-9_]*$"},
    "additionalProperties": {"type": ["string", "null"]},
}
DURATION = {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$", "minLength": 2}
# the part of the Compose Specification that the file uses; nothing else may be in it
COMPOSE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["services", "volumes"],
    "properties": {
        "services": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"},
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["build", "ports", "volumes", "restart", "stop_grace_period"],
                "properties": {
                    "build": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["context"],
                        "properties": {"context": {"type": "string"}, "args": MAPPING_OR_NULL},
                    },
                    "image": {"type": "string", "pattern": "^[a-z0-9]+$"},
                    "ports": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                    "environment": MAPPING_OR_NULL,
                    "volumes": {
                        "type": "array",
                        "items": {"type": "string", "pattern": "^[a-z]+:/[a-z]+$"},
                        "uniqueItems": True,
                    },
                    "init": {"type": "boolean"},
                    "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
                    "stop_grace_period": DURATION,
                },
            },
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
}


@dataclass
class Image:
    """What the Dockerfile makes of an empty directory."""

    directory: Path
    environment: dict[str, str]
    left_out: list[str] = field(default_factory=list)

    def run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            check=False,
            cwd=self.directory,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=600,
        )


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, " ".join(argument.split()) if name != "HEALTHCHECK" else argument) for name, argument in found]


def only(name: str) -> str:
    (argument,) = [argument for found, argument in instructions() if found == name]
    return argument


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in only("ENV").split())


def copy(argument: str, directory: Path) -> None:
    *sources, target = argument.split()
    destination = directory / target
    for source in sources:
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, destination, dirs_exist_ok=True, ignore=ignored)
        else:
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, destination)


def outside_environment() -> dict[str, str]:
    """Return what a build is told from outside: where its packages come from, and nothing of this project."""
    passed = re.compile(r"PIP_.*|SSL_.*|HOME|TMPDIR|\w+_proxy", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if passed.fullmatch(name)}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="thalweg-image-") as temporary:
        place = Path(temporary)
        subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True, timeout=300)
        path = f"{place / 'venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        image = Image(place / "srv", outside_environment() | {"PATH": path})
        image.directory.mkdir()
        for name, argument in instructions():
            if name == "COPY":
                copy(argument, image.directory)
            elif name == "RUN":
                command = re.sub(r"^(--\S+\s+)+", "", argument)
                if command.startswith(NEEDS_ROOT):
                    image.left_out.append(command)
                    continue
                done = image.run(["sh", "-c", command])
                assert done.returncode == 0, done.stdout + done.stderr
        image.environment |= image_environment() | {"THALWEG_DATA_DIR": str(place / "data")}
        yield image


@contextmanager
def served(image: Image, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = image.environment | {"THALWEG_HOST": "127.0.0.1", "THALWEG_PORT": str(port)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            json.loads(only("CMD")),
            cwd=image.directory,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_fits_the_specification(compose: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(COMPOSE)
    jsonschema.validate(compose, COMPOSE, cls=jsonschema.Draft202012Validator)


def test_it_publishes_on_loopback_only(compose: Any) -> None:
    for service in compose["services"].values():
        for published in service["ports"]:
            address, _, inside = published.rsplit(":", 2)
            assert address == "127.0.0.1"
            assert inside == only("EXPOSE") == image_environment()["THALWEG_PORT"]


def test_what_it_stores_is_on_a_volume(compose: Any) -> None:
    (service,) = compose["services"].values()
    (mounted,) = service["volumes"]
    volume, _, directory = mounted.partition(":")
    assert volume in compose["volumes"]
    assert directory == image_environment()["THALWEG_DATA_DIR"] == only("VOLUME")


def test_it_passes_every_limit_and_nothing_unknown(compose: Any) -> None:
    (service,) = compose["services"].values()
    known = {f"THALWEG_{name}".upper() for name in Settings.model_fields}
    limits = {f"THALWEG_{name}".upper() for name in Limits.model_fields}
    assert limits | {"THALWEG_API_KEYS", "THALWEG_NO_AUTH"} <= service["environment"].keys() <= known


def test_its_build_arguments_are_the_dockerfiles(compose: Any) -> None:
    (service,) = compose["services"].values()
    declared = {argument.partition("=")[0] for name, argument in instructions() if name == "ARG"}
    assert service["build"]["args"].keys() <= declared
    assert set(service["build"]["args"].values()) == {None}  # the file itself names no package index


def test_it_gives_the_service_time_to_stop(compose: Any) -> None:
    (service,) = compose["services"].values()
    assert service["restart"] != "no"
    assert int(service["stop_grace_period"].removesuffix("s")) >= 20


def test_the_context_holds_what_is_copied() -> None:
    patterns = (ROOT / ".dockerignore").read_text().split()
    allowed = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    copied = {
        source.split("/")[0]
        for name, argument in instructions()
        if name == "COPY"
        for source in argument.split()[:-1]
    }
    assert patterns[0] == "*"
    assert copied == allowed


def test_it_does_not_run_as_root() -> None:
    names = [name for name, _ in instructions()]
    assert only("USER") not in {"root", "0"}
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in {"RUN", "COPY"})


def test_all_that_needs_no_root_was_run(image: Image) -> None:
    (command,) = image.left_out
    assert command.startswith("useradd ")
    assert f"--owner={only('USER')}" in command


def test_a_wheel_is_installed_and_it_is_whole(image: Image) -> None:
    done = image.run(["python", "-P", "-c", "import thalweg; print(thalweg.__path__[0])"])
    installed = Path(done.stdout.strip())
    assert installed.parent.name == "site-packages", done.stderr
    for source, target in ((ROOT / "app" / "thalweg", installed), (ROOT / "alembic", installed / "db" / "scripts")):
        for path in source.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (target / path.relative_to(source)).read_bytes() == path.read_bytes()


def test_its_command_serves_and_runs_a_job_and_its_health_check_sees_it(image: Image, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    check = json.loads(only("HEALTHCHECK").partition(" CMD ")[2])
    assert image.run(check, THALWEG_PORT=str(port)).returncode != 0
    with served(image, port, log) as process:
        until = time.monotonic() + START_SECONDS
        while not answers(f"http://127.0.0.1:{port}/healthz"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        assert image.run(check, THALWEG_PORT=str(port)).returncode == 0
        with Client(f"http://127.0.0.1:{port}") as client:
            job = client.wait(client.submit(JOB)["id"], timeout=START_SECONDS)
            assert (job["status"], job["runs"][0]["n_steps"]) == ("succeeded", 10)
    assert (Path(image.environment["THALWEG_DATA_DIR"]) / "thalweg.db").is_file()


def test_its_command_refuses_strangers_without_keys(image: Image) -> None:
    done = image.run(json.loads(only("CMD")))
    assert done.returncode == 2
    assert "THALWEG_API_KEYS" in done.stderr
