"""What an optimizer keeps from step to step, wherever it keeps it, as values that a checkpoint can hold.

Torch's own keep it in the state of each parameter and in the numbers of the parameter group. Others also have
entries of the state that belong to no parameter, and attributes of the optimizer itself.
"""

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import torch

_SCALARS: Final = (bool, int, float, str, type(None))
_QUEUE: Final = "deque"


def state_of(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return what the optimizer keeps; `restore` takes it."""
    group = optimizer.param_groups[0]
    return {
        "optimizer": [{k: _saved(v) for k, v in optimizer.state[part].items()} for part in group["params"]],
        "group": _plain_entries(group),
        "of_all": _plain_entries(optimizer.state),
        "attributes": {name: value for name, value in vars(optimizer).items() if type(value) in {int, float}},
    }


def restore(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Give a new optimizer what another kept.

    `load_state_dict` would cast the float32 tensors of NAdam and ASGD to the parameter's dtype, and a resumed run
    would differ from an uninterrupted one.
    """
    group = optimizer.param_groups[0]
    for part, saved in zip(group["params"], state["optimizer"], strict=True):
        optimizer.state[part] = {name: _read(value) for name, value in saved.items()}
    group.update(state["group"])
    # checkpoints of earlier releases have neither
    optimizer.state.update(state.get("of_all", {}))
    vars(optimizer).update(state.get("attributes", {}))


def rows(kept: Any, index: torch.Tensor, whole: torch.Size) -> Any:
    """Return the state of some rows; only tensors of the shape `whole` have rows."""
    match kept:
        case torch.Tensor():
            return kept[index] if kept.shape == whole else kept
        case dict():
            return {name: rows(value, index, whole) for name, value in kept.items()}
        case deque():
            return deque((rows(value, index, whole) for value in kept), kept.maxlen)
        case list() | tuple():
            return type(kept)(rows(value, index, whole) for value in kept)
    return kept


def _saved(value: Any) -> Any:
    # torch reads no queue back from a file that it does not trust
    return {_QUEUE: list(value), "maxlen": value.maxlen} if isinstance(value, deque) else value


def _read(value: Any) -> Any:
    return deque(value[_QUEUE], value["maxlen"]) if isinstance(value, dict) and _QUEUE in value else value


def _plain_entries(entries: Mapping[Any, Any]) -> dict[str, Any]:
    # the others are the parameters, and what never changes, such as functions
    return {
        name: value
        for name, value in entries.items()
        if isinstance(name, str) and name != "params" and _plain(value)
    }


def _plain(value: Any) -> bool:
    match value:
        case Enum():
            return False
        case torch.Tensor():
            return True
        case dict():
            return all(_plain(each) for each in value.values())
        case list() | tuple() | deque():
            return all(map(_plain, value))
    return isinstance(value, _SCALARS)
