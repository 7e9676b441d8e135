"""What the service says of things that the page computes too, written for the page's own tests.

`python -m tests.api.page_values` writes them anew.
"""

import itertools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.serving import NoWorkers, served
from thalweg.functions.networks.network import Network
from thalweg.plots import numbers
from thalweg.plots.heights import heights
from thalweg.settings import Settings
from thalweg.web.facts import facts

FOLDER = Path(__file__).parents[1] / "js" / "written"
RANGES = ((-6, 6), (-5.02, 3.1), (0, 6.31e6), (0, 3e-7), (-1e308, 1e308), (2, 2), (0.1, 0.30000000000000004))
GROUNDS = ("himmelblau", "rosenbrock", "eggholder", "six_hump_camel", "ackley", "styblinski_tang")


def networks(client: httpx.Client) -> dict[str, Any]:
    """Return what networks answer, and with what their outputs are made."""
    offer = client.get("/v1/mlp").json()
    answers = []
    for activation in offer["parameters"]["properties"]["activation"]["enum"]:
        for loss, inputs in itertools.product(("mse", "cross_entropy"), ([0.7, -1.3], [-40.0, 3.0])):
            request = {"layers": [2, 3, 2], "activation": activation, "loss": loss, "seed": 2}
            found = client.post("/v1/mlp/backprop", json={**request, "input": inputs, "target": [0, 1]}).json()
            answers.append(
                {
                    **request,
                    "output_activation": "softmax" if loss == "cross_entropy" else activation,
                    "weights": found["weights"],
                    "biases": found["biases"],
                    "input": inputs,
                    "output": found["output"],
                }
            )
    outputs = []
    for dataset, loss in itertools.product(offer["datasets"], offer["losses"]):
        classes = dataset["classes"] or 1
        n_outputs = classes if classes > 2 or loss["output_activation"] == "softmax" else 1
        network = {"activation": "tanh", "loss": loss["name"], "dataset": {"name": dataset["name"]}}
        if dataset["classes"] is None and loss["output_activation"] is not None:
            continue  # such a loss is of classes
        made = Network.model_validate({**network, "layers": [dataset["n_inputs"], 3, n_outputs]})
        outputs.append({"network": network, "output_activation": made.output_activation})
    return {"offer": offer, "answers": answers, "outputs": outputs}


def grounds(client: httpx.Client) -> list[dict[str, Any]]:
    """Return the heights of some surfaces, and where they are marked."""
    found = []
    for name, log in itertools.product(GROUNDS, (True, False)):
        z = client.get(f"/v1/functions/{name}/surface", params={"points": 12}).json()["z"]
        known = [minimum["f"] for minimum in client.get(f"/v1/functions/{name}").json()["minima"]]
        height = heights(np.array(z, dtype=np.float64), np.array(known), log=log)
        at, text = height.ticks()
        found.append(
            {
                "name": name,
                "z": z,
                "known": known,
                "log": log,
                "low": height.low,
                "high": height.high,
                "unit": height.unit,
                "heights": height.of(np.array(z, dtype=np.float64)).tolist(),
                "ticks": {"at": at.tolist(), "text": text},
            }
        )
    return found


def axes() -> list[dict[str, Any]]:
    """Return where axes are marked, and with what."""
    marks = [(low, high, n, numbers.ticks(low, high, n)) for low, high in RANGES for n in (4, 6, 9)]
    return [
        {"low": low, "high": high, "n": n, "at": at, "text": [numbers.text(value) for value in at]}
        for low, high, n, at in marks
    ]


def values() -> dict[str, Any]:
    """Return everything that is written, by the name of its file."""
    with tempfile.TemporaryDirectory() as folder, served(Settings(data_dir=Path(folder)), NoWorkers()) as client:
        written: dict[str, Callable[[], Any]] = {
            "axes": axes,
            "facts": facts,
            "heights": lambda: grounds(client),
            "networks": lambda: networks(client),
        }
        found: dict[str, Any] = json.loads(json.dumps({name: write() for name, write in written.items()}))
    return found


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, value in values().items():
        (FOLDER / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False) + "\n")
