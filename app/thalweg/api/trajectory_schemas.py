"""Trajectories and losses as the OpenAPI document describes them."""

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from thalweg.api import formats
from thalweg.api.formats.json import JSON
from thalweg.api.formats.schema import TableSchema
from thalweg.api.formats.table import Table
from thalweg.api.wire import Number


class Downsampling(BaseModel):
    """How a trajectory was thinned."""

    method: str
    of_points: int = Field(description="number of entries before thinning")
    max_points: int
    keeps: list[str] = Field(description="entries that are never dropped")


class LossColumns(BaseModel):
    """A network's loss along a run, as columns: entry k is the loss before update `step[k]`."""

    job_id: str
    run: int
    n_points: int = Field(description="number of entries in each column")
    downsampling: Downsampling | None = Field(description="null if no entry was dropped")
    step: list[int]
    f: list[Number]


class TrajectoryColumns(LossColumns):
    """Recorded entries of a run, as columns: entry k is the point before update `step[k]`, and the value there."""

    model_config = ConfigDict(
        json_schema_extra={
            "additionalProperties": {
                "type": "array",
                "items": {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
                "description": "`state.*`, by torch's name, as in `state.exp_avg`: what the optimizer keeps for "
                "each coordinate, as it is at the point; if asked for, and null before the first update",
            }
        }
    )

    x: list[list[Number]] = Field(description="the points")
    gradient: list[list[Number]] | None = Field(
        None, description="gradients at the points, before noise and clipping; if asked for"
    )
    update: list[list[Number]] | None = Field(
        None, description="the steps that led to the points; null at the start; if asked for"
    )
    accuracy: list[Number] | None = Field(
        None,
        description="fraction of its samples that a network classifies correctly; absent if there are no classes",
    )


class TrajectoryEntry(BaseModel):
    """A recorded entry of a run: a line of NDJSON. Details that were asked for are further fields."""

    model_config = ConfigDict(extra="allow")

    run: int
    step: int
    x: list[Number]
    f: Number


_JOB_ID = "0199f6a0-7c1e-7b62-9d3f-2f1d0c5b8a11"
_FACTS = {"job_id": _JOB_ID, "run": 0, "n_points": 2, "downsampling": None}
_STEPS = np.array([0, 1])
_X = np.array([[0.0, 0.0], [0.0009999999310821295, 0.0009999999310821295]])
_F = np.array([170.0, 169.96395874023438])

TRAJECTORY: dict[int | str, dict[str, Any]] = {
    200: {
        "model": TrajectoryColumns,
        "description": "Entry k is the point before update k and the value there, for steps 0 to n",
        "content": formats.content(
            TableSchema(TrajectoryColumns, Table.whole({"step": _STEPS, "x": _X, "f": _F}, _FACTS)),
            TableSchema(TrajectoryEntry, Table.whole({"run": np.zeros(2, int), "step": _STEPS, "x": _X, "f": _F})),
        ),
    }
}

LOSS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": LossColumns,
        "description": "Entry k is the loss before update k, for steps 0 to n",
        "content": {
            JSON.media_type: JSON.media_object(
                TableSchema(LossColumns, Table.whole({"step": _STEPS, "f": _F}, _FACTS))
            )
        },
    }
}
