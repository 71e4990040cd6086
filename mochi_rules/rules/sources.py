"""The sources of a program: its imports followed, each source once, by name.

A name is what messages and keys call a source: a path with `/`, relative to the workspace, the
same on every machine. Imports are found by the compiler's own lexer, so that what looks like one
in a comment or a string is none; a source without the word costs one search.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Diagnostics, MochiError, fail
from mochi_rules.base.files import read_source
from mochi_rules.base.span import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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
    from mochi_rules.compiler.lexer import tokenize  # noqa: PLC0415 - few sources import
    from mochi_rules.compiler.tokens import STRING  # noqa: PLC0415

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


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the file system that names are relative to."""

    root: Path

    def read(self, name: str) -> Source | None:
        """Return the source of a name, or None where there is no such file.

        Emits: B010, B011.

        Raises:
            MochiError: The file cannot be read.
        """
        path = self.root / name
        return read_source(path, name) if os.path.lexists(path) else None


def locate(path: Path, base: Path) -> tuple[Folder, str]:
    """Return the folder and the name of a file which a user named, whose paths start at `base`.

    Below `base`, names are relative to it, as in a build; elsewhere to the file's own folder.

    Emits: B013.

    Raises:
        MochiError: The path cannot be written in UTF-8.
    """
    absolute = base / path
    inside = posixpath.normpath(absolute.as_posix())
    start = base.as_posix().rstrip("/") + "/"
    if inside.startswith(start):
        folder, name = base, inside.removeprefix(start)
    else:
        folder, name = absolute.parent, absolute.name
    check_name(name)
    return Folder(folder), name


def check_name(name: str) -> None:
    """Refuse a name that no message and no key can hold.

    Emits: B013.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise MochiError(
            Diagnostic("B013", f"the name of `{shown}` is not UTF-8", help="rename the file")
        ) from None
