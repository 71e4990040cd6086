"""The runtime library's dialect of Mochi: the same syntax, but about words and memory.

- Types: `word` (an address or a size, 32 bits in wasm, unsigned), `int` (64 bits, wraps around,
  signed), `float`, `bool`. An untyped literal is a word. The types of objects (`string`, `list`,
  `any` …) are words whose type callers see.
- A parameter `own<T>` takes over the caller's reference; others are borrowed. A result
  `borrow<T>` is borrowed from the first argument; others are owned. `! never` does not return.
- References are counted by hand. Memory is accessed only by `load32(p)` and its kind.
- Names in capitals are constants of lower/object_layout.py. A string literal is a static object.

Functions are found by name and built when they are needed, so that a program pays for what it
uses. Small ones are inlined where they are called.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.span import Source
from mochi_rules.compiler.runtime.dialect import build_function, signature_of, type_named
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.parser import parse_module
from mochi_rules.compiler.syntax.walk import nodes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from mochi_rules.compiler.ir.function import Function, Signature
    from mochi_rules.compiler.ir.types import Type

SMALL = 12  # operations of a function that is inlined
_OPERATIONS = (ast.Call, ast.Binary, ast.Unary, ast.If, ast.IfExpr)

_FUNCTION = re.compile(r"^fun (\w+)", re.MULTILINE)
_GLOBAL = re.compile(r"^var (\w+): (\w+) = (\w+)", re.MULTILINE)
_END = re.compile(r"^\}", re.MULTILINE)


@dataclass(slots=True)
class _Entry:
    source: Source
    start: int
    end: int
    signature: Signature | None = None
    decl: ast.FunDecl | None = None
    is_inlined: bool | None = None


@dataclass(slots=True)
class Library:
    """The runtime library. `imports` are the signatures of the functions of the host.

    `finish` gets every function when it is built.
    """

    constants: Mapping[str, int]
    imports: Mapping[str, Signature]
    entries: dict[str, _Entry] = field(default_factory=dict)
    globals: dict[str, tuple[Type, int]] = field(default_factory=dict)
    built: dict[str, Function] = field(default_factory=dict)
    selected: dict[str, Any] = field(default_factory=dict)  # what lower/ made of them
    printed: dict[Hashable, str] = field(default_factory=dict)  # what clif/ made of them
    kept: dict[str, bytes] = field(default_factory=dict)  # the same from before; see lower/kept.py
    finish: Callable[[Function], None] = lambda _: None

    def add(self, source: Source) -> None:
        """Index the functions and the globals of a source."""
        for match in _FUNCTION.finditer(source.text):
            end = _END.search(source.text, match.end())
            assert end, f"{source.name}: `{match[1]}` has no end"
            assert match[1] not in self.entries, f"two runtime functions `{match[1]}`"
            self.entries[match[1]] = _Entry(source, match.start(), end.end())
        for match in _GLOBAL.finditer(source.text):
            initial = self.constants[match[3]] if match[3] in self.constants else int(match[3])
            self.globals[match[1]] = (type_named(match[2]), initial)

    def signature(self, name: str) -> Signature:
        """Return the signature of a function."""
        if name in self.imports:
            return self.imports[name]
        entry = self._entry(name)
        if entry.signature is None:
            head = entry.source.text.index("{", entry.start) + 1
            entry.signature = signature_of(entry.decl or _parse(entry, head, "}"))
        return entry.signature

    def function(self, name: str) -> Function:
        """Return a function's IR."""
        if name not in self.built:
            entry = self._entry(name)
            decl = self._declaration(entry)
            self.built[name] = build_function(self, name, decl, entry.source)
            self.finish(self.built[name])
        return self.built[name]

    def inlined(self, name: str) -> ast.FunDecl | None:
        """Return a function that is inlined where it is called; None for others."""
        if name in self.imports:
            return None
        entry = self._entry(name)
        decl = self._declaration(entry)
        if entry.is_inlined is None:
            entry.is_inlined = _is_small(decl)
        return decl if entry.is_inlined else None

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def owns(self, name: str) -> bool:
        """Return whether nothing of a program may have this name."""
        return name in self.entries or name in self.globals or name in self.imports

    def _entry(self, name: str) -> _Entry:
        assert name in self.entries, f"no runtime function `{name}`"
        return self.entries[name]

    def _declaration(self, entry: _Entry) -> ast.FunDecl:
        if entry.decl is None:
            entry.decl = _parse(entry, entry.end)
        return entry.decl


def _parse(entry: _Entry, end: int, rest: str = "") -> ast.FunDecl:
    """Parse a function up to an offset; the rest is left."""
    diagnostics = Diagnostics()
    text = entry.source.text[entry.start : end] + rest
    module = parse_module(Source(entry.source.name, text), diagnostics)
    diagnostics.raise_errors()
    (decl,) = module.body
    assert isinstance(decl, ast.FunDecl)
    return decl


def _is_small(decl: ast.FunDecl) -> bool:
    """Whether a call would take about as long as the function: few operations, and no loop."""
    nodes = list(nodes_of(decl.body))
    returns = [node for node in nodes if isinstance(node, ast.Return)]
    return (
        sum(isinstance(node, _OPERATIONS) for node in nodes) <= SMALL
        and not any(isinstance(node, ast.While) for node in nodes)
        and "never" not in decl.effects
        and returns == [node for node in decl.body[-1:] if isinstance(node, ast.Return)]
    )


def load_library(constants: Mapping[str, int], imports: Mapping[str, Signature]) -> Library:
    """Return the library with the sources that this package carries."""
    library = Library(constants, imports)
    for path in sorted(Path(__file__).parent.glob("*.mochi")):
        library.add(Source(path.name, path.read_text(encoding="utf-8")))
    return library
