"""Both engines beside each other: every optimizer on every function, of many dimensions. Takes half an hour."""

import pytest

from tests.unit.test_fused import DTYPES, NAMES, assert_engines_agree, drawn, fusable_dims
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
