"""The optimizers of pytorch_optimizer: offered or refused, with the digits of their own loops on both engines."""

import inspect
import json
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import pytorch_optimizer
import torch
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from tests.unit.driving import assert_equal, assert_same, drive, job, native
from tests.unit.zoo import BY_NAME, FUSED, by_hand, class_of
from thalweg.analysis.probe import variants
from thalweg.errors import NotFound
from thalweg.optimizers import catalogue
from thalweg.optimizers.base import OptimizerParams, describe
from thalweg.optimizers.families import torch_optim, zoo

every = pytest.mark.parametrize("name", BY_NAME)
FUNCTIONS: tuple[dict[str, Any], ...] = (
    {"function": "himmelblau", "init": [[0.0, 0.0], [1.3, -2.7], [-4.0, 0.5]]},
    {"function": "rosenbrock", "init": [[-1.2, 1.0, 0.5], [0.3, -0.8, 2.0]]},
    {"function": "rastrigin", "init": [[0.7, -1.9, 3.1, 0.0], [0.1, 0.2, -0.3, 5.0]]},
)
# one in four here, for a kernel takes long to compile; the sweep has all of them
SOME_FUSED = FUSED[::4]


def of_package() -> dict[str, Any]:
    return {
        name: cls
        for name in pytorch_optimizer.optimizer.__all__
        if inspect.isclass(cls := getattr(pytorch_optimizer, name)) and not cls.__module__.startswith("torch.")
    }


def called(name: str) -> str:
    return f"zoo{name.lower()}" if name.lower() in torch_names() else name.lower()


def torch_names() -> set[str]:
    return {str(cls.model_fields["name"].default) for cls in torch_optim.FAMILY.optimizers}


def test_every_class_of_the_package_is_offered_or_refused() -> None:
    refused = set(zoo.FAMILY.refused_optimizers)
    assert {called(name) for name in of_package()} == BY_NAME.keys() | refused
    assert not BY_NAME.keys() & refused
    assert not torch_names() & (BY_NAME.keys() | refused)


def test_the_version_is_the_one_that_is_pinned() -> None:
    assert (zoo.FAMILY.package, zoo.FAMILY.version) == (zoo.PACKAGE, zoo.VERSION)
    assert zoo.missing() is None


@every
def test_parameters_and_defaults_are_those_of_the_class(name: str) -> None:
    cls = BY_NAME[name]
    assert cls.optimizer_class is class_of(cls)
    defaults = {
        parameter.name: parameter.default
        for parameter in list(inspect.signature(cls.optimizer_class).parameters.values())[1:]
        if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in cls.refused
    }
    assert cls.model_validate({}).arguments == defaults
    assert set(cls.others) == set(defaults)
    assert all(value != defaults[parameter] for parameter, value in cls.others.items())
    assert set(cls.refused) >= {"foreach"}


@every
def test_the_listing_shows_what_it_is(name: str) -> None:
    entry = describe(BY_NAME[name])
    Draft202012Validator.check_schema(entry["parameters"])
    assert (entry["name"], entry["family"]) == (name, "zoo")
    assert entry["fused"] is (BY_NAME[name].record.unfused is None)
    assert entry["licence"] in {"Apache-2.0", "MIT", "CC-BY-NC-SA-4.0"}
    assert "https://" in str(BY_NAME[name].paper)
    assert entry["parameters"]["description"].endswith(".")
    assert all(each["description"] for each in entry["parameters"]["properties"].values())
    assert catalogue.find(name) is BY_NAME[name]


def test_licences_are_those_that_the_files_name() -> None:
    other = {name: licence for name, cls in BY_NAME.items() if (licence := cls.licence) != zoo.FAMILY.licence}
    assert other == {
        **dict.fromkeys(("dadaptadagrad", "dadaptadam", "dadaptadan", "dadaptlion", "dadaptsgd", "madgrad"), "MIT"),
        "fromage": "CC-BY-NC-SA-4.0",
    }
    named = {
        name
        for name, cls in BY_NAME.items()
        if "icense" in inspect.getsource(sys.modules[cls.optimizer_class.__module__])
    }
    assert named == other.keys()


@every
def test_an_optimizer_survives_json_and_pickle(name: str) -> None:
    for params in variants(BY_NAME[name]):
        assert pickle.loads(pickle.dumps(params)) == params  # noqa: S301 its own
        dumped = json.loads(params.model_dump_json())
        assert job(optimizer=dumped, lr=params.lr).optimizer == params


def test_what_is_not_offered_is_refused_with_a_reason() -> None:
    with pytest.raises(ValidationError, match="alig cannot be used: it has no learning rate"):
        job(optimizer="alig")
    with pytest.raises(ValidationError, match="foreach chooses how the package computes"):
        job(optimizer={"name": "lion", "foreach": True})
    with pytest.raises(ValidationError, match="delta concerns matrices"):
        job(optimizer={"name": "adamp", "delta": 0.5})
    with pytest.raises(ValidationError, match="less than 1"):
        job(optimizer={"name": "lion", "betas": [0.9, 1.0]})
    with pytest.raises(NotFound, match=r'no optimizer "alig": it has no learning rate'):
        catalogue.find("alig")


