"""`mochi.toml`, the settings of a workspace for all who build it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.base.files import read_source
from mochi_rules.base.span import Source, Span
from mochi_rules.base.suggest import did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "mochi.toml"
ENGINE = "engine"
_SECTIONS = (ENGINE, "remote")
# The standard library's reader takes time and memory by the square of the parts of a key.
_MAX_SIZE, _MAX_DOTS = 1 << 16, 250
_PART = r"""(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)"""
_KEY = re.compile(
    rf"^[ \t]*(?P<header>\[*)[ \t]*(?P<key>{_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*[\]=]",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """The file, read; without one it has no tables."""

    tables: Mapping[str, Any]
    source: Source | None = None

    def table(self, name: str) -> Mapping[str, Any]:
        """Return the section of this name; it is empty where there is none.

        Emits: B028.

        Raises:
            MochiError: It is not a table.
        """
        table: object = self.tables.get(name, {})
        if not isinstance(table, dict):
            message = f"`{name}` of `{FILE}` must be a table"
            raise MochiError(
                Diagnostic("B028", message, self.locate(name), help=f"write `[{name}]`")
            )
        return table

    def locate(self, *path: str) -> Span | None:
        """Return the span of a key: the names of the tables that it is in, and then its own.

        A key in a table within a line has the span of that table; without a file there is none.
        """
        if self.source is None:
            return None
        for names, spans in _keys(self.source):
            if path and names[: len(path)] == path:
                return spans[len(path) - 1]
        return self.locate(*path[:-1]) if path else Span(self.source, 0, 1)


def read_project(root: Path) -> ProjectFile:
    """Return the file of a workspace.

    Emits: B010, B011, B028.

    Raises:
        MochiError: It cannot be read, is not TOML, or has a section that does not exist.
    """
    path = root / FILE
    if not path.is_file():
        return ProjectFile({})
    import tomllib  # noqa: PLC0415 - takes 10 ms, and few workspaces have the file

    if path.stat().st_size > _MAX_SIZE:
        raise fail("B028", f"`{FILE}` has more than {_MAX_SIZE >> 10} KiB")
    source = read_source(path, FILE)
    if any(line.count(".") > _MAX_DOTS for line in source.text.split("\n")):
        raise fail("B028", f"`{FILE}` has a line with more than {_MAX_DOTS} dots")
    try:
        project = ProjectFile(tomllib.loads(source.text), source)
    except ValueError as error:  # a number of thousands of digits is another than TOML's own
        raise MochiError(_not_toml(source, str(error))) from None
    except RecursionError:
        raise fail("B028", f"`{FILE}` is nested too deeply") from None
    if unknown := [name for name in project.tables if name not in _SECTIONS]:
        raise MochiError(*(_unknown(project, name) for name in unknown))
    return project


def _keys(source: Source) -> Iterator[tuple[tuple[str, ...], tuple[Span, ...]]]:
    """Yield the keys that begin a line: their names and those of the tables around, with spans."""
    around: tuple[tuple[str, ...], tuple[Span, ...]] = (), ()
    for line in _KEY.finditer(source.text):
        parts = list(re.compile(_PART).finditer(source.text, *line.span("key")))
        names = tuple(part[0].strip("\"'") for part in parts)
        spans = tuple(Span(source, *part.span()) for part in parts)
        if line["header"]:
            around = names, spans
            yield around
        else:
            yield around[0] + names, around[1] + spans


def _unknown(project: ProjectFile, name: str) -> Diagnostic:
    return Diagnostic(
        "B028",
        f"`{FILE}` has no section `{name}`",
        project.locate(name),
        notes=(f"the sections are {listing(_SECTIONS)}",),
        help=did_you_mean(name, _SECTIONS) or "leave it out",
    )


def _not_toml(source: Source, reason: str) -> Diagnostic:
    """Make the error of a file that is not TOML; the parser's reason contains the place."""
    place = re.search(r" \(at line (\d+), column (\d+)\)$", reason)
    if place is None:
        return Diagnostic("B028", f"`{FILE}` is not TOML: {reason}")
    lines = source.text.split("\n")[: int(place[1]) - 1]
    start = sum(len(line) + 1 for line in lines) + int(place[2]) - 1
    span = Span(source, start, start + 1)
    return Diagnostic("B028", f"`{FILE}` is not TOML: {reason[: place.start()]}", span)
