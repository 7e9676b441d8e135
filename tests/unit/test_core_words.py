"""The core does not know that it is served over HTTP: none of its texts and error paths speak of requests.

What only the API can say, such as which request lists the functions, an error carries as a `Remedy`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import thalweg
from thalweg import errors

ROOT = Path(thalweg.__file__).parent
CORE = ("analysis", "db", "engine", "functions", "jobs", "optimizers", "plots", "spec")
MODULES = sorted(path for package in CORE for path in (ROOT / package).rglob("*.py") if "scripts" not in path.parts)

REQUESTS = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE) /|(?<![\w/])/v\d+\b")
"""In any text: a method with a path, or a path of the API."""

WORDS = re.compile(
    r"\bHTTP\b|\bendpoints?\b|\brouters?\b|\broutes?\b|\bstatus codes?\b|\bContent-Type\b"
    r"|\b(?:request|response|message|HTTP)(?:'s)? (?:body|bodies|headers?)\b"
    r"|\b(?:body|bodies|headers?) of (?:a|an|the|each) (?:request|response)\b"
    r"|\bquery (?:parameters?|strings?)\b"
)
"""In docstrings and in the texts of errors. A binary file has a header, a loop a body and a database queries."""

PLACES = {"query", "header", "body", "cookie"}
"""Where a value stands in a request; in the core a path begins with the name of an argument or a field."""

ERRORS = {
    name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)
} - {"Exception"}


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def error_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ERRORS:
                yield node


def docstrings(tree: ast.AST) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield text
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def findings(source: str) -> list[str]:
    tree = ast.parse(source)
    calls = list(error_calls(tree))
    said = [constant.value for call in calls for constant in strings(call)]
    places = [
        argument.value
        for call in calls
        for argument in call.args[1:]
        if isinstance(argument, ast.Constant) and argument.value in PLACES
    ]
    requests = [constant.value for constant in strings(tree) if REQUESTS.search(str(constant.value))]
    words = [text for text in [*docstrings(tree), *map(str, said)] if WORDS.search(text)]
    return [*map(str, requests), *words, *map(str, places)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_of_the_core_speaks_of_http(module: Path) -> None:
    assert findings(module.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        'raise InvalidInput(f"there is no function {name!r}; GET /v1/functions lists all")',
        'LINK = f"/v1/jobs/{job_id}"',
        'def f():\n    """Return what the query parameter says."""',
        '"""The HTTP body."""',
        'raise InvalidInput("the run has not moved", "query", "method")',
        'raise errors.LimitExceeded("take a smaller request body")',
    ],
)
def test_what_belongs_to_the_api_is_found(source: str) -> None:
    assert findings(source) != []


@pytest.mark.parametrize(
    "source",
    [
        'self.put("br i1 %more, label %header, label %exit")',
        '"""Every query of the store."""',
        'PAGE = "<body></body>"',
        'raise InvalidInput("the body of the sum is not a number", "expression")',
        'SOURCE = "https://example.org/v1/paper"',
    ],
)
def test_other_bodies_and_headers_are_let_be(source: str) -> None:
    assert findings(source) == []
