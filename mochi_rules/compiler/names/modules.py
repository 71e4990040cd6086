"""The modules of a program: imports followed, cycles refused, in the order in which they run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.base.span import Source, Span
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.names.imports import SUFFIX, ImportSite
from mochi_rules.compiler.names.symbols import ModuleScope
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.parser import parse_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mochi_rules.base.diagnostic import Diagnostics


def imports_of(tree: ast.Module) -> list[ast.Import]:
    """Return the imports of Mochi modules at the top level of a file."""
    return [s for s in tree.body if isinstance(s, ast.Import) and not s.language]


def load_modules(
    roots: Iterable[str], sources: Mapping[str, str], diagnostics: Diagnostics
) -> list[ModuleScope]:
    """Parse modules and all that they import; an imported module comes before its importers.

    Emits: B020 (import cycle), B021 (no such module), and the parser's codes.
    """
    loader = _Loader(sources, diagnostics)
    for root in roots:
        loader.load(root)
    return loader.finished


class _Loader:
    def __init__(self, sources: Mapping[str, str], diagnostics: Diagnostics) -> None:
        self.sources = sources
        self.diagnostics = diagnostics
        self.finished: list[ModuleScope] = []
        self.by_name: dict[str, ModuleScope] = {}
        self.open: list[str] = []

    def load(self, name: str) -> ModuleScope:
        if name in self.by_name:
            return self.by_name[name]
        source = Source(name, self.sources[name])
        tree = parse_module(source, self.diagnostics)
        module = ModuleScope(source, tree, 0)
        self.open.append(name)
        for node in imports_of(tree):
            span = Span(source, node.path_start, node.end)
            target = ImportSite(node.path, span).target
            if target in self.open:
                self._cycle(target, span)
            elif target not in self.sources:
                known = [other.removesuffix(SUFFIX) for other in self.sources if other != name]
                help_ = did_you_mean(target.removesuffix(SUFFIX), known)
                message = f"no module `{node.path}`: there is no `{target}`"
                self.diagnostics.add(Diagnostic("B021", message, span, help=help_))
            else:
                module.imports[node.path] = self.load(target)
        self.open.pop()
        module.number = len(self.finished)
        self.finished.append(module)
        self.by_name[name] = module
        return module

    def _cycle(self, target: str, span: Span) -> None:
        ring = [*self.open[self.open.index(target) :], target]
        notes = tuple(f"`{one}` imports `{other}`" for one, other in pairwise(ring))
        self.diagnostics.add(Diagnostic("B020", "import cycle", span, notes=notes))
