"""Imports: which source each one means, found in a source without parsing it."""

from __future__ import annotations

import posixpath
import re

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
    if not _LIKELY.search(source.text):
        return []
    from mochi_rules.compiler.syntax.lexer import tokenize  # noqa: PLC0415 - few sources import
    from mochi_rules.compiler.syntax.tokens import STRING  # noqa: PLC0415

    tokens = tokenize(source, Diagnostics())
    return [
        ImportSite(
            tokens.values[index + 1].decode("utf-8", "replace"),
            Span(source, tokens.starts[index + 1], tokens.ends[index + 1]),
        )
        for index, kind in enumerate(tokens.kinds[:-1])
        if kind == "import" and tokens.kinds[index + 1] == STRING
    ]
