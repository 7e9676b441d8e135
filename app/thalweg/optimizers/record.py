"""What was measured of the optimizers of a family: a file beside the family, written by `make probe`.

Nothing is assumed of an optimizer without a record, or with that of another version of its package: its runs never
share a batch, it runs on the eager engine, and its state counts as large.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Growth(_Part):
    """Values of an optimizer's state: so many for each coordinate, and so many more for each tensor."""

    per_coordinate: int
    per_tensor: int

    def values(self, n_coordinates: int, n_tensors: int) -> int:
        """Return how many values they are together."""
        return self.per_coordinate * n_coordinates + self.per_tensor * n_tensors


class Memory(Growth):
    """The most values of an optimizer's state that were found.

    Attributes:
        per_history: As many again for each step that its history holds; None for an optimizer without a history.
    """

    per_history: Growth | None = None


class Record(_Part):
    """What was measured of an optimizer.

    Attributes:
        coupled: Whether the update of one row depends on the others, so that runs cannot share a batch: false only
            where every row of a batch equalled its single run, bit for bit.
        unfused: Why the fused engine cannot run it, as the predicate of a sentence; None where that engine gave the
            digits of the optimizer's own loop.
        memory: How large its state grows.
        inputs: The parameters, beside the learning rate, of which a kernel takes any value as an input; it is made
            for the values of the others.
    """

    coupled: bool
    unfused: str | None
    memory: Memory
    inputs: tuple[str, ...] = ()


class Records(_Part):
    """The records of a family, by the optimizer's name, and the version of the package that they were made with."""

    package: str
    version: str
    optimizers: Mapping[str, Record]


# Measured ones keep 3 values a coordinate at most.
UNMEASURED: Final = Memory(per_coordinate=16, per_tensor=16, per_history=Growth(per_coordinate=4, per_tensor=4))


def unprobed(package: str, version: str) -> Record:
    """Return what holds for an optimizer until it has been probed."""
    reason = f"has not been probed with {package} {version}, and runs on the eager engine until it is"
    return Record(coupled=True, unfused=reason, memory=UNMEASURED)


def read(path: Path, package: str, version: str) -> Mapping[str, Record]:
    """Return the records of a family by name; none if there is no file, or it is of another version."""
    if not path.exists():
        return {}
    records = Records.model_validate_json(path.read_text(encoding="utf-8"))
    return records.optimizers if (records.package, records.version) == (package, version) else {}
