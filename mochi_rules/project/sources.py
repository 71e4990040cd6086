"""The sources of a program: its imports followed, each source once, by name.

A name is what messages and keys call a source: a path with `/`, relative to the workspace, the
same on every machine. Imports are found by the compiler's own lexer, so that what looks like one
in a comment or a string is none; a source without the word costs one search.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, Diagnostics, MochiError, fail
from mochi_rules.base.span import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SUFFIX = ".mochi"
_LIKELY = re.compile(r'\bimport\s*(?:/[/*]|#|")')


@dataclass(frozen=True, slots=True)
class ImportSite:
    """An import as it stands in a source: the path as written, and where."""

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


def gather(
    main: Source,
    read: Callable[[str], Source | None],
    check: Callable[[ImportSite], None] | None = None,
) -> dict[str, Source]:
    """Return a program's sources by name, the main one first.

    `read` returns the source of a name, or None where there is none: the compiler will say so.
    `check` may raise for an import that must not be.

    Emits: B012 (the main source is empty), B024 (import of an absolute path).

    Raises:
        MochiError: As `read` and `check` do.
    """
    if not main.text.strip():
        raise fail("B012", f"`{main.name}` is empty", help='write a program, such as `print("hi")`')
    sources = {main.name: main}
    pending = [main]
    while pending:
        for site in find_imports(pending.pop()):
            if site.target in sources:
                continue
            if site.target.startswith("/"):
                raise MochiError(_absolute(site))
            if check is not None:
                check(site)
            source = read(site.target)
            if source is not None:
                sources[site.target] = source
                pending.append(source)
    return sources


def _absolute(site: ImportSite) -> Diagnostic:
    return Diagnostic(
        "B024",
        "import of an absolute path",
        site.span,
        label="this is another place on another machine",
        help=f"write it relative to the folder of `{site.span.source.name}`",
    )


def texts_of(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the texts of sources by name."""
    return {name: source.text for name, source in sources.items()}
