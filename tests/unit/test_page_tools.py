"""The page's modules are checked and tested by tools of npm, where it is."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text())


def make(target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--silent", target],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def path_without_npm(tmp_path: Path) -> str:
    for tool in ("make", "sh"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    return str(tmp_path)


def test_the_lock_names_no_address() -> None:
    """npm leaves out addresses of downloads; those that a package gives for donations are removed by hand."""
    assert not re.findall(r"\w+://", (ROOT / "package-lock.json").read_text())
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text().splitlines()


def test_packages_are_pinned_and_digested() -> None:
    package = read("package.json")
    assert package["private"]
    assert "dependencies" not in package
    packages = read("package-lock.json")["packages"]
    for name, version in package["devDependencies"].items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all(entry["integrity"].startswith("sha512-") for name, entry in packages.items() if name)


@pytest.mark.parametrize("target", ["check-page", "test-page"])
def test_without_npm_the_page_is_not_checked_and_that_is_said(path_without_npm: str, target: str) -> None:
    outcome = make(target, PATH=path_without_npm)
    assert outcome.returncode == 0, outcome.stderr
    assert "not checked" in outcome.stdout
    assert "npm" in outcome.stdout


@pytest.mark.parametrize("target", ["check-page", "test-page"])
def test_without_npm_ci_fails(path_without_npm: str, target: str) -> None:
    outcome = make(target, PATH=path_without_npm, CI="true")
    assert outcome.returncode != 0
    assert "npm" in outcome.stdout


def test_nothing_that_is_served_or_shipped_needs_packages() -> None:
    modules = (ROOT / "app" / "thalweg" / "web" / "js").rglob("*.js")
    imported = {name for module in modules for name in re.findall(r'from "([^"]+)"', module.read_text())}
    assert imported
    assert all(name.startswith(".") for name in imported)
    assert "node_modules" not in (ROOT / "Dockerfile").read_text()
