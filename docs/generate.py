"""Write the parts of the pages that the code knows: settings, limits, operations, optimizers, functions, data sets.

    python -m docs.generate           write them anew
    python -m docs.generate --check   say which page is out of date, and fail

A page marks each part by two comments, `<!-- generated: NAME -->` and `<!-- end of generated -->`.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs import faults
from thalweg.errors import InvalidInput
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction, CatalogueObjective
from thalweg.functions.expressions import limits
from thalweg.functions.minima import first
from thalweg.functions.networks.datasets import DATASETS
from thalweg.main import create_app
from thalweg.optimizers.base import describe
from thalweg.optimizers.families import torch_optim, zoo
from thalweg.optimizers.family import Family
from thalweg.optimizers.schedules import REFUSED, schedulers
from thalweg.settings import Limits, Settings

DOCS = Path(__file__).parent
_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)
_MOST_EXACT = 2**53  # whole numbers up to here are exact as doubles
_SHOWN_MINIMA = 4
_SHOWN_DIGITS = 6


def filled(page: str) -> str:
    """Return a page with all its generated parts as the code has them now.

    Raises:
        KeyError: The page asks for a part that there is not.
    """
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]().strip()}\n\n{part[3]}", page)


def pages() -> Iterable[Path]:
    """Return the pages that have generated parts."""
    return [path for path in sorted(DOCS.glob("**/*.md")) if _PART.search(path.read_text(encoding="utf-8"))]


def variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return "DATABASE_URL" if field == "database_url" else f"THALWEG_{field.upper()}"


def default(name: str, field: FieldInfo) -> str:
    """Return how a page shows the default of a setting."""
    match field.default:
        case _ if field.default is PydanticUndefined:
            return "one per core"
        case None:
            return "not set"
        case ():
            return "none"
        case bool():
            return f"`{field.default}`".lower()
        case int() if name != "port":
            return f"`{field.default:,}`"
    return f"`{field.default}`"


def _settings() -> str:
    return _of_settings({name: field for name, field in Settings.model_fields.items() if not _is_limit(name)})


def _limits() -> str:
    return _of_settings({name: field for name, field in Settings.model_fields.items() if _is_limit(name)})


def _is_limit(name: str) -> bool:
    return name in Limits.model_fields


def _of_settings(fields: Mapping[str, FieldInfo]) -> str:
    rows = [(f"`{variable(name)}`", default(name, field), field.description) for name, field in fields.items()]
    return _table(("variable", "default", "meaning"), rows)


def _operations() -> str:
    rows = []
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method, operation in methods.items():
            rows.append(
                (f"`{method.upper()} {path}`", operation["description"].split("\n\n")[0].replace("\n", " "))
            )
    return _table(("operation", "what it does"), rows)


def _optimizers() -> str:
    return "\n\n".join(_method(describe(entry)) for entry in torch_optim.FAMILY.optimizers)


def _zoo() -> str:
    rows = []
    for cls in zoo.FAMILY.optimizers:
        entry = describe(cls)
        fused = "fused" if entry["fused"] else f"eager: {cls.record.unfused}"
        of = f"[{entry['title']}]({cls.docs()})"
        paper = _linked(cls.paper or "")
        rows.append((f"`{entry['name']}`", of, entry["parameters"]["description"], fused, paper, entry["licence"]))
    return _table(("name", "optimizer", "what it does", "engine", "source", "licence"), rows)


def _schedulers() -> str:
    return "\n\n".join(_method(describe(entry)) for entry in schedulers())


def _refused_optimizers(family: Family) -> str:
    refused = {**family.refused_optimizers, **family.refused}
    return _table(("refused", "reason"), [(f"`{name}`", why) for name, why in refused.items()])


def _refused_schedulers() -> str:
    return _table(("refused", "reason"), [(f"`{name}`", why) for name, why in REFUSED.items()])


def _method(entry: Mapping[str, Any]) -> str:
    parameters = entry["parameters"]
    defs = parameters.get("$defs", {})
    rows = []
    for name, schema in parameters["properties"].items():
        shown = "required" if name in parameters["required"] else _value(schema.get("default"))
        rows.append((f"`{name}`", shown, _bounds(schema, defs), schema.get("description", "")))
    facts = []
    if "family" in entry:
        engine = "the fused engine" if entry["fused"] else "the eager engine only"
        facts.append(f" Family `{entry['family']}`; runs on {engine}.")
    if entry.get("matrices_only"):
        facts.append(" For networks only.")
    return "\n\n".join(
        (
            f"## `{entry['name']}`",
            f"**{entry['title']}.** {parameters['description']}{''.join(facts)}",
            _table(("parameter", "default", "range", "meaning"), rows),
            f"Source: {_linked(entry['source'].replace(' ; ', '; '))}",
        )
    )


def _functions() -> str:
    return "\n\n".join(
        "\n\n".join((f"## {title}", *(_function(entry) for entry in entries))) for title, entries in _groups()
    )


def _groups() -> Iterable[tuple[str, list[CatalogueFunction]]]:
    entries = sorted(catalogue.functions(), key=lambda entry: entry.name)
    yield "Functions of two coordinates", [entry for entry in entries if entry.dim == 2]
    yield "Functions of another fixed dimension", [entry for entry in entries if entry.dim not in {2, None}]
    yield "Functions of any dimension", [entry for entry in entries if entry.dim is None]


def _function(entry: CatalogueFunction) -> str:
    objective = entry.at()
    facts = [f"**{entry.title}.**", f"Domain: {_box(objective)}.", _minima(objective)]
    if entry.dim is None:
        facts.insert(1, _dimensions(entry))
    if not entry.smooth:
        facts.append("Not differentiable everywhere.")
    return "\n\n".join(
        (
            f"### `{entry.name}`",
            f"$$\n{entry.formula}\n$$",
            " ".join(facts),
            f"Source: {_linked(entry.source)}",
        )
    )


def _dimensions(entry: CatalogueFunction) -> str:
    least = next(dim for dim in range(1, 10) if _takes(entry, dim))
    multiples = f", a multiple of {entry.dim_multiple}" if entry.dim_multiple > 1 else ""
    most = "" if entry.max_dim is None else f" to {entry.max_dim}"
    return f"Dimension {least}{most or ' or more'}{multiples}; shown with {entry.at().dim}."


def _takes(entry: CatalogueFunction, dim: int) -> bool:
    try:
        entry.at(dim)
    except InvalidInput:
        return False
    return True


def _box(objective: CatalogueObjective) -> str:
    pairs = [f"[{_number(low)}, {_number(high)}]" for low, high in objective.domain]
    return f"{pairs[0]} in each coordinate" if len(set(pairs)) == 1 and len(pairs) > 1 else " × ".join(pairs)


def _minima(objective: CatalogueObjective) -> str:
    count = objective.minima.count
    if not count:
        return "No global minimum is known."
    shown = first(objective.minima, _SHOWN_MINIMA)
    points = ", ".join(f"({', '.join(_number(c) for c in minimum.x)})" for minimum in shown)
    rest = f" and {count - len(shown)} more" if count > len(shown) else ""
    known = "" if objective.all_minima_known else " Others may exist."
    noun = "Global minimum" if count == 1 else f"{count} global minima"
    return f"{noun}: f = {_number(shown[0].f)} at {points}{rest}.{known}"


def _kinks() -> str:
    names = sorted(entry.name for entry in catalogue.functions() if not entry.smooth)
    return (
        f"`smooth` is false for the {len(names)} functions that are not differentiable everywhere in their domain: "
        f"{', '.join(f'`{name}`' for name in names)}."
    )


def _counts() -> str:
    planar, fixed, any_dimension = (len(entries) for _, entries in _groups())
    total = planar + fixed + any_dimension
    return (
        f"The catalogue has {total} functions: {planar} of two coordinates, {fixed} of another fixed dimension and "
        f"{any_dimension} of any dimension."
    )


def _data_sets() -> str:
    rows = []
    for name, entry in DATASETS.items():
        classes = "none" if entry.classes is None else f"{entry.classes}{', or any number' * entry.any_classes}"
        rows.append((f"`{name}`", entry.title, entry.n_inputs, entry.n, f"{entry.noise:g}", classes))
    return _table(("name", "samples look like", "inputs", "samples", "noise", "classes"), rows)


def _formula_limits() -> str:
    tree = ast.parse(Path(limits.__file__).read_text(encoding="utf-8"))
    rows = []
    for assignment, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(assignment, ast.AnnAssign) and isinstance(text, ast.Expr):
            (name, meaning) = ast.unparse(assignment.target), ast.literal_eval(text.value)
            rows.append((meaning.rstrip(".").replace("\n", " "), f"{int(getattr(limits, name)):,}"))
    return _table(("limit", "most"), rows)


def _decisions() -> str:
    titles = {
        path.name: path.read_text(encoding="utf-8").split("\n", 1)[0] for path in DOCS.glob("decisions/0*.md")
    }
    return "\n".join(f"- [{titles[name].removeprefix('# ')}]({name})" for name in sorted(titles))


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").strip()


def _value(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"`{str(value).lower()}`"
        case list() | tuple():
            return f"`[{', '.join(_value(item).strip('`') for item in value)}]`"
        case float() | int():
            return f"`{value:.6g}`"
    return f"`{value}`"


def _bounds(schema: Mapping[str, Any], defs: Mapping[str, Any] | None = None) -> str:
    """Return in words which values a JSON Schema allows."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _bounds((defs or {}).get(name, {}), defs)
    if "anyOf" in schema:
        parts = dict.fromkeys(_bounds(part, defs) for part in schema["anyOf"])
        return ", or ".join(part for part in parts if part)
    if "enum" in schema or "const" in schema:
        return ", ".join(_value(value) for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return "; ".join(dict.fromkeys(_bounds(item, defs) for item in items if item))
    if kind in {"number", "integer"}:
        return " ".join(("whole," if kind == "integer" else "", _interval(schema))).strip(" ,")
    return {"boolean": "true or false", "null": "null", "object": "object", "string": "text"}.get(str(kind), "")


def _interval(schema: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    huge = 1e300  # a bound that only keeps infinity out
    return ", ".join(
        f"{sign} {_number(schema[bound])}" for bound, sign in signs.items() if abs(schema.get(bound, huge)) < huge
    )


def _number(value: float) -> str:
    if value == _MOST_EXACT:
        return "2^53"
    return f"{value:.{_SHOWN_DIGITS}g}".replace("-", "−")


def _linked(text: str) -> str:
    return re.sub(r"https?://[^\s,;)]+[^\s,;.)]", lambda url: f"<{url[0]}>", text)


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": _settings,
    "limits": _limits,
    "operations": _operations,
    "optimizers": _optimizers,
    "refused-optimizers": lambda: _refused_optimizers(torch_optim.FAMILY),
    "zoo": _zoo,
    "zoo-faults": lambda: _table(
        ("optimizer", "what is wrong", "shown by"), ((f"`{n}`", w, s) for n, w, s in faults.rows())
    ),
    "refused-zoo": lambda: _refused_optimizers(zoo.FAMILY),
    "schedulers": _schedulers,
    "refused-schedulers": _refused_schedulers,
    "functions": _functions,
    "function-counts": _counts,
    "kinks": _kinks,
    "data-sets": _data_sets,
    "formula-limits": _formula_limits,
    "decisions": _decisions,
}


def main() -> int:
    """Write the generated parts, or check them; return the exit status."""
    stale = []
    for path in pages():
        text = path.read_text(encoding="utf-8")
        if (now := filled(text)) != text:
            stale.append(path.relative_to(DOCS.parent))
            if "--check" not in sys.argv[1:]:
                path.write_text(now, encoding="utf-8")
    if stale and "--check" in sys.argv[1:]:
        sys.stderr.write(f"{', '.join(map(str, stale))}: not what the code says: run 'make openapi' and commit\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
