"""Errors of formulas, with column and reason, and validation of their other fields."""

from typing import Any

import pytest
from pydantic import ValidationError

from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions.expressions import ExpressionReference, limits


def refused(expression: str, *variables: str, **fields: Any) -> InvalidInput:
    """Return the error of a formula on validation."""
    with pytest.raises(ValidationError) as caught:
        ExpressionReference.model_validate({"expression": expression, "variables": variables or ("x",), **fields})
    (error,) = caught.value.errors()
    cause = error["ctx"]["error"]
    assert isinstance(cause, InvalidInput)
    assert cause.path[0] == "expression"
    return cause


@pytest.mark.parametrize(
    ("expression", "column", "words"),
    [
        ("", 1, "empty"),
        ("  \n ", 1, "empty"),
        ("x +", 4, "ends where a value is expected"),
        ("x + * 2", 5, "a value is missing before *"),
        ("2x", 2, "a product as 2 * x"),
        ("0x1F", 2, "write numbers as"),
        ("1_000", 2, "write numbers as"),
        ("3j", 2, "write numbers as"),
        ("1or 2", 2, "followed by o"),
        ("x y", 3, "an operator is missing before y"),
        ("2(x)", 2, "write a product with *"),
        ("(x)(2)", 4, "write a product with *"),
        ("sin(x", 4, "is not closed"),
        ("x)", 2, "has no opening bracket"),
        ("sum(x[0)", 8, "does not close the [ at column 6"),
        ("sin()", 5, "a value is missing before )"),
        ("sin(x,)", 7, "a value is missing before )"),
        ("x, x", 2, "one expression"),
        ("[x]", 1, "no lists"),
        ("x^2", 2, "write a power as **"),
        ("x = 2", 3, "=="),
        ("sin(x=1)", 6, "=="),
        ("x | x", 3, "or"),
        ("x & x", 3, "and"),
        ("math.sin(x)", 5, "not math.sin(x)"),
        ("x[0:1]", 4, "no slices"),
        ("(y := x)", 4, "assignments"),
        ("'x'", 1, "no strings"),
        ('f"{x}"', 2, "no strings"),
        ("x × 2", 3, "write multiplication as *"),
        ("x\0", 2, r"\x00"),
        ("\N{MATHEMATICAL BOLD SMALL X}", 1, "ASCII"),
        ("\ud800", 1, "ASCII"),
        ("x # y", 3, "comments"),
        ("x\\", 2, "ASCII"),
        ("1 is 2", 3, "is is not allowed"),
        ("lambda: x", 1, "lambda"),
        ("x + True", 5, "condition is a comparison"),
        ("x not in x", 3, "before not"),
        ("x in x", 1, "a number is expected here"),
        ("where(x in x, 1, 2)", 7, "compare values"),
        ("x if x > 0", 1, "else"),
        ("007", 1, "leading zeros"),
        ("y", 1, "unknown name y; the formula knows x"),
        ("alhpa*x", 1, "did you mean alpha"),
        ("sine(x)", 1, "did you mean sin"),
        ("1 + ln(x)", 5, "write log"),
        ("x(2)", 1, "x * (...)"),
        ("sin + 1", 1, "call it"),
        ("sin(x)(x)", 7, "write a product with *"),
        ("atan2(x)", 1, "takes 2 arguments, not 1"),
        ("log(x, 2, 3)", 1, "takes 1 to 2 arguments"),
        ("where(x > 0, 1)", 1, "takes 3 arguments, not 2"),
        ("where(x, 1, 2)", 7, "compare it"),
        ("x if x else 2", 6, "compare it"),
        ("(x > 0) * x", 2, "write where"),
        ("-(x > 0)", 3, "write where"),
        ("not x > 0", 1, "write where"),
        ("(x for i in range(3))", 1, "a loop must be inside"),
        ("range(3)", 1, "for loops only"),
        ("sum(x)(2)", 7, "write a product with *"),
        ("sum(alpha)", 1, "the formula has no vector"),
        ("(x, x)", 1, "comma"),
        ("1e999", 1, "too large for a double"),
        ("1/0", 1, "too large for a double"),
        ("x + 0/0", 5, "not a real number"),
        ("exp(1000)", 1, "too large for a double"),
        ("x * (-8)**(1/3)", 5, "not a real number"),
        ("9**9**9**9", 7, "exponent is at most"),
        ("x**1001", 4, "exponent is at most"),
        ("x**-1001", 4, "exponent is at most"),
    ],
)
def test_the_column_and_the_reason_are_given(expression: str, column: int, words: str) -> None:
    error = refused(expression, constants={"alpha": 2})
    assert words in error.detail
    assert error.column == column


