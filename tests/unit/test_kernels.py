"""Kernels are compiled once, cached on disk, and checked before use."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grimp import build_graph

from tests.unit.driving import assert_same, job
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.frontend.trace import trace
from thalweg.engine.fused.runtime import kernels as module
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.spec.job import JobSpec


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which every trace appends."""
    found: list[str] = []

    def watched(spec: JobSpec, own: Any = ()) -> Any:
        found.append(spec.optimizer.name)
        return trace(spec, own)

    monkeypatch.setattr(module, "trace", watched)
    return found


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def works(kernels: Kernels) -> bool:
    fused = FusedRun(job(steps=50), kernels=kernels).advance(50)
    assert_same(fused.x, EagerRun(job(steps=50)).advance(50).x)
    return True


def test_hyperparameters_starts_and_lengths_share_a_kernel(tmp_path: Path, traced: list[str]) -> None:
    kernels = Kernels(tmp_path)
    same: list[dict[str, Any]] = [{}, {"lr": 0.5}, {"init": [3, 3]}, {"steps": 7}, {"scheduler": "linear_lr"}]
    same.append({"optimizer": {"name": "adam", "betas": [0.8, 0.3], "eps": 0.1}})
    for fields in same:
        kernels.get(job(**fields))
    assert traced == ["adam"]
    decayed = {"name": "adam", "weight_decay": 0.1}
    other: list[dict[str, Any]] = [{"dtype": "float32"}, {"optimizer": decayed}, {"function": "booth"}]
    for fields in other:
        kernels.get(job(**fields))
    assert len(traced) == 4


SQUARE = {"expression": "a*x**2 + y**2", "variables": ["x", "y"], "constants": {"a": 1}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SQUARE, {**SQUARE, "constants": {"a": 2}}),
        (SQUARE, {**SQUARE, "expression": "a*x**2 - y**2"}),
        ({**SQUARE, "constants": {"a": 3}}, {**SQUARE, "constants": {"a": 3}, "variables": ["y", "x"]}),
    ],
    ids=["constant", "sign", "order of variables"],
)
def test_jobs_of_equal_size_have_kernels_of_their_own(
    tmp_path: Path, traced: list[str], one: dict[str, Any], other: dict[str, Any]
) -> None:
    kernels = Kernels(tmp_path)
    found = []
    for function in (one, other):
        spec = job(function=function, init=[[0.3, -0.5]], optimizer="sgd", lr=0.1, steps=20)
        fused = FusedRun(spec, kernels=kernels).advance(20)
        assert_same(fused.x, EagerRun(spec).advance(20).x)
        found.append(fused.f)
        kernels.get(spec)
    assert len(traced) == 2
    assert (found[0] != found[1]).any()


def test_another_process_finds_the_kernel_on_disk(tmp_path: Path, traced: list[str]) -> None:
    script = (
        "import sys; from pathlib import Path; from thalweg.engine.fused.runtime.kernels import Kernels;"
        "from tests.unit.driving import job; Kernels(Path(sys.argv[1])).get(job())"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=root)
    assert works(Kernels(tmp_path))
    assert traced == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:0],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"something else altogether"[: len(data)],
        lambda data: data + b"more",
    ],
    ids=["empty", "cut", "flipped", "foreign", "longer"],
)
def test_a_damaged_file_is_replaced(tmp_path: Path, traced: list[str], spoil: Any) -> None:
    Kernels(tmp_path).get(job())
    file = only_file(tmp_path)
    good = file.read_bytes()
    file.write_bytes(spoil(good))
    assert works(Kernels(tmp_path))
    assert len(traced) == 2
    assert only_file(tmp_path).read_bytes() == good


def test_a_kernel_with_another_key_is_not_used(tmp_path: Path, traced: list[str]) -> None:
    Kernels(tmp_path / "one").get(job())
    Kernels(tmp_path / "other").get(job(function="booth"))
    only_file(tmp_path / "other").replace(only_file(tmp_path / "one"))
    assert works(Kernels(tmp_path / "one"))
    assert len(traced) == 3


def test_the_key_holds_what_the_kernel_depends_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Kernels(tmp_path).get(job())
    monkeypatch.setattr(module, "_world", lambda: "another torch")
    Kernels(tmp_path).get(job())
    assert len(list(tmp_path.iterdir())) == 2


def test_a_read_only_folder_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert works(Kernels(tmp_path / "file"))


def test_every_module_that_a_kernel_may_depend_on_is_in_its_key() -> None:
    graph = build_graph("thalweg")
    imported = graph.find_upstream_modules("thalweg.engine", as_package=True)
    engine = {"thalweg.engine", *graph.find_descendants("thalweg.engine")}
    root = Path(module.__file__).parents[3]
    assert {path.relative_to(root.parent) for path in module.sources()} >= {
        file(name, root.parent) for name in imported | engine
    }


def file(name: str, folder: Path) -> Path:
    path = Path(*name.split("."))
    return path / "__init__.py" if (folder / path).is_dir() else path.with_suffix(".py")
