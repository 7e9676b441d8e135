"""What trajectories and losses look like in each media type, for those who read the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, Field

from thalweg.api.wire import Number

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"


class Downsampling(BaseModel):
    """How a trajectory was thinned."""

    method: str
    of_points: int = Field(description="how many entries there are")
    max_points: int
    keeps: list[str] = Field(description="the entries that are there in any case")


class LossColumns(BaseModel):
    """A network's loss along a run, as columns: entry k is the loss before update `step[k]`."""

    job_id: str
    run: int
    n_points: int = Field(description="how many entries follow")
    downsampling: Downsampling | None = Field(description="null where no entry was left out")
    step: list[int]
    f: list[Number]


class TrajectoryColumns(LossColumns):
    """Recorded entries of a run, as columns: entry k is the point before update `step[k]`, and the value there."""

    x: list[list[Number]] = Field(description="the points")
    accuracy: list[Number] | None = Field(
        None,
        description="the part of its data that a network puts into the right class; left out where there are none",
    )


class TrajectoryEntry(BaseModel):
    """A recorded entry of a run: a line of NDJSON."""

    run: int
    step: int
    x: list[Number]
    f: Number


_FIRST = {
    "job_id": "0199f6a0-7c1e-7b62-9d3f-2f1d0c5b8a11",
    "run": 0,
    "n_points": 2,
    "downsampling": None,
    "step": [0, 1],
    "f": [170.0, 169.96395874023438],
}

TRAJECTORY: dict[int | str, dict[str, Any]] = {
    200: {
        "model": TrajectoryColumns,
        "description": "Entry k is the point before update k and the value there, steps 0 to n",
        "content": {
            JSON: {"example": {**_FIRST, "x": [[0.0, 0.0], [0.0009999999310821295, 0.0009999999310821295]]}},
            CSV: {
                "schema": {"type": "string", "description": "run, step, x0, x1, ... and f; empty where not finite"},
                "example": "run,step,x0,x1,f\n0,0,0.0,0.0,170.0\n",
            },
            NDJSON: {
                "schema": {
                    "type": "string",
                    "description": "a `TrajectoryEntry` in each line",
                    "contentMediaType": JSON,
                    "contentSchema": {"$ref": "#/components/schemas/TrajectoryEntry"},
                },
                "example": '{"run":0,"step":0,"x":[0.0,0.0],"f":170.0}\n',
            },
        },
    }
}

LOSS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": LossColumns,
        "description": "Entry k is the value before update k, steps 0 to n",
        "content": {JSON: {"example": _FIRST}},
    }
}
