"""Output formats: their bytes, and what it takes to add one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.test_bad_input import assert_problem
from tests.api.test_trajectory import Narrow
from tests.serving import NoWorkers, served
from thalweg.api import formats
from thalweg.api.formats.csv import CSV
from thalweg.api.formats.format import Format
from thalweg.api.formats.json import JSON
from thalweg.api.formats.ndjson import NDJSON
from thalweg.api.formats.schema import TableSchema
from thalweg.api.formats.table import Block, Column, Table
from thalweg.api.trajectory_schemas import LossColumns
from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database
from thalweg.settings import Settings

INT, FLOAT32 = np.dtype(np.int64), np.dtype(np.float32)
COLUMNS = (Column("run", INT), Column("step", INT), Column("x", FLOAT32, width=2), Column("f", FLOAT32))
# the nearest float32 of 0.1, 0.2 and 3e38 are exactly the doubles written below
BLOCKS: list[Block] = [
    {
        "run": np.array([0, 0]),
        "step": np.array([0, 5]),
        "x": np.array([[0.1, -0.0], [np.nan, 1.0]], np.float32),
        "f": np.array([0.2, np.inf], np.float32),
    },
    {
        "run": np.array([1]),
        "step": np.array([0]),
        "x": np.array([[3e38, -1.5]], np.float32),
        "f": np.array([-np.inf], np.float32),
    },
]

ROWS_CSV = (
    b"run,step,x0,x1,f\n"
    b"0,0,0.10000000149011612,-0.0,0.20000000298023224\n"
    b"0,5,,1.0,\n"
    b"1,0,3.0000000054977558e+38,-1.5,\n"
)
ROWS_NDJSON = (
    b'{"run":0,"step":0,"x":[0.10000000149011612,-0.0],"f":0.20000000298023224}\n'
    b'{"run":0,"step":5,"x":[null,1.0],"f":null}\n'
    b'{"run":1,"step":0,"x":[3.0000000054977558e+38,-1.5],"f":null}\n'
)
ROWS_JSON = (
    b'{"job_id":"a","downsampling":null,"run":[0,0,1],"step":[0,5,0],'
    b'"x":[[0.10000000149011612,-0.0],[null,1.0],[3.0000000054977558e+38,-1.5]],'
    b'"f":[0.20000000298023224,null,null]}'
)
FACTS = {"job_id": "a", "downsampling": None}


@pytest.mark.parametrize(
    ("written_by", "blocks", "expected"),
    [
        (CSV, BLOCKS, ROWS_CSV),
        (NDJSON, BLOCKS, ROWS_NDJSON),
        (JSON, BLOCKS, ROWS_JSON),
        (CSV, [], b"run,step,x0,x1,f\n"),
        (NDJSON, [], b""),
        (JSON, [], b'{"job_id":"a","downsampling":null,"run":[],"step":[],"x":[],"f":[]}'),
    ],
)
def test_bytes_of_a_table(written_by: Format, blocks: list[Block], expected: bytes) -> None:
    assert b"".join(written_by.write(Table(COLUMNS, blocks, FACTS))) == expected


def test_streamed_formats_write_a_block_before_they_read_the_next() -> None:
    read: list[int] = []

    def blocks() -> Iterator[Block]:
        for place, block in enumerate(BLOCKS):
            read.append(place)
            yield block

    for each in formats.FORMATS:
        if each.streamed:
            read.clear()
            written = b""
            for piece in each.write(Table(COLUMNS, blocks(), FACTS)):
                written += piece
                if b"0.1" in piece:
                    assert read == [0]
            assert read == [0, 1]
            assert written.endswith(b"\n")


@pytest.mark.parametrize("n_rows", [0, 1, 19_999, 20_000, 20_001, 60_000])
def test_a_whole_table_is_cut_into_blocks_in_order(n_rows: int) -> None:
    steps = np.arange(n_rows)
    table = Table.whole({"step": steps, "x": np.column_stack([steps, -steps]).astype(float)})
    assert table.columns == (Column("step", INT), Column("x", np.dtype(np.float64), width=2))
    sizes = [len(block["step"]) for block in table.blocks]
    assert sum(sizes) == n_rows
    assert all(0 < size <= 20_000 for size in sizes)
    found = [int(step) for block in table.blocks for step in block["step"]]
    assert found == list(range(n_rows))


def test_formats_are_told_apart() -> None:
    for attribute in ("name", "media_type", "suffix"):
        assert len({getattr(each, attribute) for each in formats.FORMATS}) == len(formats.FORMATS)


# a new format, as a module of its own would define it


def _tell(table: Table) -> Iterator[bytes]:
    yield "|".join(f"{column.name}:{column.dtype}:{column.width}" for column in table.columns).encode()
    for block in table.blocks:
        yield f"|{block['run'].tolist()}{block['step'].tolist()}{block['x'].tolist()}{block['f'].tolist()}".encode()


def _media_object(schema: TableSchema) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": schema.model.__name__}}


TOLD = Format(
    name="Told",
    media_type="application/x-told",
    suffix="told",
    streamed=True,
    write=_tell,
    media_object=_media_object,
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Narrow]:
    settings = Settings(data_dir=tmp_path, max_json_points=20)
    with served(settings, NoWorkers()) as client:
        database = Database(settings.url)
        yield Narrow(client, AttemptStore(database))
        database.dispose()


@pytest.fixture
def toy(service: Narrow, monkeypatch: pytest.MonkeyPatch) -> Narrow:
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, TOLD))
    return service


# with rate 1/4, every step on x² halves x exactly, in any floating-point type
HALVING: dict[str, Any] = {
    "function": "sphere",
    "optimizer": "sgd",
    "lr": 0.25,
    "init": [[4], [-1]],
    "steps": 2,
    "dtype": "float32",
}


def test_a_trajectory_in_a_new_format(toy: Narrow) -> None:
    found = toy.ended(**HALVING)
    answer = toy.client.get(found["links"]["trajectory"], headers={"Accept": "application/x-told"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-told"
    assert answer.headers["content-disposition"] == f'attachment; filename="{found["id"]}.told"'
    assert answer.headers["vary"] == "Accept"
    assert answer.text == (
        "run:int64:None|step:int64:None|x:float32:1|f:float32:None"
        "|[0, 0, 0][0, 1, 2][[4.0], [2.0], [1.0]][16.0, 4.0, 1.0]"
        "|[1, 1, 1][0, 1, 2][[-1.0], [-0.5], [-0.25]][1.0, 0.25, 0.0625]"
    )
    one = toy.client.get(
        found["links"]["trajectory"], headers={"Accept": "application/x-told"}, params={"run": 1, "from_step": 2}
    )
    assert one.text.endswith("f:float32:None|[1][2][[-0.25]][0.0625]")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/x-told;q=0.9, text/csv;q=0.8", "application/x-told"),
        ("application/x-told;q=0.8, text/csv;q=0.9", "text/csv"),
        ("application/*, application/json;q=0.1, application/x-ndjson;q=0.1", "application/x-told"),
    ],
)
def test_a_new_format_is_negotiated(toy: Narrow, accept: str, media_type: str) -> None:
    answer = toy.client.get(toy.ended(**HALVING)["links"]["trajectory"], headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media_type


def test_complaints_name_a_new_format(toy: Narrow) -> None:
    found = toy.ended(**{**HALVING, "steps": 30})
    at = found["links"]["trajectory"]
    refused = assert_problem(toy.client.get(at, headers={"Accept": "image/png"}), 406)
    assert "application/x-told" in refused["detail"]
    assert "application/x-told" in assert_problem(toy.client.get(at), 422)["detail"]
    thinned = toy.client.get(at, headers={"Accept": "application/x-told"}, params={"max_points": 5})
    assert "Told" in assert_problem(thinned, 422)["detail"]


def test_a_new_format_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, TOLD))
    schema = TableSchema(LossColumns, Table(COLUMNS, BLOCKS, FACTS))
    content = formats.content(schema, schema)
    assert list(content) == ["application/json", "text/csv", "application/x-ndjson", "application/x-told"]
    assert content["application/x-told"]["schema"]["description"] == "LossColumns"
    assert content["text/csv"]["example"].encode() == ROWS_CSV
    assert content["application/x-ndjson"]["example"].encode() == ROWS_NDJSON


# bytes of whole responses


def test_bytes_of_a_trajectory(service: Narrow) -> None:
    found = service.ended(**{**HALVING, "init": [[0.1], [1e30]]})
    assert [run["outcome"] for run in service.client.get(found["links"]["self"]).json()["runs"]] == [
        "max_steps",
        "diverged",
    ]

    def bytes_of(accept: str, **query: Any) -> httpx.Response:
        return service.client.get(found["links"]["trajectory"], headers={"Accept": accept}, params=query)

    x = ["0.10000000149011612", "0.05000000074505806", "0.02500000037252903"]
    f = [repr(float(np.float32(float(each)) ** 2)) for each in x]
    big = "1.0000000150474662e+30"
    csv = "run,step,x0,f\n" + "".join(f"0,{k},{x[k]},{f[k]}\n" for k in range(3)) + f"1,0,{big},\n"
    assert bytes_of("text/csv").text == csv
    ndjson = "".join(f'{{"run":0,"step":{k},"x":[{x[k]}],"f":{f[k]}}}\n' for k in range(3))
    assert bytes_of("application/x-ndjson").text == ndjson + f'{{"run":1,"step":0,"x":[{big}],"f":null}}\n'
    head = f'{{"job_id":"{found["id"]}","run":0,"n_points":3,"downsampling":null'
    columns = f',"step":[0,1,2],"x":[{",".join(f"[{each}]" for each in x)}],"f":[{",".join(f)}]}}'
    assert bytes_of("application/json").text == head + columns
    assert bytes_of("application/json", run=1, from_step=1).text == (
        f'{{"job_id":"{found["id"]}","run":1,"n_points":0,"downsampling":null,"step":[],"x":[],"f":[]}}'
    )
    assert bytes_of("text/csv", from_step=3).text == "run,step,x0,f\n"
    assert bytes_of("application/x-ndjson", from_step=3).text == ""
