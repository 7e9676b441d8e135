"""The fields of an optimizer, from the signature of its class."""

import inspect
import types
from collections.abc import Callable, Collection, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import torch
from pydantic import Field

from thalweg.optimizers.base import Flag
from thalweg.optimizers.parameters import Parameter
from thalweg.whole_numbers import WHOLE


def fields_of(
    optimizer_class: Callable[..., torch.optim.Optimizer],
    refused: Collection[str],
    described: Mapping[str, Parameter],
) -> dict[str, tuple[Any, Any]]:
    """Return type and default of each parameter by name, as `pydantic.create_model` takes them.

    Args:
        optimizer_class: The class; its first parameter is what it moves.
        refused: Parameters to leave out.
        described: What the parameters mean.

    Raises:
        TypeError: A parameter is not described, or its type is none that JSON has.
    """
    _, *signature = inspect.signature(optimizer_class, eval_str=True).parameters.values()
    fields = {}
    for parameter in signature:
        name = parameter.name
        if name in refused:
            continue
        if name not in described:
            raise TypeError(
                f"{name} of {optimizer_class.__qualname__} is not described: add it to PARAMETERS, or pass what "
                "the class means by it as its own"
            )
        try:
            annotation = _annotated(parameter.annotation, described[name])
        except TypeError as error:
            raise TypeError(f"{name} of {optimizer_class.__qualname__}: {error}") from error
        # a job has one learning rate, and it stands beside its optimizer
        excluded = True if name == "lr" else None
        fields[name] = (
            annotation,
            Field(parameter.default, description=described[name].description, exclude=excluded),
        )
    return fields


def _annotated(annotation: Any, parameter: Parameter) -> Any:
    if get_origin(annotation) is not tuple:
        return _bounded(annotation, parameter.bounds, parameter.choices)
    members = get_args(annotation)
    bounds = parameter.bounds_of or (parameter.bounds,) * len(members)
    bounded = (_bounded(each, own, parameter.choices) for each, own in zip(members, bounds, strict=True))
    return types.GenericAlias(tuple, tuple(bounded))


def _bounded(annotation: Any, bounds: Mapping[str, float] | None, choices: tuple[str, ...]) -> Any:
    """Return the type of a number, a flag or a text, strict and bounded, for what a class says that it takes."""
    limits: dict[str, Any] = dict(bounds or {})
    if get_origin(annotation) in {Union, types.UnionType}:
        members = (each for each in get_args(annotation) if each is not torch.Tensor)
        return reduce(
            or_, (each if each is types.NoneType else _bounded(each, bounds, choices) for each in members)
        )
    if annotation is bool:
        return Flag
    if annotation is int:
        return Annotated[int, Field(strict=True, **limits), WHOLE]
    if annotation is float:
        return Annotated[float, Field(strict=True, allow_inf_nan=False, **limits)]
    if annotation is str and choices:
        return Literal[choices]
    raise TypeError(f"{annotation} is no number, no flag, and no text among choices")
