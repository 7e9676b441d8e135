"""The optimizers: each class of torch.optim that can minimise a function of a vector, in one place."""

from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator

from thalweg.errors import InvalidInput
from thalweg.optimizers.base import (
    BelowOne,
    Flag,
    LearningRate,
    NotNegative,
    OptimizerParams,
    Positive,
    Real,
    UpToOne,
)
from thalweg.optimizers.by_name import ByName
from thalweg.whole_numbers import WHOLE

Betas = Annotated[
    tuple[BelowOne, BelowOne],
    Field(description="decay of the running averages of the gradient and of its square"),
]
Eps = Annotated[NotNegative, Field(description="added to the denominator, against division by zero")]
WeightDecay = Annotated[NotNegative, Field(description="strength of the pull towards zero")]
Decoupled = Annotated[Flag, Field(description="decay the weights separately from the gradient, as AdamW does")]
Amsgrad = Annotated[Flag, Field(description="divide by the largest average so far, not the current one")]
Maximize = Annotated[Flag, Field(description="go uphill instead of downhill")]

REFUSED = {
    "sparse_adam": "it takes sparse gradients only, and a function of a vector has none",
}


class SGD(OptimizerParams):
    """Steps against the gradient, or against a running average of it."""

    torch_class = torch.optim.SGD
    title = "Stochastic gradient descent"
    paper = "Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html"

    name: Literal["sgd"] = "sgd"
    lr: LearningRate = 1e-3
    momentum: Annotated[NotNegative, Field(description="fraction of the last step that is kept")] = 0
    dampening: Annotated[Real, Field(description="fraction of the gradient kept out of the momentum")] = 0
    weight_decay: WeightDecay = 0
    nesterov: Annotated[Flag, Field(description="look ahead along the momentum")] = False
    maximize: Maximize = False

    @model_validator(mode="after")
    def _check_nesterov(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise InvalidInput("nesterov needs a momentum above 0 and a dampening of 0", "nesterov")
        return self


class Adam(OptimizerParams):
    """Steps along the averaged gradient, each coordinate scaled by its root mean square."""

    torch_class = torch.optim.Adam
    title = "Adam"
    paper = "Kingma and Ba 2015, https://arxiv.org/abs/1412.6980"

    name: Literal["adam"] = "adam"
    lr: LearningRate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0
    amsgrad: Amsgrad = False
    maximize: Maximize = False
    decoupled_weight_decay: Decoupled = False


class AdamW(OptimizerParams):
    """Adam whose weight decay does not pass through its averages."""

    torch_class = torch.optim.AdamW
    title = "AdamW: Adam with decoupled weight decay"
    paper = "Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101"

    name: Literal["adamw"] = "adamw"
    lr: LearningRate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 1e-2
    amsgrad: Amsgrad = False
    maximize: Maximize = False


class Adagrad(OptimizerParams):
    """Scales each coordinate by the root of the sum of all its squared gradients."""

    torch_class = torch.optim.Adagrad
    title = "Adagrad"
    paper = "Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html"

    name: Literal["adagrad"] = "adagrad"
    lr: LearningRate = 1e-2
    lr_decay: Annotated[NotNegative, Field(description="how fast the learning rate falls with the steps")] = 0
    weight_decay: WeightDecay = 0
    initial_accumulator_value: Annotated[NotNegative, Field(description="initial value of the sum of squares")] = 0
    eps: Eps = 1e-10
    maximize: Maximize = False


class Adadelta(OptimizerParams):
    """Scales each coordinate by the ratio of its recent steps to its recent gradients."""

    torch_class = torch.optim.Adadelta
    title = "Adadelta"
    paper = "Zeiler 2012, https://arxiv.org/abs/1212.5701"

    name: Literal["adadelta"] = "adadelta"
    lr: LearningRate = 1.0
    rho: Annotated[UpToOne, Field(description="decay of the running averages of the squares")] = 0.9
    eps: Eps = 1e-6
    weight_decay: WeightDecay = 0
    maximize: Maximize = False


class Adamax(OptimizerParams):
    """Adam with the largest recent gradient in place of the root mean square."""

    torch_class = torch.optim.Adamax
    title = "Adamax"
    paper = "Kingma and Ba 2015, https://arxiv.org/abs/1412.6980"

    name: Literal["adamax"] = "adamax"
    lr: LearningRate = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0
    maximize: Maximize = False


class NAdam(OptimizerParams):
    """Adam with Nesterov's momentum."""

    torch_class = torch.optim.NAdam
    title = "NAdam: Adam with Nesterov momentum"
    paper = "Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ"

    name: Literal["nadam"] = "nadam"
    lr: LearningRate = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0
    momentum_decay: Annotated[NotNegative, Field(description="how fast the momentum warms up")] = 4e-3
    decoupled_weight_decay: Decoupled = False
    maximize: Maximize = False


class RAdam(OptimizerParams):
    """Adam that does not scale before its average of squares has seen enough."""

    torch_class = torch.optim.RAdam
    title = "RAdam: rectified Adam"
    paper = "Liu et al. 2020, https://arxiv.org/abs/1908.03265"

    name: Literal["radam"] = "radam"
    lr: LearningRate = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0
    decoupled_weight_decay: Decoupled = False
    maximize: Maximize = False


class RMSprop(OptimizerParams):
    """Scales each coordinate by the root mean square of its recent gradients."""

    torch_class = torch.optim.RMSprop
    title = "RMSprop"
    paper = "Hinton 2012, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf"

    name: Literal["rmsprop"] = "rmsprop"
    lr: LearningRate = 1e-2
    alpha: Annotated[UpToOne, Field(description="decay of the running average of the squares")] = 0.99
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0
    momentum: Annotated[NotNegative, Field(description="fraction of the last step that is kept")] = 0
    centered: Annotated[Flag, Field(description="scale by the variance, not by the mean square")] = False
    maximize: Maximize = False


class Rprop(OptimizerParams):
    """Uses only the sign of the gradient; each coordinate has a step size that grows until the sign changes."""

    torch_class = torch.optim.Rprop
    title = "Rprop: resilient backpropagation"
    paper = "Riedmiller and Braun 1993, https://doi.org/10.1109/ICNN.1993.298623"

    name: Literal["rprop"] = "rprop"
    lr: LearningRate = 1e-2
    etas: Annotated[
        tuple[
            Annotated[Real, Field(gt=0, lt=1)],
            Annotated[Real, Field(gt=1)],
        ],
        Field(description="factors of the step size when the sign changed, and when it did not"),
    ] = (0.5, 1.2)
    step_sizes: Annotated[tuple[NotNegative, NotNegative], Field(description="smallest and largest step size")] = (
        1e-6,
        50,
    )
    maximize: Maximize = False

    @model_validator(mode="after")
    def _check_step_sizes(self) -> Self:
        low, high = self.step_sizes
        if low > high:
            raise InvalidInput(f"the smallest step size, {low}, is above the largest, {high}", "step_sizes")
        return self


class ASGD(OptimizerParams):
    """Gradient descent with a decreasing learning rate, which also averages the points it passes."""

    torch_class = torch.optim.ASGD
    title = "Averaged stochastic gradient descent"
    paper = "Polyak and Juditsky 1992, https://doi.org/10.1137/0330046"

    name: Literal["asgd"] = "asgd"
    lr: LearningRate = 1e-2
    lambd: Annotated[NotNegative, Field(description="decay term")] = 1e-4
    # Above 1 the steps have a finite sum, so that it stops short; and torch's power can overflow.
    alpha: Annotated[UpToOne, Field(description="power with which the learning rate falls")] = 0.75
    t0: Annotated[NotNegative, Field(description="step at which averaging starts")] = 1e6
    weight_decay: WeightDecay = 0
    maximize: Maximize = False


class LBFGS(OptimizerParams):
    """Newton's method with a Hessian estimated from recent gradients; a step is up to `max_iter` iterations."""

    torch_class = torch.optim.LBFGS
    title = "Limited-memory BFGS"
    paper = "Nocedal 1980, https://doi.org/10.1090/S0025-5718-1980-0572855-7"
    rowwise: ClassVar[bool] = False
    closure: ClassVar[bool] = True

    # The upper bounds keep one step, which nothing can interrupt, and its memory small.
    name: Literal["lbfgs"] = "lbfgs"
    lr: LearningRate = 1
    max_iter: Annotated[int, Field(strict=True, ge=1, le=1000, description="most iterations in a step"), WHOLE] = 20
    max_eval: Annotated[
        Annotated[int, Field(strict=True, ge=1, le=10_000), WHOLE] | None,
        Field(description="most evaluations of the function in a step; max_iter * 5 // 4 if null"),
    ] = None
    tolerance_grad: Annotated[NotNegative, Field(description="gradient below which it stops")] = 1e-7
    tolerance_change: Annotated[
        NotNegative, Field(description="change of the value or the point below which a step ends")
    ] = 1e-9
    history_size: Annotated[int, Field(strict=True, ge=1, le=1000, description="gradients kept"), WHOLE] = 100
    line_search_fn: Annotated[
        Literal["strong_wolfe"] | None, Field(description="how the length of an iteration is chosen")
    ] = None

    @property
    def n_memory(self) -> int:
        """Steps and gradients of its history, and the last of each."""
        return 2 * self.history_size + 3


class Adafactor(OptimizerParams):
    """Adam with less memory for matrices, and steps relative to the size of the point."""

    torch_class = torch.optim.Adafactor
    title = "Adafactor"
    paper = "Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235"
    rowwise: ClassVar[bool] = False

    name: Literal["adafactor"] = "adafactor"
    lr: LearningRate = 1e-2
    beta2_decay: Annotated[Real, Field(le=0, description="power with which the average's decay falls")] = -0.8
    eps: Annotated[
        tuple[NotNegative | None, NotNegative],
        Field(description="smallest root mean square of the gradient (null: the dtype's eps) and of the point"),
    ] = (None, 1e-3)
    d: Annotated[Positive, Field(ge=1, description="largest root mean square of an update")] = 1.0
    weight_decay: WeightDecay = 0.0
    maximize: Maximize = False


class Muon(OptimizerParams):
    """Steps along the averaged gradient of each matrix, made orthogonal; biases are a last row of the weights."""

    torch_class = torch.optim.Muon
    title = "Muon: momentum orthogonalized by Newton-Schulz"
    paper = "Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/"
    rowwise: ClassVar[bool] = False
    matrices: ClassVar[bool] = True

    name: Literal["muon"] = "muon"
    lr: LearningRate = 1e-3
    weight_decay: WeightDecay = 0.1
    momentum: Annotated[NotNegative, Field(description="how much of the average gradient is kept")] = 0.95
    nesterov: Annotated[Flag, Field(description="look ahead along the momentum")] = True
    ns_coefficients: Annotated[
        tuple[Real, Real, Real], Field(description="of the polynomial that makes a matrix orthogonal")
    ] = (3.4445, -4.775, 2.0315)
    eps: Annotated[NotNegative, Field(description="smallest norm that a gradient is divided by")] = 1e-7
    ns_steps: Annotated[int, Field(strict=True, ge=1, lt=100, description="times that it is applied"), WHOLE] = 5
    adjust_lr_fn: Annotated[
        Literal["original", "match_rms_adamw"] | None,
        Field(description="how the learning rate follows from a matrix's shape; original if null"),
    ] = None


Optimizer = Annotated[OptimizerParams, ByName(OptimizerParams, "optimizer", REFUSED)]
"""A field of this type takes `"adam"` or `{"name": "adam", "betas": [0.9, 0.99]}` and holds an `Adam`."""


def optimizers() -> tuple[type[OptimizerParams], ...]:
    """Return all optimizers, in the order of this file."""
    return tuple(OptimizerParams.__subclasses__())
