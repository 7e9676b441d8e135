"""The accuracy of a network under training."""

import numpy as np
import torch

from thalweg.analysis.derivatives import points_together
from thalweg.cancellation import check_wanted
from thalweg.spec.job import JobSpec


def accuracy(spec: JobSpec, points: np.ndarray) -> np.ndarray | None:
    """Return the share of its data that a job's network classifies correctly, for each parameter point.

    Args:
        spec: The job.
        points: Parameters of the network, `(n, dim)`.

    Returns:
        `(n,)` from 0 to 1, NaN for points that are not finite. None for a job without a network or without classes.
    """
    if (network := spec.network) is None or network.classes is None:
        return None
    found = np.empty(len(points))
    n = points_together(network)
    for begin in range(0, len(points), n):
        check_wanted()
        shares = network.accuracy(torch.from_numpy(points[begin : begin + n]))
        found[begin : begin + n] = shares
    found[~np.isfinite(points).all(axis=-1)] = np.nan
    return found
