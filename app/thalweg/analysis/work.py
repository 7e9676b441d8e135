"""The limit on what is computed while a client waits for the answer."""

from thalweg.errors import LimitExceeded
from thalweg.functions.base import Objective
from thalweg.settings import Limits


def check_work(objective: Objective, n_points: int, limits: Limits, *path: str) -> int:
    """Check that evaluating `n_points` points is within the limits; return about how many numbers that computes.

    Args:
        objective: The function.
        n_points: Evaluations asked for.
        limits: Those of this service.
        path: Leads to the field that sets `n_points`, for the error.

    Raises:
        LimitExceeded: The points would take too long, or a single one too much memory.
    """
    if objective.n_values > limits.max_evaluation_values:
        raise LimitExceeded(
            f"one evaluation of this function makes about {objective.n_values} numbers; this service's limit is "
            f"{limits.max_evaluation_values} (max_evaluation_values): make the function smaller",
            *path,
        )
    n_values = n_points * objective.n_values
    if n_values > limits.max_request_values:
        raise LimitExceeded(
            f"{n_points} points of this function take about {n_values} numbers to compute; this service's limit is "
            f"{limits.max_request_values} (max_request_values): ask for fewer points",
            *path,
        )
    return n_values
