"""What helps is said as a request: the API words the remedies that errors of the core carry."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving import NoWorkers, served
from thalweg.api.problems import REMEDIES
from thalweg.errors import Remedy
from thalweg.settings import Settings

JOB: dict[str, Any] = {"function": "sphere", "optimizer": "adam", "init": [0, 0], "steps": 3}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    with served(settings, NoWorkers()) as client:
        yield client


def test_every_remedy_is_a_request_that_the_service_knows(client: httpx.Client) -> None:
    assert set(REMEDIES) == set(Remedy)
    paths = client.get("/openapi.json").json()["paths"]
    for words in REMEDIES.values():
        method, path, *_ = words.split()
        assert method.lower() in paths[path]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"function": "himmelblu"},
            "there is no function 'himmelblu'; did you mean himmelblau? GET /v1/functions lists all",
        ),
        ({"function": "zzzz"}, "there is no function 'zzzz'; GET /v1/functions lists all"),
        ({"function": {"name": "zzzz"}}, "there is no function 'zzzz'; GET /v1/functions lists all"),
        ({"optimizer": "zzzz"}, 'there is no optimizer "zzzz"; GET /v1/optimizers lists all'),
        ({"optimizer": {"lr": 1}}, "the name of the optimizer is missing; GET /v1/optimizers lists all"),
        ({"scheduler": "zzzz"}, 'there is no scheduler "zzzz"; GET /v1/schedulers lists all'),
    ],
)
def test_an_unknown_name_is_answered_with_its_list(client: httpx.Client, fields: dict[str, Any], said: str) -> None:
    answer = client.post("/v1/jobs", json=JOB | fields)
    assert answer.status_code == 422
    assert said in [complaint["detail"] for complaint in answer.json()["errors"]]


def test_a_missing_function_or_job_is_answered_with_its_list(client: httpx.Client) -> None:
    function, job = client.get("/v1/functions/zzzz"), client.get("/v1/jobs/zzzz")
    assert function.status_code == job.status_code == 404
    assert function.json()["detail"] == "there is no function 'zzzz'; GET /v1/functions lists all"
    assert job.json()["detail"] == "there is no job 'zzzz'; GET /v1/jobs lists those there are"


def test_a_function_without_a_surface_is_answered_with_where_its_values_are(client: httpx.Client) -> None:
    answer = client.post("/v1/surface", json={"function": {"name": "sphere", "dim": 1}})
    (complaint,) = answer.json()["errors"]
    assert complaint["pointer"] == "#/function"
    assert complaint["detail"].endswith("the function has 1; POST /v1/evaluate gives its values at points")


def test_what_a_picture_cannot_show_is_pointed_at_in_the_query(client: httpx.Client) -> None:
    job_id = client.post("/v1/jobs", json=JOB).json()["id"]
    answer = client.get(f"/v1/jobs/{job_id}/plot.png?x_axis=7")
    assert answer.status_code == 422
    assert [complaint["pointer"] for complaint in answer.json()["errors"]] == ["#/query/x_axis"]
