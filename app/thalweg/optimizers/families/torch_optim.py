"""The optimizers of torch.optim, as far as they can minimise a function of a vector."""

from collections.abc import Mapping
from typing import Any

import torch

from thalweg.errors import InvalidInput
from thalweg.optimizers.family import Family
from thalweg.optimizers.parameters import Parameter

FAMILY = Family(
    "torch",
    package="torch",
    module=__name__,
    docs="https://docs.pytorch.org/docs/stable/generated/torch.optim.{}.html",
    licence="BSD-3-Clause",
    refused=dict.fromkeys(
        ("foreach", "fused", "capturable", "differentiable"),
        "chooses how torch computes, not what: the engine decides it, and the result means the same. Leave it out",
    ),
    refused_optimizers={
        "sparse_adam": "it takes sparse gradients only, and a function of a vector has none",
    },
)


def _check_nesterov(arguments: Mapping[str, Any]) -> None:
    if arguments["nesterov"] and (arguments["momentum"] == 0 or arguments["dampening"] != 0):
        raise InvalidInput("nesterov needs a momentum above 0 and a dampening of 0", "nesterov")


def _check_step_sizes(arguments: Mapping[str, Any]) -> None:
    low, high = arguments["step_sizes"]
    if low > high:
        raise InvalidInput(f"the smallest step size, {low}, is above the largest, {high}", "step_sizes")


