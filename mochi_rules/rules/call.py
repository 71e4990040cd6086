"""One call of a rule in a build file, as the functions that declare its target see it."""

from __future__ import annotations

import posixpath
from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import fail, placed
from mochi_rules.project.configuration import FOREIGN
from mochi_rules.project.profiles import parse_directory
from mochi_rules.rules.builders import CONFIGURATION
from mochi_rules.rules.scons.nodes import is_stream, node_path, source_name, source_node

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.claims import Target
    from mochi_rules.rules.workspace import Workspace


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
            with self.at("dirs"):
                list(map(parse_directory, dirs))  # refuses what is not the name of one
            settings = {**settings, "dirs": list(dirs)}
        return {**FOREIGN, **settings} if self.target.rule == "wasm_import" else settings

    def engine(self, configuration: Configuration) -> EngineConfig:
        """Return what the call compiles under; errors are at its attribute.

        Emits: as `settings` and `Configuration.engine`.
        """
        with self.at("engine"):
            return configuration.engine(self.settings)

    def at(self, attribute: str) -> AbstractContextManager[None]:
        """Give errors without a place that of an attribute of the call."""
        return placed(partial(self.target.place.locate, attribute))

    def files(self, attribute: str) -> list[Any]:
        """Return the nodes of an attribute: files of the folder of the SConscript, or nodes.

        Emits: B010 (a pipe or a device, of which SCons would wait for the end), B013, B025.
        """
        value = self.values[attribute]
        given = value if isinstance(value, list | tuple) else [value] if value else []
        with self.at(attribute):
            nodes = [self._file(item) if isinstance(item, str) else item for item in given]
            for node in nodes:
                source_name(node)  # refuses what is outside of the workspace
        return nodes

    def _file(self, path: str) -> Any:
        node = source_node(self.env.fs, path)
        if is_stream(node):
            raise fail("B010", f"cannot read `{node_path(node)}`: it is a pipe or a device")
        return node

    def output(self, configuration: Configuration, suffix: str, prefix: str = "") -> Any:
        """Return the node of an output, claimed; its name is that of the target between both."""
        parts = (self.space.settings.build, configuration.name, self.label.package)
        path = posixpath.join(*filter(None, parts), prefix + self.label.name + suffix)
        try:
            node = self.env.fs.File("#" + path)
        except TypeError:  # there is a file where this needs a folder, or the other way round
            raise self.space.claims.obstruction(path, self.target) from None
        self.space.claims.add(node, self.target)
        self.target.outputs.setdefault(configuration.name, {})[suffix] = node
        return node

    def environment(self, configuration: Configuration) -> Any:
        """Return the environment of a configuration."""
        return self.env.Override({CONFIGURATION: configuration})
