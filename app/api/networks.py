"""Networks: one sample's way through, forward and back."""

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app.api.dependencies import Wired
from app.api.wire import Number
from app.engine.backprop import BackpropRequest
from app.functions.networks.delta_rule import Backpropagation

router = APIRouter(prefix="/v1/mlp", tags=["networks"])


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


@router.post("/backprop", response_model=Backprop)
def post_backprop(request: BackpropRequest, services: Wired) -> Response:
    """Return the backward pass of a sample by the delta rule, layer by layer, in float64.

    `delta` is the derivative of the error by a node's net input. Of the last layer, with sigmoid outputs O, targets
    t and half the sum of squares as the error: (O_k - t_k) O_k (1 - O_k). Of a layer before:
    O_j (1 - O_j) times the sum of delta_k W_jk over the nodes k behind. The gradient of a weight is O_i delta_j.
    """
    request.check_limits(services.settings)
    return answer(request.backpropagation())


def answer(found: Backpropagation) -> Response:
    """Return a `Backprop` as a response."""
    return Response(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
