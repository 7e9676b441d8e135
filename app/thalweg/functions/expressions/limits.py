"""What a formula may be at most, so that no text takes more than a set time or memory."""

from typing import Final

MAX_LENGTH: Final = 4_000
"""Characters of a formula."""

MAX_TOKENS: Final = 1_500
"""Numbers, names, operators and brackets."""

MAX_DEPTH: Final = 40
"""Brackets, signs, powers and conditionals within each other."""

MAX_DIGITS: Final = 40
"""Characters of a number."""

MAX_NAMES: Final = 100
"""Variables, and constants."""

MAX_NAME_LENGTH: Final = 40
"""Characters of a name."""

MAX_EXPONENT: Final = 1_000.0
"""A constant exponent's size."""

MAX_WHOLE: Final = 1_000_000
"""An index, the end of a range, and every whole number on the way to these."""

MAX_LOOPS: Final = 4
"""Loops within each other."""

MAX_VALUES: Final = 1_000_000
"""Numbers that one evaluation at one point makes."""

MAX_TRACED_VALUES: Final = 1_000
"""Numbers of one evaluation that are still compiled as single ones, without a loop."""
