"""Compiled kernels: where workers keep them, and which are compiled in advance."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.optimizers.families.torch_optim import FAMILY
from thalweg.spec.job import JobSpec

_FUNCTION = "himmelblau"  # what most people try first
_STARTS = ([0.0, 0.0], [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0]])


def common() -> Iterator[JobSpec]:
    """Yield the jobs whose kernels are compiled in advance: the usual function with each optimizer of torch."""
    of_vectors = [optimizer for optimizer in FAMILY.optimizers if not optimizer.matrices]
    for start in _STARTS:
        for optimizer in of_vectors:
            fields = {"function": _FUNCTION, "optimizer": optimizer.model_fields["name"].default, "init": start}
            spec = JobSpec.model_validate({**fields, "steps": 1})
            if spec.chosen_engine == "fused":
                yield spec


def warm(kernels: str, spec: JobSpec) -> None:
    """Compile the kernel of a job, unless it is kept already."""
    kept_in(kernels).warm(spec)


@lru_cache(maxsize=4)
def kept_in(folder: str) -> Kernels:
    """Return the kernels that are kept in a folder; the same object for the same folder."""
    return Kernels(Path(folder))
