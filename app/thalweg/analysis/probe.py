"""What optimizers do, measured: whether they couple runs, how much they keep, and whether they fuse.

`make probe` measures every optimizer of the catalogue and writes the records beside the families. Each is tried
with its defaults, with another value of each parameter alone and of all together, and with its family's own
variants; what fails for one of them does not hold for the optimizer.
"""

import math
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import numpy as np
import torch
from pydantic import ValidationError

from thalweg.engine.eager.loop import TorchLoop
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.definitions import is_lbfgs
from thalweg.engine.fused.frontend.trace import trace
from thalweg.engine.fused.frontend.wide_trace import trace_updates
from thalweg.engine.raised import Raised
from thalweg.engine.start import start
from thalweg.errors import InvalidInput
from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.catalogue import FAMILIES
from thalweg.optimizers.check import check
from thalweg.optimizers.family import Family
from thalweg.optimizers.record import Growth, Memory, Record, Records
from thalweg.spec.job import JobSpec

_HIMMELBLAU: Final = {
    "function": "himmelblau",
    # two vectors and a half of float64, one and a quarter of float32; the last start diverges under many optimizers
    "init": [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0], [1.3, -2.7], [1e4, -3e5]],
}
_FUNCTIONS: Final = (
    _HIMMELBLAU,
    {"function": "rosenbrock", "init": [[-1.2, 1.0, 0.5], [0.3, -0.8, 2.0], [40.0, -3.0, 7.0]]},
    {"function": "rastrigin", "init": [[0.7, -1.9], [3.1, 2.2], [-0.4, 5.0], [0.0, 0.1]]},
)

_LINE: Final = {"function": {"name": "rastrigin", "dim": 1}, "init": [[0.7], [-3.1], [40.0], [0.0], [2.5]]}

# more coordinates than runs are side by side for, and none of the whole vectors
_WIDE: Final = {"function": {"name": "rosenbrock", "dim": 37}, "init": {"random": 2, "seed": 3}}

_ROW_STEPS: Final = 30

_MEMORY_STEPS: Final = 8
_SIZES: Final = (2, 5, 9)
_HISTORIES: Final = (2, 4)

_FUSED_STEPS: Final = 200


def probed(optimizer: type[OptimizerParams], *, thorough: bool = True) -> Record:
    """Return what is measured of an optimizer; see `unfused` for `thorough`."""
    coupled = couples(optimizer)
    found = _fusing(optimizer, coupled=coupled, thorough=thorough)
    return Record(coupled=coupled, unfused=found.unfused, memory=memory(optimizer), inputs=found.inputs)


def _fusing(optimizer: type[OptimizerParams], *, coupled: bool, thorough: bool) -> Record:
    """Return a record that is true of how an optimizer fuses: with as many inputs as possible."""
    with _assumed(optimizer, coupled=coupled):
        with_inputs = not (optimizer.closure or optimizer.matrices or optimizer.brief)
        tried = [inputs(optimizer), ()] if with_inputs else [()]
        for each in tried:
            with _assumed(optimizer, inputs=each):
                reason = unfused(optimizer, coupled=coupled, thorough=thorough)
                found = optimizer.record.model_copy(update={"unfused": reason})
            if reason is None:
                break
    return found


@contextmanager
def _assumed(optimizer: type[OptimizerParams], **facts: Any) -> Iterator[None]:
    """Take facts for recorded while they are tried."""
    before = optimizer.record
    optimizer.record = before.model_copy(update=facts)
    try:
        yield
    finally:
        optimizer.record = before


def inputs(optimizer: type[OptimizerParams]) -> tuple[str, ...]:
    """Return the parameters, beside the learning rate, whose numbers can be symbols in a trace of the step."""
    candidates = [name for name, value in optimizer.others.items() if name != "lr" and _is_of_numbers(value)]
    return tuple(
        name for name in candidates if _is_read_by_the_step(optimizer, name) and _is_traced(optimizer, name)
    )


def _is_of_numbers(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, tuple) and all(isinstance(each, float) for each in value))


def _is_read_by_the_step(optimizer: type[OptimizerParams], parameter: str) -> bool:
    """Return whether the class only keeps a parameter, and makes nothing of it before the first step."""
    point = torch.ones(2, dtype=torch.float64, requires_grad=True)
    states = []
    for each in _allowed(optimizer, {}, {parameter: optimizer.others[parameter]}, *optimizer.variants):
        built = each.build([point])
        kept = built.param_groups[0].get(parameter)
        states.append([built.state[point], kept == getattr(each, parameter)])
    return all(kept and str(state) == str(states[0][0]) for state, kept in states)


