"""The loss of a network as a native function like that of a traced objective."""

import torch

from thalweg.engine.fused.codegen.wide.routine import Routine
from thalweg.engine.fused.frontend.program import type_of
from thalweg.functions.networks.objective import NetworkObjective
from thalweg.functions.networks.routine import emit_objective


def objective_of_network(network: NetworkObjective, dtype: torch.dtype) -> Routine:
    """Return the native function `objective` of a network; samples come with its scratch memory."""
    architecture = network.architecture
    declarations, functions = emit_objective(
        architecture.activation, str(architecture.output_activation), architecture.loss, type_of(dtype)
    )
    return Routine(
        lines=tuple(functions),
        declarations=frozenset(declarations),
        scratch_bytes=network.native(dtype).problem.scratch_bytes,
        changes=network.draws_batches,
    )
