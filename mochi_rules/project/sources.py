"""The sources of a program or library: imports followed, each source once, by name.

A name is what messages and keys call a source: a path with `/`, relative to the workspace, the
same on every machine. Imports are found by the compiler's own lexer, so that what looks like one
in a comment or a string is none; a source without the word costs one search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import replace
from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.compiler.names.imports import ImportSite, find_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mochi_rules.base.span import Source


def require_text(main: Source) -> Source:
    """Return the main source of a program, unless there is nothing in it.

    Emits: B012.
    """
    if not main.text.strip():
        raise fail("B012", f"`{main.name}` is empty", help='write a program, such as `print("hi")`')
    return main


def gather(
    roots: Iterable[Source],
    read: Callable[[str], Source | None],
    check: Callable[[ImportSite], None] | None = None,
) -> dict[str, Source]:
    """Return sources and all that they import by name, the roots first.

    The root of a program is its main source; those of a library are all of its own. `read` returns
    the source of a name, or None where there is none: the compiler reports it. `check` may raise
    for an import that is not allowed.

    Emits: B024 (import of an absolute path).

    Raises:
        MochiError: As `read` and `check` do.
    """
    sources = {source.name: source for source in roots}
    pending = list(sources.values())
    while pending:
        for site in find_imports(pending.pop()):
            if site.target in sources:
                continue
            if site.target.startswith("/"):
                raise MochiError(_absolute(site))
            source = _follow(site, read, check)
            if source is not None:
                sources[site.target] = source
                pending.append(source)
    return sources


def _follow(
    site: ImportSite,
    read: Callable[[str], Source | None],
    check: Callable[[ImportSite], None] | None,
) -> Source | None:
    """Read what an import means; where that fails, the import is the place to look at."""
    if "\0" in site.target:  # no file has such a name
        return None
    try:
        if check is not None:
            check(site)
        return read(site.target)
    except MochiError as error:
        raise MochiError(
            *(item if item.span else replace(item, span=site.span) for item in error.diagnostics)
        ) from None


def _absolute(site: ImportSite) -> Diagnostic:
    return Diagnostic(
        "B024",
        "import of an absolute path",
        site.span,
        label="the path differs from machine to machine",
        help=f"write it relative to the folder of `{site.span.source.name}`",
    )


def texts_of(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the contents of sources by name."""
    return {name: source.text for name, source in sources.items()}
