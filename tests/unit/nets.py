"""Networks built from torch's modules, to compare with."""

import itertools
from typing import Any

import numpy as np
import torch

from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.network import NetworkReference
from thalweg.functions.networks.objective import NetworkObjective

MODULES: dict[str, Any] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.nn.functional.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "sin": torch.sin,
    "identity": lambda net: net,
}


def network(**fields: Any) -> NetworkReference:
    """Return a valid network with `fields` in place of defaults."""
    return NetworkReference.model_validate({"mlp": {"layers": [2, 3, 1], "dataset": "xor", **fields}})


def objective(**fields: Any) -> NetworkObjective:
    return network(**fields).objective()


def torch_loss(name: str, nets: torch.Tensor, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return torch's loss of the same name, from logits where torch takes logits."""
    functional = torch.nn.functional
    match name:
        case "mse":
            return functional.mse_loss(outputs, targets)
        case "bce":
            return functional.binary_cross_entropy_with_logits(nets, targets)
        case "cross_entropy":
            return functional.cross_entropy(nets, targets.argmax(dim=-1))
    return 0.5 * functional.mse_loss(outputs, targets, reduction="none").sum(dim=-1).mean()


def torch_nets(architecture: Architecture, point: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the last layer's net inputs by torch.nn.Linear."""
    hidden = x
    begun = 0
    layers = list(itertools.pairwise(architecture.layers))
    for n_in, n_out in layers:
        end = begun + (n_in + 1) * n_out
        matrix = point[begun:end].reshape(n_in + 1, n_out)
        net = torch.nn.functional.linear(hidden, matrix[:-1].T, matrix[-1])
        hidden, begun = MODULES[architecture.activation](net), end
    return net


def torch_value(architecture: Architecture, point: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the loss of a network at a point `(dim,)` by torch's functions only."""
    nets = torch_nets(architecture, point, x)
    name = str(architecture.output_activation)
    outputs = nets if name == "softmax" else MODULES[name](nets)
    return torch_loss(architecture.loss, nets, outputs, y)


def samples_of(of: NetworkObjective) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all inputs and targets."""
    x, y = zip(*(of.sample(index) for index in range(of.n_samples)), strict=True)
    return torch.from_numpy(np.array(x)), torch.from_numpy(np.array(y))


def value_and_gradient(f: Any, point: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    point = point.detach().clone().requires_grad_()
    value = f(point)
    (gradient,) = torch.autograd.grad(value.sum(), point)
    return value.detach(), gradient
