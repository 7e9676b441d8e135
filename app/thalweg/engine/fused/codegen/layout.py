"""How the numbers of runs lie in memory, for native code and for those who call it."""

from dataclasses import dataclass

import numpy as np

from thalweg.engine.fused.frontend.trace import Slot

MARKS = ("n_steps", "outcome", "best_step")
"""The rows of whole numbers, 8 bytes each, that `descend` keeps of each run."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where `descend` finds the numbers of a run: rows of an array with a column for each run.

    Attributes:
        dim: Coordinates of a point.
        slots: What the optimizer remembers.
        n_shared: Numbers that all runs share and an update of a run makes use of.
    """

    dim: int
    slots: tuple[Slot, ...]
    n_shared: int

    @property
    def rows(self) -> dict[str, slice]:
        """The rows of real numbers by name."""
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
        """Columns of the table of what all runs share, 8 bytes each: those numbers, then the shared slots."""
        return self.n_shared + len(self.shared)

    @property
    def shared(self) -> list[Slot]:
        """The slots of which all runs have the same."""
        return [slot for slot in self.slots if slot.shared]
