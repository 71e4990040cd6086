"""What C calls of a library, as its CLIF says in comments, and how types look in C.

`compiler/clif/exports.py` writes the comments.
"""

from __future__ import annotations

import json
import re

from mochi_rules.base.dataclass import dataclass

_LAYOUT, _SIGNATURE = "; layout ", "; export "
# What no parameter can be called: keywords of C and C++, macros, and what our source calls its own.
# Other macros have no lower-case letter.
_WORDS = """
alignas alignof and asm auto bitand bitor bool break case catch char class compl const constexpr
continue decltype default delete do double else enum explicit export extern false float for friend
goto if inline int long mutable namespace new noexcept not nullptr operator or private protected
public register requires restrict return short signed sizeof static struct switch template this
throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
errno linux stderr stdin stdout unix
copies span words
"""
_TAKEN = frozenset(_WORDS.split())
STRUCT = "struct "
SCALARS = {"int": "int64_t", "float": "double", "bool": "bool"}
# What is passed as a pointer and a size: its elements in C, and what results are called.
SPANS = {
    "string": ("char", "string"),
    "list<int>": ("int64_t", "ints"),
    "list<float>": ("double", "floats"),
}


@dataclass(frozen=True, slots=True)
class CFunction:
    """A function: its number in the list of exports, its name behind the prefix, its types.

    `params` are names and types.
    """

    number: int
    name: str
    params: tuple[tuple[str, str], ...]
    result: str

    @property
    def types(self) -> tuple[str, ...]:
        """The types that it mentions."""
        return (*(type_ for _, type_ in self.params), self.result)


@dataclass(frozen=True, slots=True)
class Interface:
    """What C calls of a library; its name begins that of everything.

    `layout` has what generated code must know of objects.
    """

    name: str
    layout: dict[str, int]
    functions: tuple[CFunction, ...]

    @property
    def structs(self) -> tuple[str, ...]:
        """The names of the structs, in order of their first use."""
        mentioned = dict.fromkeys(type_ for item in self.functions for type_ in item.types)
        return tuple(t.removeprefix(STRUCT) for t in mentioned if t.startswith(STRUCT))

    @property
    def results(self) -> tuple[str, ...]:
        """The types of SPANS that functions return."""
        returned = {item.result for item in self.functions}
        return tuple(type_ for type_ in SPANS if type_ in returned)

    def result(self, type_: str) -> str:
        """Return what C has for a result of a type."""
        if type_ in SPANS:
            return f"{self.name}_{SPANS[type_][1]} "
        if type_.startswith(STRUCT):
            return f"{self.name}_{type_.removeprefix(STRUCT)} *"
        return f"{SCALARS.get(type_, type_)} "

    def param(self, name: str, type_: str) -> str:
        """Return what C has for a parameter: one, or a pointer and a size."""
        if type_ in SPANS:
            return f"const {SPANS[type_][0]} *{name}, size_t {name}_size"
        return f"{self.result(type_)}{name}"

    def declaration(self, function: CFunction) -> str:
        """Return a function without the semicolon."""
        names = c_names(function)
        params = [
            self.param(name, type_) for name, (_, type_) in zip(names, function.params, strict=True)
        ]
        listed = ", ".join(params) or "void"
        return f"{self.result(function.result)}{self.name}_{function.name}({listed})"


def read_interface(name: str, clif: bytes) -> Interface:
    """Return what C calls of a library; `name` is that of the library."""
    layout: dict[str, int] = {}
    functions = []
    for line in clif.decode().splitlines():
        if line.startswith(_LAYOUT):
            layout = json.loads(line.removeprefix(_LAYOUT))
        elif line.startswith(_SIGNATURE):
            row = json.loads(line.removeprefix(_SIGNATURE))
            params = tuple((name, type_) for name, type_ in row["params"])
            functions.append(CFunction(row["number"], row["name"], params, row["result"]))
    return Interface(c_prefix(name), layout, tuple(functions))


def c_prefix(name: str) -> str:
    """Return what the names of a library begin with in C."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{word}" if word[:1].isdigit() else word


def c_names(function: CFunction) -> list[str]:
    """Return the names of parameters in C, where they are usable and all different."""
    taken = set(_TAKEN)
    names = []
    for wanted, _ in function.params:
        name = wanted
        while name in taken or f"{name}_size" in taken or name == wanted.upper():
            name += "_"
        taken.update((name, f"{name}_size"))
        names.append(name)
    return names
