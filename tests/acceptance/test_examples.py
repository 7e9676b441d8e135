"""The programs of the pages run, print what is shown below them, and ask for every operation there is."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance import pages
from tests.acceptance.pages import LANGUAGES, LoggedService, Session
from thalweg.main import create_app
from thalweg.settings import Settings

PAGES = [
    pytest.param(page, language, id=f"{page.stem}-{language}")
    for page in pages.guides()
    for language in LANGUAGES
    if any(block.language == language for block in pages.programs(pages.read(page)))
]
Run = Callable[[Path, str], Session]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggedService]:
    with LoggedService(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture(scope="module")
def run(service: LoggedService, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What runs the programs of a page, once for all tests."""
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "curl is needed where CI is set"
        pytest.skip("there is no curl here")
    return cache(lambda page, language: pages.run(page, language, service, tmp_path_factory.mktemp(language)))


@pytest.mark.parametrize(("page", "language"), PAGES)
def test_programs_run_and_print_what_is_shown(page: Path, language: str, run: Run) -> None:
    session = run(page, language)
    if session.code:
        block = session.blocks[len(session.printed)]
        pytest.fail(f"the block in line {block.line} fails:\n{block.text}\n{session.complaint}")
    for block, printed in zip(session.blocks, session.printed, strict=True):
        for shown in block.shown:
            where = f"line {shown.line} does not show what is printed:\n{printed}"
            if shown.language == "json":
                assert pages.is_shown(json.loads(printed), json.loads(shown.text)), where
            else:
                assert pages.pattern(shown.text).fullmatch(pages.without_blank_lines(printed)), where


@pytest.mark.parametrize("language", LANGUAGES)
def test_programs_of_each_language_ask_for_every_operation(language: str, run: Run) -> None:
    paths = create_app(Settings()).openapi()["paths"]
    operations = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    requests = {
        request
        for page, of_page in (parameters.values for parameters in PAGES)
        if of_page == language and isinstance(page, Path)
        for request in run(page, language).requests
    }
    asked = {
        (method, template)
        for method, path in requests
        for _, template in operations
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
    }
    assert not [operation for operation in operations if operation not in asked]


@pytest.mark.parametrize("page", pages.guides(), ids=lambda page: page.stem)
def test_every_output_stands_below_its_program(page: Path) -> None:
    text = pages.read(page)
    shown = [block for program in pages.programs(text) for block in program.shown]
    outputs = [block for block in pages.fenced(text) if block.language in {"json", "text"}]
    assert shown == outputs


def test_no_program_is_left_out() -> None:
    others = [page for page in pages.pages() if page not in (*pages.guides(), pages.CONTRIBUTING)]
    assert not [page for page in others if pages.programs(pages.read(page))]


def test_shown_outputs_are_compared() -> None:
    real = {"a": 1.5, "b": [1, 2, 3], "c": {"d": None}}
    assert pages.is_shown(real, {"a": 1.5, "b": [1, "..."], "...": "..."})
    assert not pages.is_shown(real, {"a": 1.5})
    assert not pages.is_shown(real, {"a": 1.25, "...": "..."})
    assert not pages.is_shown(real, {"b": [1, 2], "...": "..."})
    assert not pages.is_shown(real, {"c": None, "...": "..."})
    assert pages.pattern("a ... c\n").fullmatch("a b b c")
    assert not pages.pattern("a.c").fullmatch("abc")


def test_programs_have_what_is_directly_below_them() -> None:
    text = "```sh\nls\n```\n\n```text\na\n```\n\n```json\n1\n```\n\nThen:\n\n```text\nb\n```\n"
    (program,) = pages.programs(text)
    assert [(block.text, block.line) for block in program.shown] == [("a\n", 5), ("1\n", 9)]
