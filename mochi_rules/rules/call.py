"""One call of a rule in a build file, as the functions that declare its target see it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.files import is_stream
from mochi_rules.project.configuration import FOREIGN
from mochi_rules.rules.builders import CONFIGURATION
from mochi_rules.rules.scons.nodes import file_of, node_path, source_node

if TYPE_CHECKING:
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.workspace import Target, Workspace


class Call:
    """One call of a rule: where, with which values."""

    def __init__(self, space: Workspace, env: Any, target: Target, values: dict[str, Any]) -> None:
        self.space, self.env, self.target, self.values = space, env, target, values
        self.label = target.label

    @property
    def settings(self) -> dict[str, object]:
        """The settings of the engine and the directories that the call gives.

        Emits: B029 (no such profile).
        """
        settings = self.space.engine_settings(self.env, self.values["engine"])
        if dirs := self.values.get("dirs"):
            settings = {**settings, "dirs": list(dirs)}
        return {**FOREIGN, **settings} if self.target.rule == "wasm_import" else settings

    def file(self, value: Any) -> Any:
        """Return the node of a file: one of the folder of the SConscript, or a node.

        Emits: B010 (a pipe or a device, of which SCons would wait for the end).
        """
        if not isinstance(value, str):
            return value
        node = source_node(self.env.fs, value)
        if is_stream(file_of(node)):
            message = f"cannot read `{node_path(node)}`: it is a pipe or a device"
            raise MochiError(Diagnostic("B010", message, self.target.place.locate()))
        return node

    def output(self, configuration: Configuration, suffix: str, prefix: str = "") -> Any:
        """Return the node of an output, claimed; its name is that of the target between both."""
        parts = (self.space.settings.build, configuration.name, self.label.package)
        path = posixpath.join(*filter(None, parts), prefix + self.label.name + suffix)
        try:
            node = self.env.fs.File("#" + path)
        except TypeError:  # there is a file where this needs a folder, or the other way round
            raise self.space.obstruction(path, self.target) from None
        self.space.claim(node, self.target)
        self.target.outputs.setdefault(configuration.name, {})[suffix] = node
        return node

    def environment(self, configuration: Configuration) -> Any:
        """Return the environment of a configuration."""
        return self.env.Override({CONFIGURATION: configuration})
