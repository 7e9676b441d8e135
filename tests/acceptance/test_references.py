"""The pages of reference: what there is is named in them, with the numbers that are in force."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter

from thalweg.functions import catalogue
from thalweg.functions.expressions import limits
from thalweg.functions.expressions.operations import FUNCTIONS, OPERATORS, RELATIONS
from thalweg.functions.expressions.vocabulary import NUMBERS, OPERATOR_WORDS, REDUCTIONS
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.datasets import DATASETS
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.network import Network
from thalweg.functions.networks.weights import WEIGHT_INITS
from thalweg.spec.function import FunctionReference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text[text.index(f"## {title}\n") :].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a section's table, below its heading."""
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def named(text: str) -> set[str]:
    return {cells[0].strip("`") for cells in rows(text)}


def in_code(text: str) -> set[str]:
    return {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"\w+|[^\w\s]+", code)}


def test_the_words_of_formulas_are_all_named() -> None:
    said = in_code(section(page("formulas"), "What it may contain"))
    words: Iterable[str] = [*FUNCTIONS, *NUMBERS, *REDUCTIONS, *OPERATOR_WORDS, "where", "range", "len", "n"]
    signs = [sign for sign in (*OPERATORS, *RELATIONS) if not sign.isalpha()]
    assert not [word for word in (*words, *signs) if word not in said]


def test_the_limits_of_formulas_are_those_in_force() -> None:
    shown = [int(cells[1].split()[0].replace(",", "")) for cells in rows(section(page("formulas"), "Limits"))]
    assert limits.MAX_DIGITS == limits.MAX_NAME_LENGTH
    assert shown == [
        limits.MAX_LENGTH,
        limits.MAX_TOKENS,
        limits.MAX_DEPTH,
        limits.MAX_DIGITS,
        limits.MAX_NAMES,
        limits.MAX_EXPONENT,
        limits.MAX_LOOPS,
        limits.MAX_WHOLE,
        limits.MAX_VALUES,
    ]


def test_the_parts_of_networks_are_all_named() -> None:
    text = page("networks")
    assert named(section(text, "Activations")) == {*ACTIVATIONS, "softmax"}
    assert named(section(text, "Losses")) == set(LOSSES)
    assert named(section(text, "Parameters")) == set(WEIGHT_INITS)
    introduction = text.split("\n## ", 1)[0]
    assert named(introduction) == set(Network.model_fields)
    assert Architecture.model_fields.keys() <= Network.model_fields.keys()


def test_the_data_sets_are_shown_with_their_defaults() -> None:
    shown = {cells[0].strip("`"): cells[2:] for cells in rows(section(page("networks"), "Data sets"))}
    assert shown.keys() == DATASETS.keys()
    for name, entry in DATASETS.items():
        classes = "none" if entry.classes is None else f"{entry.classes}{', or any' * entry.any_classes}"
        assert shown[name] == [f"{entry.n_inputs}", f"{entry.n}", f"{entry.noise:g}", classes]


def test_the_catalogue_is_counted_right() -> None:
    dims = [entry.dim for entry in catalogue.functions()]
    planar, any_dim = dims.count(2), dims.count(None)
    fixed = len(dims) - planar - any_dim
    counts = f"{len(dims)} functions: {planar} of the plane, {fixed} of another fixed dimension, {any_dim} of any"
    assert counts in page("functions")
    assert f"{len(dims)} known test functions" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_functions_that_have_kinks_are_listed() -> None:
    paragraph = section(page("functions"), "Gradients where there is none").split("\n- ", 1)[0]
    listed = set(re.findall(r"`(\w+)`", paragraph)) - {"smooth"}
    assert listed == {entry.name for entry in catalogue.functions() if not entry.smooth}


def test_variants_are_those_of_functions_that_exist() -> None:
    names = [name for cells in rows(section(page("functions"), "Variants")) for name in cells[0].split(", ")]
    assert not [name for name in names if name.strip("`") not in catalogue.names()]


@pytest.mark.parametrize("path", sorted(DOCS.glob("**/*.md")), ids=lambda path: path.stem)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")) if "://" not in link]
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("name", ["formulas", "networks"])
def test_the_examples_are_functions(name: str) -> None:
    examples = re.findall(r"^```json\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        objective = TypeAdapter(FunctionReference).validate_python(json.loads(example)).objective()
        point = torch.zeros(objective.dim, dtype=torch.float64)
        assert objective(point).isfinite()
