"""The pages name what there is, with the values in force, and every link leads somewhere."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import torch
from pydantic import TypeAdapter
from pydantic_core import PydanticUndefined

from docs import generate
from tests.acceptance import pages
from tests.acceptance.pages import CONTRIBUTING, DOCS, README, ROOT, read, rows, section
from thalweg.client import Client
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction
from thalweg.functions.expressions import limits
from thalweg.functions.expressions.operations import FUNCTIONS, OPERATORS, RELATIONS
from thalweg.functions.expressions.vocabulary import NUMBERS, OPERATOR_WORDS, REDUCTIONS
from thalweg.functions.minima import first
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.datasets import DATASETS
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.network import Network
from thalweg.functions.networks.weights import WEIGHT_INITS
from thalweg.jobs.status import Transition
from thalweg.main import create_app
from thalweg.optimizers.base import describe
from thalweg.optimizers.families.torch_optim import FAMILY
from thalweg.optimizers.schedules import schedulers
from thalweg.settings import Limits, Settings
from thalweg.spec.function import FunctionField

PAGES = pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
REFERENCE = DOCS / "reference"


def named(text: str) -> list[str]:
    """Return the names in the first column of a section's tables."""
    return [name for cells in rows(text) for name in re.findall(r"`([^`]+)`", cells[0])]


def in_code(text: str) -> set[str]:
    return {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"\w+|[^\w\s]+", code)}


def schemas() -> dict[str, Any]:
    found: dict[str, Any] = create_app(Settings()).openapi()["components"]["schemas"]
    return found


def test_what_is_generated_is_current() -> None:
    assert [page for page in generate.pages() if read(page) != page.read_text(encoding="utf-8")] == []
    asked = {name for page in generate.pages() for name in re.findall(r"<!-- generated: ([\w-]+) -->", read(page))}
    assert asked == set(generate.PARTS)


def test_a_page_that_is_out_of_date_is_noticed() -> None:
    page = REFERENCE / "settings.md"
    assert generate.filled(page.read_text(encoding="utf-8").replace("`8000`", "`8001`")) == read(page)


def expected_defaults() -> Mapping[str, str]:
    """Return how the pages have to show the default of each variable."""
    shown = {}
    for name, field in Settings.model_fields.items():
        variable = "DATABASE_URL" if name == "database_url" else f"THALWEG_{name.upper()}"
        match field.default:
            case _ if field.default is PydanticUndefined:
                shown[variable] = "one per core"
            case None:
                shown[variable] = "not set"
            case ():
                shown[variable] = "none"
            case bool():
                shown[variable] = f"`{field.default}`".lower()
            case int() if name != "port":
                shown[variable] = f"`{field.default:,}`"
            case _:
                shown[variable] = f"`{field.default}`"
    return shown


def test_the_tables_of_settings_are_complete_and_right() -> None:
    text = read(REFERENCE / "settings.md")
    tables = {title: rows(section(text, title)) for title in ("Settings", "Limits")}
    assert all(len(row) == 3 and row[2] for table in tables.values() for row in table)
    shown = {name.strip("`"): default for table in tables.values() for name, default, _ in table}
    assert shown == expected_defaults()
    assert {name.strip("`") for name, _, _ in tables["Limits"]} == {
        f"THALWEG_{name.upper()}" for name in Limits.model_fields
    }


@PAGES
def test_no_other_variable_is_named(page: Path) -> None:
    variables = set(re.findall(r"\bTHALWEG_[A-Z_]+", read(page)))
    assert variables <= expected_defaults().keys() | {"THALWEG_DATABASE_URL"}


def test_every_operation_is_listed() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    operations = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert named(section(read(REFERENCE / "http-api.md"), "Operations")) == operations


def test_the_fields_of_a_job_are_all_named() -> None:
    cells = [cells[0] for cells in rows(section(read(REFERENCE / "jobs.md"), "Fields of a job").split("\n### ")[0])]
    # FastAPI names the schema of what is sent -Input where it differs from that of what is answered
    spec = schemas().get("JobSpec-Input") or schemas()["JobSpec"]
    assert set(re.findall(r"\w+", " ".join(cells))) == spec["properties"].keys()


def test_the_fields_of_an_answer_are_all_named() -> None:
    fields = {cells[0] for cells in rows(section(read(REFERENCE / "jobs.md"), "Fields of an answer"))}
    assert set(re.findall(r"\w+", " ".join(fields))) == schemas()["Job"]["properties"].keys()


def test_the_fields_of_a_run_are_all_named() -> None:
    fields = set(named(section(read(REFERENCE / "jobs.md"), "Fields of a run")))
    assert fields == schemas()["Run"]["properties"].keys() - {"run", "outcome"}


def test_the_kinds_of_events_are_all_named() -> None:
    assert named(section(read(REFERENCE / "jobs.md"), "History")) == list(Transition)


