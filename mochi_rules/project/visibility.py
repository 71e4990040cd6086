"""Which source may import which: those of its own target, and of the libraries in its `deps`."""

from __future__ import annotations

import posixpath
from itertools import pairwise
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.base.span import Span
    from mochi_rules.compiler.names.imports import ImportSite
    from mochi_rules.project.label import Label

_LINKED = (".o", ".obj", ".a", ".lib", ".so", ".dylib", ".dll")  # what a linker takes


@dataclass(frozen=True, slots=True)
class Unit:
    """A target: the names of its sources, if it has any, and the labels that it depends on.

    `locate` returns where an attribute was written, for messages.
    """

    label: Label
    rule: str
    srcs: tuple[str, ...]
    deps: tuple[Label, ...]
    locate: Callable[[str], Span | None] = field(compare=False)

    @property
    def is_library(self) -> bool:
        """Whether other targets may depend on it."""
        return self.rule == "mochi_library"


@dataclass(slots=True)
class Universe:
    """All targets; the order of declaration does not matter.

    `describe` returns what is known of a file in place of a library, for a note, or nothing.
    """

    describe: Callable[[Label], str] = lambda _label: ""
    units: dict[Label, Unit] = field(default_factory=dict)
    _owners: dict[str, Unit] = field(default_factory=dict)

    def add(self, unit: Unit) -> None:
        """Add a target, in place of one of its label.

        Of two libraries with the same source the first by label owns it.
        """
        self.units[unit.label] = unit
        if unit.is_library:
            for name in unit.srcs:
                self._owners[name] = min(self._owners.get(name, unit), unit, key=_by_label)

    def owner(self, name: str, program: Unit) -> Unit | None:
        """Return the target that a source of a program belongs to."""
        return program if name in program.srcs else self._owners.get(name)

    def libraries(self, unit: Unit) -> list[Unit]:
        """Return the targets that a target depends on, and those that they depend on."""
        found: dict[Label, Unit] = {}
        pending = list(unit.deps)
        while pending:
            label = pending.pop()
            if label in self.units and label not in found:
                found[label] = self.units[label]
                pending += found[label].deps
        return list(found.values())

    def check_deps(self, unit: Unit) -> None:
        """Refuse labels in `deps` that are not libraries, and a library that depends on itself.

        Emits: B016 (no such target), B017 (not a library), B032 (a cycle).

        Raises:
            MochiError: With every such label.
        """
        found = [fault for label in unit.deps if (fault := self._dep_fault(unit, label))]
        if not found and unit.is_library and (cycle := self._cycle(unit)):
            found.append(cycle)
        if found:
            raise MochiError(*found)

    def check_import(self, site: ImportSite, program: Unit, exists: Callable[[str], bool]) -> None:
        """Refuse an import of a source that the importing target has not declared.

        A file that does not exist passes: the compiler reports it.

        Emits: B022, and those of `check_deps` for the importing target.

        Raises:
            MochiError: The import is not declared.
        """
        unit = self.owner(site.span.source.name, program)
        if unit is None or site.target in unit.srcs:
            return
        self.check_deps(unit)
        if any(site.target in self.units[label].srcs for label in unit.deps):
            return
        owner = self._owners.get(site.target)
        if owner is not None:
            message = f"`{site.target}` belongs to `{owner.label}`"
            message += f", which `{unit.label}` does not depend on"
            help_ = f'add it to `{unit.label}`: `deps = ["{owner.label}"]`'
        elif exists(site.target):
            message = (
                f"`{site.target}` is neither in the `srcs` of `{unit.label}` nor of its `deps`"
            )
            path = posixpath.relpath(site.target, unit.label.package or ".")
            help_ = f'add it to `{unit.label}`: `srcs = [..., "{path}"]`'
        else:
            return
        raise MochiError(Diagnostic("B022", message, site.span, help=help_))

    def _cycle(self, unit: Unit) -> Diagnostic | None:
        """Return the shortest way from a library back to itself as a diagnostic."""
        users: dict[Label, Label] = {}  # who depends on each, on the shortest way
        reached = [unit.label]
        for label in reached:
            for dep in self.units[label].deps if label in self.units else ():
                if dep not in users:
                    users[dep] = label
                    reached.append(dep)
        if unit.label not in users:
            return None
        ring = [unit.label, users[unit.label]]
        while ring[-1] != unit.label:
            ring.append(users[ring[-1]])
        return Diagnostic(
            "B032",
            f"`{unit.label}` depends on itself",
            unit.locate("deps"),
            notes=tuple(f"`{one}` depends on `{other}`" for one, other in pairwise(ring[::-1])),
            help="leave it out"
            if unit.label in unit.deps
            else "move what these libraries share to one that depends on none of them",
        )

    def _dep_fault(self, unit: Unit, label: Label) -> Diagnostic | None:
        found = self.units.get(label)
        if found is None:
            names = [str(item.label) for item in self.units.values()
                     if item.is_library and item is not unit]  # fmt: skip
            return Diagnostic(
                "B016",
                f"`{unit.label}` depends on `{label}`, but there is no such target",
                unit.locate("deps"),
                notes=(note,) if (note := self.describe(label)) else (),
                help="leave it out: programs are linked from Mochi files alone"
                if label.name.endswith(_LINKED)
                else did_you_mean(str(label), names),
            )
        if not found.is_library:
            return Diagnostic(
                "B017",
                f"`{unit.label}` depends on `{label}`, which is a `{found.rule}`, not a library",
                unit.locate("deps"),
                help="move what both need to a `mochi_library`"
                if found.rule.startswith("mochi")
                else "leave it out: Mochi cannot import WebAssembly",
            )
        return None


def _by_label(unit: Unit) -> Label:
    return unit.label