@pytest.mark.parametrize(
    ("expression", "column", "words"),
    [
        ("sum(x[i + 1] for i in range(n))", 7, "reaches 3, but the vector has indices 0 to 2"),
        ("x[3]", 3, "is 3"),
        ("x[-4]", 3, "is -4"),
        ("sum(x[i - 1] for i in range(n))", 7, "from -1 to 1"),
        ("x[0.5]", 3, "an integer is required"),
        ("x[x[0]]", 3, "made of loop variables"),
        ("x[n/3]", 3, "divided by //"),
        ("x[0//0]", 3, "division by 0"),
        ("x[10**9]", 3, "made of loop variables"),
        ("x[1000*1000*1000]", 3, "at most 1000000"),
        ("x[1, 2]", 3, "a single index"),
        ("x[0][0]", 5, "only a variable can be indexed"),
        ("2*x", 3, "x is a vector here"),
        ("sum(x[i] for i in range(0, 3, 0))", 31, "step"),
        ("max(x[i] for i in range(0))", 1, "of an empty range has no value"),
        ("sum(min(x[j] for j in range(i)) for i in range(n))", 5, "of an empty range has no value"),
        ("sum(x[i] for i in x[0])", 19, "a loop goes over"),
        ("sum(x[i] for i in range(1, 2, 3, 4))", 19, "a loop goes over"),
        ("sum(x[i] for i, j in range(3))", 14, "one variable"),
        ("sum(x[0] for x in range(3))", 14, "is already in use"),
        ("sum(x[n] for n in range(3))", 14, "is already in use"),
        ("sum(x[i]*sum(x[i] for i in range(2)) for i in range(3))", 23, "is already in use"),
        ("sum(x[i] for i in range(3) if i > 1)", 31, "write where"),
        ("sum(1/(i - 1) for i in range(3)) + x[0]", 5, "too large for a double"),
        ("len(x, x)", 1, "len takes a variable"),
        ("norm(x, 2)", 1, "takes a loop"),
    ],
)
def test_loops_are_checked_when_the_dimension_is_known(expression: str, column: int, words: str) -> None:
    if "x[" not in expression:
        expression += " + x[0]"
    error = refused(expression, dim=3)
    assert words in error.detail
    assert error.column == column


def test_the_dimension_may_come_with_the_points() -> None:
    reference = ExpressionReference(expression="sum(x[i] - x[i - 2] for i in range(2, n)) + x[4]", variables=("x",))
    assert reference.objective(5).dim == 5
    with pytest.raises(InvalidInput, match="is 4, but the vector") as caught:
        reference.objective(3)
    assert caught.value.path == ("expression",)
    assert caught.value.column == 47
    with pytest.raises(InvalidInput, match="a vector of any dimension"):
        reference.objective()


def test_two_vectors_are_rejected() -> None:
    error = refused("x[0] + sum(y**2)*y[0]", "x", "y")
    assert "x and y are both used as vectors" in error.detail
    assert error.column == 18


def nested(n: int) -> str:
    return "abs(" * n + "x" + ")" * n


