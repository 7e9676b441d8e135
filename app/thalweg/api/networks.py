"""Networks: their options, and the forward and backward pass of a sample."""

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
    """Values of a layer in the forward and the backward pass; null if not finite."""

    net: list[Number] = Field(description="net inputs")
    output: list[Number]
    delta: list[Number] = Field(description="derivatives of the error with respect to the net inputs")
    weight_gradient: list[list[Number]] = Field(
        description="derivatives of the error with respect to the weights; [i][j] from node i to node j"
    )
    bias_gradient: list[Number]


class Backprop(BaseModel):
    """The forward and the backward pass of one sample."""

    weights: list[list[list[Number]]] = Field(description="per layer; [i][j] is the weight from node i to node j")
    biases: list[list[Number]]
    output: list[Number]
    error: Number
    layers: list[Layer] = Field(description="from the first hidden layer to the output layer")
    autograd_max_abs_difference: Number = Field(
        description="largest absolute difference from autograd's gradients of the same network"
    )


class BackpropOfStep(Backprop):
    """The forward and the backward pass of one sample of a data set, at a step of training."""

    job_id: str
    run: int
    step: int
    sample: int
    input: list[float]
    target: list[float]


class Samples(BaseModel):
    """The first samples of a data set, in order."""

    n_samples: int = Field(description="number of samples in the whole data set")
    x: list[list[float]] = Field(description="inputs")
    y: list[list[float]] = Field(description="target outputs")


class DatasetEntry(BaseModel):
    """A generated data set and its defaults."""

    name: str
    title: str
    n_inputs: int
    n: int = Field(description="number of samples")
    noise: float = Field(description="standard deviation")
    classes: int | None = Field(description="number of classes; null for regression")
    any_classes: bool = Field(description="whether the number of classes can be chosen")
    output_activation: str | None = Field(
        description="of the last layer by default, unless the loss has its own; null for that of the hidden layers"
    )


class LossEntry(BaseModel):
    """A loss."""

    name: str
    output_activation: str | None = Field(description="the output activation that it requires; null if any will do")


class NetworkDescription(BaseModel):
    """The parameters of a network, and the available data sets and losses."""

    parameters: dict[str, Any] = Field(description="JSON Schema of `mlp` in a job's function")
    datasets: list[DatasetEntry]
    losses: list[LossEntry]


@router.get("/mlp")
def describe_networks() -> NetworkDescription:
    """Return the parameters of a network, and the available data sets and losses."""
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

    `delta` is the derivative of the error with respect to a node's net input. In the output layer, with sigmoid
    outputs O, targets t and half the sum of squares as the error, it is (O_k - t_k) O_k (1 - O_k). In the layers
    before, it is O_j (1 - O_j) times the sum of W_jk delta_k over the nodes k of the next layer. The gradient of a
    weight is O_i delta_j.
    """
    request.check_limits(services.settings)
    return await compute(request.dim, lambda: numbers(request.backpropagation()))


@router.get("/jobs/{job_id}/backprop", response_model=BackpropOfStep)
def get_backprop(
    job_id: JobId,
    services: Wired,
    run: RunNumber = 0,
    step: Annotated[
        int | None, Query(ge=0, le=2**53, description="a recorded step; by default the last one"), WRITTEN_WHOLE
    ] = None,
    sample: Annotated[
        int, Query(ge=0, le=2**53, description="index of the sample in the data set"), WRITTEN_WHOLE
    ] = 0,
) -> Response:
    """Return the backward pass of a sample through a job's network, with the parameters of a recorded step.

    The error is that of this sample alone, even if the job minimises the mean over many.
    """
    record, results = services.jobs.get_with_results(job_id)
    network = network_of(record)
    check_run(record, run)
    if sample >= network.n_samples:
        raise InvalidInput(
            f"there is no sample {sample}: the data set has {network.n_samples}, from 0", "query", "sample"
        )
    end = int(results.n_steps[run])
    # the last step of a running job is recorded only if it is a multiple of record_every
    wanted = StepRange(end - end % record.spec.record_every, end) if step is None else StepRange(step, step)
    (entries,) = services.trajectories.read(record, results, range(run, run + 1), wanted)
    if not len(entries.steps):
        if step is None:
            raise Conflict("this run has no recorded points yet: retry after it has started")
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
    limit: Annotated[int, Query(ge=1, le=10_000, description="maximum number of samples"), WRITTEN_WHOLE] = 1000,
) -> Samples:
    """Return the data set that a job's network learns: inputs and targets."""
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
    grid = "at every step" if every == 1 else f"every {every} steps"
    last = " and, once the job has ended, at its last step" if every > 1 else ""
    return f"step {step} is not recorded: run {run} is recorded {grid} from 0 to {end}{last}"