def test_the_methods_of_the_client_are_all_named() -> None:
    shown = [name.partition("(")[0] for name in named(section(read(REFERENCE / "client.md"), "Python client"))]
    assert set(shown) == {name for name in vars(Client) if not name.startswith("_")} - {"close"}


@pytest.mark.parametrize(("page", "entries"), [("optimizers", FAMILY.optimizers), ("schedulers", schedulers())])
def test_every_parameter_of_an_optimizer_or_scheduler_is_shown(page: str, entries: Any) -> None:
    text = read(REFERENCE / f"{page}.md")
    for entry in entries:
        fields = list(entry.model_fields)
        name = entry.model_fields["name"].default
        assert named(section(text, f"`{name}`")) == [field for field in fields if field != "name"]


def test_what_is_refused_is_listed_with_the_reason() -> None:
    refused = dict(rows(read(REFERENCE / "optimizers.md").partition("\n## ")[0]))
    assert refused["`sparse_adam`"] == "it takes sparse gradients only, and a function of a vector has none"
    assert {"`foreach`", "`capturable`"} <= refused.keys()
    assert "`lambda_lr`" in dict(rows(read(REFERENCE / "schedulers.md").partition("\n## ")[0]))


def test_the_optimizers_that_run_eagerly_are_named() -> None:
    (bullet,) = re.findall(r"^- `muon`.*$", read(DOCS / "explanation" / "engines.md"), re.MULTILINE)
    entries = [describe(entry) for entry in FAMILY.optimizers]
    eager = {entry["name"] for entry in entries if not entry["fused"]}
    assert set(re.findall(r"`(\w+)`", bullet)) == eager
    text = read(REFERENCE / "optimizers.md")
    assert {
        entry["name"] for entry in entries if "the eager engine only" in section(text, f"`{entry['name']}`")
    } == eager


def test_the_defaults_of_an_optimizer_are_shown() -> None:
    shown = {cells[0]: cells[1:3] for cells in rows(section(read(REFERENCE / "optimizers.md"), "`rprop`"))}
    assert shown["`lr`"] == ["`0.01`", "> 0"]
    assert shown["`etas`"] == ["`[0.5, 1.2]`", "> 0, < 1; > 1"]
    assert shown["`maximize`"] == ["`false`", "true or false"]


def test_every_function_is_shown_with_its_facts() -> None:
    text = read(REFERENCE / "functions.md")
    for entry in catalogue.functions():
        shown = section(text, f"`{entry.name}`")
        assert entry.formula in shown
        assert f"**{entry.title}.**" in shown
    himmelblau = section(text, "`himmelblau`")
    assert "Domain: [−6, 6] in each coordinate. 4 global minima: f = 0 at (3, 2)," in himmelblau
    assert "Dimension 4 or more, a multiple of 4; shown with 4. Domain: [−4, 5] in each" in section(
        text, "`powell`"
    )
    assert "Dimension 1 to 79;" in section(text, "`perm_d_beta`")


def test_the_catalogue_is_counted_right() -> None:
    dims = [entry.dim for entry in catalogue.functions()]
    planar, any_dim = dims.count(2), dims.count(None)
    fixed = len(dims) - planar - any_dim
    text = read(REFERENCE / "functions.md")
    assert f"{len(dims)} functions: {planar} of two coordinates, {fixed} of another fixed dimension" in text
    assert f" and {any_dim} of any dimension" in text
    assert f"{len(dims)} known test functions" in read(README)
    assert f"**{len(dims)} functions**" in read(README)


def test_the_functions_that_have_kinks_are_listed() -> None:
    text = section(read(REFERENCE / "functions.md"), "Gradients where there is none")
    (paragraph,) = re.findall(r"^`smooth` is false .*$", text, re.MULTILINE)
    listed = set(re.findall(r"`(\w+)`", paragraph)) - {"smooth"}
    assert listed == {entry.name for entry in catalogue.functions() if not entry.smooth}


def test_variants_are_those_of_functions_that_exist() -> None:
    names = named(section(read(REFERENCE / "functions.md"), "Variants"))
    assert names
    assert not [name for name in names if name not in catalogue.names()]


def test_the_words_of_formulas_are_all_named() -> None:
    said = in_code(section(read(REFERENCE / "formulas.md"), "What it may contain"))
    words = [*FUNCTIONS, *NUMBERS, *REDUCTIONS, *OPERATOR_WORDS, "where", "range", "len", "n"]
    signs = [sign for sign in (*OPERATORS, *RELATIONS) if not sign.isalpha()]
    assert not [word for word in (*words, *signs) if word not in said]


def test_the_limits_of_formulas_are_those_in_force() -> None:
    shown = [int(cells[1].replace(",", "")) for cells in rows(section(read(REFERENCE / "formulas.md"), "Limits"))]
    assert shown == [int(value) for name, value in vars(limits).items() if name.startswith("MAX_")]


