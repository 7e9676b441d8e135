"""`demo/himmelblau.py`, run as a person runs it, against the plain PyTorch script that it stands for."""

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
STARTS = ((0, 0), (4, 0), (-4, 0))
WIDEST_PIXELS = 4000


def plain_script(start: tuple[float, float]) -> Iterator[str]:
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=1e-3)
    for step in range(18_001):
        f = (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
        optimizer.zero_grad()
        f.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % 2000 == 0:
            yield f"step {step}: x = {x.tolist()}, f(x) = {f.item()}"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "himmelblau.png"


@pytest.fixture(scope="module")
def demo(picture: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, ROOT / "demo" / "himmelblau.py", "--output", picture]
    return subprocess.run(
        command,
        check=False,
        cwd=picture.parent,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
    )


def printed_from(demo: subprocess.CompletedProcess[str], start: tuple[int, int]) -> list[str]:
    lines = demo.stdout.splitlines()
    begin = lines.index(f"Start ({start[0]}, {start[1]})") + 1
    return lines[begin : lines.index("", begin)]


def test_it_exits_with_0(demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr


@pytest.mark.parametrize("start", STARTS)
def test_it_prints_what_a_plain_script_prints(
    demo: subprocess.CompletedProcess[str], start: tuple[int, int]
) -> None:
    assert printed_from(demo, start) == list(plain_script(start))


def test_it_prints_the_known_digits(demo: subprocess.CompletedProcess[str]) -> None:
    lines = printed_from(demo, (0, 0))
    assert lines[0] == "step 0: x = [0.0009999999310821295, 0.0009999999310821295], f(x) = 170.0"
    assert lines[1] == "step 2000: x = [2.333181142807007, 1.9540694952011108], f(x) = 13.730901718139648"
    assert lines[-1] == "step 18000: x = [3.0, 2.0], f(x) = 0.0"


def test_it_names_three_different_minima(demo: subprocess.CompletedProcess[str]) -> None:
    endings = dict(line.split(": ", 1) for line in demo.stdout.splitlines() if line.startswith("start ("))
    assert list(endings) == ["start (0, 0)", "start (4, 0)", "start (-4, 0)"]
    named = [ending.split(",")[0] for ending in endings.values()]
    assert len(set(named)) == 3
    assert all(name.startswith("minimum ") for name in named)


def test_it_draws_a_picture(demo: subprocess.CompletedProcess[str], picture: Path) -> None:
    assert str(picture) in demo.stdout
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert 800 <= width <= WIDEST_PIXELS
    assert 400 <= height <= WIDEST_PIXELS
    assert 50_000 < len(content) < 1_000_000
