"""The functions of the language itself, as a table.

`result` says what type a call has:

- a type: `int`, `float`, `bool`, `string`, `null`, `list<string>`, `list<int>`
- `same`: that of the first argument; `element`: that of its elements, or null
- `keys`, `values`: a list of those of the first argument
- `number`: int where all arguments, or the elements of the only one, are ints; else float
- `append`, `concat`: a list of all that goes in; `result`: what the function argument returns
- `never`: it does not return
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.suggest import count_text


@dataclass(frozen=True, slots=True)
class BuiltinFunction:
    """A row; `most` is None where any number of arguments is accepted."""

    name: str
    least: int
    most: int | None
    result: str
    doc: str


def takes(least: int, most: int | None) -> str:
    """Return in words how many arguments a function takes; `most` is None for any number."""
    if most is None:
        return f"at least {_arguments(least)}"
    if most == least:
        return _arguments(least)
    return f"{least} to {_arguments(most)}"


def _arguments(count: int) -> str:
    return count_text(count, "argument") if count else "no arguments"


_ROWS = [
    ("print", 0, None, "same", "print values, separated by spaces"),
    ("json", 1, 1, "same", "print a value as indented JSON"),
    ("to_json", 1, 1, "string", "a value as compact JSON"),
    ("str", 1, 1, "string", "a value as a string"),
    ("string", 1, 1, "string", "a value as a string"),
    ("int", 1, 1, "int", "a number or decimal string as an int"),
    ("float", 1, 1, "float", "a number or decimal string as a float"),
    ("bool", 1, 1, "bool", "whether a value counts as true"),
    ("input", 0, 0, "string", "the next line of standard input; empty at its end"),
    ("now", 0, 0, "int", "nanoseconds since 1970, or the seeded sequence of MOCHI_NOW_SEED"),
    ("build_info", 1, 1, "string", "the `version` or `commit` of a stamped program; or empty"),
    ("panic", 1, 1, "never", "stop the program with a message"),
    ("error", 1, 1, "never", "stop the program with a message"),
    ("len", 1, 1, "int", "number of elements, keys or code points"),
    ("count", 1, 1, "int", "number of elements or keys"),
    ("exists", 1, 1, "bool", "whether there is any element"),
    ("append", 2, 2, "append", "a list with one more element"),
    ("push", 2, 2, "append", "a list with one more element"),
    ("concat", 0, None, "concat", "one list of the elements of all lists"),
    ("first", 1, 1, "element", "the first element, or null"),
    ("last", 1, 1, "element", "the last element, or null"),
    ("reverse", 1, 1, "same", "a list or string in reverse"),
    ("distinct", 1, 1, "same", "the elements without repetitions"),
    ("sort", 1, 1, "same", "the elements in ascending order"),
    ("slice", 3, 3, "same", "elements or code points from an index up to another"),
    ("substring", 3, 3, "same", "code points from an index up to another"),
    ("substr", 3, 3, "same", "code points from an index up to another"),
    ("keys", 1, 1, "keys", "the keys of a map in order"),
    ("values", 1, 1, "values", "the values of a map in the order of its keys"),
    ("range", 1, 3, "list<int>", "ints from a start (0) up to an end, by a step (1)"),
    ("sum", 1, 1, "number", "the sum of a list"),
    ("avg", 1, 1, "float", "the mean of a list; 0 where it is empty"),
    ("min", 1, None, "number", "the least element of a list, or the least argument"),
    ("max", 1, None, "number", "the greatest element of a list, or the greatest argument"),
    ("abs", 1, 1, "number", "the absolute value"),
    ("round", 1, 2, "number", "half away from zero, to a number of digits"),
    ("floor", 1, 1, "number", "rounded down to a whole number"),
    ("ceil", 1, 1, "number", "rounded up to a whole number"),
    ("pow", 2, 2, "number", "a number to the power of another"),
    ("upper", 1, 1, "string", "in upper case"),
    ("lower", 1, 1, "string", "in lower case"),
    ("trim", 1, 1, "string", "without white space at either end"),
    (
        "contains",
        2,
        2,
        "bool",
        "whether a string, list or map contains a string, an element or a key",
    ),
    ("indexOf", 2, 2, "int", "the index of a string or element in another, or -1"),
    ("split", 2, 2, "list<string>", "the parts of a string between separators"),
    ("join", 2, 2, "string", "strings joined by a separator"),
    ("repeat", 2, 2, "string", "a string repeated"),
    ("padStart", 3, 3, "string", "a string padded on the left"),
    ("parseIntStr", 1, 2, "int", "a string as an int in a base"),
    ("reduce", 3, 3, "result", "fold a list with a function"),
    ("sha256", 1, 1, "list<int>", "the digest of a string or a list of bytes"),
]

# What arguments must be, in words, and by the kinds of their cells. Any value that may be anything,
# or null, is accepted, and structs, which are maps.
KINDS: dict[str, frozenset[str]] = {
    "a string": frozenset({"string"}),
    "a list": frozenset({"list"}),
    "a map": frozenset({"map"}),
    "a number": frozenset({"int", "float"}),
    "a number or a decimal string": frozenset({"int", "float", "string"}),
    "a string or a list": frozenset({"string", "list"}),
    "a string, a list or a map": frozenset({"string", "list", "map"}),
    "a string, a list, a map or a number": frozenset({"string", "list", "map", "int", "float"}),
}
_TEXT, _LIST, _MAP, _NUMBER, _NUMERIC, _ROW, _COLLECTION, _SIZED = KINDS
# By function; the last one is also for all arguments after it. The others take anything.
_ACCEPTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("upper", "trim", "split"), (_TEXT,)),
    **dict.fromkeys(("repeat", "parseIntStr"), (_TEXT, _NUMBER)),
    "padStart": (_TEXT, _NUMBER, _TEXT),
    "join": (_COLLECTION, _TEXT),
    **dict.fromkeys(("sum", "avg", "concat"), (_LIST,)),
    **dict.fromkeys(("keys", "values"), (_MAP,)),
    "range": (_NUMBER,),
    **dict.fromkeys(("abs", "floor", "ceil", "pow", "int", "float"), (_NUMERIC,)),
    "round": (_NUMERIC, _NUMBER),
    "sha256": (_ROW,),
    **dict.fromkeys(("slice", "substring", "substr"), (_ROW, _NUMBER)),
    **dict.fromkeys(("first", "last", "reverse", "distinct", "sort"), (_COLLECTION,)),
    **dict.fromkeys(("len", "count"), (_SIZED,)),
    **dict.fromkeys(("append", "push"), (_LIST, "")),
    "contains": (_COLLECTION, ""),
    "indexOf": (_ROW, ""),
}


def accepted(name: str, position: int, count: int) -> str:
    """Return in words what an argument of a call with `count` of them must be; "" for anything."""
    if name in ("min", "max"):
        return _LIST if count == 1 else _NUMERIC
    rows = _ACCEPTED.get(name, ("",))
    return rows[min(position, len(rows) - 1)]


BUILTINS: dict[str, BuiltinFunction] = {row[0]: BuiltinFunction(*row) for row in _ROWS}

# Functions and values of foreign modules that are answered here: result by module and name.
FOREIGN_MODULES: dict[str, dict[str, str]] = {
    "math": {
        **dict.fromkeys(("sqrt", "sin", "cos", "tan", "log", "exp", "floor", "ceil", "pow"), "float"),
        "pi": "float", "e": "float",
    },
    "strings": dict.fromkeys(("ToUpper", "ToLower", "TrimSpace"), "string"),
    "mochi/runtime/ffi/go/testpkg": {"Add": "int", "Pi": "float", "Answer": "int"},
}  # fmt: skip
FOREIGN_ARITY = {"pow": 2, "Add": 2}  # of functions that do not take one argument
FOREIGN_VALUES: dict[str, float] = {
    "pi": 3.141592653589793, "e": 2.718281828459045, "Pi": 3.14, "Answer": 42,
}  # fmt: skip
