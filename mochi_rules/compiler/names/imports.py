"""Imports: which source each one means, found in a source without parsing it."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.span import Source, Span

SUFFIX = ".mochi"
_LIKELY = re.compile(r'\bimport\s*(?:/[/*]|#|")')


@dataclass(frozen=True, slots=True)
class ImportSite:
    """An import as written in a source: the path, and where it is."""

    path: str
    span: Span

    @property
    def target(self) -> str:
        """The name of the source that is meant, relative to the folder of the importing one."""
        folder = posixpath.dirname(self.span.source.name)
        target = posixpath.normpath(posixpath.join(folder, self.path))
        return target if target.endswith(SUFFIX) else target + SUFFIX


def find_imports(source: Source) -> list[ImportSite]:
    """Return the imports of Mochi modules in a source, in order; `import python …` is none."""
    return [ImportSite(path, Span(source, start, end)) for path, start, end in _find(source.text)]


@lru_cache(maxsize=4096)
def _find(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return paths with their places; a build asks twice, and many programs import one library."""
    if not _LIKELY.search(text):
        return ()
    from mochi_rules.compiler.syntax.lexer import tokenize  # noqa: PLC0415 - few sources import
    from mochi_rules.compiler.syntax.tokens import STRING  # noqa: PLC0415

    tokens = tokenize(Source("", text), Diagnostics())
    return tuple(
        (
            tokens.values[index + 1].decode("utf-8", "replace"),
            tokens.starts[index + 1],
            tokens.ends[index + 1],
        )
        for index, kind in enumerate(tokens.kinds[:-1])
        if kind == "import" and tokens.kinds[index + 1] == STRING
    )
