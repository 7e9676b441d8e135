"""Formulas of clients as objectives: checked, parsed, and built from torch operations.

The text is scanned (`text`), parsed and translated to a small tree (`grammar`, `tree`), and bound to a dimension
(`binding`), which yields steps computed in torch (`steps`) for the objective (`objective`). The text is never
executed as Python.
"""

from thalweg.functions.expressions.expression import ExpressionReference
from thalweg.functions.expressions.objective import ExpressionObjective

__all__ = ["ExpressionObjective", "ExpressionReference"]
