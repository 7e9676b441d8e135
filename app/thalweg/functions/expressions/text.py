"""The scan of a formula's text before parsing: characters, tokens, brackets, depth of nesting.

Text that passes is short and shallow enough for Python's parser to read quickly and without warnings.
"""

import keyword
import re
from dataclasses import dataclass, field
from typing import Final

from thalweg.errors import InvalidInput
from thalweg.functions.expressions.limits import MAX_DEPTH, MAX_DIGITS, MAX_LENGTH, MAX_NAME_LENGTH, MAX_TOKENS
from thalweg.functions.expressions.vocabulary import OPERATOR_WORDS

_SPACES: Final = str.maketrans("\t\r\n", "   ")
_TOKEN: Final = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%<>])"
    r"|(?P<bracket>[()\[\],])"
)
_SPACE: Final = re.compile(" *")
_CLOSING: Final = {"(": ")", "[": "]"}
_PREFIXES: Final = {"+", "-", "not"}
_CLAUSES: Final = {"else", "for"}
_ADVICE: Final = {
    "^": "write a power as **",
    "=": "write equality as ==",
    "&": "write and",
    "|": "write or, and abs(x) for an absolute value",
    "!": "write not, and != between two values",
    "~": "write not",
    ".": "there are no attributes here: write sin(x), not math.sin(x)",
    ":": "there are no slices, lambdas or assignments: loop over an index, as in sum(x[i] for i in range(1, n))",
    '"': "formulas have no strings",
    "'": "formulas have no strings",
    "{": "use round brackets",
    "}": "use round brackets",
    "#": "formulas have no comments",
    ";": "a formula is one expression",
    "×": "write multiplication as *",
    "·": "write multiplication as *",
    "÷": "write division as /",
    "−": "write minus as -",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "²": "write a square as **2",
    "³": "write a cube as **3",
    "π": "write pi",
    "√": "write sqrt(x)",
}


