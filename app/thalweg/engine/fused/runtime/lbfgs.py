"""A run of LBFGS on the fused engine: native code, chunk by chunk, each run on its own."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from thalweg.engine.columns import pack, unpack
from thalweg.engine.details import PREVIOUS, details
from thalweg.engine.fused.codegen.lbfgs.layout import DETAILS, HISTORY, SETTINGS, BlockLayout
from thalweg.engine.fused.frontend.refusals import SCHEDULER, sentence_of
from thalweg.engine.fused.runtime.hyperparameters import Hyperparameters
from thalweg.engine.fused.runtime.kernels import Kernels, in_process
from thalweg.engine.fused.runtime.objective_memory import nanoseconds_of_step, prepare
from thalweg.engine.fused.runtime.threads import pool
from thalweg.engine.noise import standard_normal_block
from thalweg.engine.outcome import Checkpoint, Chunk, Outcome, Record, Results
from thalweg.engine.run import Interrupted
from thalweg.native.memory import aligned
from thalweg.spec.job import JobSpec

_MAX_NOISE_VALUES = 2_000_000
_MAX_PIECE_STEPS = 16_384
_FIRST_CHUNK_EVALUATIONS = 100_000
_MAX_CHUNK_STEPS = 2**40
_A_MOMENT = 5_000  # evaluations that take less time than it takes to start a thread and wait for it
_USUAL_NANOSECONDS = 1_000  # of an evaluation that counts as one
_SHARES_PER_THREAD = 4
_ASK_SECONDS = 0.02  # how often keep_going is called while native code runs

_KEPT_NUMBERS = ("n_iter", "t", "H_diag")
_KEPT_VECTORS = ("x", "d", "prev_flat_grad")


class LbfgsRun:
    """A `Run` of LBFGS in native code.

    Args:
        spec: The job.
        checkpoint: The state to continue from; None starts at the beginning.
        kernels: The cache of compiled kernels; None for the one of this process.
        threads: How many threads share the runs; None for one per available processor.

    Raises:
        Untraceable: The job cannot be compiled; `thalweg.spec.engine_choice` tells in advance.
    """

    def __init__(
        self,
        spec: JobSpec,
        checkpoint: Checkpoint | None = None,
        kernels: Kernels | None = None,
        threads: int | None = None,
    ) -> None:
        self._spec = spec
        self._threads = threads or len(os.sched_getaffinity(0))
        self._kernel = (kernels or in_process()).lbfgs(spec)
        # where every loss is wanted, every entry is taken down; a step is much work for LBFGS
        self._every = 1 if spec.records_losses else spec.record_every
        self._cost = max(1, nanoseconds_of_step(spec) // _USUAL_NANOSECONDS)
        arguments = spec.optimizer.arguments
        self._max_iter: int = arguments["max_iter"]
        self._max_eval: int = arguments["max_eval"] or self._max_iter * 5 // 4
        # no history outgrows the iterations
        capacity = min(arguments["history_size"], spec.steps * self._max_iter)
        self._layout = BlockLayout(spec.dim, capacity, np.dtype(spec.dtype))
        if checkpoint is None:
            self._results = Results.before_start(spec.starts())
            self.step = 0
            self._has_started = False
            self._runs = np.arange(spec.n_runs)
            self._hyper = Hyperparameters(spec)
            self._blocks = self._placed()
        else:
            saved = unpack(checkpoint.state)
            self._results = checkpoint.results.resumed()
            self.step = checkpoint.step
            self._has_started = True
            self._runs = saved["runs"]
            self._hyper = Hyperparameters(spec, saved["rates"].tobytes())
            self._blocks = self._restored(saved)

    @property
    def first_steps(self) -> int:
        """A size for the first chunk that is certain to take only a moment."""
        return max(1, _FIRST_CHUNK_EVALUATIONS // (self._spec.n_runs * self._max_eval * self._cost))

    def most_steps(self, n_values: int) -> int:
        """Return the largest chunk, in steps and at least 1, that holds at most `n_values` numbers."""
        n_entries = n_values // (max(1, self.n_active) * self._spec.entry_values)
        return max(1, min(n_entries * self._every, _MAX_CHUNK_STEPS))

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
            Interrupted: `keep_going` returned False; it is called all the time while native code runs.
        """
        runs, last, every = self._runs, min(self.step + n_steps, self._spec.steps), self._every
        begin = self.step + self._has_started
        steps = np.arange(-(-begin // every) * every, last + 1, every)
        x = np.empty((len(runs), len(steps), self._spec.dim), self._spec.dtype)
        f = np.empty((len(runs), len(steps)), self._spec.dtype)
        found = self._found(x.shape)
        n_recorded = 0
        for first, end in self._pieces(last):
            if not keep_going():
                raise Interrupted
            rates = self._hyper.next(end - first)[:, 0].copy()  # the learning rate is the first of them
            raises = -1
            if self._hyper.raised is not None:
                end = raises = first + len(rates)  # noqa: PLW2901 - the scheduler does not last longer
            record = {"record_x": x, "record_f": f, "record_length": len(steps), "n_recorded": n_recorded}
            record["record_details"] = found
            due = int(steps[n_recorded]) if n_recorded < len(steps) else end + 1
            self._descend(first, end, rates, {**record, "due": due, "raises": raises}, keep_going)
            n_recorded = int(np.searchsorted(steps, end, side="right"))
            self.step, self._has_started = end, True
            if not self._alive().any():
                break
        self.step = last
        self._settle()
        n_valid = np.searchsorted(steps, self._results.n_steps[runs], side="right")
        shown = self._details(steps, x, found)
        checkpoint = self._checkpoint()
        if not self._spec.records_losses:
            return Chunk(steps, runs, x, f, n_valid, checkpoint, details=shown)
        kept = steps % self._spec.record_every == 0
        return Chunk(
            steps=steps[kept],
            runs=runs,
            x=x[:, kept],
            f=f[:, kept],
            n_valid=np.array([np.count_nonzero(kept[:n]) for n in n_valid]),
            checkpoint=checkpoint,
            losses=Record(steps, runs, x[..., :0], f, n_valid),
            details={name: values[:, kept] for name, values in shown.items()},
        )

    def _found(self, shape: tuple[int, int, int]) -> np.ndarray | None:
        n_runs, n_entries, dim = shape
        if self._spec.record is None:
            return None
        return np.empty((n_runs, n_entries, len(DETAILS), dim), self._spec.dtype)

    def _details(self, steps: np.ndarray, x: np.ndarray, found: np.ndarray | None) -> dict[str, np.ndarray]:
        if found is None:
            return {}
        state = {name: name if name in {"gradient", PREVIOUS} else f"state.{name}" for name in DETAILS}
        return details(self._spec, steps, x, {state[name]: found[:, :, k] for k, name in enumerate(DETAILS)})

    def _placed(self) -> np.ndarray:
        """Return a block for each run that goes on, with what the results say."""
        now, runs = self._results, self._runs
        blocks = aligned(len(runs) * self._layout.block.itemsize).view(self._layout.block)
        blocks["outcome"] = Outcome.running
        blocks["d"] = blocks["prev_flat_grad"] = np.nan  # there are none before the first iteration
        for name in ("n_steps", "n_evaluations", "x", "finite_x", "finite_f", "best_step", "best_x", "best_f"):
            blocks[name] = getattr(now, name)[runs]
        return blocks

    def _restored(self, saved: dict[str, np.ndarray]) -> np.ndarray:
        blocks = self._placed()
        for name in (*_KEPT_NUMBERS, *_KEPT_VECTORS):
            blocks[name] = saved[name]
        blocks["n_old"] = saved["n_old"]
        places = self._history_places(blocks)
        blocks["ro"][places] = saved["ro"]
        for name in HISTORY:
            blocks[name][places] = saved[name]
        return blocks

    @staticmethod
    def _history_places(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return row and slot of every entry of every history, run by run, the oldest first."""
        n_old, capacity = blocks["n_old"], blocks["ro"].shape[1]
        rows = np.repeat(np.arange(len(blocks)), n_old)
        index = np.arange(len(rows)) - np.repeat(np.cumsum(n_old) - n_old, n_old)
        return rows, (blocks["oldest"][rows] + index) % capacity

    def _alive(self) -> np.ndarray:
        alive: np.ndarray = self._blocks["outcome"] == Outcome.running
        return alive

    def _pieces(self, last: int) -> Iterator[tuple[int, int]]:
        size = _MAX_PIECE_STEPS
        if self._spec.gradient_noise is not None:
            size = max(1, min(size, _MAX_NOISE_VALUES // (len(self._runs) * self._spec.dim)))
        first = self.step
        while first < last or (first == last == 0 and not self._has_started):
            end = min(first + size, last)
            yield first, end
            first = end

    def _descend(
        self, first: int, last: int, rates: np.ndarray, others: dict[str, Any], keep_going: Callable[[], bool]
    ) -> None:
        arguments, stop, n = self._spec.optimizer.arguments, self._spec.stop, len(self._runs)
        noise, interrupted = self._noise(first, last), np.zeros(1, np.int32)
        clip_norm = self._spec.clip_grad_norm
        settings = {
            "first": first,
            "last": last,
            "dim": self._spec.dim,
            "capacity": self._layout.capacity,
            "block_bytes": self._layout.block.itemsize,
            "strong_wolfe": arguments["line_search_fn"] is not None,
            "max_iter": self._max_iter,
            "max_eval": self._max_eval,
            "tolerance_grad": arguments["tolerance_grad"],
            "tolerance_change": arguments["tolerance_change"],
            "clips": clip_norm is not None,
            "clip_norm": clip_norm or 0.0,
            "stop_f": -np.inf if stop is None or stop.f is None else stop.f,
            "stop_grad": -np.inf if stop is None or stop.grad_norm is None else stop.grad_norm,
            "objective": self._kernel.evaluate.address,
            "interrupted": interrupted,
            "rates": rates,
            "rate_stride": len(rates) > 1,
            "noise": noise,
            "runs": self._runs,
            "n_runs": n,
            "blocks": self._blocks,
            "every": self._every,
            **others,
        }
        packed = _packed(settings)

        def take(begin: int, end: int) -> None:
            scratch = aligned(self._layout.scratch_bytes + self._kernel.evaluate.scratch_bytes)
            further = prepare(self._spec, scratch[self._layout.scratch_bytes :])
            self._kernel.function.descend(begin, end, packed.ctypes.data, scratch.ctypes.data)
            del further  # native code is done with it

        if n * max(1, last - first) * (self._max_eval + 1) * self._cost <= _A_MOMENT:
            take(0, n)
        else:
            self._share(take, interrupted, keep_going)

    def _share(
        self, take: Callable[[int, int], None], interrupted: np.ndarray, keep_going: Callable[[], bool]
    ) -> None:
        """Call `take` on all runs, by several threads, until it is done or `keep_going` says no."""
        n = len(self._runs)
        n_shares = min(_SHARES_PER_THREAD * self._threads, n)
        shares = pairwise([n * k // n_shares for k in range(n_shares + 1)])

        def take_shares() -> None:
            for begin, end in shares:  # one iterator for all: a thread that is held up takes fewer
                if not interrupted[0]:
                    take(begin, end)

        waiting: set[Future[None]] = {pool().submit(take_shares) for _ in range(min(self._threads, n_shares))}
        try:
            while waiting:
                done, waiting = wait(waiting, _ASK_SECONDS)
                for each in done:
                    each.result()
                if waiting and not keep_going():
                    raise Interrupted
        finally:
            interrupted[0] = 1
            wait(waiting)  # they use memory of this call

    def _noise(self, first: int, last: int) -> np.ndarray | None:
        """Return the noise of each update and run, `(last - first, n, dim)`."""
        noise = self._spec.gradient_noise
        if noise is None:
            return None
        drawn = standard_normal_block(noise.seed, first, last, self._runs, self._spec.dim)
        return np.ascontiguousarray((drawn * noise.std).astype(self._spec.dtype))

    def _settle(self) -> None:
        """Update the results and drop the runs that have ended."""
        runs, blocks, now = self._runs, self._blocks, self._results
        for name in ("n_steps", "n_evaluations", "outcome", "x", "f", "finite_x", "finite_f"):
            getattr(now, name)[runs] = blocks[name]
        for name in ("best_step", "best_x", "best_f"):
            getattr(now, name)[runs] = blocks[name]
        for refusal in np.unique(blocks["refusal"][blocks["refusal"] > 0]).tolist():
            of_scheduler = self._hyper.raised or ""
            said = of_scheduler if refusal == SCHEDULER else sentence_of(refusal)
            now.end_raised(runs[blocks["refusal"] == refusal], said)
        alive = self._alive()
        if self.step >= self._spec.steps:
            now.outcome[runs[alive]] = Outcome.max_steps
        gradient = torch.from_numpy(np.ascontiguousarray(blocks["gradient"]))
        now.grad_norm[runs] = torch.linalg.vector_norm(gradient, dim=-1).numpy()
        if not alive.all():
            self._runs = runs[alive]
            kept = aligned(len(self._runs) * blocks.dtype.itemsize).view(blocks.dtype)
            kept[:] = blocks[alive]
            self._blocks = kept

    def _checkpoint(self) -> Checkpoint:
        blocks = self._blocks
        places = self._history_places(blocks)
        columns: dict[str, np.ndarray] = {
            name: np.ascontiguousarray(blocks[name]) for name in (*_KEPT_NUMBERS, "n_old", *_KEPT_VECTORS)
        }
        columns |= {name: blocks[name][places] for name in ("ro", *HISTORY)}
        columns |= {"runs": self._runs, "rates": np.frombuffer(self._hyper.state(), np.uint8)}
        return Checkpoint(self.step, pack(columns), self._results.copy())


def _packed(settings: dict[str, Any]) -> np.ndarray:
    """Return settings as native code reads them; of an array it gets the address."""
    packed = np.zeros(len(SETTINGS), np.int64)
    for place, (name, of_type) in enumerate(SETTINGS.items()):
        value = settings[name]
        if isinstance(value, np.ndarray):
            packed[place] = value.ctypes.data
        elif of_type == "double":
            packed[place : place + 1].view(np.float64)[0] = value
        elif value is not None:
            packed[place] = value
    return packed
