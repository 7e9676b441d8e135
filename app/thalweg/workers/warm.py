"""Compiled kernels: where workers keep them, and those that are made before anybody asks."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.optimizers.catalogue import optimizers
from thalweg.spec.job import JobSpec

_FUNCTION = "himmelblau"  # what everybody tries first
_STARTS = ([0.0, 0.0], [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0]])


def common() -> Iterator[JobSpec]:
    """Yield a job of each kind that is asked for first: the usual function with every optimizer."""
    of_vectors = [optimizer for optimizer in optimizers() if not optimizer.matrices]
    for start in _STARTS:
        for optimizer in of_vectors:
            fields = {"function": _FUNCTION, "optimizer": optimizer.model_fields["name"].default, "init": start}
            spec = JobSpec.model_validate({**fields, "steps": 1})
            if spec.chosen_engine == "fused":
                yield spec


def warm(kernels: str, spec: JobSpec) -> None:
    """Make the kernel of a job, unless it is there."""
    kept_in(kernels).get(spec)


@lru_cache(maxsize=4)
def kept_in(folder: str) -> Kernels:
    """Return the kernels that are kept in a folder, the same ones each time."""
    return Kernels(Path(folder))
