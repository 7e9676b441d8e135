"""The wheel is whole, and holds nothing else, whatever lies about in the checkout that it is built from."""

import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
PACKED = {"app/thalweg": "thalweg", "alembic": "thalweg/db/scripts"}


def checkout(folder: Path) -> set[str]:
    """Copy the files of the project into a folder, and return those that a wheel holds, by their names in it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = set()
    for name in listed.stdout.splitlines():
        if not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
        for source, target in PACKED.items():
            if PurePosixPath(name).is_relative_to(source):
                expected.add(f"{target}/{PurePosixPath(name).relative_to(source)}")
    return expected


def test_a_wheel_is_whole_beside_a_stale_build(tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    expected = checkout(folder)
    assert {"thalweg/py.typed", "thalweg/web/index.html", "thalweg/db/scripts/env.py"} <= expected
    stale = (
        "build/lib/thalweg/gone.py",
        "build/lib/app/gone.py",
        "app/thalweg.egg-info/SOURCES.txt",
        "dist/old.whl",
    )
    for name in (*stale, "app/thalweg/__pycache__/gone.pyc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("left by an earlier build")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", tmp_path / "wheels", folder],
        check=True,
    )
    (wheel,) = (tmp_path / "wheels").iterdir()
    with ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if not name.startswith("thalweg-0")}
        assert names == expected
        for name in names:
            assert b"left by an earlier build" not in packed.read(name)
