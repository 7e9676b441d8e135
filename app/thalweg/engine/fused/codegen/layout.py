"""The memory layout that native code and its callers agree on."""

from dataclasses import dataclass

import numpy as np

from thalweg.engine.fused.frontend.trace import Slot

MARKS = ("n_steps", "outcome", "best_step", "run", "raised")
"""The rows of 8-byte integers that `descend` keeps for each run."""

_ALIGNED = 16  # numbers of a vector, at most


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers of a run's own for whose values tables are made, see `thalweg.engine.fused.codegen.classes`.

    Attributes:
        own: Their names.
        n_columns: Numbers in a row of such a table, 8 bytes each.
    """

    own: tuple[str, ...]
    n_columns: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of the arrays that `descend` works on, with a column per run.

    Attributes:
        dim: Coordinates of a point.
        slots: The optimizer's state.
        n_shared: Numbers per step that all runs share and a run's update uses.
        n_fixed: Such numbers that are the same in all steps.
        own: The names of the numbers that each run has, rows of doubles beside.
        groups: Those of them for whose values there are tables.
        wide: Whether a run is a block of its own, its numbers side by side in memory.
        scratch_bytes: Memory that a thread needs to work in, if `wide`.
        nanoseconds: Roughly how long a step of one run takes, if `wide`.
        objective_at: Where in it the scratch memory of the objective begins, in bytes.
        detailed: Whether the record of an entry has its `details`.
    """

    dim: int
    slots: tuple[Slot, ...]
    n_shared: int
    n_fixed: int
    own: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    wide: bool = False
    scratch_bytes: int = 0
    nanoseconds: int = 0
    objective_at: int = 0
    detailed: bool = False

    @property
    def rows(self) -> dict[str, slice]:
        """The rows of floating-point numbers by name."""
        return self._wide_rows if self.wide else self._narrow_rows

    @property
    def details(self) -> list[str]:
        """What is recorded behind x and f of an entry, each of `dim` numbers."""
        if not self.detailed:
            return []
        state = [f"state.{slot.name}" for slot in self.slots if slot.per_coordinate]
        return ["gradient", "previous_x", *state]

    @property
    def entry_values(self) -> int:
        """How many numbers are recorded of an entry."""
        return self.dim + 1 + self.dim * len(self.details)

    @property
    def moved(self) -> list[str]:
        """The rows that an update changes; if `wide` they come first, in this order."""
        return ["x", *(f"state.{slot.name}" for slot in self.slots if slot.per_coordinate)]

    @property
    def _wide_rows(self) -> dict[str, slice]:
        names = [*self.moved, "gradient", "finite_x", "best_x", "f", "finite_f", "best_f"]
        rows, begin = {}, 0
        for name in names:
            size = 1 if name in {"f", "finite_f", "best_f"} else self.dim
            rows[name] = slice(begin, begin + size)
            begin += -(-size // _ALIGNED) * _ALIGNED
        return rows

    @property
    def n_moved(self) -> int:
        """How many numbers of a run an update changes, if `wide`, with the gaps between them."""
        return int(self._wide_rows["gradient"].start)

    @property
    def row_length(self) -> int:
        """How many numbers a run has, if `wide`, with gaps."""
        return -(-int(self._wide_rows["best_f"].stop) // _ALIGNED) * _ALIGNED

    @property
    def _narrow_rows(self) -> dict[str, slice]:
        sizes = {
            "x": self.dim,
            "f": 1,
            "gradient": self.dim,
            "finite_x": self.dim,
            "finite_f": 1,
            "best_x": self.dim,
            "best_f": 1,
            **{f"state.{slot.name}": self.dim for slot in self.slots if slot.per_coordinate},
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
