"""What is to be seen of a network under training, beside its loss."""

import numpy as np
import torch

from app.engine.spec import JobSpec


def accuracy(spec: JobSpec, points: np.ndarray) -> np.ndarray | None:
    """Return which part of its data the network of a job puts into the right class, of each of its points.

    Args:
        spec: The job.
        points: `(n, dim)`.

    Returns:
        `(n,)` from 0 to 1, NaN at points that are not finite; None where there is no network, or are no classes.
    """
    if (network := spec.network) is None or (shares := network.accuracy(torch.from_numpy(points))) is None:
        return None
    found: np.ndarray = shares.numpy().astype(np.float64)
    found[~np.isfinite(points).all(axis=-1)] = np.nan
    return found
