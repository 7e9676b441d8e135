"""The fields of an optimizer, from the signature of its class."""

import inspect
import types
from collections.abc import Callable, Collection, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import torch
from pydantic import Field

from thalweg.optimizers.base import Flag
from thalweg.optimizers.parameters import Parameter
from thalweg.whole_numbers import WHOLE

_UNIONS: Final = frozenset({Union, types.UnionType})


def fields_of(
    optimizer_class: Callable[..., torch.optim.Optimizer],
    refused: Collection[str],
    described: Mapping[str, Parameter],
) -> dict[str, tuple[Any, Any]]:
    """Return type and default of each named parameter, as `pydantic.create_model` takes them.

    Args:
        optimizer_class: The class; its first parameter is the tensors that it moves.
        refused: Parameters to leave out.
        described: Meaning and bounds of the parameters.

    Raises:
        TypeError: A parameter is not described, or its type cannot be written as JSON.
    """
    _, *signature = inspect.signature(optimizer_class, eval_str=True).parameters.values()
    fields = {}
    for parameter in signature:
        name = parameter.name
        if name in refused or parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            continue
        if name not in described:
            raise TypeError(
                f"{name} of {optimizer_class.__qualname__} is not described: add it to PARAMETERS, or pass what "
                "the class means by it as its own"
            )
        try:
            # None, or a tensor, for a rate means nothing to a job, which always has one
            of_type = float if name == "lr" else parameter.annotation
            annotation = _annotated(of_type, parameter.default, described[name])
        except TypeError as error:
            raise TypeError(f"{name} of {optimizer_class.__qualname__}: {error}") from error
        # a job has one learning rate, and it stands beside its optimizer
        excluded = True if name == "lr" else None
        fields[name] = (
            annotation,
            Field(parameter.default, description=described[name].description, exclude=excluded),
        )
    return fields


def _annotated(annotation: Any, default: Any, parameter: Parameter) -> Any:
    if get_origin(annotation) in _UNIONS and isinstance(default, tuple):
        # one name for tuples of several lengths: the class takes the length of its default
        annotation = next((each for each in get_args(annotation) if _fits(each, default)), annotation)
    if get_origin(annotation) is not tuple:
        return _bounded(annotation, parameter.bounds, parameter.choices)
    members = get_args(annotation)
    bounds = parameter.bounds_of or (parameter.bounds,) * len(members)
    bounded = (_bounded(each, own, parameter.choices) for each, own in zip(members, bounds, strict=True))
    return types.GenericAlias(tuple, tuple(bounded))


def _fits(annotation: Any, default: tuple[Any, ...]) -> bool:
    members = get_args(annotation)
    return len(members) == len(default) and all(
        (member in {None, types.NoneType}) == (value is None)
        for member, value in zip(members, default, strict=True)
    )


def _bounded(annotation: Any, bounds: Mapping[str, float] | None, choices: tuple[str, ...]) -> Any:
    """Return the annotation of a number, a flag or a text, made strict and bounded."""
    limits: dict[str, Any] = dict(bounds or {})
    if get_origin(annotation) in _UNIONS:
        members = (each for each in get_args(annotation) if each is not torch.Tensor)
        return reduce(or_, (_bounded(each, bounds, choices) for each in members))
    if annotation is bool:
        return Flag
    if annotation is int:
        return Annotated[int, Field(strict=True, **limits), WHOLE]
    if annotation is float:
        return Annotated[float, Field(strict=True, allow_inf_nan=False, **limits)]
    if annotation is str and choices:
        return Literal[choices]
    if get_origin(annotation) is Literal or annotation is types.NoneType:
        return annotation
    raise TypeError(f"{annotation} is neither a number, nor a flag, nor a text with choices")
