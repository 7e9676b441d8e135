"""Every function of the catalogue a second time, as a plain formula of mpmath's numbers, of any precision.

Written from the literature and not from the catalogue, in another form where there is one.
"""

from collections.abc import Callable
from typing import Any

from tests.unit.formulas import any_dimension, fixed_dimension, planar

FORMULAS: dict[str, Callable[..., Any]] = {
    **planar.FORMULAS,
    **fixed_dimension.FORMULAS,
    **any_dimension.FORMULAS,
}
