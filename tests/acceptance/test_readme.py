"""The README: its examples are run, what it shows is compared, and its table of settings is complete."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic_core import PydanticUndefined

from tests.workers.service import Service
from thalweg.functions import catalogue
from thalweg.functions.base import Function
from thalweg.functions.minima import first
from thalweg.main import create_app
from thalweg.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
END_OF_BLOCK = "=== end of block ==="
LANGUAGES = ("sh", "python")
TIMEOUT_SECONDS = 280


@dataclass(frozen=True)
class Block:
    """A block of the README: its language, its text, and the outputs shown directly below it."""

    language: str
    text: str
    line: int
    shown: tuple["Block", ...] = ()


@dataclass(frozen=True)
class Session:
    """What became of the blocks of one language: what each printed, and which endpoints they asked."""

    blocks: tuple[Block, ...]
    printed: tuple[str, ...]
    requests: tuple[tuple[str, str], ...]
    code: int
    complaint: str


class LoggedService(Service):
    """The service, and where it writes its log."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, workers=2)
        self.log = data_dir / "log"


def section(name: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    assert README.count(begin) == README.count(end) == 1
    return README[: README.index(end)][README.index(begin) :]


def blocks(name: str) -> list[Block]:
    """Return the programs of a section, each with what is shown below it."""
    found: list[Block] = []
    offset = README[: README.index(f"<!-- {name} -->")].count("\n") + 1
    text = section(name)
    end = 0
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        block = Block(match[1], match[2], offset + text[: match.start()].count("\n"))
        if block.language in LANGUAGES:
            found.append(block)
        else:
            assert not text[end : match.start()].strip(), f"the output in line {block.line} has no program above it"
            program = found.pop()
            found.append(Block(program.language, program.text, program.line, (*program.shown, block)))
        end = match.end()
    return found


def run(name: str, language: str, service: LoggedService, directory: Path) -> Session:
    """Run the blocks of one language, in order and in one session."""
    chosen = tuple(block for block in blocks(name) if block.language == language)
    mark = f"\nprintf '\\n{END_OF_BLOCK}\\n'\n" if language == "sh" else f"\nprint('\\n{END_OF_BLOCK}')\n"
    script = directory / f"{name}.{language}"
    script.write_text("".join(block.text + mark for block in chosen).replace(ADDRESS, address(service)))
    program = ["bash", "-euo", "pipefail"] if language == "sh" else [sys.executable]
    already = len(access_log(service))
    done = subprocess.run(
        [*program, script],
        check=False,
        cwd=directory,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
    )
    return Session(
        blocks=chosen,
        printed=tuple(done.stdout.split(f"\n{END_OF_BLOCK}\n")[:-1]),
        requests=tuple(access_log(service)[already:]),
        code=done.returncode,
        complaint=done.stderr,
    )


def address(service: LoggedService) -> str:
    return str(service.client.base_url).rstrip("/")


def access_log(service: LoggedService) -> list[tuple[str, str]]:
    """Return method and path of every request that the service has answered."""
    return re.findall(r'"([A-Z]+) (/[^ ?"]*)\S* HTTP/1\.1"', service.log.read_text())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggedService]:
    with LoggedService(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture(scope="module")
def shell(service: LoggedService, tmp_path_factory: pytest.TempPathFactory) -> Session:
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "curl is needed where CI is set"
        pytest.skip("there is no curl here")
    return run("examples", "sh", service, tmp_path_factory.mktemp("shell"))


@pytest.fixture(scope="module")
def python(service: LoggedService, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return run("examples", "python", service, tmp_path_factory.mktemp("python"))


@pytest.fixture(params=["shell", "python"])
def session(request: pytest.FixtureRequest) -> Session:
    chosen: Session = request.getfixturevalue(request.param)
    return chosen


def check(session: Session) -> None:
    """Check that all blocks ran, and printed what the README shows."""
    if session.code:
        block = session.blocks[len(session.printed)]
        pytest.fail(f"the block in line {block.line} fails:\n{block.text}\n{session.complaint}")
    for block, printed in zip(session.blocks, session.printed, strict=True):
        for shown in block.shown:
            where = f"line {shown.line} does not show what is printed:\n{printed}"
            if shown.language == "json":
                assert is_shown(json.loads(printed), json.loads(shown.text)), where
            else:
                assert pattern(shown.text).fullmatch(without_blank_lines(printed)), where


def is_shown(real: Any, shown: Any) -> bool:
    """Whether `shown` is `real`, but for what "..." stands for in it."""
    match shown:
        case "...":
            return True
        case dict():
            if not isinstance(real, dict):
                return False
            named = shown.keys() - {"..."}
            complete = "..." in shown or real.keys() == named
            return complete and all(name in real and is_shown(real[name], shown[name]) for name in named)
        case [*first, "..."]:
            return isinstance(real, list) and len(real) > len(first) and is_shown(real[: len(first)], first)
        case list():
            return (
                isinstance(real, list)
                and len(real) == len(shown)
                and all(is_shown(*pair) for pair in zip(real, shown, strict=True))
            )
    return bool(real == shown) and type(real) is type(shown)


def pattern(shown: str) -> re.Pattern[str]:
    return re.compile(re.escape(without_blank_lines(shown)).replace(re.escape("..."), ".*"), re.DOTALL)


def without_blank_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def test_the_examples_run_and_print_what_is_shown(session: Session) -> None:
    check(session)


def test_the_examples_ask_every_endpoint(session: Session) -> None:
    paths = create_app(Settings()).openapi()["paths"]
    endpoints = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    asked = {
        (method, template)
        for method, path in session.requests
        for _, template in endpoints
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
    }
    assert not [endpoint for endpoint in endpoints if endpoint not in asked]


def test_the_client_example_runs(service: LoggedService, tmp_path: Path) -> None:
    check(run("client", "python", service, tmp_path))


def test_shown_outputs_are_compared() -> None:
    real = {"a": 1.5, "b": [1, 2, 3], "c": {"d": None}}
    assert is_shown(real, {"a": 1.5, "b": [1, "..."], "...": "..."})
    assert not is_shown(real, {"a": 1.5})
    assert not is_shown(real, {"a": 1.25, "...": "..."})
    assert not is_shown(real, {"b": [1, 2], "...": "..."})
    assert not is_shown(real, {"c": None, "...": "..."})
    assert pattern("a ... c\n").fullmatch("a b b c")
    assert not pattern("a.c").fullmatch("abc")


def test_the_function_example_is_a_catalogue_entry() -> None:
    (block,) = blocks("function")
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102 the README's own example
    entries = [value for value in names.values() if isinstance(value, Function)]
    assert [entry.name for entry in entries] == ["wayburn_seader_n1"]
    assert entries[0].name not in catalogue.names()
    objective = entries[0].at()
    for minimum in first(objective.minima, 9):
        point = torch.tensor(minimum.x, dtype=torch.float64, requires_grad=True)
        value = objective(point)
        (gradient,) = torch.autograd.grad(value, point)
        assert value.item() == pytest.approx(minimum.f, abs=1e-12)
        assert gradient.abs().max().item() == pytest.approx(0, abs=1e-12)


def test_the_optimizer_example_is_the_code() -> None:
    (block,) = blocks("optimizer")
    assert block.text in (ROOT / "app" / "thalweg" / "optimizers" / "catalogue.py").read_text(encoding="utf-8")


def table_of_settings() -> dict[str, str]:
    begin = README.index("| variable | default | meaning |")
    rows = README[begin:].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    assert all(len(row) == 3 and row[2] for row in cells)
    return {name.strip("`"): default for name, default, _ in cells}


def expected_defaults() -> Mapping[str, str]:
    """Return how the README has to show the default of each variable."""
    shown = {}
    for name, field in Settings.model_fields.items():
        variable = "DATABASE_URL" if name == "database_url" else f"THALWEG_{name.upper()}"
        match field.default:
            case _ if field.default is PydanticUndefined:
                shown[variable] = "one per core"
            case None:
                shown[variable] = "not set"
            case ():
                shown[variable] = "none"
            case bool():
                shown[variable] = f"`{field.default}`".lower()
            case int() if name != "port":
                shown[variable] = f"`{field.default:,}`"
            case _:
                shown[variable] = f"`{field.default}`"
    return shown


def test_the_table_of_settings_is_complete_and_right() -> None:
    assert table_of_settings() == expected_defaults()


def test_no_other_variable_is_named() -> None:
    named = set(re.findall(r"\bTHALWEG_[A-Z_]+", README))
    assert named <= expected_defaults().keys() | {"THALWEG_DATABASE_URL"}


def test_the_fields_of_a_job_are_all_named() -> None:
    begin = README.index("## The fields of a job")
    cells = re.findall(r"^\| (`.*?) \|", README[begin:].split("\n## ", 1)[0], re.MULTILINE)
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    # FastAPI names the schema of what is sent -Input where it differs from that of what is answered
    spec = schemas.get("JobSpec-Input") or schemas["JobSpec"]
    assert set(re.findall(r"\w+", " ".join(cells))) == spec["properties"].keys()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", README)) <= targets


def test_every_link_into_the_checkout_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))],
    ids=lambda page: page.stem,
)
def test_no_registry_and_no_local_path_is_named(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(
        r"pypi\.|download\.pytorch|docker\.io|ghcr\.io|quay\.io|index-url|[a-z.-]+/simple\b", text
    )
    assert not re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users|opt|usr)/", text)