SGD = FAMILY.add(
    torch.optim.SGD,
    title="Stochastic gradient descent",
    summary="Steps against the gradient, or against a running average of it.",
    paper="Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html",
    rule=_check_nesterov,
    variants=({"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
)

Adam = FAMILY.add(
    torch.optim.Adam,
    title="Adam",
    summary="Steps along the averaged gradient, each coordinate scaled by its root mean square.",
    paper="Kingma and Ba 2015, https://arxiv.org/abs/1412.6980",
)

AdamW = FAMILY.add(
    torch.optim.AdamW,
    title="AdamW: Adam with decoupled weight decay",
    summary="Adam whose weight decay does not pass through its averages.",
    paper="Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101",
)

Adagrad = FAMILY.add(
    torch.optim.Adagrad,
    title="Adagrad",
    summary="Scales each coordinate by the root of the sum of all its squared gradients.",
    paper="Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html",
)

Adadelta = FAMILY.add(
    torch.optim.Adadelta,
    title="Adadelta",
    summary="Scales each coordinate by the ratio of its recent steps to its recent gradients.",
    paper="Zeiler 2012, https://arxiv.org/abs/1212.5701",
)

Adamax = FAMILY.add(
    torch.optim.Adamax,
    title="Adamax",
    summary="Adam with the largest recent gradient in place of the root mean square.",
    paper="Kingma and Ba 2015, https://arxiv.org/abs/1412.6980",
)

NAdam = FAMILY.add(
    torch.optim.NAdam,
    title="NAdam: Adam with Nesterov momentum",
    summary="Adam with Nesterov's momentum.",
    paper="Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
)

RAdam = FAMILY.add(
    torch.optim.RAdam,
    title="RAdam: rectified Adam",
    summary="Adam that does not scale before its average of squares has seen enough.",
    paper="Liu et al. 2020, https://arxiv.org/abs/1908.03265",
)

RMSprop = FAMILY.add(
    torch.optim.RMSprop,
    title="RMSprop",
    summary="Scales each coordinate by the root mean square of its recent gradients.",
    paper="Hinton 2012, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
)

Rprop = FAMILY.add(
    torch.optim.Rprop,
    title="Rprop: resilient backpropagation",
    summary=(
        "Uses only the sign of the gradient; each coordinate has a step size that grows until the sign changes."
    ),
    paper="Riedmiller and Braun 1993, https://doi.org/10.1109/ICNN.1993.298623",
    own={
        "etas": Parameter(
            "factors of the step size when the sign changed, and when it did not",
            other=(0.25, 2.0),
            bounds_of=({"gt": 0, "lt": 1}, {"gt": 1}),
        ),
        "step_sizes": Parameter("smallest and largest step size", other=(1e-3, 1.0), bounds={"ge": 0}),
    },
    rule=_check_step_sizes,
)

ASGD = FAMILY.add(
    torch.optim.ASGD,
    title="Averaged stochastic gradient descent",
    summary="Gradient descent with a decreasing learning rate, which also averages the points it passes.",
    paper="Polyak and Juditsky 1992, https://doi.org/10.1137/0330046",
    own={
        "lambd": Parameter("decay term", other=0.5, bounds={"ge": 0}),
        # Above 1 the steps have a finite sum, so that it stops short; and torch's power can overflow.
        "alpha": Parameter("power with which the learning rate falls", other=0.5, bounds={"ge": 0, "le": 1}),
        "t0": Parameter("step at which averaging starts", other=2.0, bounds={"ge": 0}),
    },
)

LBFGS = FAMILY.add(
    torch.optim.LBFGS,
    title="Limited-memory BFGS",
    summary=(
        "Newton's method with a Hessian estimated from recent gradients; a step is up to `max_iter` iterations."
    ),
    paper="Nocedal 1980, https://doi.org/10.1090/S0025-5718-1980-0572855-7",
    own={
        # The upper bounds keep one step, which nothing can interrupt, and its memory small.
        "max_iter": Parameter("most iterations in a step", other=3, bounds={"ge": 1, "le": 1000}),
        "max_eval": Parameter(
            "most evaluations of the function in a step; max_iter * 5 // 4 if null",
            other=7,
            bounds={"ge": 1, "le": 10_000},
        ),
        "tolerance_grad": Parameter("gradient below which it stops", other=1e-3, bounds={"ge": 0}),
        "tolerance_change": Parameter(
            "change of the value or the point below which a step ends", other=1e-3, bounds={"ge": 0}
        ),
        "history_size": Parameter("gradients kept", other=3, bounds={"ge": 1, "le": 1000}),
        "line_search_fn": Parameter(
            "how the length of an iteration is chosen", other="strong_wolfe", choices=("strong_wolfe",)
        ),
    },
    closure=True,
    history="history_size",
)

Adafactor = FAMILY.add(
    torch.optim.Adafactor,
    title="Adafactor",
    summary="Adam with less memory for matrices, and steps relative to the size of the point.",
    paper="Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235",
    own={
        "beta2_decay": Parameter("power with which the average's decay falls", other=-0.5, bounds={"le": 0}),
        "eps": Parameter(
            "smallest root mean square of the gradient (null: the dtype's eps) and of the point",
            other=(1e-4, 1e-2),
            bounds={"ge": 0},
        ),
        "d": Parameter("largest root mean square of an update", other=2.0, bounds={"gt": 0, "ge": 1, "le": 1e308}),
    },
)

Muon = FAMILY.add(
    torch.optim.Muon,
    title="Muon: momentum orthogonalized by Newton-Schulz",
    summary=(
        "Steps along the averaged gradient of each matrix, made orthogonal; biases are a last row of the weights."
    ),
    paper="Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/",
    own={
        "momentum": Parameter("how much of the average gradient is kept", other=0.5, bounds={"ge": 0}),
        "ns_coefficients": Parameter("of the polynomial that makes a matrix orthogonal", other=(3.0, -4.0, 2.0)),
        "eps": Parameter("smallest norm that a gradient is divided by", other=1e-3, bounds={"ge": 0}),
        "ns_steps": Parameter("times that it is applied", other=3, bounds={"ge": 1, "lt": 100}),
        "adjust_lr_fn": Parameter(
            "how the learning rate follows from a matrix's shape; original if null",
            other="match_rms_adamw",
            choices=("original", "match_rms_adamw"),
        ),
    },
    matrices=True,
)
