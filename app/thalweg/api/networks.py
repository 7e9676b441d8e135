"""Networks: one sample's way through, forward and back."""

from dataclasses import fields
from functools import cache
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from thalweg.analysis.backprop import BackpropRequest
from thalweg.api.dependencies import Computing, JobId, RunNumber, Wired, check_run, network_of
from thalweg.api.routing import SENT, BodyRoute
from thalweg.api.wire import Number, numbers
from thalweg.db.trajectories import StepRange
from thalweg.engine.outcome import Results
from thalweg.errors import Conflict, InvalidInput
from thalweg.functions.networks.datasets import DATASETS
from thalweg.functions.networks.delta_rule import backpropagation
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.network import Network
from thalweg.jobs.record import JobRecord
from thalweg.whole_numbers import WRITTEN_WHOLE

router = APIRouter(route_class=BodyRoute, prefix="/v1", tags=["networks"])


class Layer(BaseModel):
    """What passes through a layer in both directions; null where it is not finite."""

    net: list[Number] = Field(description="net inputs")
    output: list[Number]
    delta: list[Number] = Field(description="derivatives of the error by the net inputs")
    weight_gradient: list[list[Number]] = Field(
        description="derivatives of the error by the weights: [i][j] of that from node i to node j"
    )
    bias_gradient: list[Number]


class Backprop(BaseModel):
    """The forward and the backward pass of one sample."""

    weights: list[list[list[Number]]] = Field(description="[i][j] runs from node i to node j")
    biases: list[list[Number]]
    output: list[Number]
    error: Number
    layers: list[Layer] = Field(description="from the first hidden layer to the last")
    autograd_max_abs_difference: Number = Field(
        description="the largest difference of these gradients from those by autograd on the same network"
    )


class BackpropOfStep(Backprop):
    """The forward and the backward pass of one sample of a data set, at a step of the training."""

    job_id: str
    run: int
    step: int
    sample: int
    input: list[float]
    target: list[float]


class Samples(BaseModel):
    """The first samples of a data set, in order."""

    n_samples: int = Field(description="how many there are in the whole data set")
    x: list[list[float]] = Field(description="inputs")
    y: list[list[float]] = Field(description="what each output should be")


class DatasetEntry(BaseModel):
    """A generated data set, with what it is if nothing else is said."""

    name: str
    title: str
    n_inputs: int
    n: int = Field(description="samples")
    noise: float = Field(description="standard deviation")
    classes: int | None = Field(description="null of a curve")
    any_classes: bool = Field(description="whether there may be more or fewer")
    output_activation: str | None = Field(
        description="of the last layer by default, unless the loss has its own; null for that of the hidden layers"
    )


class LossEntry(BaseModel):
    """A loss."""

    name: str
    output_activation: str | None = Field(description="the only one that it is defined with; null if any will do")


class NetworkDescription(BaseModel):
    """What a network can be told, and what there is to choose from."""

    parameters: dict[str, Any] = Field(description="JSON Schema of `mlp` in a job's function")
    datasets: list[DatasetEntry]
    losses: list[LossEntry]


@router.get("/mlp")
def describe_networks() -> NetworkDescription:
    """Return what a network can be told: its parameters, the data sets and the losses."""
    return _networks()


@cache
def _networks() -> NetworkDescription:
    names = [name for name in DatasetEntry.model_fields if name != "name"]
    return NetworkDescription(
        parameters=Network.model_json_schema(),
        datasets=[
            DatasetEntry(name=name, **{each: getattr(entry, each) for each in names})
            for name, entry in DATASETS.items()
        ],
        losses=[LossEntry(name=name, output_activation=entry.output_activation) for name, entry in LOSSES.items()],
    )


@router.post("/mlp/backprop", response_model=Backprop)
async def post_backprop(request: Annotated[BackpropRequest, SENT], services: Wired, compute: Computing) -> Response:
    """Return the backward pass of a sample by the delta rule, layer by layer, in float64.

    `delta` is the derivative of the error by a node's net input. Of the last layer, with sigmoid outputs O, targets
    t and half the sum of squares as the error: (O_k - t_k) O_k (1 - O_k). Of a layer before:
    O_j (1 - O_j) times the sum of delta_k W_jk over the nodes k behind. The gradient of a weight is O_i delta_j.
    """
    request.check_limits(services.settings)
    return await compute(request.dim, lambda: numbers(request.backpropagation()))


@router.get("/jobs/{job_id}/backprop", response_model=BackpropOfStep)
def get_backprop(
    job_id: JobId,
    services: Wired,
    run: RunNumber = 0,
    step: Annotated[
        int | None, Query(ge=0, le=2**53, description="a recorded step; the last one if left out"), WRITTEN_WHOLE
    ] = None,
    sample: Annotated[int, Query(ge=0, le=2**53, description="which sample of the data set"), WRITTEN_WHOLE] = 0,
) -> Response:
    """Return the backward pass of a sample through the network that a job trains, with its parameters of a step.

    It is that of the sample alone, also where the job minimises the mean over many samples.
    """
    record, results = services.jobs.get_with_results(job_id)
    network = network_of(record)
    check_run(record, run)
    if sample >= network.n_samples:
        raise InvalidInput(
            f"there is no sample {sample}: the data set has {network.n_samples}, from 0", "query", "sample"
        )
    end = int(results.n_steps[run])
    # of a job under way the last step is recorded only if it is on the grid
    wanted = StepRange(end - end % record.spec.record_every, end) if step is None else StepRange(step, step)
    (entries,) = services.trajectories.read(record, results, range(run, run + 1), wanted)
    if not len(entries.steps):
        if step is None:
            raise Conflict("nothing of this run is recorded yet: wait until it has begun")
        raise InvalidInput(_not_recorded(record, results, run, step), "query", "step")
    given, target = network.sample(sample)
    found = backpropagation(network.architecture, entries.x[-1].astype(np.float64), given, target)
    place = {
        "job_id": record.id,
        "run": run,
        "step": entries.steps[-1],
        "sample": sample,
        "input": given,
        "target": target,
    }
    return numbers({**place, **{field.name: getattr(found, field.name) for field in fields(found)}})


@router.get("/jobs/{job_id}/samples")
def get_samples(
    job_id: JobId,
    services: Wired,
    limit: Annotated[int, Query(ge=1, le=10_000, description="how many to give at most"), WRITTEN_WHOLE] = 1000,
) -> Samples:
    """Return the data set that a job's network learns: what it is given, and what it should answer."""
    record, _ = services.jobs.get_with_results(job_id)
    network = network_of(record)
    samples = [network.sample(index) for index in range(min(network.n_samples, limit))]
    return Samples(
        n_samples=network.n_samples,
        x=[given.tolist() for given, _ in samples],
        y=[target.tolist() for _, target in samples],
    )


def _not_recorded(record: JobRecord, results: Results, run: int, step: int) -> str:
    end, every = int(results.n_steps[run]), record.spec.record_every
    grid = "every step" if every == 1 else f"the multiples of {every}"
    last = ", and the last of an ended job" if every > 1 else ""
    return f"step {step} is not recorded: run {run} has {grid} from 0 to {end}{last}"