def _is_traced(optimizer: type[OptimizerParams], parameter: str) -> bool:
    with _assumed(optimizer, inputs=(parameter,)):
        try:
            for each in _allowed(optimizer, {parameter: optimizer.others[parameter]}, *optimizer.variants):
                spec = JobSpec.model_validate({**_HIMMELBLAU, "optimizer": each, "steps": 1})
                (trace_updates if spec.wide else trace)(spec)
        except Exception:  # noqa: BLE001 a package's code may raise anything when it is traced
            return False
    return True


def variants(optimizer: type[OptimizerParams]) -> Iterator[OptimizerParams]:
    """Yield an optimizer with its defaults, another value of each parameter, of all, and its own variants."""
    others = optimizer.others
    yield from _allowed(optimizer, {}, *({name: value} for name, value in others.items()))
    yield from _allowed(optimizer, others, *optimizer.variants)


def _allowed(optimizer: type[OptimizerParams], *arguments: Mapping[str, Any]) -> Iterator[OptimizerParams]:
    for each in arguments:
        # what its rule or its class forbids is left out; a family's own variants then have what is allowed
        with suppress(ValidationError, InvalidInput):
            params = optimizer.model_validate(each)
            check(params)
            yield params


def couples(optimizer: type[OptimizerParams]) -> bool:
    """Return whether the update of one row depends on the others: whether any row differs from its single run."""
    if optimizer.matrices or optimizer.whole:  # rows of points are no matrices of a point
        return True
    return not all(
        _rows_are_single_runs(JobSpec.model_validate({**function, "optimizer": each, "dtype": dtype, "steps": 1}))
        for function, each in _tried_in_rows(optimizer)
        for dtype in ("float64", "float32")
    )


def _tried_in_rows(optimizer: type[OptimizerParams]) -> Iterator[tuple[Mapping[str, Any], OptimizerParams]]:
    yield from ((_HIMMELBLAU, each) for each in variants(optimizer))
    defaults = optimizer.model_validate({})
    yield from ((function, defaults) for function in (*_FUNCTIONS[1:], _LINE))


def _rows_are_single_runs(spec: JobSpec) -> bool:
    starts = torch.from_numpy(spec.starts())
    runs = np.arange(spec.n_runs)
    together = TorchLoop(spec, runs, starts.clone())
    alone = [TorchLoop(spec, runs[i : i + 1], starts[i].clone()) for i in runs]
    for step in range(_ROW_STEPS):
        if step == _ROW_STEPS // 2:
            together.keep(runs[::2])
            alone = alone[::2]
        raised = _raised_by(together, step)
        if any(_raised_by(single, step) != raised for single in alone):
            return False
        if raised is not None:
            break
        if not all(
            _same(together.entry.x[row], single.entry.x) and _same(together.entry.f[row], single.entry.f)
            for row, single in enumerate(alone)
        ):
            return False
    return True


def _raised_by(loop: TorchLoop, step: int) -> str | None:
    try:
        loop.advance(step)
    except Raised as error:
        return str(error)
    return None


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return _same_bits(one.numpy(), other.numpy())


