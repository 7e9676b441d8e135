"""From text to tree: Python's parser reads the text, and only the nodes listed here are accepted."""

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from thalweg.errors import InvalidInput
from thalweg.functions.expressions import tree
from thalweg.functions.expressions.limits import MAX_LOOPS
from thalweg.functions.expressions.operations import FUNCTIONS
from thalweg.functions.expressions.text import checked
from thalweg.functions.expressions.vocabulary import DIMENSION, NUMBERS, REDUCTIONS, RESERVED, likely

# CPython 3.11 counts the depth of syntax trees for all threads together, and fails if that does not match
_one_at_a_time = Lock()

_OPERATORS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_RELATIONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_PICTURED: Final = {
    "sum": "sum(x[i]**2 for i in range(n))",
    "norm": "norm(x)",
}


def parse(text: str, variables: tuple[str, ...], constants: Mapping[str, float]) -> tree.Formula:
    """Return the tree of a formula.

    Args:
        text: The formula.
        variables: The names of its variables.
        constants: Numbers by name.

    Raises:
        InvalidInput: It is not a valid formula; the error has the column.
    """
    line = checked(text)
    n_before = len(line) - len(line.lstrip())
    parsed = _parsed(line.strip(), n_before)
    vector = _vector(parsed, variables, n_before + 1)
    translator = _Translator(variables, constants, vector, n_before + 1)
    return tree.Formula(translator.value(parsed, _Scope()), variables, vector)


def _parsed(line: str, n_before: int) -> ast.expr:
    try:
        with _one_at_a_time:
            return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        column = n_before + max(1, min(error.offset or 1, len(line)))
        raise InvalidInput(f"this is not a valid formula: {error.msg}", column=column) from error
    except (RecursionError, MemoryError, ValueError, OverflowError) as error:
        raise InvalidInput("the formula is too complex", column=1) from error


def _vector(parsed: ast.expr, variables: tuple[str, ...], first_column: int) -> int | None:
    """Return the index of the variable that is used as a vector."""
    indexed = [name for node in ast.walk(parsed) for name in _used_as_vector(node) if name.id in variables]
    if not indexed:
        indexed = [
            name
            for node in ast.walk(parsed)
            if isinstance(node, ast.Call) and _reduces_one(node)
            for name in ast.walk(node.args[0])
            if isinstance(name, ast.Name) and name.id in variables
        ]
    names = list(dict.fromkeys(name.id for name in indexed))
    if not names:
        return None
    if len(names) > 1:
        second = next(name for name in indexed if name.id == names[1])
        raise InvalidInput(
            f"{names[0]} and {names[1]} are both used as vectors, but only one variable can be: "
            "declare each coordinate of the other as a variable",
            column=second.col_offset + first_column,
        )
    return variables.index(names[0])


def _used_as_vector(node: ast.AST) -> Iterable[ast.Name]:
    match node:
        case ast.Subscript(value=ast.Name() as name):
            yield name
        case ast.comprehension(iter=ast.Name() as name):
            yield name
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name() as name]):
            yield name


def _reduces_one(call: ast.Call) -> bool:
    """Return whether a call reduces a whole vector to a number."""
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in REDUCTIONS
        and len(call.args) == 1
        and not isinstance(call.args[0], ast.GeneratorExp)
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """The names defined by surrounding loops.

    Attributes:
        names: Loop variables and their meaning.
        whole: The counter of an implicit loop over the vector, in which its name means each coordinate.
    """

    names: Mapping[str, tree.Value] = field(default_factory=dict)
    whole: tree.Counter | None = None
    n_loops: int = 0


