"""The sources of a program or library as nodes of SCons."""

from __future__ import annotations

import os
import posixpath
from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.files import read_source
from mochi_rules.project.sources import gather, require_text
from mochi_rules.rules.scons.nodes import check_exists, file_of

if TYPE_CHECKING:
    from mochi_rules.base.span import Source, Span
    from mochi_rules.project.visibility import Unit, Universe


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources that are compiled together, as nodes.

    `roots` are the main source of a program, or all of a library. `nodes` has those of the target
    by name, and `declared` those of all targets. `unit` is None for a program that was declared by
    a builder alone: it may import any file of the workspace.
    """

    roots: tuple[str, ...]
    nodes: dict[str, Any]
    declared: dict[str, Any]
    fs: Any
    universe: Universe
    unit: Unit | None = None

    def gather(self) -> dict[str, Source]:
        """Return the roots and all that they import now, the roots first.

        Emits: B010 to B013, B016, B017, B022, B024, B032.

        Raises:
            MochiError: A source cannot be read, or may not be imported.
        """
        if self.unit is not None:
            self.universe.check_deps(self.unit)
        return gather(map(self._root, self.roots), self._read, self._check)

    def read(self) -> dict[str, bytes]:
        """Return the sources as inputs of a step."""
        return {name: source.text.encode() for name, source in self.gather().items()}

    def scan(self) -> list[Any]:
        """Return the nodes of the sources that are imported, or that may be once they are made.

        Emits: as `gather`.
        """
        for node in self.nodes.values():
            check_exists(node, self._locate)
        names = self._made()
        own = frozenset(self.roots)
        roots = map(self._root, filter(self._exists, self.roots))  # the others are still to be made
        gather(roots, partial(self._note, names), self._check)
        return [self._node(name) for name in names if name not in own]

    def _made(self) -> dict[str, None]:
        """Return the names of sources that builders make: their imports are not known before."""
        units = [self.unit, *self.universe.libraries(self.unit)] if self.unit else []
        names = dict.fromkeys(name for unit in units for name in unit.srcs)
        return {name: None for name in names if self._node(name).has_builder()}

    def _note(self, names: dict[str, None], name: str) -> Source | None:
        """Read a source that is imported, and note its name, also if it is not made yet."""
        source = self._read(name)
        if source is not None or self._node(name).has_builder():
            names[name] = None
        return source

    def _node(self, name: str) -> Any:
        node = self.nodes.get(name) or self.declared.get(name)
        if node is not None:
            return node
        root = self.roots[0]  # in a `variant_dir`, what is imported may be made there too
        path = posixpath.relpath(name, posixpath.dirname(root) or ".")
        try:
            beside = self.nodes[root].dir.File(path)
            return beside if beside.has_builder() else self.fs.File("#" + name)
        except TypeError:  # SCons has found a directory of that name
            raise fail("B010", f"cannot read `{name}`: is a directory") from None

    def _root(self, name: str) -> Source:
        source = read_source(file_of(self._node(name)), name)
        return source if self.unit is not None and self.unit.is_library else require_text(source)

    def _read(self, name: str) -> Source | None:
        path = file_of(self._node(name))
        return read_source(path, name) if os.path.lexists(path) else None

    def _check(self, site: Any) -> None:
        if self.unit is not None:
            self.universe.check_import(site, self.unit, self._exists)

    def _exists(self, name: str) -> bool:
        return os.path.lexists(file_of(self._node(name)))

    def _locate(self) -> Span | None:
        return self.unit.locate("srcs") if self.unit else None
