"""What an optimizer keeps from step to step, as far as a trace has to carry it, by name.

Torch's own keep tensors in the state of the parameter. Others also keep numbers there, in the parameter group, or
in the state of all parameters: a step count above all. A number that a trace did not carry would be frozen into it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import torch

from thalweg.engine.fused.frontend.program import Untraceable

_NUMBERS: Final = (int, float, torch.SymInt, torch.SymFloat)
# names are names in LLVM's assembly too
_OF_PARAMETER, _OF_GROUP, _OF_ALL = "", "group.", "all."
_SEPARATOR: Final = "$"
_NUMBER: Final = "$number"


class Kept:
    """What one optimizer of one parameter keeps.

    A name is the key of an entry in the parameter's state, as it is, or says where else the entry is; `$` leads
    into a dictionary, and `$number` ends the name of a number of Python's. Only what a step changes counts in a
    group: the rest is given to the class.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._group = optimizer.param_groups[0]
        (self._parameter,) = self._group["params"]
        self._given = dict(self._leaves(_OF_GROUP, self._group))
        self._put: set[str] = set()
        self._step = f"{_OF_GROUP}step{_NUMBER}"

    def put(self, names: Sequence[str], tensors: Sequence[torch.Tensor]) -> None:
        """Give the optimizer what it kept before."""
        for name, tensor in zip(names, tensors, strict=True):
            entries, key = self._place(name.removesuffix(_NUMBER))
            entries[key] = tensor.item() if name.endswith(_NUMBER) else tensor.clone()
            self._put.add(name)

    @property
    def steps(self) -> Any:
        """The number of steps that it has counted in the group; None if it has not."""
        return self._group.get("step") if self._step in self._put else None

    def taken(self) -> dict[str, Any]:
        """Return what the optimizer keeps now: tensors and numbers.

        Raises:
            Untraceable: It changes its learning rate, or keeps what is neither.
        """
        state: Mapping[Any, Any] = self._optimizer.state
        of_all = {key: value for key, value in state.items() if isinstance(key, str)}
        found = dict(self._leaves(_OF_PARAMETER, state[self._parameter]))
        found |= dict(self._leaves(_OF_ALL, of_all))
        found |= {
            name: value for name, value in self._leaves(_OF_GROUP, self._group) if self._is_changed(name, value)
        }
        return found

    def _is_changed(self, name: str, value: Any) -> bool:
        if name in self._put:
            return True
        given = self._given.get(name)
        if given is value or (type(given) in {int, float} and type(value) is type(given) and given == value):
            return False
        if name == f"{_OF_GROUP}lr{_NUMBER}":
            raise Untraceable("changes its own learning rate")
        return True

    def _place(self, name: str) -> tuple[Any, Any]:
        entries: Any = self._optimizer.state[self._parameter]
        if name.startswith(_OF_GROUP):
            entries, name = self._group, name.removeprefix(_OF_GROUP)
        elif name.startswith(_OF_ALL):
            entries, name = self._optimizer.state, name.removeprefix(_OF_ALL)
        *outer, key = map(_key, name.split(_SEPARATOR))
        for each in outer:
            entries = entries.setdefault(each, {})
        return entries, key

    def _leaves(self, prefix: str, entries: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in entries.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict):
                yield from self._leaves(f"{name}{_SEPARATOR}", value)
            elif isinstance(value, torch.Tensor):
                yield name, value
            elif isinstance(value, _NUMBERS) and not isinstance(value, bool):
                yield f"{name}{_NUMBER}", value


def _key(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
