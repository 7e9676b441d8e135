"""Databases for the tests of the stores, each in a file of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.stores import Stores, opened
from thalweg.db.migrations import migrate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "thalweg.db"


@pytest.fixture
def stores(path: Path) -> Iterator[Stores]:
    database = opened(path)
    migrate(database)
    yield Stores(database)
    database.dispose()


@pytest.fixture(scope="module")
def lasting_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Stores for tests by Hypothesis, whose examples share a database."""
    database = opened(tmp_path_factory.mktemp("lasting") / "thalweg.db")
    migrate(database)
    yield Stores(database)
    database.dispose()
