"""What a command line may name: labels, folders with targets, files; anything else is an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Node.Alias
import SCons.Node.FS
import SCons.Script

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.suggest import nearest
from mochi_rules.rules.label import Label, is_label, parse_label
from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.rules.scons.verbs import EXPLAIN, VERBS
from mochi_rules.rules.scons.workspace import Target, workspace

if TYPE_CHECKING:
    from mochi_rules.rules.scons.workspace import Workspace

_BELOW = "/..."


def install_lookup() -> None:
    """Let SCons ask us for what it finds among its own names neither."""
    if _lookup not in SCons.Node.arg2nodes_lookups:
        SCons.Node.arg2nodes_lookups.append(_lookup)


def _lookup(text: str, **_options: Any) -> Any:
    """Return the node of a target on the command line; None where SCons knows better."""
    if SCons.Script.sconscript_reading or text not in SCons.Script.COMMAND_LINE_TARGETS:
        return None
    space = workspace()
    return space.guard(lambda: find_node(space, text))


def find_node(space: Workspace, text: str) -> Any:
    """Return the node that a text means, or None for a file that SCons finds by itself.

    Emits: B001 (nothing has this name), B009.

    Raises:
        MochiError: The text means nothing.
    """
    if EXPLAIN in SCons.Script.COMMAND_LINE_TARGETS:
        return _alias(EXPLAIN, [])  # the other targets are what to explain
    if is_label(text):
        return _alias(text, _goals(space, text))
    entry = space.fs.Entry(text, create=True)
    is_folder = isinstance(entry, SCons.Node.FS.Dir)
    if not is_folder and (entry.has_builder() or entry.side_effect):
        return None
    folder = node_path(entry)
    inside = [target for label, target in space.targets.items() if _is_inside(label, folder)]
    if inside and folder != ".":
        return _alias(text, [*(node for target in inside for node in target.nodes), entry])
    if entry.rexists() or folder == ".":
        return None
    raise MochiError(_unknown(space, text))


def find_targets(space: Workspace, text: str) -> list[Target]:
    """Return the targets of a label, or those in a folder for `//folder/...`.

    Emits: B001, B009.

    Raises:
        MochiError: There is none.
    """
    if text.endswith(_BELOW):
        folder = text.removeprefix("//").removesuffix("...").rstrip("/")
        found = [t for label, t in space.targets.items() if not folder or _is_inside(label, folder)]
    else:
        label = parse_label(text, _launch_package(space))
        found = [space.targets[label]] if label in space.targets else []
    if not found:
        raise MochiError(_unknown(space, text))
    return found


def _goals(space: Workspace, text: str) -> list[Any]:
    """Return what a label asks for: outputs; for a test that is named alone, its run."""
    found = find_targets(space, text)
    if len(found) == 1 and (run := SCons.Node.Alias.default_ans.lookup(str(found[0].label))):
        return [run]
    return [node for target in found for node in target.nodes]


def _alias(name: str, nodes: list[Any]) -> Any:
    alias = SCons.Node.Alias.default_ans.Alias(name)
    others = [node for node in nodes if node is not alias]
    if others:
        SCons.Script.DefaultEnvironment().Alias(alias, others)
    return alias


def _is_inside(label: Label, folder: str) -> bool:
    return label.package == folder or label.package.startswith(f"{folder}/")


def _launch_package(space: Workspace) -> str:
    launch = Path(SCons.Script.GetLaunchDir())
    return launch.relative_to(space.root).as_posix() if launch.is_relative_to(space.root) else ""


def _unknown(space: Workspace, text: str) -> Diagnostic:
    if text == "test":
        return Diagnostic("B001", "there are no tests", help="declare one with `mochi_test`")
    names: list[dict[str, str]] = [{str(label): str(label) for label in space.targets}]
    if not is_label(text):
        names.append({path: path for path in map(node_path, space.tasks) if "/" in text})
        names.insert(0, {label.package: label.package for label in space.targets})
        names.insert(0, {name: name for name in (*VERBS, *SCons.Node.Alias.default_ans.keys())})
    if "/" not in text:
        names.append({label.name: str(label) for label in space.targets})
    found = (group[near] for group in names if (near := nearest(text, group)))
    near = next(found, None)
    return Diagnostic(
        "B001",
        f"no target named `{text}`",
        help=f"did you mean `{near}`?" if near else "`scons -h` lists the targets",
    )