def test_the_parts_of_networks_are_all_named() -> None:
    text = read(REFERENCE / "networks.md")
    assert set(named(section(text, "Activations"))) == {*ACTIVATIONS, "softmax"}
    assert set(named(section(text, "Losses"))) == set(LOSSES)
    assert set(named(section(text, "Parameters"))) == set(WEIGHT_INITS)
    assert set(named(text.split("\n## ", 1)[0])) == set(Network.model_fields)


def test_the_data_sets_are_shown_with_their_defaults() -> None:
    shown = {
        cells[0].strip("`"): cells[2:] for cells in rows(section(read(REFERENCE / "networks.md"), "Data sets"))
    }
    assert shown.keys() == DATASETS.keys()
    assert shown["blobs"] == ["2", "150", "0.25", "3, or any number"]
    assert shown["sine"] == ["1", "100", "0", "none"]


@pytest.mark.parametrize("name", ["formulas", "networks"])
def test_the_examples_of_reference_are_functions(name: str) -> None:
    examples = [block for block in pages.fenced(read(REFERENCE / f"{name}.md")) if block.language == "json"]
    assert examples
    for example in examples:
        objective = TypeAdapter(FunctionField).validate_python(json.loads(example.text)).objective()
        assert objective(torch.zeros(objective.dim, dtype=torch.float64)).isfinite()


def contributing(language: str, title: str) -> str:
    (block,) = [block for block in pages.fenced(section(read(CONTRIBUTING), title)) if block.language == language]
    return block.text


def test_the_function_example_is_a_catalogue_entry() -> None:
    names: dict[str, Any] = {}
    exec(contributing("python", "Add a function"), names)  # noqa: S102 the page's own example
    entries = [value for value in names.values() if isinstance(value, CatalogueFunction)]
    assert [entry.name for entry in entries] == ["wayburn_seader_n1"]
    assert entries[0].name not in catalogue.names()
    objective = entries[0].at()
    for minimum in first(objective.minima, 9):
        point = torch.tensor(minimum.x, dtype=torch.float64, requires_grad=True)
        value = objective(point)
        (gradient,) = torch.autograd.grad(value, point)
        assert value.item() == pytest.approx(minimum.f, abs=1e-12)
        assert gradient.abs().max().item() == pytest.approx(0, abs=1e-12)


def test_the_optimizer_example_is_the_code() -> None:
    example = contributing("python", "Add an optimizer or a scheduler")
    assert example in (ROOT / "app" / "thalweg" / "optimizers" / "families" / "torch_optim.py").read_text(
        encoding="utf-8"
    )


def test_the_readme_is_short() -> None:
    assert len(read(README).splitlines()) <= 150


def test_every_make_target_is_named() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {"help"}
    assert {f"make {target}" for target in targets} == set(named(section(read(REFERENCE / "commands.md"), "make")))


@PAGES
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", read(page))) <= targets


@PAGES
def test_every_file_that_is_named_exists(page: Path) -> None:
    files = re.findall(r"`((?:app|tests|docs|benchmarks|alembic)/[\w./-]*\w)`", read(page))
    generated = {"docs/_build/html"}
    assert not [name for name in files if name not in generated and not (ROOT / name).exists()]


def slug(heading: str) -> str:
    """Return a heading's anchor, as GitHub and MyST have it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@PAGES
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        url = urlsplit(target)
        if url.scheme:
            assert url.scheme == "https", target
            assert "." in url.netloc, target
            continue
        leads_to = page if not url.path else (page.parent / url.path).resolve()
        assert leads_to.is_file(), target
        assert ROOT in leads_to.parents, target
        assert not url.fragment or url.fragment in anchors(leads_to), target
    for address in re.findall(r"<(https?://[^>]*)>", text):
        host = urlsplit(address).hostname or ""
        assert "." in host, address
        assert not re.search(r"[\s<]", address), address


def test_every_page_of_the_site_is_reached() -> None:
    found: set[Path] = set()
    left = [DOCS / "index.md"]
    while left:
        page = left.pop()
        if page in found or page.suffix != ".md" or DOCS not in page.parents:
            continue
        found.add(page)
        left += [
            (page.parent / target).resolve()
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))
            if "://" not in target
        ]
    assert found == {page for page in pages.pages() if DOCS in page.parents}


def test_decisions_have_a_number_each() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    numbers = [int(name[:4]) for name in names]
    assert len(set(numbers)) == len(numbers)
    for name, number in zip(names, numbers, strict=True):
        assert (DOCS / "decisions" / name).read_text(encoding="utf-8").startswith(f"# {number}. ")


@PAGES
def test_no_registry_and_no_local_path_is_named(page: Path) -> None:
    text = read(page)
    assert not re.findall(
        r"pypi\.|download\.pytorch|docker\.io|ghcr\.io|quay\.io|index-url|[a-z.-]+/simple\b", text
    )
    assert not re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users|opt|usr)/", text)
