"""Cutting recorded entries into blocks: the rows of a trajectory."""

from collections.abc import Iterator

import numpy as np

from thalweg.engine.columns import pack
from thalweg.engine.outcome import Record

_BLOCK_BYTES = 1_000_000


def blocks(job_id: str, record: Record) -> Iterator[dict[str, object]]:
    """Yield the rows of recorded entries, in blocks of about a megabyte that hold several runs side by side."""
    if not record.steps.size:
        return
    n_values = record.x.shape[-1] + 1 + sum(values.shape[-1] for values in record.details.values())
    entry_bytes = n_values * record.x.itemsize
    n_steps = max(1, min(len(record.steps), _BLOCK_BYTES // entry_bytes))
    n_runs = max(1, _BLOCK_BYTES // (entry_bytes * n_steps))
    for i in range(0, len(record.runs), n_runs):
        runs = slice(i, i + n_runs)
        for j in range(0, len(record.steps), n_steps):
            n_valid = np.clip(record.n_valid[runs] - j, 0, n_steps)
            if not n_valid.any():
                continue
            steps = slice(j, j + int(n_valid.max()))
            yield {
                "job_id": job_id,
                "first_run": int(record.runs[runs][0]),
                "last_run": int(record.runs[runs][-1]),
                "first_step": int(record.steps[steps][0]),
                "last_step": int(record.steps[steps][-1]),
                "data": pack(
                    {
                        "steps": record.steps[steps],
                        "runs": record.runs[runs],
                        "n_valid": n_valid,
                        "x": record.x[runs, steps].swapaxes(1, 2),
                        "f": record.f[runs, steps],
                        **{name: values[runs, steps].swapaxes(1, 2) for name, values in record.details.items()},
                    }
                ),
            }
