"""What is recorded of an entry beside its point and value: the gradient, the step taken, the optimizer's state."""

from collections.abc import Mapping

import numpy as np

from thalweg.spec.job import JobSpec

PREVIOUS = "previous_x"
"""The name of the point before the step to an entry, among what an engine found there."""


def details(
    spec: JobSpec, steps: np.ndarray, x: np.ndarray, found: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the details of recorded entries by the names of `spec.details`, each `(r, m, dim)`.

    NaN stands for what there is not: before the first step there is no step taken and no state.

    Args:
        spec: The job.
        steps: `(m,)` steps of the entries.
        x: `(r, m, dim)` their points.
        found: What the engine found at them, each `(r, m, dim)`: `gradient`, `PREVIOUS`, and the state by name.
    """
    shown = {}
    for name in spec.details:
        if name == "update":
            with np.errstate(all="ignore"):  # behind the end of a run there is anything
                values = x - found[PREVIOUS]
        else:
            values = found.get(name, np.full_like(x, np.nan))
        if name != "gradient":
            values = np.where((steps == 0)[:, None], np.asarray(np.nan, x.dtype), values)
        shown[name] = np.ascontiguousarray(values)
    return shown
