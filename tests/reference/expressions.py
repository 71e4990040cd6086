"""Random expressions of a type, made of the variables and functions that are there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

SCALARS = ("int", "float", "bool", "string")
BIG = ("bigint", "list<bigint>")
LISTS = ("list<int>", "list<float>", "list<string>", "list<list<int>>")
MAPS = ("map<string, int>", "map<int, int>", "map<string, list<int>>")
FUNCTION = "fun(int): int"
LITERALS = {
    "int": ("0", "1", "2", "3", "5", "7", "10", "12", "100", "255"),
    "float": ("0.0", "0.5", "1.5", "2.0", "10.0", "0.1", "1000000.0", "3.25"),
    "bool": ("true", "false"),
    "string": ('""', '"a"', '"b"', '"ab"', '"x y"', '"é"', '"😀z"', '"Zed"', '"10"', '"abcabc"'),
}
# Near the ends of 64 bits, and with limbs of zeros and of nines.
BIGINTS = ("0", "7", "-12", "9223372036854775807", "-9223372036854775808", "1000000000000000000",
           "-999999999000000000999999999", "123456789012345678901234567890")  # fmt: skip
LITERALS["bigint"] = tuple(f'("{number}" as bigint)' for number in BIGINTS)
LARGEST = f'("1{"0" * 40}" as bigint)'
KEYS = (('"a"', '"b"', '"é"', '"zz"'), ("1", "2", "10", "-3"))
EDGES = ("9223372036854775807", "(-9223372036854775807 - 1)", "4611686018427387904", "2147483648",
         "-2147483649", "3037000500", "9223372036854775800")  # fmt: skip
DEPTH = 2

# How expressions look: `@{T}` is one of type T, `@{T!}` one without parts, `@{a|b}` one of the
# texts, and `@{T:N}` a variable of type T; a literal stands for the whole where there is none. `@N`
# is that variable again. In those of lists, LIST is the type and ITEM that of the elements.
TEMPLATES = {
    "int": (
        *["(@{int} @{+|-} @{int})"] * 4,
        "((@{int} * @{int}) % @{7|97|1000|65536})",
        "((@{int} * @{int}) % @{7|97|1000|65536})",
        "(@{int} * @{int!})",
        *["(@{int} @{/|%} @{2|3|8|10|-4|1})"] * 3,
        "(@{int} @{/|%} @{int!})",
        "(-@{int})",
        "len(@{string})",
        "len(@{list<int>})",
        "len(@{map<string, list<int>>})",
        "@{sum|min|max|count}(@{list<int>})",
        "(@{map<string, int>}[@{string!}] ?? @{int!})",
        "(@{map<int, int>}[@{int}] ?? @{int!})",
        "(@{map<int, int>:1}[@{int!}] + @{int!})",
        "reduce(@{list<int>}, fun(a: int, b: int): int => (a * 3 + b) % 1009, @{int!})",
        "@{fun(int): int:1}(@{int})",
        "abs(@{int})",
        "@{min|max}(@{int}, @{int})",
        "(@{float} as int)",
        "indexOf(@{string}, @{string!})",
        "((@{bigint} % 1000000) as int)",
        "len(str(@{bigint}))",
        "(match @{U} { Dot => @{int!} One(p) => p % 100 Two(p, q) => len(q) + p % 50 })",
    ),
    "float": (
        *["(@{float} @{+|-|*} @{float})"] * 3,
        "(@{float} / 4.0)",
        "(@{float} / @{float})",
        "(@{int} @{+|*} @{float})",
        "float(@{int})",
        "(@{int} as float)",
        "(sum(@{list<float>}) + 0.0)",  # that of no elements is an int to the interpreter
        "avg(@{list<int>})",
        "((@{bigint} % 1000000) as float)",
        "abs(@{float})",
    ),
    "bool": (
        *["(@{int} @{<|<=|>|>=|==|!=} @{int})"] * 4,
        "(@{float} @{<|>=|==} @{float})",
        "(@{bigint} @{<|<=|>|>=|==|!=} @{bigint})",
        "(@{bigint} @{<|==} @{int})",
        "(@{string} @{<|>=|==|!=} @{string})",
        "(@{list<string>} @{==|!=} @{list<string>})",
        "(@{map<string, int>} == @{map<string, int>})",
        "(@{S} @{==|!=} @{S})",
        "(@{bool} && @{bool})",
        "(@{bool} || @{bool})",
        "(!@{bool})",
        "(@{int!} in @{list<int>})",
        "(@{string!} in @{map<string, int>})",
        "(@{string!} in @{string})",
    ),
    "string": (
        "(@{string} + @{string})[0:@{3|12|40}]",
        "str(@{int})",
        "str(@{float})[0:24]",
        "str(@{bigint})[0:40]",
        "str(@{list<list<int>>})[0:24]",
        "str(@{T})[0:24]",
        '(if len(@{string:1}) > 0 { @1[(@{int}) % len(@1)] } else { "-" })',
        "@{string:1}[@{int!}:@{int!}]",
        "@{upper|reverse}(@{string})",
        "repeat(@{string}, @{0|1|3})[0:30]",
        'join(@{list<string>}, ",")[0:40]',
        'padStart(@{string}, @{0|3|8}, "*")',
    ),
    "bigint": (
        *["(@{bigint} @{+|-} @{bigint})"] * 3,
        "(@{bigint} @{+|-} @{int})",
        f"((@{{bigint}} * @{{bigint}}) % {LARGEST})",
        f"((@{{int}} * @{{bigint}}) % {LARGEST})",
        f"(pow(@{{bigint!}}, @{{0|1|5|13}}) % {LARGEST})",
        "(@{bigint} @{/|%} @{bigint})",
        "(@{bigint} @{/|%} @{2|-3|1000000007})",
        "(-@{bigint})",
        "abs(@{bigint})",
        "(@{int} as bigint)",
        "(@{sum|min|max}(@{list<bigint>}) + @{bigint!})",
    ),
    "list<bigint>": (
        "sort(@{list<bigint>})",
        "(from q in @{list<bigint>} where q % @{2|3} != 0 select q / @{2|3|10})",
    ),
    "list": (
        "(@{LIST} + @{LIST})[0:@{2|9|30}]",
        "append(@{LIST}, @{ITEM})",
        "@{LIST}[@{int!}:@{int!}]",
        "@{reverse|distinct}(@{LIST})",
        "turned(@{LIST}, @{int!})",
        "either(@{bool}, @{LIST!}, @{LIST})",
        "(@{LIST} @{union|except|intersect|union all} @{LIST})[0:20]",
        *["[@{ITEM}, @{ITEM}, @{ITEM!}]"] * 2,
    ),
    "list<int>": (
        "sort(@{list<int>})",
        "range(0, @{0|1|5|17|40})",
        "(from q in @{list<int>} where q % @{2|3} != 0 select q / @{2|3|10})",
        "(from q in @{list<int>} where q > @{0|5} sort by -(q % 50) select q)",
        "(from q in @{list<int>} sort by q % @{3|7} skip 1 take @{2|5} select q)",
        "(from q in @{list<int>} select distinct q % @{2|5})",
        "(from q in @{list<int>} from r in [1, 4] where q % 3 == r % 3 select r)",
        "(from q in @{list<int>} group by q % 5 into g sort by g.key select count(g) * 7 + g.key)",
        "(from q in @{list<int>} group by q % 3 into g select max(from w in g select w % 100))",
    ),
    # Of any type, ANY.
    "": (
        "(if @{bool} { @{ANY} } else { @{ANY} })",
        "(match @{int} { 1 => @{ANY!} 2 => @{ANY!} _ => @{ANY} })",
        "(@{first|last}(@{list<ANY>:1}) ?? @{ANY!})",
        *["(if len(@{list<ANY>:1}) > 0 { @1[(@{int}) % len(@1)] } else { @{ANY!} })"] * 3,
        "@{list<ANY>:1}[@{int!}]",
    ),
}  # fmt: skip


_WITHOUT_BIGINT = {
    type_: tuple(template for template in templates if "bigint" not in template)
    for type_, templates in TEMPLATES.items()
}


def element(type_: str) -> str:
    """Return the type of the elements of a list, or of the values of a map."""
    return type_[5:-1] if type_.startswith("list") else type_[4:-1].partition(", ")[2]


@dataclass(frozen=True)
class Variable:
    """What a name stands for; the program assigns to those that are `mutable`."""

    name: str
    type: str
    mutable: bool = False


@dataclass(frozen=True)
class Function:
    """A function that can be called; the first argument of a `recursive` one bounds it."""

    name: str
    params: tuple[str, ...]
    result: str
    recursive: bool = False


@dataclass
class Names:
    """What a place of the program can use, in scopes; structs and variants with their fields."""

    scopes: list[list[Variable]] = field(default_factory=lambda: [[]])
    functions: list[list[Function]] = field(default_factory=lambda: [[]])
    structs: dict[str, dict[str, str]] = field(default_factory=dict)
    variants: dict[str, dict[str, str]] = field(default_factory=dict)

    def variables(self, type_: str, *, mutable: bool = False) -> list[str]:
        """Return the names of a type that are seen, without those that are hidden."""
        seen = {row.name: row for scope in self.scopes for row in scope}
        return [
            row.name for row in seen.values() if row.type == type_ and (row.mutable or not mutable)
        ]

    def callable(self, result: str) -> list[Function]:
        """Return the functions that give a type."""
        return [row for scope in self.functions for row in scope if row.result == result]


class Expressions:
    """Makes expressions. `chance` decides all; the same chance gives the same text."""

    def __init__(self, chance: random.Random, names: Names, *, has_bigint: bool) -> None:
        self.chance, self.names = chance, names
        self.templates = TEMPLATES if has_bigint else _WITHOUT_BIGINT

    def one(self, type_: str, depth: int = DEPTH) -> str:
        """Return an expression."""
        chance = self.chance
        if type_ == FUNCTION:
            return self._function(depth)
        found = self.names.variables(type_)
        if found and chance.random() < (0.35 if depth else 0.7):
            return chance.choice(found)
        if depth <= 0:
            return self.literal(type_)
        functions = self.names.callable(type_)
        if functions and chance.random() < 0.2:
            return self.call(chance.choice(functions), depth - 1)
        if (fields := self._fields(type_)) and chance.random() < 0.2:
            return chance.choice(fields)
        templates = self.templates.get(type_, ())
        if type_.startswith("list"):
            templates += TEMPLATES["list"]
        is_any = not templates or chance.random() < 0.2
        return self.filled(chance.choice(TEMPLATES[""] if is_any else templates), type_, depth - 1)

    def filled(self, template: str, type_: str, depth: int) -> str:
        """Return a template with its places filled; a literal where it has no variable."""
        for word, stands_for in (("LIST", type_), ("ITEM", element(type_)), ("ANY", type_)):
            template = template.replace(word, stands_for)
        numbered: dict[str, str] = {}

        def fill(match: re.Match[str]) -> str:
            place = match[1] or ""
            if match[2]:
                return numbered[match[2]]
            if "|" in place:
                return self.chance.choice(place.split("|"))
            wanted, _, number = place.rpartition(":")
            if number.isdigit():
                found = self.names.variables(wanted)
                numbered[number] = self.chance.choice(found) if found else ""
                return numbered[number]
            return self.one(place.removesuffix("!"), 0 if place.endswith("!") else depth)

        text = re.sub(r"@\{([^}]*)\}|@(\d)", fill, template)
        return text if all(numbered.values()) else self.literal(type_, depth)

    def literal(self, type_: str, depth: int = 0) -> str:
        """Return a literal; parts of those that have parts are expressions."""
        chance = self.chance
        if type_ in LITERALS:
            rare = type_ == "int" and chance.random() < 0.04
            return chance.choice(EDGES if rare else LITERALS[type_])
        if type_ == FUNCTION:
            return self._function(depth)
        if type_.startswith("list"):
            # An empty one has no type of its own.
            count = chance.choice((1, 2, 3, 4, 8))
            return f"[{', '.join(self.one(element(type_), depth) for _ in range(count))}]"
        if type_.startswith("map"):
            keys = chance.sample(KEYS["map<int" in type_], 2)
            rows = (f"{key}: {self.one(element(type_), depth)}" for key in keys)
            return f"{{{', '.join(rows)}}}"
        if type_ == "U":
            name = chance.choice(sorted(self.names.variants))
            parts = ", ".join(self.one(row, depth) for row in self.names.variants[name].values())
            return f"{name}({parts})" if parts else name
        fields = self.names.structs[type_].items()
        return (
            f"{type_} {{ {', '.join(f'{name}: {self.one(row, depth)}' for name, row in fields)} }}"
        )

    def call(self, function: Function, depth: int) -> str:
        """Return a call."""
        arguments = [self.one(param, depth) for param in function.params]
        if function.recursive:
            arguments[0] = str(self.chance.randrange(6))
        return f"{function.name}({', '.join(arguments)})"

    def _fields(self, type_: str) -> list[str]:
        """Return the fields of variables that have a type."""
        return [
            f"{variable}.{field_name}"
            for struct, fields in self.names.structs.items()
            for field_name, row in fields.items()
            if row == type_
            for variable in self.names.variables(struct)
        ]

    def _function(self, depth: int) -> str:
        found = self.names.variables(FUNCTION)
        found += [
            row.name
            for row in self.names.callable("int")
            if row.params == ("int",) and not row.recursive
        ]
        if found and self.chance.random() < 0.5:
            return self.chance.choice(found)
        self.names.scopes.append([Variable("x", "int")])
        body = self.one("int", min(depth, 1))
        self.names.scopes.pop()
        return f"(fun(x: int): int => {body})"
