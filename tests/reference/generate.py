"""Random programs that the compiler accepts, end soon, and mostly do not fail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.reference import scenes
from tests.reference.expressions import (
    BIG,
    FUNCTION,
    LARGEST,
    LISTS,
    MAPS,
    SCALARS,
    Expressions,
    Function,
    Names,
    Variable,
    element,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

NESTING = 3
FEW = 12
MOST, LEAST = 2**63 - 1, -(2**63)
LARGE = tuple(sign * 2**bits for bits in (22, 30, 31, 32, 60, 61) for sign in (1, -1))
VARIANTS: dict[str, dict[str, str]] = {
    "Dot": {},
    "One": {"p": "int"},
    "Two": {"p": "int", "q": "string"},
}
TYPES = (
    "type S { n: int, s: string, xs: list<int> }",
    "type T { f: float, b: bool, inner: S }",
    "type N { v: int, next: N }",
    "type U = Dot | One(p: int) | Two(p: int, q: string)",
)
STRUCTS = {
    "S": {"n": "int", "s": "string", "xs": "list<int>"},
    "T": {"f": "float", "b": "bool", "inner": "S"},
}
HELD = (
    *SCALARS,
    "int",
    "int",
    "list<int>",
    "list<int>",
    *LISTS,
    *MAPS,
    *STRUCTS,
    "list<S>",
    "U",
    FUNCTION,
)


def generate(chance: random.Random) -> str:
    """Return a program."""
    return Program(chance).text()


class Program:
    """Writes statements, each on a line of its own."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.names = Names(structs=STRUCTS, variants=VARIANTS)
        has_bigint = chance.random() < 0.3
        self._held = (*BIG, "bigint", *HELD) if has_bigint else HELD
        self.expressions = Expressions(chance, self.names, has_bigint=has_bigint)
        self._lines = [*TYPES, *scenes.TYPES, *scenes.HELPERS]
        self._numbers = 0
        self._nesting, self._loops, self._result = 0, 0, ""

    def text(self) -> str:
        """Return the whole program, which prints all that it holds in the end."""
        for _ in range(self.chance.choice((3, 5, 8))):
            self._statement()
        for variable in self.names.scopes[0]:
            if variable.type != FUNCTION:
                self._write(f"print({variable.name})")
        return "\n".join(self._lines) + "\n"

    def _write(self, line: str) -> None:
        self._lines.append("  " * self._nesting + line)

    def _name(self, letter: str) -> str:
        outer = [
            row.name for scope in self.names.scopes[:-1] for row in scope if row.name[0] in "va"
        ]
        if letter == "v" and outer and self.chance.random() < 0.1:
            name = self.chance.choice(outer)
            if all(name != row.name for row in self.names.scopes[-1]):
                return name  # hides the other
        self._numbers += 1
        return f"{letter}{self._numbers}"

    def _statement(self) -> None:
        flat = self._nesting >= NESTING
        self.chance.choice(_FLAT if flat else _STATEMENTS)(self)

    def _block(
        self, head: str, names: list[Variable], count: int, tail: Callable[[], str] | None = None
    ) -> None:
        """Write a block of some statements with names of its own; `tail` gives its last lines."""
        self._write(head)
        self.names.scopes.append([*names])
        self.names.functions.append([])
        self._nesting += 1
        for _ in range(count):
            self._statement()
        for line in tail().split("\n") if tail else ():
            self._write(line)
        self._nesting -= 1
        self.names.functions.pop()
        self.names.scopes.pop()
        self._write("}")

    # Statements without a block

    def _declare(self, type_: str = "") -> None:
        type_ = type_ or self.chance.choice(self._held)
        word = self.chance.choice(("let", "var", "var")) if type_ != FUNCTION else "let"
        # Without it, the type of a container may be that of all that is ever put into it.
        is_plain = type_ in (*SCALARS, "bigint") or type_ in STRUCTS or type_ == FUNCTION
        written = "" if is_plain and self.chance.random() < 0.6 else f": {type_}"
        value = self.expressions.one(type_)
        if type_.startswith("list") and self.chance.random() < 0.1:
            written, value = f": {type_}", "[]"
        name = self._name("v")
        self._write(f"{word} {name}{written} = {value}")
        self.names.scopes[-1].append(Variable(name, type_, word == "var"))

    def _assign(self) -> None:
        type_ = self.chance.choice(self._held)
        if found := self.names.variables(type_, mutable=True):
            name = self.chance.choice(found)
            self._write(f"{name} = {self._grown(name, type_) or self.expressions.one(type_)}")
        else:
            self._declare()

    def _grown(self, name: str, type_: str) -> str:
        """Return a variable with a bit more: an accumulator."""
        one = self.expressions.one
        if self.chance.random() < 0.4:
            return ""
        if type_ == "int":
            return self.chance.choice(
                (f"{name} + {one('int', 1)}", f"({name} * 31 + {one('int', 1)}) % 1000003")
            )
        if type_ == "bigint":
            return f"({name} * 31 + {one('bigint', 1)}) % {LARGEST}"
        if type_ == "string":
            return f"{name} + {one('string', 0)}[0:3]" if self._nesting else ""
        if type_.startswith("list"):
            return self.chance.choice(
                (
                    f"append({name}, {one(element(type_), 1)})",
                    f"{name} + [{one(element(type_), 1)}]",
                )
            )
        return ""

    def _store(self) -> None:
        one, chance = self.expressions.one, self.chance
        type_ = chance.choice((*LISTS, "list<S>", *MAPS, *STRUCTS))
        found = self.names.variables(type_)
        if not found:
            self._declare(type_)
            return
        name = chance.choice(found)
        if type_ in STRUCTS:
            field = chance.choice(sorted(STRUCTS[type_]))
            self._write(f"{name}.{field} = {one(STRUCTS[type_][field])}")
            return
        value = one(element(type_))
        if type_.startswith("map"):
            self._write(f"{name}[{one('string' if 'string,' in type_ else 'int', 1)}] = {value}")
        elif chance.random() < 0.08:
            self._write(f"{name}[{one('int', 0)}] = {value}")
        else:
            index = f"({one('int', 1)}) % len({name})"
            self._write(f"if len({name}) > 0 {{ {name}[{index}] = {value} }}")

    def _print(self) -> None:
        types = [
            self.chance.choice(self._held[:-1]) for _ in range(self.chance.choice((1, 1, 2, 3)))
        ]
        self._write(f"print({', '.join(self.expressions.one(type_) for type_ in types)})")

    def _call(self) -> None:
        found = [row for scope in self.names.functions for row in scope]
        if found:
            self._write(f"print({self.expressions.call(self.chance.choice(found), 1)})")
        else:
            self._print()

    def _leave(self) -> None:
        """Write what leaves a loop or a function, on a condition."""
        condition = self.expressions.one("bool", 1)
        if self._loops and self.chance.random() < 0.7:
            self._write(f"if {condition} {{ {self.chance.choice(('break', 'continue'))} }}")
        elif self._result:
            self._write(f"if {condition} {{ return {self.expressions.one(self._result, 1)} }}")
        else:
            self._print()

    # Statements with blocks

    def _if(self) -> None:
        self._block(f"if {self.expressions.one('bool')} {{", [], self.chance.choice((1, 2)))
        if self.chance.random() < 0.5:
            self._lines.pop()
            self._block("} else {", [], self.chance.choice((1, 2)))

    def _loop(
        self, head: str, names: list[Variable], count: int, tail: Callable[[], str] | None = None
    ) -> None:
        self._loops += 1
        self._block(head, names, count, tail)
        self._loops -= 1

    def _range(self) -> None:
        chance, name = self.chance, self._name("i")
        variables = [Variable(name, "int")]
        lists = self.names.variables("list<int>")
        low = chance.choice(("0", "0", "1", self.expressions.one("int", 0)))
        if lists and chance.random() < 0.5:
            xs = chance.choice(lists)
            sums = self.names.variables("int", mutable=True)
            sum_ = chance.choice(sums) if sums else ""
            body = f"{sum_} = {sum_} + {xs}[{name}]" if sums else f"print({xs}[{name}])"

            def tail() -> str:  # what the body declares may hide them
                is_seen = xs in self.names.variables("list<int>")
                is_seen &= not sums or sum_ in self.names.variables("int", mutable=True)
                return body if is_seen else "continue"

            head = f"for {name} in 0..len({xs}) {{"
            self._loop(head, variables, chance.randrange(2), tail)
        elif self._loops == 0 and chance.random() < 0.3:
            self._loop(f"for {name} in {low}..{chance.choice((17, 40, 100))} {{", variables, 1)
        else:
            high = f"{low} + {chance.choice((1, 3, 4, 9))}"
            count = chance.choice((1, 2, 3))
            self._loop(f"for {name} in {low}..{high} {{", variables, count)

    def _each(self) -> None:
        """Write a loop over the first elements of something."""
        lists = ("list<int>", "list<string>", "list<S>", "list<list<int>>")
        type_ = self.chance.choice((*lists, *MAPS, "string"))
        name, value = self._name("e"), self.expressions.one(type_, 1)
        if type_.startswith("map"):
            inner = "int" if type_.startswith("map<int") else "string"
        else:
            inner, value = element(type_) if type_ in lists else type_, f"{value}[0:6]"
        head = f"for {name} in {value} {{"
        self._loop(head, [Variable(name, inner)], self.chance.choice((1, 2)))

    def _while(self) -> None:
        name = self._name("w")
        self._write(f"var {name} = {self.chance.choice((1, 2, 5))}")
        also = f" && {self.expressions.one('bool', 1)}" if self.chance.random() < 0.3 else ""
        count = self.chance.choice((1, 2, 3))
        head = f"while {name} > 0{also} {{\n{'  ' * (self._nesting + 1)}{name} = {name} - 1"
        self._loop(head, [Variable(name, "int")], count)

    def _extremes(self) -> None:
        """Write a loop between numbers near the ends of int, or from one end to the other."""
        chance = self.chance
        first, limit, xs, i = (self._name(letter) for letter in "bbxi")
        begin = chance.choice((0, MOST, LEAST)) + chance.randrange(-3, 4)
        begin = min(max(begin, LEAST), MOST)
        ends = [MOST, LEAST, 0, begin + chance.randrange(6), begin - chance.randrange(6)]
        end = chance.choice([end for end in ends if LEAST <= end <= MOST and end - begin < FEW])
        body = chance.choice(
            (f"{xs} = append({xs}, {i})", f"{xs} = append({xs}, {xs}[{i} - {first}])",
             f"{xs}[0] = {xs}[0] + {xs}[({i} - {first}) % 2]", f"{xs}[1] = {xs}[1] * {i}")
        )  # fmt: skip
        self._write(f'var {first} = int("{begin}")')
        self._write(f'var {limit} = int("{end}")')
        self._write(f"var {xs}: list<int> = [1, 2]")
        if chance.random() < 0.5:
            self._write(f"for {i} in {first}..{limit} {{ {body} }}")
        else:
            relation, step = chance.choice((("<=", 1), ("<", 1), ("<", 2)))
            self._write(f"var {i} = {first}")
            self._write(f"while {i} {relation} {limit} {{\n  {body}\n  {i} = {i} + {step}\n}}")
        self._write(f"print({xs})")

    def _sum(self) -> None:
        """Write a loop that sums up numbers, of which some may be so large that it overflows."""
        chance = self.chance
        xs, s, t, u, i = (self._name(letter) for letter in "xstui")
        count, large = chance.randrange(2 * FEW), chance.choice(LARGE) + chance.randrange(-1, 2)
        first = chance.choice((0, 1, large, MOST - 40, LEAST + 40))
        bodies = (
            f"{s} = {s} + {xs}[{i}]", f"{s} = {s} - {xs}[{i}] * {xs}[{i}]",
            f"{s} = {xs}[{i}] - {s}", f"{s} = {s} + {xs}[{i}] * {i} - {t}",
            f"let {u} = {s} + {t}\n  {s} = {t}\n  {t} = {u}",
            f"{s} = {s} + {xs}[{i}] * {t}\n  {t} = {t} + {i}",
        )  # fmt: skip
        self._write(f"var {xs}: list<int> = []")
        self._write(f"for {i} in 0..{count} {{ {xs} = append({xs}, {i} * {i} - 9) }}")
        if count and chance.random() < 0.5:
            self._write(f'{xs}[{chance.randrange(count)}] = int("{large}")')
        self._write(f'var {s} = int("{first}")')
        self._write(f'var {t} = int("{chance.randrange(-3, 4)}")')
        self._write(f"for {i} in 0..len({xs}) {{\n  {chance.choice(bodies)}\n}}")
        self._write(f"print({s}, {t})")

    def _chain(self) -> None:
        """Write a linked list that is made and walked."""
        head, walker, i = self._name("h"), self._name("p"), self._name("i")
        made = f"N {{ v: {i} * {self.expressions.one('int', 0)}, next: {head} }}"
        self._write(f"var {head}: N = nil")
        self._write(f"for {i} in 0..{self.chance.choice((0, 1, 5, 12))} {{ {head} = {made} }}")
        self._write(f"var {walker} = {head}")
        self._write(f"while {walker} != nil {{")
        self._write(f"  print({walker}.v)")
        self._write(f"  {walker} = {walker}.next")
        self._write("}")

    def _scene(self) -> None:
        """Write one of the scenes."""
        text, chance = self.chance.choice(scenes.SCENES), self.chance
        for name in sorted(set(re.findall(r"\$(\w+)", text)), key=len, reverse=True):
            text = text.replace(f"${name}", self._name(f"s{name}"))
        text = re.sub("<<(.*?)>>", lambda found: chance.choice(found[1].split("|")), text)
        for line in text.split("\n"):
            self._write(self.expressions.filled(line, "", 1))

    def _function(self) -> None:
        chance, name = self.chance, self._name("f")
        params = tuple(chance.choice(self._held) for _ in range(chance.choice((1, 1, 2, 3))))
        recursive = chance.random() < 0.3
        if recursive:
            params = ("int", *params[1:])
        result = chance.choice(self._held[:-1])
        variables = [
            Variable(self._name("a"), param, mutable=not recursive and param != FUNCTION)
            for param in params
        ]
        written = ", ".join(f"{row.name}: {row.type}" for row in variables)
        kept = self._loops, self._result
        self._loops, self._result = 0, result
        function = Function(name, params, result, recursive)
        self._body(function, written, variables)
        self._loops, self._result = kept
        self.names.functions[-1].append(function)

    def _body(self, function: Function, written: str, variables: list[Variable]) -> None:
        def tail() -> str:
            end = f"return {self.expressions.one(function.result, 1)}"
            return f"{self._again(function, variables)}\n{end}" if function.recursive else end

        head = f"fun {function.name}({written}): {function.result} {{"
        self._block(head, variables, self.chance.choice((0, 1, 3)), tail)

    def _again(self, function: Function, variables: list[Variable]) -> str:
        """Return the call of a function by itself, which its first parameter bounds."""
        first, *others = variables
        arguments = [f"{first.name} - 1"]
        for row in others:
            is_new = self.chance.random() < 0.5
            arguments.append(self.expressions.one(row.type, 1) if is_new else row.name)
        call = f"{function.name}({', '.join(arguments)})"
        end = f"return {call}" if self.chance.random() < 0.5 else f"print({call})"
        return f"if {first.name} > 0 {{ {end} }}"


_FLAT: tuple[Callable[[Program], None], ...] = (
    Program._declare,
    *[Program._assign] * 3,
    *[Program._store] * 2,
    Program._print,
    Program._call,
    Program._leave,
)
_STATEMENTS: tuple[Callable[[Program], None], ...] = (
    *_FLAT,
    Program._declare,
    Program._if,
    *[Program._range] * 2,
    Program._each,
    Program._while,
    Program._extremes,
    Program._sum,
    Program._chain,
    *[Program._scene] * 4,
    *[Program._function] * 2,
)
