"""Targets, the files that they make, and what is in the way of those."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostic, MochiError, environment_error
from mochi_rules.rules.scons.nodes import node_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.executable.settings import RunSettings
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.project.label import Label
    from mochi_rules.rules.scons.place import Place


@dataclass(slots=True)
class Target:
    """A declared target: its rule and its place.

    `test` is the node that runs it, of a test; `shards` are the tests that it consists of.

    `outputs` has its output nodes by suffix, `artifacts` the `.cwasm` that it is or has, and
    `engines` and `runs` what that one runs under, each per configuration. `linked` are the nodes
    that a linker takes, of a library for C. `declare` declares a program for one more
    configuration, and `sandbox` what tests run in one of a native program.
    """

    label: Label
    rule: str
    place: Place
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    artifacts: dict[str, Any] = field(default_factory=dict)
    engines: dict[str, EngineConfig] = field(default_factory=dict)
    runs: dict[str, RunSettings] = field(default_factory=dict)
    linked: list[Any] = field(default_factory=list)
    declare: Callable[[Configuration], None] | None = None
    sandbox: Callable[[Configuration], Target] | None = None
    test: Any = None
    shards: list[Target] = field(default_factory=list)

    @property
    def goals(self) -> list[Any]:
        """What its label stands for: the run of a test, or else all outputs."""
        return self.nodes if self.test is None else [self.test]

    @property
    def returned(self) -> list[Any]:
        """What its rule returns: of a library for C what a linker takes, else its goals."""
        return self.linked or self.goals

    @property
    def is_program(self) -> bool:
        """Whether it can run."""
        return bool(self.artifacts or self.sandbox)

    @property
    def nodes(self) -> list[Any]:
        """All output nodes."""
        return [node for outputs in self.outputs.values() for node in outputs.values()]


class Claims:
    """The outputs of all targets: a file belongs to one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._targets: dict[str, Target] = {}

    def owner(self, node: Any) -> Target | None:
        """Return the target that makes a file, or None for what no rule declared."""
        return self._targets.get(node_path(node))

    def add(self, node: Any, target: Target) -> None:
        """Note that a file is an output of a target.

        Emits: B008 (another target makes it).
        """
        path = node_path(node)
        before = self._targets.setdefault(path, target)
        if before.label != target.label or node.has_builder():
            maker = f"`{before.label}`" if before.label != target.label else "another builder"
            raise MochiError(
                Diagnostic(
                    "B008",
                    f"`{target.label}` would make `{path}`, which {maker} also makes",
                    target.place.locate("name"),
                    help="give one of the two another name",
                )
            )

    def obstruction(self, path: str, target: Target) -> MochiError:
        """Make the error of an output that has no room: what is in the way is found out.

        Emits: B008 (another target's output), B014 (a file or folder of the user's).
        """
        parents = [parent.as_posix() for parent in PurePosixPath(path).parents]
        is_taken = any(claim in parents or claim.startswith(f"{path}/") for claim in self._targets)
        files = [parent for parent in parents if (self._root / parent).is_file()]
        if is_taken or not (files or (self._root / path).is_dir()):
            return MochiError(
                Diagnostic(
                    "B008",
                    f"`{target.label}` would make `{path}`, where another target's output is "
                    "in the way",
                    target.place.locate("name"),
                    notes=("an executable has the name of its target, and no folder may have it",),
                    help="give the target another name, or write `link=none`",
                )
            )
        obstacle, kind = (files[0], "a file") if files else (path, "a folder")
        message = f"cannot write `{path}`: `{obstacle}` is {kind}"
        return environment_error("B014", message, help=f"move or remove `{obstacle}`")
