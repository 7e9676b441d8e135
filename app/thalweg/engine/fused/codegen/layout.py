"""The memory layout that native code and its callers agree on."""

from dataclasses import dataclass

import numpy as np

from thalweg.engine.fused.frontend.trace import Slot

MARKS = ("n_steps", "outcome", "best_step")
"""The rows of 8-byte integers that `descend` keeps for each run."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of the arrays that `descend` works on, with a column per run.

    Attributes:
        dim: Coordinates of a point.
        slots: The optimizer's state.
        n_shared: Numbers per step that all runs share and a run's update uses.
        n_fixed: Such numbers that are the same in all steps.
    """

    dim: int
    slots: tuple[Slot, ...]
    n_shared: int
    n_fixed: int

    @property
    def rows(self) -> dict[str, slice]:
        """The rows of floating-point numbers by name."""
        sizes = {
            "x": self.dim,
            "f": 1,
            "gradient": self.dim,
            "finite_x": self.dim,
            "finite_f": 1,
            "best_x": self.dim,
            "best_f": 1,
            **{f"state.{slot.name}": self.dim for slot in self.slots if not slot.shared},
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}

    @property
    def n_columns(self) -> int:
        """Columns of the table of shared numbers, 8 bytes each: those for the update, then the shared slots."""
        return self.n_shared + len(self.shared)

    @property
    def shared(self) -> list[Slot]:
        """The slots that all runs share."""
        return [slot for slot in self.slots if slot.shared]
