"""Both engines beside each other: every optimizer on every function, of many dimensions. Takes half an hour."""

from typing import Any

import pytest

from tests.unit.driving import name_of
from tests.unit.test_fused import DTYPES, FUSED, NAMES, assert_engines_agree, drawn, fusable_dims
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction

every_function = pytest.mark.parametrize("entry", catalogue.functions(), ids=lambda entry: entry.name)


@every_function
@pytest.mark.parametrize("optimizer", NAMES)
def test_every_optimizer_on_every_function(optimizer: str, entry: CatalogueFunction) -> None:
    for dtype in DTYPES:
        assert_engines_agree(**drawn(entry, None, 2), optimizer=optimizer, dtype=dtype, steps=60)


@every_function
def test_every_function_of_every_dimension(entry: CatalogueFunction) -> None:
    for dim in fusable_dims(entry, range(1, 17)):
        for optimizer in ("adam", "rprop"):
            for dtype in DTYPES:
                assert_engines_agree(**drawn(entry, dim, 3), optimizer=optimizer, dtype=dtype, steps=40)


@pytest.mark.parametrize(
    ("entry", "dim"),
    [
        pytest.param(entry, wanted[0], id=f"{entry.name}-{wanted[0]}")
        for entry in catalogue.functions()
        for dim in (17, 64, 257, 1000)
        if entry.dim is None and (wanted := fusable_dims(entry, range(dim, dim + 4)))
    ],
)
def test_every_function_of_many_coordinates(entry: CatalogueFunction, dim: int) -> None:
    for place, dtype in enumerate(DTYPES):
        optimizer = FUSED[(catalogue.names().index(entry.name) + dim + place) % len(FUSED)]
        assert_engines_agree(**drawn(entry, dim, 2), optimizer=optimizer, dtype=dtype, steps=20)


@pytest.mark.parametrize("optimizer", FUSED, ids=name_of)
def test_every_optimizer_on_many_coordinates(optimizer: dict[str, Any]) -> None:
    for dim, dtype in ((50, "float64"), (300, "float32"), (10_000, "float64")):
        fields = drawn(catalogue.get("rosenbrock"), dim, 2)
        assert_engines_agree(**fields, optimizer=optimizer, dtype=dtype, steps=150, clip_grad_norm=1e3)


@every_function
def test_loops_for_every_function(entry: CatalogueFunction) -> None:
    """A coupled optimizer's kernel has loops for few coordinates too."""
    for dtype in DTYPES:
        fields = drawn(entry, None, 3)
        assert_engines_agree(**fields, optimizer={"name": "adafactor", "lr": 0.1}, dtype=dtype, steps=40)
