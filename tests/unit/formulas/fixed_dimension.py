from collections.abc import Callable
from typing import Any

FORMULAS: dict[str, Callable[..., Any]] = {}