def checked(text: str) -> str:
    """Return the text on one line, with unchanged columns.

    Raises:
        InvalidInput: It is not a valid formula; the error has the column.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"a formula has at most {MAX_LENGTH} characters; this one has {len(text)}")
    line = text.translate(_SPACES)
    reader = _Reader()
    place = _space_end(line, 0)
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None:
            raise _unknown(line, place)
        kind, symbol = str(match.lastgroup), match.group()
        _check_length(kind, symbol, line, match.end(), place + 1)
        reader.read(kind, symbol, place + 1)
        place = _space_end(line, match.end())
    reader.finish(len(line.rstrip()) + 1)
    return line


def _space_end(line: str, place: int) -> int:
    match = _SPACE.match(line, place)
    return place if match is None else match.end()


def _unknown(line: str, place: int) -> InvalidInput:
    character = line[place]
    said = character if character.isprintable() else ascii(character)
    advice = _ADVICE.get(character, "use ASCII letters, digits, operators and brackets only")
    return InvalidInput(f"{said} is not allowed in a formula: {advice}", column=place + 1)


def _check_length(kind: str, symbol: str, line: str, end: int, column: int) -> None:
    if kind == "number":
        following = line[end : end + 1]
        if following.isalnum() or following == "_":
            raise InvalidInput(
                f"{symbol} is followed by {following}: write numbers as 1000 or 2.5e-3, and a product as "
                f"{symbol[:MAX_DIGITS]} * x",
                column=end + 1,
            )
        if len(symbol) > MAX_DIGITS:
            raise InvalidInput(
                f"a number has at most {MAX_DIGITS} characters; doubles have 17 digits", column=column
            )
    elif kind == "word" and len(symbol) > MAX_NAME_LENGTH:
        raise InvalidInput(f"a name has at most {MAX_NAME_LENGTH} characters", column=column)


@dataclass(slots=True)
class _Level:
    """An open bracket, with the number of chained signs and powers, and of clauses, since."""

    opening: str
    column: int
    chain: int = 0
    clauses: int = 0


@dataclass(slots=True)
class _Reader:
    """Checks the sequence of tokens: values alternate with operators, brackets match, nesting is limited."""

    levels: list[_Level] = field(default_factory=lambda: [_Level("", 0)])
    after_value: bool = False
    before: str = ""
    before_kind: str = ""
    n_tokens: int = 0
    depth: int = 0  # of all levels but the innermost

    def read(self, kind: str, symbol: str, column: int) -> None:
        self.n_tokens += 1
        if self.n_tokens > MAX_TOKENS:
            raise InvalidInput(
                f"a formula has at most {MAX_TOKENS} numbers, names, operators and brackets", column=column
            )
        if kind == "word" and symbol in OPERATOR_WORDS:
            kind = "operator"
        if kind in {"number", "word"}:
            self._value(kind, symbol, column)
        elif kind == "operator":
            self._operator(symbol, column)
        else:
            self._bracket(symbol, column)
        self.before, self.before_kind = symbol, kind
        level = self.levels[-1]
        if self.depth + level.chain + level.clauses > MAX_DEPTH:
            raise InvalidInput(
                f"nested more than {MAX_DEPTH} deep, counting brackets, signs, powers and conditions: simplify it",
                column=column,
            )

    def finish(self, column: int) -> None:
        if len(self.levels) > 1:
            level = self.levels[-1]
            raise InvalidInput(f"this {level.opening} is not closed", column=level.column)
        if not self.after_value:
            empty = "the formula is empty" if self.n_tokens == 0 else "the formula ends where a value is expected"
            raise InvalidInput(empty, column=column)

    def _value(self, kind: str, symbol: str, column: int) -> None:
        if kind == "word" and keyword.iskeyword(symbol):
            advice = "; a condition is a comparison, as in x > 0" if symbol in {"True", "False"} else ""
            raise InvalidInput(f"{symbol} is not allowed in a formula{advice}", column=column)
        if self.after_value:
            raise InvalidInput(f"an operator is missing before {symbol}; write a product with *", column=column)
        self.after_value = True

    def _operator(self, symbol: str, column: int) -> None:
        level = self.levels[-1]
        if not self.after_value and symbol not in _PREFIXES:
            raise InvalidInput(f"a value is missing before {symbol}", column=column)
        if self.after_value and symbol == "not":
            raise InvalidInput("an and or an or is missing before not", column=column)
        if not self.after_value or symbol == "**":
            level.chain += 1
        else:
            level.chain = 0
            level.clauses += symbol in _CLAUSES
        self.after_value = False

    def _bracket(self, symbol: str, column: int) -> None:
        if symbol in _CLOSING:
            self._open(symbol, column)
        elif symbol == ",":
            self._needs_value(symbol, column)
            if len(self.levels) == 1:
                raise InvalidInput(
                    "a formula is one expression: commas are allowed between arguments only", column=column
                )
            self.levels[-1].chain = self.levels[-1].clauses = 0
            self.after_value = False
        else:
            self._close(symbol, column)

    def _open(self, symbol: str, column: int) -> None:
        follows_name = self.before_kind == "word"
        if self.after_value and not follows_name:
            wrong = "an operator is missing before (; write a product with *"
            raise InvalidInput(
                wrong if symbol == "(" else "only a variable can be indexed, as in x[0]", column=column
            )
        if not self.after_value and symbol == "[":
            raise InvalidInput("formulas have no lists", column=column)
        level = self.levels[-1]
        self.depth += level.chain + level.clauses + 1
        self.levels.append(_Level(symbol, column))
        self.after_value = False

    def _close(self, symbol: str, column: int) -> None:
        level = self.levels[-1]
        if not level.opening:
            raise InvalidInput(f"this {symbol} has no opening bracket", column=column)
        if symbol != _CLOSING[level.opening]:
            raise InvalidInput(
                f"this {symbol} does not close the {level.opening} at column {level.column}", column=column
            )
        self._needs_value(symbol, column)
        self.levels.pop()
        around = self.levels[-1]
        self.depth -= around.chain + around.clauses + 1
        self.after_value = True

    def _needs_value(self, symbol: str, column: int) -> None:
        if not self.after_value:
            raise InvalidInput(f"a value is missing before {symbol}", column=column)
