"""The client: each method gives what its endpoint gives."""

from collections.abc import Iterator

import httpx
import pytest

from app.client import ApiError, Client

NETWORK = {"mlp": {"layers": [2, 3, 1], "dataset": "xor"}}


@pytest.fixture(scope="module")
def client(running: httpx.Client) -> Iterator[Client]:
    with Client(str(running.base_url)) as client:
        yield client


def test_what_is_seen_of_a_network(client: Client, running: httpx.Client) -> None:
    spec = {"function": NETWORK, "optimizer": "adam", "init": {"random": 2}, "steps": 40, "record_every": 10}
    job = client.wait(client.submit(spec)["id"])
    at = f"/v1/jobs/{job['id']}"
    assert client.loss(job["id"], 1, from_step=5) == running.get(f"{at}/loss?run=1&from_step=5").json()
    assert client.landscape(job["id"], method="random", points=4) == (
        running.get(f"{at}/landscape?method=random&points=4").json()
    )
    assert client.backprop(job["id"], step=10, sample=3) == running.get(f"{at}/backprop?step=10&sample=3").json()
    assert client.backprop(job["id"])["step"] == 40


def test_what_needs_no_job(client: Client) -> None:
    passed = client.backpropagate(layers=[2, 2, 1], input=[1, 0], target=[1], seed=3)
    assert passed["autograd_max_abs_difference"] < 1e-12
    assert "cross_entropy" in [loss["name"] for loss in client.networks()["losses"]]
    formula = {"expression": "x**2 - y**2", "variables": ["x", "y"]}
    found = client.critical_points(formula, low=[-1, -1], high=[1, 1])
    assert [point["kind"] for point in found["critical_points"]] == ["saddle"]


def test_what_was_wrong_is_said_in_the_services_words(client: Client) -> None:
    with pytest.raises(ApiError, match="does not know z") as refused:
        client.submit(
            {"function": {"expression": "z", "variables": ["x"]}, "optimizer": "adam", "init": [1], "steps": 1}
        )
    assert refused.value.status == 422
    assert refused.value.problem["errors"][0]["column"] == 1
