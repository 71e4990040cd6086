"""What the things of a module are called in CLIF: names of letters, digits and `_`, all different.

Functions and variables of a program get what names the host has left, those with plain names first:
so what the runtime library has is called the same in every program.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.wasm.types import FuncType, GlobalType

if TYPE_CHECKING:
    from mochi_rules.wasm.module import Function, Global, Module

# What an object defines for its host, and what the host gives it.
PROGRAM, START = "mochi_program", "mochi_start"
STATIC, TABLE, EXPORTS = "mochi_static", "mochi_table", "mochi_exports"
HOST = ("memmove", "mochi_memory", "mochi_pages", "mochi_grow", "mochi_fill")
_DEFINED = (PROGRAM, START, STATIC, TABLE, EXPORTS, "mochi_lines", "mochi_files")
_PLAIN = re.compile(r"\w+", re.ASCII)
_ENTRIES = {"_start": "mochi_run"}  # that of the C library is another


class Names:
    """The names of one module. `symbols` are those of the object, where they differ from CLIF's."""

    def __init__(self, module: Module) -> None:
        self.types: dict[str, FuncType] = {}
        self.symbols: dict[str, str] = {}
        self._taken = {*HOST, *_DEFINED, *_ENTRIES.values()}
        self._imports: dict[str, str] = {}
        for item in module.imports:
            if isinstance(item.type, FuncType):
                self.types[item.name] = item.type
                self._imports[item.name] = f"mochi_{item.name}"
                self._taken.add(f"mochi_{item.name}")
        self._variables: dict[str, tuple[str, str]] = {}
        for variable in sorted(module.globals, key=_is_odd):
            assert isinstance(variable.type, GlobalType)
            name = self._unique(f"{variable.name}_variable", variable.name)
            self._variables[variable.name] = (variable.type.value, name)
        self._functions = dict(_ENTRIES)
        for function in sorted(module.functions, key=_is_odd):
            self.types[function.name] = function.type
            if function.name not in self._functions:
                self._functions[function.name] = self._unique(function.name, function.name)

    def function(self, name: str) -> str:
        """Return the name of a function of the module."""
        return self._functions[name]

    def imported(self, name: str) -> str | None:
        """Return what an imported function is called, None for others."""
        return self._imports.get(name)

    def variable(self, name: str) -> tuple[str, str]:
        """Return the type and the name of a global variable."""
        return self._variables[name]

    def _unique(self, wanted: str, symbol: str) -> str:
        """Return a name that is free, and see to it that its symbol is too."""
        plain = re.sub(r"\W", "_", wanted, flags=re.ASCII)
        name, number = plain, 1
        while name in self._taken:
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        if plain != wanted:
            self.symbols[name] = symbol if number == 1 else f"{symbol}.{number}"
        return name


def _is_odd(item: Function | Global) -> bool:
    return _PLAIN.fullmatch(item.name) is None
