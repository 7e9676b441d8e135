"""The Network view: the numbers on it are the API's."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.web.watched import Watched, field
from tests.workers.service import Service

MINUS = "\N{MINUS SIGN}"


def shown(page: Page, name: str) -> list[float]:
    values = page.locator(f".diagram .node[data-{name}]").evaluate_all(
        f"all => all.map(each => each.dataset.{name})"
    )
    return [float(value) for value in values]


def network(client: httpx.Client, **request: object) -> list[dict[str, list[float]]]:
    answer = client.post("/v1/mlp/backprop", json=request)
    assert answer.status_code == 200, answer.text
    layers: list[dict[str, list[float]]] = answer.json()["layers"]
    return layers


def test_deltas_match_the_api_and_are_uncovered_layer_by_layer(watched: Watched, service: Service) -> None:
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    layers = network(
        service.client,
        layers=[2, 4, 3, 1],
        activation="sigmoid",
        output_activation="sigmoid",
        loss="half_sse",
        seed=1,
        input=[1, 0.5],
        target=[1],
    )
    assert shown(page, "output") == pytest.approx(
        [value for layer in layers for value in layer["output"]], rel=1e-15
    )
    assert shown(page, "delta") == []
    backwards = page.get_by_role("button", name="Step backwards")
    for n_seen in (1, 2, 3):
        backwards.click()
        seen = [value for layer in layers[-n_seen:] for value in layer["delta"]]
        expect(page.locator(".diagram .node[data-delta]")).to_have_count(len(seen))
        assert shown(page, "delta") == pytest.approx(seen, rel=1e-15)
    expect(backwards).to_be_disabled()
    page.get_by_role("button", name="Layer 3, node 1").click()
    o, delta = layers[2]["output"][0], layers[2]["delta"][0]
    assert delta == pytest.approx((o - 1) * o * (1 - o))
    expect(page.locator(".derivation")).to_contain_text(
        f"({o:.4g} {MINUS} 1) · {o:.4g}·(1 {MINUS} {o:.4g}) = {MINUS}{-delta:.4g}"
    )
    watched.picture(page, "network-backprop-1440")


def test_a_network_is_trained_and_its_address_restores_it(watched: Watched, service: Service) -> None:
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    field(page, "Data set").select_option("xor")
    field(page, "Steps").fill("300")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".progress-text")).to_contain_text("done")
    expect(page.locator(".surface canvas")).to_have_attribute("aria-label", re.compile("elevation 60"))
    page.get_by_role("slider", name="Step").fill("100")
    field(page, "Sample").fill("2")
    field(page, "Sample").blur()
    expect(page.locator(".backprop-part > .hint")).to_contain_text("At step 100, sample 2")
    job = page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('job')")
    found = service.client.get(f"/v1/jobs/{job}/backprop", params={"step": 100, "sample": 2}).json()
    wanted = [value for layer in found["layers"] for value in layer["output"]]
    assert shown(page, "output") == pytest.approx(wanted, rel=1e-15)
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    expect(again.locator(".backprop-part > .hint")).to_contain_text("At step 100, sample 2")
    expect(field(again, "Data set")).to_have_value("xor")
    expect(field(again, "Steps")).to_have_value("300")
    expect(again.locator(".surface canvas")).to_have_attribute("aria-label", re.compile("elevation 60"))
    watched.picture(again, "network-trained-1440", full=True)


def test_the_form_has_every_network_option_of_the_api(watched: Watched, service: Service) -> None:
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    offer = service.client.get("/v1/mlp").json()
    schema = offer["parameters"]["properties"]
    at = "#/function/mlp/"
    found = page.locator(f"[data-pointer^='{at}']").evaluate_all("all => all.map(each => each.dataset.pointer)")
    data = {f"{at}dataset/{name}" for name in ("n", "noise", "seed")}  # moons has two classes, and no other number
    assert set(found) == {f"{at}{name}" for name in schema} | data
    for name in ("loss", "activation"):
        options = field(page, name).locator("option").evaluate_all("all => all.map(each => each.value)")
        assert options == schema[name]["enum"]
    sets = field(page, "Data set").locator("option").evaluate_all("all => all.map(each => each.value)")
    assert sets == [entry["name"] for entry in offer["datasets"]]
    field(page, "Data set").select_option("blobs")
    page.get_by_text("Samples", exact=True).click()
    field(page, "classes").fill("4")
    field(page, "loss").select_option("cross_entropy")
    field(page, "activation").select_option("silu")
    page.get_by_text("More network options").click()
    field(page, "weight_init").select_option("he_normal")
    field(page, "batch_size").fill("16")
    page.locator(f"[data-pointer='{at}seed'] input").fill("9")
    field(page, "Optimizer").select_option("muon")
    field(page, "Steps").fill("60")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".progress-text")).to_contain_text("done")
    job = service.job(page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('job')"))
    network = job["spec"]["function"]["mlp"]
    said = {
        "layers": [2, 4, 3, 4],
        "activation": "silu",
        "output_activation": "softmax",
        "loss": "cross_entropy",
        "weight_init": "he_normal",
        "batch_size": 16,
        "seed": 9,
    }
    assert {name: network[name] for name in said} == said
    assert network["dataset"]["classes"] == 4
    assert job["spec"]["optimizer"]["name"] == "muon"
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    expect(field(again, "batch_size")).to_have_value("16")
    expect(field(again, "loss")).to_have_value("cross_entropy")
    expect(field(again, "output_activation")).to_have_value("")
    again.locator(".surface canvas").first.wait_for()
    watched.picture(again, "network-batches-1440", full=True)


def test_a_network_that_cannot_be(watched: Watched) -> None:
    watched.expect_status(422)
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    field(page, "Hidden layers").fill("4, 0")
    field(page, "Hidden layers").blur()
    expect(page.locator("[data-pointer='#/function/mlp/layers'] .error")).to_contain_text("at least 1")
