"""Integers in requests: 5, and as JSON Schema's `integer` allows, also 5.0 and 1e3."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from thalweg.errors import InvalidInput

LARGEST_EXACT = 2**53 - 1
"""The largest integer that JSON readers with double precision, such as JavaScript, represent exactly."""

_WRITTEN_AS_REAL = re.compile(r"[+-]?[0-9]{1,20}(?=[.eE])(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written_whole(value: Any) -> Any:
    return _whole(float(value)) if isinstance(value, str) and _WRITTEN_AS_REAL.fullmatch(value) else value


def _exact(seed: int) -> int:
    if seed > LARGEST_EXACT:
        raise InvalidInput(
            f"a seed is at most {LARGEST_EXACT} (2^53 - 1): many JSON readers, JavaScript among them, round larger "
            "integers"
        )
    return seed


WHOLE = BeforeValidator(_whole)
"""Lets a strict int field accept 5.0 as 5. Place it last among the annotations."""

WRITTEN_WHOLE = BeforeValidator(_written_whole)
"""Lets an int query parameter accept 1e3 as 1000, as R writes it. Place it last among the annotations."""

EXACT = AfterValidator(_exact)
"""Rejects a seed that some JSON readers would round."""

Seed = Annotated[int, Field(strict=True, ge=0, json_schema_extra={"maximum": LARGEST_EXACT}), EXACT, WHOLE]