class _Translator:
    def __init__(
        self, variables: tuple[str, ...], constants: Mapping[str, float], vector: int | None, first_column: int
    ) -> None:
        self._variables = variables
        self._constants = constants
        self._vector = vector
        self._first_column = first_column

    def value(self, node: ast.expr, scope: _Scope) -> tree.Value:  # noqa: C901, PLR0911 - one for each kind of node
        """Translate a node that must be a number."""
        column = self._column(node)
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                if math.isinf(number):
                    raise InvalidInput("this is too large for a double", column=column)
                return tree.Number(column, float(number))
            case ast.Name(id=name):
                return self._name(name, column, scope)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand, scope)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return tree.Apply(column, "negative", (self.value(operand, scope),))
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                return tree.Apply(column, "**", (self.value(base, scope), self.value(exponent, scope)))
            case ast.BinOp():
                return self._chain(node, scope)
            case ast.IfExp(test=test, body=one, orelse=other):
                return self._choice(column, (test, one, other), scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.Subscript():
                return self._item(node, scope)
            case _:
                raise self._refusal(node)

    def condition(self, node: ast.expr, scope: _Scope) -> tree.Condition:
        """Translate a node that must be a condition."""
        column = self._column(node)
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others):
                unknown = next((op for op in ops if type(op) not in _RELATIONS), None)
                if unknown is not None:
                    raise InvalidInput("only < <= > >= == != compare values", column=column)
                operands = tuple(self.value(operand, scope) for operand in (left, *others))
                return tree.Comparison(column, tuple(_RELATIONS[type(op)] for op in ops), operands)
            case ast.BoolOp(op=op, values=values):
                name = "and" if isinstance(op, ast.And) else "or"
                return tree.Logic(column, name, tuple(self.condition(value, scope) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return tree.Logic(column, "not", (self.condition(operand, scope),))
        raise InvalidInput("a condition is expected here, not a number: compare it, as in x > 0", column=column)

    def _column(self, node: ast.expr) -> int:
        return node.col_offset + self._first_column

    def _refusal(self, node: ast.expr) -> InvalidInput:
        column = self._column(node)
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
                return InvalidInput(
                    "a number is expected here, not a condition: write where(condition, 1, 0)", column=column
                )
            case ast.GeneratorExp():
                return InvalidInput(
                    "a loop must be inside sum, prod, min, max, mean or norm, as in sum(x[i]**2 for i in range(n))",
                    column=column,
                )
            case ast.Tuple():
                return InvalidInput("commas are allowed between the arguments of a function only", column=column)
        return InvalidInput("this has no meaning in a formula", column=column)

    def _name(self, name: str, column: int, scope: _Scope) -> tree.Value:
        if name in scope.names:
            return scope.names[name]
        if name in self._variables:
            variable = self._variables.index(name)
            if variable != self._vector:
                return tree.Scalar(column, variable)
            if scope.whole is None:
                raise InvalidInput(f"{name} is a vector here: use one coordinate, as in {name}[0]", column=column)
            return tree.Item(column, scope.whole)
        if name in self._constants:
            return tree.Number(column, self._constants[name])
        if name in NUMBERS:
            return tree.Number(column, NUMBERS[name])
        if name == DIMENSION:
            return tree.Dimension(column)
        if name in RESERVED:
            raise InvalidInput(
                f"{name} is a function: call it, as in {_PICTURED.get(name, f'{name}(x)')}", column=column
            )
        known = [*scope.names, *self._variables, *self._constants, *NUMBERS]
        raise InvalidInput(f"unknown name {name}{likely(name, known)}", column=column)

    def _chain(self, node: ast.BinOp, scope: _Scope) -> tree.Value:
        column = self._column(node)
        rest: list[tuple[int, str, tree.Value]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) in _OPERATORS:
            rest.append((self._column(left), _OPERATORS[type(left.op)], self.value(left.right, scope)))
            left = left.left
        if not rest:
            raise self._refusal(node)
        return tree.Chain(column, self.value(left, scope), tuple(reversed(rest)))

    def _choice(self, column: int, parts: tuple[ast.expr, ast.expr, ast.expr], scope: _Scope) -> tree.Choice:
        test, one, other = parts
        return tree.Choice(column, self.condition(test, scope), self.value(one, scope), self.value(other, scope))

    def _item(self, node: ast.Subscript, scope: _Scope) -> tree.Value:
        column = self._column(node)
        if not isinstance(node.value, ast.Name) or node.value.id not in self._variables:
            raise InvalidInput("only a variable can be indexed, as in x[0]", column=column)
        if isinstance(node.slice, ast.Tuple):
            raise InvalidInput("a variable has a single index", column=self._column(node.slice))
        return tree.Item(column, self.value(node.slice, scope))

    def _call(self, node: ast.Call, scope: _Scope) -> tree.Value:
        column = self._column(node)
        if not isinstance(node.func, ast.Name):
            raise InvalidInput("only a function can be called, by name", column=column)
        name, args = node.func.id, node.args
        for keyword_argument in node.keywords:
            raise InvalidInput("keyword arguments are not supported", column=self._column(keyword_argument.value))
        if name in REDUCTIONS and len(args) == 1:
            return self._reduction(column, name, args[0], scope)
        if name in {"min", "max"}:
            return tree.Apply(column, name, tuple(self.value(arg, scope) for arg in args))
        if name == "where":
            self._check_count(name, len(args), 3, 3, column)
            return self._choice(column, (args[0], args[1], args[2]), scope)
        if name == "len":
            return self._length(column, args)
        if name in REDUCTIONS:
            raise InvalidInput(
                f"{name} takes a loop or the whole vector, as in {name}(x[i]**2 for i in range(n))", column=column
            )
        if name not in FUNCTIONS:
            raise InvalidInput(self._no_function(name, scope), column=column)
        self._check_count(name, len(args), FUNCTIONS[name].least, FUNCTIONS[name].most, column)
        return tree.Apply(column, name, tuple(self.value(arg, scope) for arg in args))

    def _no_function(self, name: str, scope: _Scope) -> str:
        if name in {*self._variables, *self._constants, *NUMBERS, *scope.names, DIMENSION}:
            return f"{name} is not a function: write a product as {name} * (...)"
        if name == "range":
            return "range is for loops only, as in sum(x[i]**2 for i in range(n))"
        return f"unknown function {name}{likely(name, [*FUNCTIONS, *REDUCTIONS, 'where'])}"

    def _check_count(self, name: str, given: int, least: int, most: int | None, column: int) -> None:
        if given < least or (most is not None and given > most):
            wanted = f"{least}" if most == least else f"{least} to {most}"
            raise InvalidInput(f"{name} takes {wanted} argument{'s' * (wanted != '1')}, not {given}", column=column)

    def _length(self, column: int, args: list[ast.expr]) -> tree.Dimension:
        if len(args) != 1 or not isinstance(args[0], ast.Name) or args[0].id not in self._variables:
            raise InvalidInput("len takes a variable, as in len(x)", column=column)
        return tree.Dimension(column)

    def _reduction(self, column: int, kind: str, arg: ast.expr, scope: _Scope) -> tree.Reduction:
        if isinstance(arg, ast.GeneratorExp):
            loops = []
            for comprehension in arg.generators:
                loop, scope = self._loop(comprehension, scope)
                loops.append(loop)
            return tree.Reduction(column, kind, tuple(loops), self.value(arg.elt, scope))
        if self._vector is None:
            raise InvalidInput(
                f"{kind} of one value needs a loop or a vector, and the formula has no vector", column=column
            )
        counter = tree.Counter(column, f"{self._variables[self._vector]}[]{scope.n_loops}")
        inner = self._within(column, _Scope(scope.names, counter, scope.n_loops))
        return tree.Reduction(column, kind, (self._whole(column, counter.name),), self.value(arg, inner))

    def _whole(self, column: int, name: str) -> tree.Loop:
        zero, one = tree.Number(column, 0.0), tree.Number(column, 1.0)
        return tree.Loop(column, name, zero, tree.Dimension(column), one)

    def _within(self, column: int, scope: _Scope) -> _Scope:
        if scope.n_loops == MAX_LOOPS:
            raise InvalidInput(f"loops can be nested {MAX_LOOPS} deep at most", column=column)
        return _Scope(scope.names, scope.whole, scope.n_loops + 1)

    def _loop(self, comprehension: ast.comprehension, scope: _Scope) -> tuple[tree.Loop, _Scope]:
        target = comprehension.target
        column = self._column(target)
        if not isinstance(target, ast.Name):
            raise InvalidInput("a loop has one variable, as in for i in range(n)", column=column)
        name = target.id
        if name in {*scope.names, *self._variables, *self._constants, *RESERVED, DIMENSION}:
            raise InvalidInput(f"{name} is already in use: choose another loop variable", column=column)
        for test in comprehension.ifs:
            raise InvalidInput(
                "loops have no if: write where(condition, value, 0)",
                column=self._column(test),
            )
        scope = self._within(column, scope)
        iterated = comprehension.iter
        if isinstance(iterated, ast.Name) and self._is_vector(iterated.id):
            counter = tree.Counter(column, name)
            named: tree.Value = tree.Item(column, counter)
            loop = self._whole(column, name)
        else:
            named = tree.Counter(column, name)
            loop = self._range(column, name, iterated, scope)
        return loop, _Scope({**scope.names, name: named}, scope.whole, scope.n_loops)

    def _is_vector(self, name: str) -> bool:
        return name in self._variables and self._variables.index(name) == self._vector

    def _range(self, column: int, name: str, node: ast.expr, scope: _Scope) -> tree.Loop:
        match node:
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if 1 <= len(args) <= 3:
                ends = [self.value(arg, scope) for arg in args]
                zero, one = tree.Number(column, 0.0), tree.Number(column, 1.0)
                start, stop = (zero, ends[0]) if len(ends) == 1 else ends[:2]
                return tree.Loop(column, name, start, stop, ends[2] if len(ends) == 3 else one)
        raise InvalidInput(
            "a loop goes over range(n), range(start, stop), range(start, stop, step) or the vector",
            column=self._column(node),
        )
