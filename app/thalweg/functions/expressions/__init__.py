"""A user's own formula as what is minimised: read from text, checked, and built into torch operations.

The way of a formula: its text is looked through (`text`), parsed and translated into a small tree (`grammar`,
`tree`), bound to a dimension (`binding`), which gives steps that compute in torch (`steps`), and these are an
objective (`objective`). No text is ever run as Python.
"""

from thalweg.functions.expressions.expression import ExpressionReference
from thalweg.functions.expressions.objective import ExpressionObjective

__all__ = ["ExpressionObjective", "ExpressionReference"]
