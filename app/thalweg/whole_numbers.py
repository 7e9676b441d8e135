"""Whole numbers in what clients send: 5, and as JSON Schema's `integer` has it, 5.0 and 1e3, too."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from thalweg.errors import InvalidInput

LARGEST_EXACT = 2**53 - 1
"""The largest whole number that readers of JSON tell from its neighbours, JavaScript's among them."""

_WRITTEN_AS_REAL = re.compile(r"[+-]?[0-9]{1,20}(?=[.eE])(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written_whole(value: Any) -> Any:
    return _whole(float(value)) if isinstance(value, str) and _WRITTEN_AS_REAL.fullmatch(value) else value


def _exact(seed: int) -> int:
    if seed > LARGEST_EXACT:
        raise InvalidInput(
            f"a seed is at most {LARGEST_EXACT}, 2^53 - 1: many readers of JSON, JavaScript's among them, change "
            "whole numbers beyond it"
        )
    return seed


WHOLE = BeforeValidator(_whole)
"""Makes a strict int of a model take 5.0 for 5; it comes last."""

WRITTEN_WHOLE = BeforeValidator(_written_whole)
"""Makes an int of a query take 1e3 for 1000, as R writes it; it comes last."""

EXACT = AfterValidator(_exact)
"""Refuses a seed that JSON does not carry to every reader as it is, with the reason."""

Seed = Annotated[int, Field(strict=True, ge=0, json_schema_extra={"maximum": LARGEST_EXACT}), EXACT, WHOLE]
