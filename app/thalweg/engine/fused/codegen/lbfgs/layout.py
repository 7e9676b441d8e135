"""The memory that native LBFGS and its callers agree on: what a job says, and a block for each run."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from thalweg.native.memory import padded

WHOLES: Final = ("n_steps", "n_evaluations", "outcome", "refusal", "best_step", "n_iter", "n_old", "oldest")
"""The whole numbers of a run. `refusal` is the code of what torch raised, 0 for nothing."""

NUMBERS: Final = ("f", "finite_f", "best_f", "t", "H_diag")
"""The numbers of a run, as doubles whatever the dtype."""

VECTORS: Final = ("x", "gradient", "finite_x", "best_x", "d", "prev_flat_grad")
"""The vectors of a run, in the job's dtype. `gradient` is that of f at x, before noise and clipping."""

HISTORY: Final = ("old_dirs", "old_stps")
"""The vectors of a run's history, close together; beside them `ro`, doubles."""

DETAILS: Final = ("gradient", "previous_x", "d", "prev_flat_grad")
"""The vectors that are recorded of an entry where details are asked for."""

SCRATCH: Final = (
    "previous_x",
    "point",
    "flat_grad",
    "y",
    "s",
    "x_init",
    "g_new",
    "g_prev",
    "bracket_g0",
    "bracket_g1",
    "old",
)
"""The vectors that a step needs for itself; beside them `al`, doubles."""

SETTINGS: Final = {
    "first": "i64",  # entry to begin with; it is evaluated, and judged, again
    "last": "i64",
    "raises": "i64",  # the scheduler raises in the update to this entry; -1 for none
    "dim": "i64",
    "capacity": "i64",  # of a history
    "block_bytes": "i64",
    "strong_wolfe": "i64",
    "max_iter": "i64",
    "max_eval": "i64",
    "tolerance_grad": "double",
    "tolerance_change": "double",
    "clips": "i64",
    "clip_norm": "double",
    "stop_f": "double",
    "stop_grad": "double",
    "objective": "ptr",
    "interrupted": "ptr",  # native code returns once this number, an i32, is not 0
    "rates": "ptr",  # doubles
    "rate_stride": "i64",
    "noise": "ptr",  # by (update, run, coordinate); 0 for none
    "runs": "ptr",  # the number of each
    "n_runs": "i64",
    "blocks": "ptr",
    "record_x": "ptr",  # by (run, entry, coordinate)
    "record_f": "ptr",  # by (run, entry)
    "record_details": "ptr",  # by (run, entry, detail, coordinate); 0 for none
    "record_length": "i64",
    "n_recorded": "i64",
    "due": "i64",
    "every": "i64",
}
"""What all runs of a call share, 8 bytes each, with LLVM's types."""


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """Where things lie in the block of a run: whole numbers, numbers, vectors, then the history."""

    dim: int
    capacity: int
    dtype: np.dtype

    @property
    def vector_bytes(self) -> int:
        """From one vector to the next."""
        return padded(self.dim * self.dtype.itemsize)

    @property
    def block(self) -> np.dtype:
        """A block as numpy sees it."""
        vector, number = (self.dtype, (self.dim,)), np.dtype(np.float64)
        fields: list[tuple[str, object, int]] = []
        for names, of_type in ((WHOLES, np.dtype(np.int64)), (NUMBERS, number)):
            fields += [(name, of_type, (len(fields) + k) * 8) for k, name in enumerate(names)]
        start = heading_bytes()
        for name in VECTORS:
            fields.append((name, vector, start))
            start += self.vector_bytes
        fields.append(("ro", (number, (self.capacity,)), start))
        start += padded(8 * self.capacity)
        for name in HISTORY:
            fields.append((name, (self.dtype, (self.capacity, self.dim)), start))
            start += self.capacity * self.dim * self.dtype.itemsize
        names, formats, offsets = zip(*fields, strict=True)
        layout = {"names": names, "formats": formats, "offsets": offsets, "itemsize": padded(start)}
        return np.dtype(layout)  # type: ignore[call-overload, no-any-return]

    @property
    def scratch_bytes(self) -> int:
        """What a thread needs for itself."""
        return len(SCRATCH) * self.vector_bytes + padded(8 * self.capacity)


def heading_bytes() -> int:
    """Return the bytes of a block's whole numbers and numbers."""
    return padded(8 * (len(WHOLES) + len(NUMBERS)))
