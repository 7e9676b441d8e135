"""A run on the fused engine: native code, chunk by chunk."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from itertools import pairwise

import numpy as np
import torch

from thalweg.engine.columns import pack, unpack
from thalweg.engine.details import details
from thalweg.engine.fused.codegen.layout import MARKS
from thalweg.engine.fused.frontend.refusals import sentence_of
from thalweg.engine.fused.runtime.classes import ClassTables
from thalweg.engine.fused.runtime.company import Company
from thalweg.engine.fused.runtime.hyperparameters import Hyperparameters
from thalweg.engine.fused.runtime.kernels import Kernels, in_process
from thalweg.engine.fused.runtime.losses import Losses
from thalweg.engine.fused.runtime.objective_memory import nanoseconds_of_step, prepare
from thalweg.engine.fused.runtime.shared import PIECE, SharedTables
from thalweg.engine.fused.runtime.threads import pool
from thalweg.engine.noise import standard_normal_block
from thalweg.engine.outcome import Checkpoint, Chunk, Outcome, Results
from thalweg.engine.run import Interrupted
from thalweg.native.memory import aligned
from thalweg.spec.job import JobSpec

_MAX_NOISE_VALUES = 2_000_000
_WORTH_A_THREAD = 100_000  # updates of single runs that pay for starting a thread
_SHARES_PER_THREAD = 4
_ASK_SECONDS = 0.02  # how often keep_going is called while threads work
_MAX_CALL_UPDATES = 50_000_000  # some tenths of a second, the longest between two calls of keep_going
_MAX_CALL_COORDINATES = 20_000_000  # the same for kernels with loops
_FIRST_CHUNK_UPDATES = 5_000_000
_FIRST_CHUNK_RATES = 50_000  # torch's schedulers take longer than everything else
_MAX_CHUNK_STEPS = 2**40
_NANOSECONDS_PER_COORDINATE = 10


class FusedRun:
    """A `Run` in native code.

    Args:
        spec: The job.
        checkpoint: The state to continue from; None starts at the beginning.
        kernels: The cache of compiled kernels; None for the one of this process.
        threads: How many threads share the runs; None for one per available processor.
        company: The runs, where they are others than those of the job.

    Raises:
        Untraceable: The job cannot be compiled; `thalweg.spec.engine_choice` tells in advance.
    """

    def __init__(
        self,
        spec: JobSpec,
        checkpoint: Checkpoint | None = None,
        kernels: Kernels | None = None,
        threads: int | None = None,
        company: Company | None = None,
    ) -> None:
        self._spec = spec
        self._company = company or Company.of(spec)
        self._threads = threads or len(os.sched_getaffinity(0))
        own = self._company.own
        self._kernel = (kernels or in_process()).get(spec, own, self._company.n_runs)
        self._rows = self._kernel.layout.rows
        self._wide = self._kernel.layout.wide
        self._dim = spec.dim
        self._cost = self._cost_of_a_step()
        if checkpoint is None:
            self._results = Results.before_start(self._company.starts)
            self.step = 0
            self._has_started = False
            self._runs = self._ordered()
            self._hyper = Hyperparameters(spec, own=own)
            self._shared = SharedTables(self._kernel, self._hyper)
            self._place({"x": self._results.x[self._runs].T}, self._first_numbers())
        else:
            saved = unpack(checkpoint.state)
            self._results = checkpoint.results.resumed()
            self.step = checkpoint.step
            self._has_started = True
            self._runs = saved.pop("runs")
            self._hyper = Hyperparameters(spec, saved.pop("rates").tobytes(), own)
            self._shared = SharedTables(self._kernel, self._hyper, saved.pop("shared"))
            self._place(saved, saved.pop("own", np.empty((0, len(self._runs)))))

    @property
    def first_steps(self) -> int:
        """A size for the first chunk that is certain to take only a moment."""
        steps = max(1, _FIRST_CHUNK_UPDATES // (self._company.n_runs * self._cost))
        return steps if self._hyper.constant else min(steps, _FIRST_CHUNK_RATES)

    def most_steps(self, n_values: int) -> int:
        """Return the largest chunk, in steps and at least 1, that holds at most `n_values` numbers."""
        every = self._spec.record_every
        n_of_entry = self._kernel.layout.entry_values + every * self._spec.records_losses
        n_entries = n_values // (max(1, self.n_active) * n_of_entry)
        return max(1, min(n_entries * every, _MAX_CHUNK_STEPS))

    @property
    def n_active(self) -> int:
        """How many runs have not ended."""
        return len(self._runs)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: all steps are done, or every run has ended."""
        return self.step >= self._spec.steps or not len(self._runs)

    def advance(self, n_steps: int, keep_going: Callable[[], bool] = lambda: True) -> Chunk:
        """Do up to `n_steps` further updates and return their entries; see `Run.advance`.

        Raises:
            Interrupted: `keep_going` returned False; it is called before every call of native code, and
                all the time while threads work.
        """
        runs, last = self._runs, min(self.step + n_steps, self._spec.steps)
        steps = self._recorded(self.step + self._has_started, last)
        record = self._empty_record(len(steps))
        begun = self.step + self._has_started
        losses = Losses(self.step, last, len(runs), record.dtype) if self._spec.records_losses else None
        n_done = 0
        for first, end in self._pieces(last):
            if not keep_going():
                raise Interrupted
            table = self._shared.rows(first, end)
            end = first + len(table)  # noqa: PLW2901 - the table ends before an update that raises
            n_due = int(np.searchsorted(steps, end, side="right"))
            due = int(steps[n_done]) if n_done < len(steps) else end + 1
            self._descend(first, table, record, n_done, due, losses, keep_going)
            n_done = n_due
            self.step, self._has_started = end, True
            if self._shared.raised is not None or not self._alive().any():
                break
        self.step = last
        self._settle()
        entries = self._by_run(record, len(runs))
        n_steps_done = self._results.n_steps[runs]
        return Chunk(
            steps=steps,
            runs=runs,
            x=entries[..., : self._dim],
            f=entries[..., self._dim],
            n_valid=np.searchsorted(steps, n_steps_done, side="right"),
            checkpoint=self._checkpoint(),
            losses=None if losses is None else losses.record(begun, runs, n_steps_done),
            details=self._details(steps, entries),
        )

    def _details(self, steps: np.ndarray, entries: np.ndarray) -> dict[str, np.ndarray]:
        begins = range(self._dim + 1, entries.shape[-1], max(1, self._dim))
        found = {
            name: entries[..., begin : begin + self._dim]
            for name, begin in zip(self._kernel.layout.details, begins, strict=True)
        }
        return details(self._spec, steps, entries[..., : self._dim], found)

    def _cost_of_a_step(self) -> int:
        """Return about how many coordinates of a simple function a step of one run takes as long as."""
        if not self._wide:
            return self._dim
        known = self._kernel.layout.nanoseconds // _NANOSECONDS_PER_COORDINATE
        return max(self._dim, known, nanoseconds_of_step(self._spec) // _NANOSECONDS_PER_COORDINATE)

    def _ordered(self) -> np.ndarray:
        """Return the runs, those side by side that have equal numbers in a power."""
        names = [name for group in self._kernel.layout.groups for name in group.own]
        numbers = [self._company.numbers[name.removeprefix("own.")] for name in names]
        return np.lexsort(numbers) if numbers else np.arange(self._company.n_runs)

    def _first_numbers(self) -> np.ndarray:
        """Return the first own numbers of the runs."""
        names, given = self._kernel.layout.own, self._company.numbers
        own = np.zeros((len(names), len(self._runs)))
        for row, name in zip(own, names, strict=True):
            label = name.removeprefix("own.")
            row[:] = given[label][self._runs] if label in given else self._hyper.own.get(name, 0.0)
        return own

    def _place(self, saved: dict[str, np.ndarray], own: np.ndarray) -> None:
        """Lay out the remaining runs in whole blocks, in the arrays that native code works on."""
        width, rows = self._kernel.width, self._rows
        n = len(self._runs)
        n_columns = -(-n // width) * width
        if self._wide:
            self._reals = self._wide_rows(n).T
        else:
            self._reals = np.zeros((max(row.stop for row in rows.values()), n_columns), self._spec.dtype)
        self._own = np.zeros((len(own), n_columns))
        self._own[:, :n] = own
        self._classes = ClassTables(self._kernel, own, n_columns)
        self._marks = np.zeros((len(MARKS), n_columns), np.int64)
        self._marks[MARKS.index("outcome"), n:] = Outcome.max_steps
        self._marks[MARKS.index("run"), :n] = self._runs
        best = {"best_x": self._results.best_x[self._runs].T, "best_f": self._results.best_f[self._runs]}
        for name, values in {**saved, **best}.items():
            self._reals[rows[name], :n] = values
        self._marks[MARKS.index("best_step"), :n] = self._results.best_step[self._runs]

    def _wide_rows(self, n: int) -> np.ndarray:
        """Return memory for so many runs, a row each."""
        dtype, length = np.dtype(self._spec.dtype), self._kernel.layout.row_length
        return aligned(n * length * dtype.itemsize).view(dtype).reshape(n, length)

    def _alive(self) -> np.ndarray:
        alive: np.ndarray = self._marks[MARKS.index("outcome"), : len(self._runs)] == Outcome.running
        return alive

    def _recorded(self, first: int, last: int) -> np.ndarray:
        every = self._spec.record_every
        return np.arange(-(-first // every) * every, last + 1, every)

    def _empty_record(self, n_entries: int) -> np.ndarray:
        """Return an array for a chunk's record: by block, then in the order in which native code writes."""
        width, n_rows = self._kernel.width, self._kernel.layout.entry_values
        n_blocks = self._reals.shape[1] // width
        if self._wide:
            return np.empty((n_blocks, n_entries, n_rows), self._reals.dtype)
        shape = (n_blocks, n_rows, n_entries) if width == 1 else (n_blocks, n_entries, n_rows, width)
        return np.empty(shape, self._reals.dtype)

    def _by_run(self, record: np.ndarray, n_runs: int) -> np.ndarray:
        """Return the entries of a record, `(n_runs, m, n)`: x, f and details."""
        if self._wide:
            return record
        if self._kernel.width > 1:
            n_blocks, n_entries, n_rows, width = record.shape
            by_run = np.ascontiguousarray(record.transpose(0, 3, 2, 1))
            record = by_run.reshape(n_blocks * width, n_rows, n_entries)
        return record[:n_runs].swapaxes(1, 2)

    def _pieces(self, last: int) -> Iterator[tuple[int, int]]:
        most = _MAX_CALL_COORDINATES if self._wide else _MAX_CALL_UPDATES
        size = max(1, min(PIECE, self._classes.most_rows, most // (self._reals.shape[1] * self._cost)))
        if self._spec.gradient_noise is not None:
            size = max(1, min(size, _MAX_NOISE_VALUES // (self._reals.shape[1] * self._dim)))
        first = self.step
        while first < last or (first == last == 0 and not self._has_started):
            end = min(first + size, last, (first // PIECE + 1) * PIECE)
            yield first, end
            first = end

    def _descend(
        self,
        first: int,
        table: np.ndarray,
        record: np.ndarray,
        n_done: int,
        due: int,
        losses: Losses | None,
        keep_going: Callable[[], bool],
    ) -> None:
        last = first + len(table)
        noise = self._noise(first, last)
        reals, marks = self._reals.ctypes.data, self._marks.ctypes.data
        step = self._record_strides(record)[1] // record.itemsize
        begun = record.ctypes.data + n_done * step * record.itemsize
        shared = (self._shared.fixed.ctypes.data, table.ctypes.data, noise.ctypes.data)
        tables, classes = self._classes.fill(first, table, self._shared.fixed)
        own = (self._own,) if self._wide else (self._own, tables, classes)
        numbers = (each.ctypes.data for each in own)
        given = (first, last, *shared, reals, *numbers, marks, self._reals.shape[1], begun)
        rest = self._wide_rest(record, first, losses) if self._wide else self._narrow_rest(record)
        stop = self._spec.stop
        stops = (-np.inf if stop is None or at is None else at for at in (stop and stop.f, stop and stop.grad_norm))
        ends = (self._spec.record_every, due, *stops)

        def blocks(begin: int, end: int) -> None:
            scratch = aligned(self._kernel.layout.scratch_bytes)
            further = prepare(self._spec, scratch[self._kernel.layout.objective_at :])
            memory = (scratch.ctypes.data,) if self._wide else ()
            self._kernel.functions.descend(begin, end, *given, *rest, *ends, *memory)
            del further  # native code is done with it

        self._share(blocks, last - first, keep_going)

    def _narrow_rest(self, record: np.ndarray) -> tuple[int, ...]:
        block, step, row = (stride // record.itemsize for stride in self._record_strides(record))
        return block, step, row

    @staticmethod
    def _wide_rest(record: np.ndarray, first: int, losses: Losses | None) -> tuple[int | None, ...]:
        block, step, _ = (stride // record.itemsize for stride in record.strides)
        return block, step, *((None, 0) if losses is None else losses.place(first))

    def _share(self, blocks: Callable[[int, int], None], n_updates: int, keep_going: Callable[[], bool]) -> None:
        """Call `blocks` on all blocks, with as many threads as the work pays for, until `keep_going` says no."""
        n_blocks = self._reals.shape[1] // self._kernel.width
        n_moved = self._reals.shape[1] * n_updates * (self._cost if self._wide else 1)
        threads = min(self._threads, n_blocks, n_moved // _WORTH_A_THREAD)
        # even a single step of many large networks is cut, so that a cancelled job does not wait for its end
        n_cuts = n_moved // _MAX_CALL_COORDINATES if self._wide else 0
        n_shares = min(max(1 if threads <= 1 else _SHARES_PER_THREAD * threads, n_cuts), n_blocks)
        shares = pairwise([n_blocks * k // n_shares for k in range(n_shares + 1)])
        if threads <= 1:
            for begin, end in shares:
                if begin and not keep_going():
                    raise Interrupted
                blocks(begin, end)
            return
        stopped = threading.Event()

        def take_shares() -> None:
            for begin, end in shares:  # one iterator for all: a thread that is held up takes fewer
                if stopped.is_set():
                    return
                blocks(begin, end)

        waiting = {pool().submit(take_shares) for _ in range(threads)}
        try:
            while waiting:
                done, waiting = wait(waiting, _ASK_SECONDS)
                for each in done:
                    each.result()
                if waiting and not keep_going():
                    raise Interrupted
        finally:
            stopped.set()
            wait(waiting)  # they use memory of this call

    def _record_strides(self, record: np.ndarray) -> tuple[int, int, int]:
        if record.ndim == 3 and not self._wide:
            return record.strides[0], record.strides[2], record.strides[1]
        return record.strides[:3]  # type: ignore[return-value]

    def _noise(self, first: int, last: int) -> np.ndarray:
        noise = self._spec.gradient_noise
        if noise is None:
            return np.empty(0)
        dim, n_columns = self._dim, self._reals.shape[1]
        # runs of several jobs may have one number, and the same noise
        asked, place = np.unique(self._company.runs[self._runs], return_inverse=True)
        numbers = standard_normal_block(noise.seed, first, last, asked, dim) * noise.std
        if self._wide:
            return numbers.astype(self._reals.dtype, copy=False)
        drawn = np.zeros((last - first, dim, n_columns), self._reals.dtype)
        drawn[:, :, : len(self._runs)] = numbers[:, place].transpose(0, 2, 1)
        return drawn

    def _settle(self) -> None:
        """Update the results and drop the runs that have ended."""
        runs, rows, now = self._runs, self._rows, self._results
        reals = {name: self._reals[rows[name], : len(runs)] for name in rows}
        marks = dict(zip(MARKS, self._marks[:, : len(runs)], strict=True))
        alive = self._alive()
        now.n_steps[runs] = marks["n_steps"]
        now.n_evaluations[runs] = marks["n_steps"] + 1
        now.outcome[runs] = marks["outcome"]
        if (raised := self._shared.raised) is not None and alive.any():
            now.end_raised(runs[alive], raised)
            alive[:] = False
        elif self.step >= self._spec.steps:
            now.outcome[runs[alive]] = Outcome.max_steps
        for code in np.unique(marks["raised"][marks["raised"] > 0]):
            now.end_raised(runs[marks["raised"] == code], sentence_of(int(code)))
        for name in ("x", "finite_x", "best_x"):
            getattr(now, name)[runs] = reals[name].T
        for name in ("f", "finite_f", "best_f"):
            getattr(now, name)[runs] = reals[name][0]
        now.best_step[runs] = marks["best_step"]
        gradient = torch.from_numpy(np.ascontiguousarray(reals["gradient"].T))
        now.grad_norm[runs] = torch.linalg.vector_norm(gradient, dim=-1).numpy()
        if not alive.all():
            self._runs = runs[alive]
            resumable = {name: values[:, alive] for name, values in self._resumable(len(runs)).items()}
            self._place(resumable, self._own[:, : len(runs)][:, alive])

    def _resumable(self, n_runs: int) -> dict[str, np.ndarray]:
        """Return the rows needed to continue each run: its point and its optimizer state."""
        return {
            name: self._reals[rows, :n_runs]
            for name, rows in self._rows.items()
            if name == "x" or name.startswith("state.")
        }

    def _checkpoint(self) -> Checkpoint:
        state: dict[str, np.ndarray] = {
            "runs": self._runs,
            "shared": self._shared.state,
            "rates": np.frombuffer(self._hyper.state(), np.uint8),
            "own": self._own[:, : len(self._runs)],
            **self._resumable(len(self._runs)),
        }
        return Checkpoint(self.step, pack(state), self._results.copy())
