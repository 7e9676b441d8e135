"""The backward pass of a sample over HTTP."""

import math
from typing import Any

import httpx
import pytest

from tests.api.test_jobs import valid

BODY: dict[str, Any] = {
    "layers": [2, 4, 3, 2],
    "activation": "sigmoid",
    "input": [0.5, -1],
    "target": [1, 0],
}


def logistic(net: float) -> float:
    return 1 / (1 + math.exp(-net))


def test_response_has_the_whole_derivation(idle: httpx.Client) -> None:
    found = valid(idle.post("/v1/mlp/backprop", json=BODY))
    assert [len(layer["net"]) for layer in found["layers"]] == [4, 3, 2]
    assert found["output"] == found["layers"][-1]["output"]
    assert found["error"] == pytest.approx(
        sum((o - t) ** 2 for o, t in zip(found["output"], BODY["target"], strict=True)) / 2
    )
    incoming = BODY["input"]
    for layer, weights, biases in zip(found["layers"], found["weights"], found["biases"], strict=True):
        for j, net in enumerate(layer["net"]):
            assert net == pytest.approx(sum(o * weights[i][j] for i, o in enumerate(incoming)) + biases[j])
            assert layer["output"][j] == pytest.approx(logistic(net))
            for i, o in enumerate(incoming):
                assert layer["weight_gradient"][i][j] == pytest.approx(o * layer["delta"][j])
        assert layer["bias_gradient"] == layer["delta"]
        incoming = layer["output"]
    *_, before, last = found["layers"]
    for o, t, delta in zip(last["output"], BODY["target"], last["delta"], strict=True):
        assert delta == pytest.approx((o - t) * o * (1 - o))
    for j, (o, delta) in enumerate(zip(before["output"], before["delta"], strict=True)):
        behind = sum(delta_k * found["weights"][-1][j][k] for k, delta_k in enumerate(last["delta"]))
        assert delta == pytest.approx(o * (1 - o) * behind)
    assert found["autograd_max_abs_difference"] < 1e-15


def test_drawn_weights_give_the_same_result_when_posted(idle: httpx.Client) -> None:
    drawn = valid(idle.post("/v1/mlp/backprop", json={**BODY, "seed": 5}))
    sent = {**BODY, "weights": drawn["weights"], "biases": drawn["biases"]}
    assert valid(idle.post("/v1/mlp/backprop", json=sent)) == drawn
    assert valid(idle.post("/v1/mlp/backprop", json=BODY)) != drawn


def test_class_targets_are_an_index_or_one_hot(idle: httpx.Client) -> None:
    body = {**BODY, "layers": [2, 3, 3], "activation": "relu", "loss": "cross_entropy"}
    by_number = valid(idle.post("/v1/mlp/backprop", json={**body, "target": [2]}))
    for target in (2, 2.0, [0, 0, 1]):
        assert valid(idle.post("/v1/mlp/backprop", json={**body, "target": target})) == by_number
    for target in (3, -1, 0.5, [3]):
        problem = idle.post("/v1/mlp/backprop", json={**body, "target": target}).json()
        assert problem["detail"].startswith(
            "#/target: cross_entropy takes a class from 0 to 2, or a one-hot list of 3 numbers"
        )
    assert sum(by_number["output"]) == pytest.approx(1)
    assert by_number["error"] == pytest.approx(-math.log(by_number["output"][2]))
    assert by_number["layers"][-1]["delta"][2] == pytest.approx(by_number["output"][2] - 1)


def test_non_finite_numbers_are_null(idle: httpx.Client) -> None:
    body = {
        "layers": [1, 1, 1],
        "activation": "identity",
        "weights": [[[1e200]], [[1e200]]],
        "biases": [[0], [0]],
        "input": [1],
        "target": [0],
    }
    found = valid(idle.post("/v1/mlp/backprop", json=body))
    assert (found["output"], found["error"], found["autograd_max_abs_difference"]) == ([None], None, None)
    assert found["layers"][0]["net"] == [1e200]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"layers": None}, "#/layers"),
        ({"layers": [2, 9, 9, 2]}, "#/layers"),
        ({"layers": [2, 100_000, 2]}, "#/layers"),
        ({"activation": "sigmoidal"}, "#/activation"),
        ({"loss": "cross_entropy", "target": [1, 1]}, "#/target"),
        ({"loss": "bce", "target": [1, 2]}, "#/target"),
        ({"loss": "cross_entropy", "target": 2}, "#/target"),
        ({"target": [1]}, "#/target"),
        ({"target": True}, "#/target"),
        ({"target": []}, "#/target"),
        ({"input": [1, 2, 3]}, "#/input"),
        ({"input": ["1", 2]}, "#/input/0"),
        ({"weights": [[[1, 1]], [[1]]]}, "#/weights"),
        ({"layers": [2, 2], "weights": [[[1, 1]]]}, "#/weights/0"),
        ({"layers": [2, 2], "weights": [[[1, 1], [1]]]}, "#/weights/0/1"),
        ({"layers": [2, 2], "weights": [[[1, 1], [1, True]]]}, "#/weights/0/1/1"),
        ({"layers": [2, 2], "biases": [[1]]}, "#/biases/0"),
        ({"layers": [2, 2], "biases": []}, "#/biases"),
        ({"steps": 3}, "#/steps"),
    ],
)
def test_invalid_input_has_a_pointer(idle: httpx.Client, fields: dict[str, Any], pointer: str) -> None:
    response = idle.post("/v1/mlp/backprop", json={**BODY, **fields})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
