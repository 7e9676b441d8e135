"""What goes into a module: a native function with all that it needs."""

from dataclasses import dataclass

from thalweg.native.builder import Type


@dataclass(frozen=True, slots=True)
class Routine:
    """A native function and what it needs, as lines of LLVM assembly.

    That of an objective is `real @objective(ptr noalias %x, ptr noalias %gradient, ptr noalias %scratch, i64 %step,
    i64 %run)`: it returns f at one point and stores the gradient, of as many contiguous numbers.

    Attributes:
        lines: The function itself and its constants.
        declarations: Declarations, of external functions and others.
        scratch_bytes: Memory that it needs behind `%scratch`, aligned to 64 bytes.
        routines: The reductions that it calls, see `thalweg.engine.fused.codegen.wide.reductions`.
        nanoseconds: Roughly how long a call takes; 0 if the caller knows better.
        changes: Whether its results depend on the step.
    """

    lines: tuple[str, ...]
    declarations: frozenset[str]
    scratch_bytes: int
    routines: frozenset[tuple[str, Type]] = frozenset()
    changes: bool = False
    nanoseconds: int = 0
