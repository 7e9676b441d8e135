"""The limits of a service on a job; an error says how to get within them."""

from thalweg.errors import LimitExceeded
from thalweg.functions.networks.objective import NetworkObjective
from thalweg.settings import Limits
from thalweg.spec.function import check_dim
from thalweg.spec.job import JobSpec

MOST_ACCURACIES = 100
"""Runs of a job whose accuracy is part of the job's answer."""


def check_limits(spec: JobSpec, limits: Limits) -> None:
    """Check a job against all limits.

    Raises:
        LimitExceeded: The first limit that the job exceeds.
    """
    if spec.steps > limits.max_steps:
        raise LimitExceeded(
            f"{spec.steps} steps are over this service's limit of {limits.max_steps} (max_steps): use fewer steps",
            "steps",
        )
    if spec.n_runs > limits.max_starts:
        raise LimitExceeded(
            f"{spec.n_runs} starting points are over this service's limit of {limits.max_starts} "
            "(max_starts): spread them over several jobs",
            "init",
        )
    check_dim(spec.dim, spec.function, limits)
    _check_state(spec, limits)
    network = spec.network
    n_values = spec.n_runs * (spec.objective().n_values if network is None else network.n_step_values)
    if n_values > limits.max_evaluation_values:
        raise LimitExceeded(
            f"one evaluation at all {spec.n_runs} points makes about {n_values} numbers; this service's limit is "
            f"{limits.max_evaluation_values} (max_evaluation_values): spread the starts over several jobs, or make "
            "the function smaller",
            "init",
        )
    if network is not None:
        _check_all_samples(spec, network, limits)
    most_points = min(limits.max_recorded_points, limits.max_recorded_values // spec.entry_values)
    if n_recorded(spec.steps, spec.record_every) * spec.n_runs > most_points:
        raise _too_much_recorded(spec, most_points)
    if spec.records_losses and (spec.steps + 1) * spec.n_runs > limits.max_recorded_points:
        raise LimitExceeded(
            f"the losses of {spec.n_runs} runs at every one of {spec.steps} steps are over this service's limit of "
            f"{limits.max_recorded_points} (max_recorded_points): lower steps, or use fewer starts",
            "steps",
        )


def _check_state(spec: JobSpec, limits: Limits) -> None:
    optimizer = spec.optimizer
    n_points = spec.n_runs * spec.dim
    n_parts = len(spec.objective().matrix_shapes) if optimizer.matrices else 1
    # runs that share a batch share what is kept once for a tensor: a few values for all of them
    n_state = optimizer.state_values(n_points, spec.n_runs * n_parts if spec.coupled else 0)
    if n_points + n_state > limits.max_state_values:
        less = "" if optimizer.history is None else f" or the optimizer's {optimizer.history}"
        raise LimitExceeded(
            f"{spec.n_runs} points of {spec.dim} coordinates are {n_points} values, and the state of "
            f"{optimizer.name} takes up to {n_state} more; this service's limit is {limits.max_state_values} "
            f"(max_state_values): spread the starts over several jobs, or lower the dimension{less}",
            "init",
        )


def _check_all_samples(spec: JobSpec, network: NetworkObjective, limits: Limits) -> None:
    # accuracy and landscape evaluate a job with mini-batches on all samples, too
    n_together = 1 if network.classes is None else min(spec.n_runs, MOST_ACCURACIES)
    n_values = n_together * network.n_values
    if n_values > limits.max_evaluation_values:
        raise LimitExceeded(
            f"one evaluation of {n_together} runs on all {network.n_samples} samples makes about {n_values} "
            f"numbers; this service's limit is {limits.max_evaluation_values} (max_evaluation_values): take fewer "
            "samples or smaller layers",
            "function",
        )


def n_recorded(steps: int, record_every: int) -> int:
    """Return how many entries of a run of `steps` steps are recorded, the last one included."""
    return -(-steps // record_every) + 1


def _too_much_recorded(spec: JobSpec, most_points: int) -> LimitExceeded:
    recorded = n_recorded(spec.steps, spec.record_every) * spec.n_runs
    figures = (
        f"{spec.steps} steps from {spec.n_runs} starts with record_every {spec.record_every} make {recorded} "
        f"points of {spec.dim} coordinates; this service's limit is {most_points} "
        "(max_recorded_points, max_recorded_values)"
    )
    per_run = most_points // spec.n_runs
    if per_run < 2:
        return LimitExceeded(f"Too many points to record. Use fewer starts: {figures}", "init")
    enough = -(-spec.steps // (per_run - 1))
    return LimitExceeded(
        f"Too many points to record. Set record_every to {enough} or more, or use fewer starts: {figures}",
        "record_every",
    )
