"""Starting a job on an engine."""

from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.definitions import is_lbfgs
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.lbfgs import LbfgsRun
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Checkpoint
from thalweg.engine.run import Run
from thalweg.spec.engine_choice import EngineName
from thalweg.spec.job import JobSpec


def start(
    spec: JobSpec, engine: EngineName, checkpoint: Checkpoint | None = None, kernels: Kernels | None = None
) -> Run:
    """Return the run of a job on the engine of this name.

    Args:
        spec: The job.
        engine: Usually `spec.chosen_engine`. A job that has a checkpoint stays on the engine that wrote it.
        checkpoint: The state to continue from; None starts at the beginning.
        kernels: The cache of compiled kernels that the fused engine uses; None for the one of this process.

    Raises:
        Untraceable: The fused engine cannot run this job; `spec.obstacle` would have said so.
    """
    match engine:
        case "eager":
            return EagerRun(spec, checkpoint)
        case "fused":
            return (LbfgsRun if is_lbfgs(type(spec.optimizer)) else FusedRun)(spec, checkpoint, kernels)
