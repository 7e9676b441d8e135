"""Limits on formulas, which bound the time and memory that a text can cost."""

from typing import Final

MAX_LENGTH: Final = 4_000
"""Characters in a formula."""

MAX_TOKENS: Final = 1_500
"""Tokens in a formula: numbers, names, operators and brackets."""

MAX_DEPTH: Final = 40
"""Nesting of brackets, signs, powers and conditionals."""

MAX_DIGITS: Final = 40
"""Characters in a number."""

MAX_NAMES: Final = 100
"""Variables, and constants, of a formula."""

MAX_NAME_LENGTH: Final = 40
"""Characters in a name."""

MAX_EXPONENT: Final = 1_000.0
"""Absolute value of a constant exponent."""

MAX_WHOLE: Final = 1_000_000
"""Integers in indices and ranges, intermediate ones included."""

MAX_LOOPS: Final = 4
"""Nested loops."""

MAX_VALUES: Final = 1_000_000
"""Values computed per point."""