@every
def test_a_job_has_the_digits_of_the_classs_own_loop(name: str) -> None:
    before = torch.get_rng_state()
    for function in FUNCTIONS:
        spec = job(**function, optimizer=name, steps=24, engine="eager")
        recorded = drive(spec)
        for run in range(spec.n_runs):
            x, f = by_hand(spec, run)
            assert_same(recorded.x[run], x)
            assert_same(recorded.f[run], f)
    assert torch.equal(torch.get_rng_state(), before)


@every
def test_a_job_goes_on_where_it_was_cut(name: str) -> None:
    spec = job(**FUNCTIONS[0], optimizer=name, dtype="float32", steps=12, engine="eager")
    assert_equal(drive(spec), drive(spec, [1, 5]))


@pytest.mark.parametrize("name", [name for name, cls in BY_NAME.items() if not cls.record.coupled])
def test_rows_that_leave_do_not_disturb_the_others(name: str) -> None:
    fields: dict[str, Any] = {"optimizer": name, "steps": 12, "engine": "eager", "stop": {"f": 150}}
    starts = [[0.0, 0.0], [3.0, 2.1], [-4.0, 0.5], [9.0, 9.0]]  # the second stops at once
    together = drive(job(init=starts, **fields), [4])
    assert len(together.x[1]) == 1
    for run, start in enumerate(starts):
        assert_same(together.x[run], drive(job(init=start, **fields)).x[0])


@pytest.mark.parametrize("name", SOME_FUSED)
def test_both_engines_agree(name: str) -> None:
    function = FUNCTIONS[FUSED.index(name) % len(FUNCTIONS)]
    spec = job(**function, optimizer=name, steps=150, dtype=("float64", "float32")[len(name) % 2])
    assert spec.chosen_engine == "fused"
    assert_equal(drive(spec.model_copy(update={"engine": "eager"})), drive(spec, [40], engine=native))


def test_as_many_fuse_as_were_found_to() -> None:
    assert len(FUSED) >= 50
    assert sum(BY_NAME[name].record.coupled for name in FUSED) >= 15


def test_losses_reach_the_optimizers_that_want_them() -> None:
    spec = job(**FUNCTIONS[0], optimizer="emonavi", steps=30)
    assert BY_NAME["emonavi"].closure
    recorded = drive(spec)
    assert recorded.results.n_evaluations.tolist() == [31] * spec.n_runs
    assert np.isfinite(np.concatenate(recorded.f)).all()


WITHOUT = """
import importlib.metadata, json, sys
real = importlib.metadata.version
def version(name):
    if name == "pytorch_optimizer":
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)
importlib.metadata.version = version
sys.modules["pytorch_optimizer"] = None
from tests.serving import NoWorkers, served
from thalweg.settings import Settings
job = {"function": "himmelblau", "init": [0, 0], "steps": 1}
with served(Settings(data_dir=sys.argv[1]), NoWorkers()) as client:
    print(json.dumps({
        "families": sorted({item["family"] for item in client.get("/v1/optimizers").json()["items"]}),
        "adam": client.post("/v1/jobs", json={**job, "optimizer": "adam"}).status_code,
        "lion": client.post("/v1/jobs", json={**job, "optimizer": "lion"}).json(),
        "missing": client.get("/v1/optimizers/lion").json(),
    }))
"""


def test_without_the_package_there_is_torchs_family(tmp_path: Any) -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT, tmp_path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["families"] == ["torch"]
    assert (told["adam"], told["lion"]["status"], told["missing"]["status"]) == (202, 422, 404)
    (error,) = told["lion"]["errors"]
    assert error["pointer"] == "#/optimizer"
    assert error["detail"] == (
        "lion cannot be used: it is of pytorch_optimizer 4.1.0, which is not installed: install thalweg[zoo]"
    )
    assert "install thalweg[zoo]" in told["missing"]["detail"]


def test_another_version_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "3.5.0")
    assert zoo.missing() == "it is of pytorch_optimizer 4.1.0, and 3.5.0 is installed: install thalweg[zoo]"


def test_a_family_of_many_is_shown_in_brief() -> None:
    schema = job().model_json_schema()
    assert "Lion" not in schema["$defs"]
    assert schema["$defs"]["OtherOptimizer"]["properties"]["name"]["enum"] == list(BY_NAME)
    assert {cls.__name__ for cls in torch_optim.FAMILY.optimizers} <= schema["$defs"].keys()


def test_each_has_a_class_of_its_own() -> None:
    assert len({cls.identity for cls in BY_NAME.values()}) == len(BY_NAME)
    assert all(issubclass(cls, OptimizerParams) for cls in BY_NAME.values())