def _same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two arrays are equal, the sign of zero included; one NaN is like another."""
    equal = (one == other) & (np.signbit(one) == np.signbit(other))
    return bool(np.all(equal | (np.isnan(one) & np.isnan(other))))


def memory(optimizer: type[OptimizerParams]) -> Memory:
    """Return the most values that an optimizer's state was found to take.

    Raises:
        ValueError: They grow faster than in proportion to the coordinates.
    """
    if optimizer.history is None:
        growth = _growth([(size, _state_values(optimizer, size)) for size in _SIZES])
        return Memory(**growth.model_dump())
    few, many = _HISTORIES
    less, more = (
        _growth([(size, _state_values(optimizer, size, {optimizer.history: history})) for size in _SIZES])
        for history in _HISTORIES
    )
    per_history = Growth(
        per_coordinate=math.ceil((more.per_coordinate - less.per_coordinate) / (many - few)),
        per_tensor=math.ceil((more.per_tensor - less.per_tensor) / (many - few)),
    )
    return Memory(
        per_coordinate=less.per_coordinate - few * per_history.per_coordinate,
        per_tensor=less.per_tensor - few * per_history.per_tensor,
        per_history=per_history,
    )


def _growth(found: Sequence[tuple[int, int]]) -> Growth:
    """Return the lowest line above points of size and number of values, as steep as the last two are."""
    *_, (size, n_values), (last_size, last) = found
    per_coordinate = math.ceil((last - n_values) / (last_size - size))
    per_tensor = max(n_values - size * per_coordinate for size, n_values in found)
    if per_tensor < 0:
        raise ValueError(f"the values of its state grow faster than its coordinates: {found}")
    return Growth(per_coordinate=per_coordinate, per_tensor=per_tensor)


def _state_values(optimizer: type[OptimizerParams], size: int, arguments: Mapping[str, Any] | None = None) -> int:
    """Return the most values in the state of any variant, in its first steps on `size` coordinates."""
    return max(_most_values(each.model_copy(update=dict(arguments or {})), size) for each in variants(optimizer))


def _most_values(params: OptimizerParams, size: int) -> int:
    points = torch.linspace(-1, 1, size, dtype=torch.float64)
    point = (points.reshape(-1, 1) if params.matrices else points).requires_grad_()
    built = params.build([point])

    def evaluate() -> Any:
        flat = point.flatten()
        f = ((1 - flat) ** 2).sum() + 100 * ((flat[1:] - flat[:-1] ** 2) ** 2).sum()
        (point.grad,) = torch.autograd.grad(f, point)
        return f.detach()

    most = 0
    for _ in range(_MEMORY_STEPS):
        evaluate()
        built.step(evaluate)
        most = max(most, _n_values(built.state) + _n_values(_kept_in(built.param_groups[0], params)))
    return most


def _kept_in(group: Mapping[str, Any], params: OptimizerParams) -> dict[str, Any]:
    """Return the entries of a parameter group that nobody gave."""
    return {name: value for name, value in group.items() if name not in {"params", *params.arguments}}


def _n_values(state: Any) -> int:
    match state:
        case torch.Tensor():
            return state.numel()
        case Mapping():
            return sum(map(_n_values, state.values()))
        case list() | tuple() | deque():
            return sum(map(_n_values, state))
        case bool():
            return 0
        case int() | float():
            return 1
    return 0


def unfused(optimizer: type[OptimizerParams], *, coupled: bool, thorough: bool = True) -> str | None:
    """Return why the fused engine cannot run an optimizer, as the predicate of a sentence.

    None if it gave the digits of the optimizer's own loop, whenever it was tried: on three functions, and with
    other values of all parameters; if `thorough`, also with another value of each alone, and in float32.
    """
    is_defined = is_lbfgs(optimizer)
    if optimizer.closure and not is_defined:
        return "evaluates the function within a step, as often as it sees fit"
    if optimizer.matrices:
        return "moves whole matrices, and the fused engine single coordinates"
    with _assumed(optimizer, coupled=coupled):
        for function, params in (*_tried_fused(optimizer), *(_tried_further(optimizer) if thorough else ())):
            spec = JobSpec.model_validate({**function, "optimizer": params, "steps": _FUSED_STEPS})
            if (reason := _differs(spec)) is not None:
                return reason
    return None


def _tried_fused(optimizer: type[OptimizerParams]) -> Iterator[tuple[Mapping[str, Any], OptimizerParams]]:
    # a kernel takes a fifth of a second to compile: not every variant on every function
    defaults = optimizer.model_validate({})
    yield from ((function, defaults) for function in (*_FUNCTIONS, _WIDE))
    yield from ((_HIMMELBLAU, each) for each in _allowed(optimizer, optimizer.others, *optimizer.variants))


def _tried_further(optimizer: type[OptimizerParams]) -> Iterator[tuple[Mapping[str, Any], OptimizerParams]]:
    others = ({name: value} for name, value in optimizer.others.items())
    yield from ((_HIMMELBLAU, each) for each in _allowed(optimizer, *others))
    single = {**_HIMMELBLAU, "dtype": "float32"}
    yield from ((single, each) for each in _allowed(optimizer, {}, optimizer.others, *optimizer.variants))


def _differs(spec: JobSpec) -> str | None:
    try:
        fused = start(spec, "fused").advance(spec.steps)
    except Exception as error:  # noqa: BLE001 a package's code may raise anything when it is traced
        return f"cannot be traced: {next(iter(str(error).splitlines()), type(error).__name__)}"
    eager = EagerRun(spec).advance(spec.steps)
    if np.array_equal(fused.n_valid, eager.n_valid) and all(
        _same_bits(fused.x[row, :n], eager.x[row, :n]) and _same_bits(fused.f[row, :n], eager.f[row, :n])
        for row, n in enumerate(eager.n_valid)
    ):
        return None
    return "has other digits when it is traced"


def write(family: Family) -> None:
    """Probe a family, and write the records beside it."""
    records = Records(
        package=family.package,
        version=family.version,
        optimizers={cls.model_fields["name"].default: probed(cls) for cls in family.optimizers},
    )
    family.record_path.write_text(records.model_dump_json(indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asked = sys.argv[1:]
    for each in FAMILIES:
        if not asked or each.name in asked:
            write(each)
