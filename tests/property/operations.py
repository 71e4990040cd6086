"""Every operation of the language, with operands of every type and in every number: the cells.

A cell is some statements about the values a, b, c and d.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from mochi_rules.compiler.names.builtins import BUILTINS, FOREIGN_ARITY, FOREIGN_MODULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PRELUDE = """\
import python "math" as math
import go "strings" as strings
import go "mochi/runtime/ffi/go/testpkg" as testpkg
type P { x: int, s: string }
type T = Leaf { v: int } | Node { l: int, r: string }
fun any_of(x: any): any { return x }
fun union_of(x: int): T { if x == 0 { return Leaf { v: 7 } } return Node { l: 1, r: "r" } }
"""
_GROUP = 'from q in [1] from r in [P { x: 8, s: "v" }] group by q into g select g'

# An expression of each type; those with `?` may be null for all that is known.
_VALUES = {
    "int": "3", "bigint": "(3 as bigint)", "float": "2.5", "bool": "true", "string": '"ab"',
    "null": "nil",
    "ints": "[3, 1, 2]", "floats": "[2.5, 0.5]", "bools": "[true, false]", "strings": '["b", "a"]',
    "anys": '[1, "a", nil]', "lists": "[[1], []]", "empty": "[]",
    "map": '{"a": 1, "x": 2}', "int_map": '{1: "x"}', "any_map": '{"s": "t", "x": [1]}',
    "struct": 'P { x: 1, s: "t" }', "variant": "Leaf { v: 5 }", "union": "union_of(1)",
    "fun": "fun(x: int): int => x + 1", "fun2": "fun(x, y) => [x, y]",
    "int?": "first([4])", "string?": '{"k": "w"}["k"]', "list?": "first([[6]])",
    "struct?": 'first([P { x: 2, s: "u" }])', "null?": "first([1][1:1])",
    "group": f"first({_GROUP})", "row": f"first({_GROUP}).items[0]",
}  # fmt: skip
OPERANDS = {**_VALUES, **{f"any {name}": f"any_of({text})" for name, text in _VALUES.items()}}
_SOME = (
    "int", "float", "string", "null", "ints", "strings", "lists", "map", "struct", "union", "fun",
    "int?", "any int", "any string", "any ints", "any map",
)  # fmt: skip
_FEW = ("int", "string", "null", "ints", "map", "any int", "any string", "any ints", "int?")
_FEWER = ("int", "string", "any int")

_TYPES = (
    "int", "bigint", "float", "bool", "string", "any", "list<int>", "list<bigint>", "list<float>",
    "list<any>", "list<string>", "list<list<int>>", "map<string, int>", "map<int, string>",
    "map<string, any>", "P", "T", "Leaf", "list<P>", "int?", "string?", "list<int>?", "P?",
    "fun(int): int", "fun(): int", "{x: int}",
)  # fmt: skip
_OPERATORS = (
    "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "??", "union",
    "union all", "except", "intersect",
)  # fmt: skip
_METHODS = {
    "contains": 1, "starts_with": 1, "ends_with": 1, "len": 0, "keys": 0, "values": 0, "get": 2,
    "padStart": 2, "x": 1,
}  # fmt: skip

_UNARY = (
    "print(-a)", "print(!a)", "print(a.x)", "print(a?.x)", "print(a.v)", "print(a.items)",
    "a.x = 1", "a[0] = 1", 'a["x"] = 1', 'a.s = "n"', "print(a[0])", 'print(a["x"])',
    "print(a?[0])", "print(a[0:])", "print(a[:1])", "print(a[-1])", "print(a())",
    'a.s = 1 print(a.s + "")', 'a["s"] = [1] print(a.s)', 'a.items = "i" print(a)', "print(str(a))",
    "for x in a { print(x) }", "for i in a..3 { print(i) }", "if a { print(1) }",
    "print(if a { 1 } else { 2 })", "while a { break }", "expect a", "let b = a print(b)",
    "var b = a b = 1 print(b)", 'var b = a b = "s" print(b)', "var b = 1 b = a print(b)",
    "let f = fun() => a print(f())", "var b = a let f = fun() => b b = a print(f())",
    "print([a, a], [1, a], {k: a}, {k: 1, l: a})", "var b = [1] b[0] = a print(b)",
    'var b = {"k": 1} b["l"] = a print(b)', "print({(a): 1})",
    'print(P { x: a, s: "s" })', "print(P { x: 1, s: a })", "print(Leaf(a))", "print(Node(a, a))",
    "print(Leaf { v: a })", "update a set { x: 2 } print(a)", "update a set { x: 2 } where x == 1",
    "print(match a { 1 => 1 _ => 2 })", 'print(match a { "ab" => "y" nil => 2 })',
    "print(match a { Leaf(v) => v Node(l, r) => r })", "print(match a { P(x, s) => s _ => 0 })",
    "print(match a { Leaf => 1 _ => a })", "print(match a { true => 1 false => 2 })",
    "print(from x in a select x)", "print(from x in a select distinct [x])",
    "print(from x in a where x select x)", "print(from x in a sort by x select x)",
    "print(from x in a sort by -x select x)", "print(from x in [3, 1] skip a select x)",
    "print(from x in [3, 1] take a select x)", "print(from x in [3, 1] where a select x)",
    "print(from x in [3, 1] sort by a select x)", "print(from x in [3, 1] select a)",
    "print(from x in a group by x into g select [g.key, count(g), g.count])",
    "print(from x in a group by x into g select g.items)",
    "print(from x in a group by 1 into g select sum(g))",
    "print(from x in a group by 1 into g select sum(from y in g select y))",
    "print(from x in a from y in a group by x into g select (from z in g select z.v))",
    "print(from x in a join y in a on x == y group by {k: x} into g select g)",
    "print(from x in [1] group by a into g having a select g.key)",
    "print(from x in [1] group by a, x into g select g)",
    *(f"print(from x in a select {name}(x))" for name in ("sum", "avg", "min", "max", "count")),
    *(f"print(a as {type_})" for type_ in _TYPES),
    *(f"let b: {type_} = a print(b)" for type_ in _TYPES),
    *(f"fun f(p: {type_}) {{ print(p) }} f(a)" for type_ in _TYPES),
    *(f"fun f(): {type_} {{ return a }} print(f())" for type_ in _TYPES),
)  # fmt: skip
_BINARY = (
    *(f"print(a {operator} b)" for operator in _OPERATORS),
    "print(a[b])", "a[b] = 1", "a[0] = b", 'a["x"] = b', "a.x = b", "print(a[b:])", "print(a[:b])",
    "print(a(b))", "for i in a..b { print(i) break }", "var v = a v = b print(v)",
    "print(if true { a } else { b })", "print([a, b])", "print({k: a, l: b})", "print({(a): b})",
    "let xs = [a] xs[0] = b print(xs)", "print([a] union [b])", "print(a in [b])",
    "print(match a { 1 => a _ => b })", "print(reduce(a, fun(x, y) => y, b))",
    "fun f(p) { return p } print(f(a), f(b))", "print(from x in a from y in b select [x, y])",
    "print(from x in a join y in b on x == y select [x, y])",
    "print(from x in a left join y in b on x == y select [x, y])",
    "print(from x in a right join y in b on x == y select [x, y])",
    "print(from x in a outer join y in b on x == y select [x, y])",
    "print(from x in a left join y in b on x == y group by x into g select g.items)",
)  # fmt: skip
_TERNARY = ("a[b] = c print(a)", "print(a[b:c])", "print(a(b, c))", "print(a ?? b ?? c)")
_LEFT_OUT = frozenset({"input", "now"})  # no two runs alike


@dataclass(frozen=True)
class Cell:
    """An operation and the names of its operands."""

    operation: str
    operands: tuple[str, ...]

    @property
    def text(self) -> str:
        """The statements, in one line."""
        named = zip("abcd", self.operands, strict=False)
        return "".join(f"let {name} = {OPERANDS[of]} " for name, of in named) + self.operation

    @property
    def dynamic(self) -> Cell:
        """The cell of the same operands, of which only the run knows the types."""
        kinds = (kind.removeprefix("any ") for kind in self.operands)
        return Cell(self.operation, tuple(f"any {kind}" for kind in kinds))

    def __str__(self) -> str:
        return f"{self.operation}  with  {', '.join(self.operands)}"


def _calls() -> Iterator[tuple[str, int, bool]]:
    """Yield calls of all functions: the text, the number of operands, whether it is a right one."""
    arities = {name: (row.least, row.most) for name, row in BUILTINS.items()}
    for path, names in FOREIGN_MODULES.items():
        for name in names:
            arity = FOREIGN_ARITY.get(name, 1)
            arities[f"{path.rpartition('/')[2]}.{name}"] = arity, arity
    for name, (least, most) in arities.items():
        for count in range(5 if name not in _LEFT_OUT else 0):
            is_right = least <= count <= (4 if most is None else most)
            yield f"print({name}({', '.join('abcd'[:count])}))", count, is_right
    for name, most in _METHODS.items():
        for count in range(4):
            is_right = count == most or (name == "get" and count == 1)
            yield f"print(a.{name}({', '.join('bcd'[:count])}))", count + 1, is_right


def table() -> Iterator[Cell]:
    """Yield all cells. A wrong number of operands needs no more than one choice of them."""
    for operations, count in ((_UNARY, 1), (_BINARY, 2), (_TERNARY, 3)):
        for text in operations:
            yield from _cells(text, count, is_right=True)
    for text, count, is_right in _calls():
        yield from _cells(text, count, is_right=is_right)


def _cells(text: str, count: int, *, is_right: bool) -> Iterator[Cell]:
    choices: list[Iterable[str]] = [OPERANDS, _FEW if count > 2 else _SOME, _FEWER, _FEWER]
    if not is_right:
        choices = [["int", "any string"], ["int"], ["int"], ["int"]]
    for operands in product(*choices[:count]):
        yield Cell(text, operands)
