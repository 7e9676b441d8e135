"""What an objective needs in memory, and how much work it is."""

import numpy as np
import torch

from thalweg.spec.job import JobSpec


def prepare(spec: JobSpec, scratch: np.ndarray) -> np.ndarray | None:
    """Fill in what a job's objective expects in its scratch memory: of a network, where the samples are.

    Args:
        spec: The job.
        scratch: The memory, aligned for vectors.

    Returns:
        Memory that must be kept as long as the scratch memory; None for no such memory.
    """
    if (network := spec.network) is None:
        return None
    problem = network.native(getattr(torch, spec.dtype)).problem
    return problem.prepare(scratch, draws=network.draws_batches)


def nanoseconds_of_step(spec: JobSpec) -> int:
    """Return roughly how long an evaluation in a step takes, which may be on a mini-batch."""
    return spec.objective().n_values if spec.network is None else spec.network.step_nanoseconds
