"""The results of a build for each platform, as rows before the closing line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import SCons.Action
import SCons.Node

from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.steps.step import OBJECT, PROGRAM, REPORT

if TYPE_CHECKING:
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.workspace import Workspace

# By the output of the step that makes it: one of them, and many.
_PRODUCTS = {
    REPORT: ("artifact checked", "artifacts checked"),
    OBJECT: ("object", "objects"),
    PROGRAM: ("executable", "executables"),
}
_DONE = (SCons.Node.up_to_date, SCons.Node.executed)


def summarize(space: Workspace) -> None:
    """Report what there is now for each platform, and once what would be needed for more."""
    if not (space.has_begun and SCons.Action.execute_actions) or space.console.is_quiet:
        return
    if len(space.settings.configurations) > 1:
        for row in _platform_rows(space, space.requested_steps()):
            space.console.say(row)
    if space.console.tally.built and (note := _launcher_note(space)):
        space.console.say(note)


def _platform_rows(space: Workspace, nodes: set[Any]) -> list[str]:
    """Return a row for each platform; `nodes` are the steps that were asked for."""
    configurations = space.settings.configurations
    width = max(len(item.platform.name) for item in configurations)
    rows = []
    for configuration in configurations:
        words = _made(space, configuration, nodes)
        if configuration.platform in space.without_launcher:
            words.append("no executables")
        rows.append(f"{configuration.platform.name:<{width}}  {', '.join(words) or 'nothing'}")
    return rows


def _launcher_note(space: Workspace) -> str:
    """Return how to get the executables that had no launcher, or nothing."""
    platforms = [item.platform for item in space.settings.configurations]
    lacking = [platform for platform in platforms if platform in space.without_launcher]
    if not lacking:
        return ""
    names = [platform.name for platform in lacking]
    command = f"mochi-rules toolchain install launcher --target {','.join(names)}"
    return f"no executables yet: `{command}`"


def _made(space: Workspace, configuration: Configuration, nodes: set[Any]) -> list[str]:
    prefix = f"{space.settings.build}/{configuration.name}/"
    done = Counter(
        space.tasks[node].step.output
        for node in nodes
        if node_path(node).startswith(prefix) and node.get_state() in _DONE
    )
    return [f"{done[output]} {names[done[output] != 1]}"
            for output, names in _PRODUCTS.items() if done[output]]  # fmt: skip
