"""The optimizers of the package pytorch_optimizer, where it is installed.

What a signature does not say stands in `zoo.toml`. Names that torch has too begin with `zoo` here: torch's keep
their names, and what `adamax` means does not depend on what is installed.
"""

import importlib
import importlib.metadata
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.family import Family
from thalweg.optimizers.parameters import Parameter

PACKAGE: Final = "pytorch_optimizer"
VERSION: Final = "4.1.0"
_DESCRIBED: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
_BOUNDS: Final = ("ge", "gt", "le", "lt")


def missing() -> str | None:
    """Return why there are no optimizers of this family, as the rest of a sentence; None if there are."""
    try:
        found = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        found = None
    if found == VERSION:
        return None
    there_is = "which is not installed" if found is None else f"and {found} is installed"
    return f"it is of {PACKAGE} {VERSION}, {there_is}: install thalweg[zoo]"


def _refused_optimizers(reason: str | None) -> dict[str, str]:
    never = {name.lower(): why for name, why in _DESCRIBED["refused_optimizers"].items()}
    return never if reason is None else {**never, **{name.lower(): reason for name in _DESCRIBED["optimizers"]}}


def _parameters(described: Mapping[str, Mapping[str, Any]]) -> dict[str, Parameter]:
    return {name: _parameter(**facts) for name, facts in described.items()}


def _parameter(
    description: str,
    other: Any = None,
    choices: tuple[str, ...] = (),
    bounds_of: tuple[Any, ...] = (),
    **bounds: float,
) -> Parameter:
    if unknown := bounds.keys() - set(_BOUNDS):
        raise TypeError(f"a parameter has no {unknown.pop()}")
    return Parameter(
        description,
        tuple(other) if isinstance(other, list) else other,
        bounds or None,
        tuple(bounds_of),
        tuple(choices),
    )


FAMILY: Final = Family(
    "zoo",
    package=PACKAGE,
    module=__name__,
    docs="https://pytorch-optimizers.readthedocs.io/en/stable/optimizer/#pytorch_optimizer.{}",
    licence="Apache-2.0",
    refused={
        **dict.fromkeys(
            ("foreach", "fused"),
            "chooses how the package computes, not what: the class's own choice holds. Leave it out",
        ),
        **_DESCRIBED["refused"],
    },
    refused_optimizers=_refused_optimizers(missing()),
    parameters=_parameters(_DESCRIBED["parameters"]),
)


def _add(called: str, facts: Mapping[str, Any]) -> type[OptimizerParams]:
    given = dict(facts)
    return FAMILY.add(
        getattr(importlib.import_module(PACKAGE), given.pop("class", called)),
        called=called,
        own=_parameters(given.pop("own", {})),
        brief=True,
        **given,
    )


if missing() is None:
    # pickle looks a class up by its name in its module
    globals().update({name: _add(name, facts) for name, facts in _DESCRIBED["optimizers"].items()})
