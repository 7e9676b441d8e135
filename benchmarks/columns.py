"""What packing a trajectory saves, and what it costs, against zstd alone."""

from functools import partial

import numpy as np
from numcodecs import zstd

from benchmarks.timing import ratios, table
from thalweg.engine.columns import pack, unpack
from thalweg.engine.eager.run import EagerRun
from thalweg.spec.job import JobSpec


def trajectory(dtype: str) -> dict[str, np.ndarray]:
    """Return the columns of an Adam trajectory from three starts, as blocks hold them."""
    spec = JobSpec.model_validate(
        {
            "function": "himmelblau",
            "optimizer": "adam",
            "init": [[0, 0], [4, 0], [-4, 0]],
            "steps": 4000,
            "dtype": dtype,
        }
    )
    chunk = EagerRun(spec).advance(spec.steps)
    return {"x": np.ascontiguousarray(chunk.x.swapaxes(1, 2)), "f": chunk.f}


def main() -> None:
    """Print sizes as parts of the raw size, and times as multiples of zstd's."""
    for dtype in ("float64", "float32"):
        columns = trajectory(dtype)
        raw = b"".join(column.tobytes() for column in columns.values())
        packed = pack(columns)
        sizes = {"zstd": len(zstd.compress(raw, 3)) / len(raw), "pack": len(packed) / len(raw)}
        table(f"{dtype}: size", sizes, "of raw")
        times = ratios(
            {
                "zstd": partial(zstd.compress, raw, 3),
                "pack": partial(pack, columns),
                "unpack": partial(unpack, packed),
            },
            rounds=20,
        )
        table(f"{dtype}: time", times, "of zstd's compression")


if __name__ == "__main__":
    main()