@pytest.mark.parametrize(
    "within",
    [
        "x" + " " * (limits.MAX_LENGTH - 1),
        "+".join(["x"] * (limits.MAX_TOKENS // 2)),
        nested(limits.MAX_DEPTH),
        "-" * limits.MAX_DEPTH + "x",
        "x" + "**x" * limits.MAX_DEPTH,
        "x if x > 0 else " * limits.MAX_DEPTH + "x",
        "x*" + "1" * limits.MAX_DIGITS,
        "x**1000",
        "sum(x*i for i in range(1000))",
    ],
)
def test_limits_are_reached(within: str) -> None:
    assert ExpressionReference(expression=within, variables=("x",)).objective().dim == 1


@pytest.mark.parametrize(
    "beyond",
    [
        "x" + " " * limits.MAX_LENGTH,
        "+".join(["x"] * (limits.MAX_TOKENS // 2 + 1)),
        nested(limits.MAX_DEPTH + 1),
        "(" * 2000 + "x" + ")" * 1999,
        "-" * (limits.MAX_DEPTH + 1) + "x",
        "x" + "**x" * (limits.MAX_DEPTH + 1),
        "x if x > 0 else " * (limits.MAX_DEPTH + 1) + "x",
        "where(" + "not " * (limits.MAX_DEPTH + 1) + "x > 0, 1, 2)",
        "1" * (limits.MAX_DIGITS + 1),
        "x" * (limits.MAX_NAME_LENGTH + 1),
        "sum(x*i for i in range(10000000))",
        "sum(x for a in range(2) for b in range(2) for c in range(2) for d in range(2) for f in range(2))",
    ],
)
def test_limits_hold(beyond: str) -> None:
    assert refused(beyond).detail


@pytest.mark.parametrize(
    "beyond",
    [
        "sum(x*i for i in range(1000000))",
        "sum(x for i in range(1000000) for j in range(1000000))",
        "sum(x for i in range(1000) for j in range(i) for k in range(j) for l in range(k))",
        "+".join(["sum(x*i for i in range(9999))"] * 90),
        "+".join(["sum(i**2.5 for i in range(100000))"] * 60),
    ],
)
def test_a_costly_formula_is_rejected_before_it_is_evaluated(beyond: str) -> None:
    error = refused(beyond)
    assert isinstance(error, LimitExceeded)
    assert error.column is not None


def test_a_reference_survives_its_json() -> None:
    given = {
        "expression": "a*sum(x**2) + y",
        "variables": ["x", "y"],
        "constants": {"a": 2},
        "domain": [[-1, 1], [0, 5]],
        "dim": 3,
    }
    reference = ExpressionReference.model_validate(given)
    assert reference.model_dump(mode="json") == given
    assert ExpressionReference.model_validate_json(reference.model_dump_json()) == reference
    assert reference.name == "expression"


@pytest.mark.parametrize(
    ("variables", "domain", "dim", "box"),
    [
        (["x", "y"], [[0, 1], [2, 3]], None, [(0, 1), (2, 3)]),
        (["x", "y"], None, None, None),
        (["v"], [[0, 1]], 3, [(0, 1)] * 3),
        (["v"], [[0, 1], [2, 3], [4, 5]], None, [(0, 1), (2, 3), (4, 5)]),
        (["x", "v", "y"], [[0, 1], [2, 3], [4, 5]], 4, [(0, 1), (2, 3), (2, 3), (4, 5)]),
        (["v", "x"], [[0, 1], [2, 3]], 2, [(0, 1), (2, 3)]),
    ],
)
def test_domains(variables: list[str], domain: Any, dim: int | None, box: Any) -> None:
    expression = "sum(v)" if "v" in variables else "x + y"
    reference = ExpressionReference(expression=expression, variables=tuple(variables), domain=domain, dim=dim)
    found = reference.objective().domain
    assert found == (None if box is None else tuple(box))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"variables": ["x", "x"]}, ["variables", 1]),
        ({"variables": ["sin"]}, ["variables", 0]),
        ({"variables": ["lambda"]}, ["variables", 0]),
        ({"variables": ["2x"]}, ["variables", 0]),
        ({"variables": ["\N{GREEK SMALL LETTER ALPHA}"]}, ["variables", 0]),
        ({"variables": ["x\n"]}, ["variables", 0]),
        ({"variables": []}, ["variables"]),
        ({"variables": ["x"], "constants": {"e": 2}}, ["constants", "e"]),
        ({"variables": ["x"], "constants": {"x": 2}}, ["constants", "x"]),
        ({"variables": ["x"], "constants": {"a": True}}, ["constants", "a"]),
        ({"variables": ["x"], "constants": {"a": float("nan")}}, ["constants", "a"]),
        ({"variables": ["x"], "domain": [[1, 1]]}, ["domain", 0]),
        ({"variables": ["x"], "domain": [[0, 1], [0, 1]]}, ["domain"]),
        ({"variables": ["x"], "dim": 2}, ["dim"]),
        ({"variables": ["x"], "dim": True}, ["dim"]),
        ({"variables": ["x"], "name": "f"}, ["name"]),
        ({"variables": ["x"], "expression": 3}, ["expression"]),
    ],
)
def test_the_fields_around_the_formula_are_checked(fields: dict[str, Any], path: list[str | int]) -> None:
    with pytest.raises(ValidationError) as caught:
        ExpressionReference.model_validate({"expression": "x", **fields})
    (error,) = caught.value.errors()
    cause = (error.get("ctx") or {}).get("error")
    assert [*error["loc"], *(cause.path if isinstance(cause, InvalidInput) else ())] == path


def test_dimensions_must_agree() -> None:
    reference = ExpressionReference(expression="sum(x) + y", variables=("x", "y"), dim=3)
    assert reference.objective(3).dim == 3
    with pytest.raises(InvalidInput, match="has dim 3, but the points have 4"):
        reference.objective(4)
    open_dim = ExpressionReference(expression="sum(x) + y", variables=("x", "y"), domain=((0, 1), (0, 1), (0, 1)))
    with pytest.raises(InvalidInput, match="3 pairs for 4 coordinates"):
        open_dim.objective(4)
    with pytest.raises(InvalidInput, match="at least 2 coordinates"):
        open_dim.objective(1)
