"""What names may stand for targets: labels, patterns, folders, files; anything else is an error."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Errors
import SCons.Node
import SCons.Node.Alias
import SCons.Node.FS
import SCons.Script

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.suggest import nearest
from mochi_rules.project.label import Label, Pattern, is_label, parse_pattern
from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.rules.scons.place import user_place
from mochi_rules.rules.tests import TEST
from mochi_rules.rules.verbs import EXPLAIN, REPRODUCE, VERBS
from mochi_rules.rules.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.rules.claims import Target
    from mochi_rules.rules.scons.place import Place
    from mochi_rules.rules.workspace import Workspace


def install_lookup() -> None:
    """Let SCons ask us for what it finds among its own names neither."""
    if _lookup not in SCons.Node.arg2nodes_lookups:
        SCons.Node.arg2nodes_lookups.append(_lookup)


def _lookup(text: str, curdir: str = "", **_options: Any) -> Any:
    """Return the node of a name, in a build file or on the command line; None for SCons' own."""
    space = workspace()
    if SCons.Script.sconscript_reading:
        return space.guard(lambda: _declared(space, text))
    if text in SCons.Script.COMMAND_LINE_TARGETS:
        return space.guard(lambda: find_node(space, text, curdir or _launch_folder(space)))
    return None


def _declared(space: Workspace, text: str) -> Any:
    """Return the nodes of a label in a build file; of what is declared later, an alias.

    `//usr/lib` stays a path, unless the workspace has such a folder.

    Emits: B001 (when all is read), B009.
    """
    if not is_label(text) or "$" in text:
        return None
    is_short = text.startswith("//") and ":" not in text and not text.endswith("...")
    if is_short and not (space.root / text.strip("/")).is_dir():
        return None
    pattern = parse_pattern(text, space.package())
    target = space.targets.get(Label(pattern.package, pattern.name))
    if target and not pattern.is_recursive and target.returned:
        return target.returned
    alias = SCons.Node.Alias.default_ans.Alias(str(pattern))
    alias.get_path = partial(_refuse_file, text)
    space.after_reading(partial(_connect, space, alias, text, pattern, user_place(space.root)))
    return alias


def _refuse_file(text: str) -> str:
    """Refuse to be a file, which `Install` takes an alias for: its files are not known yet."""
    message = f"`{text}` is used as a file before it is declared: move its rule before this use"
    raise SCons.Errors.UserError(message)


def find_node(space: Workspace, text: str, curdir: str) -> Any:
    """Return the node of a word of the command line, or None for what SCons finds by itself.

    `curdir` is the folder that paths are relative to.

    Emits: B001 (nothing has this name), B009.

    Raises:
        MochiError: The word means nothing.
    """
    words = SCons.Script.COMMAND_LINE_TARGETS
    for verb in (EXPLAIN, REPRODUCE):
        if verb in words:
            return SCons.Node.Alias.default_ans.Alias(verb)  # the other words are what it is about
    if text == TEST and any(map(_is_test, space.targets.values())):
        return SCons.Node.Alias.default_ans.Alias(TEST)
    pattern = _pattern(space, text, curdir)
    if TEST in words and pattern is not None:
        return _tests(space, text, pattern)
    if is_label(text) and pattern is not None:
        alias = SCons.Node.Alias.default_ans.Alias(str(pattern))
        _connect(space, alias, text, pattern)
        return alias
    entry = space.fs.Entry(text, space.fs.Dir(curdir), create=True)
    if entry is space.fs.Top:
        return None
    if pattern is not None and (nodes := _goals(space, pattern)):
        alias = SCons.Node.Alias.default_ans.Alias(text)
        space.env.Alias(alias, [*nodes, entry])
        return alias
    if entry.rexists() or any(node.has_builder() or node.side_effect for node in _below(entry)):
        return None
    raise MochiError(_unknown(space, text))


def test_scope(space: Workspace) -> list[Pattern]:
    """Return what `scons test` is restricted to: the other words of the command line."""
    base = _launch_folder(space)
    words = [word for word in SCons.Script.COMMAND_LINE_TARGETS if word != TEST]
    return [found for word in words if (found := _pattern(space, word, base)) is not None]


def _launch_folder(space: Workspace) -> str:
    """Return the folder that paths on the command line are relative to."""
    is_below = SCons.Script.GetOption("climb_up")
    return SCons.Script.GetLaunchDir() if is_below else str(space.root)


def _pattern(space: Workspace, text: str, curdir: str) -> Pattern | None:
    """Return what a word of the command line matches: a label, a pattern, or a folder; else None.

    Emits: B009.
    """
    if is_label(text):
        return parse_pattern(text, _package(space, Path(curdir)) or "")
    folder = Path(os.path.normpath(Path(curdir) / text))
    package = _package(space, folder)
    if text in VERBS or package is None or not folder.is_dir():
        return None
    return Pattern(package, "*", is_recursive=True)


def _package(space: Workspace, folder: Path) -> str | None:
    """Return the package of a folder, or None for one outside of the workspace."""
    if not folder.is_relative_to(space.root):
        return None
    name = folder.relative_to(space.root).as_posix()
    return "" if name == "." else name


def _tests(space: Workspace, text: str, pattern: Pattern) -> Any:
    """Return the alias of the tests, which has those that match.

    Emits: B001 (there are none).
    """
    tests = [label for label, target in space.targets.items() if _is_test(target)]
    if any(map(pattern.matches, tests)):
        return SCons.Node.Alias.default_ans.Alias(TEST)
    names = {name: str(label) for label in tests for name in (str(label), label.package)}
    near = nearest(text, names)
    raise MochiError(
        Diagnostic(
            "B001",
            f"there are no tests in `{text}`",
            help=f"did you mean `{near}`?" if near else "`scons -h` lists the targets",
        )
    )


def _is_test(target: Target) -> bool:
    return target.test is not None


def _connect(
    space: Workspace, alias: Any, text: str, pattern: Pattern, place: Place | None = None
) -> None:
    """Give an alias what its label or pattern stands for.

    Emits: B001 (nothing).
    """
    found = _goals(space, pattern)
    if not found:
        raise MochiError(_unknown(space, text, place))
    others = [node for node in found if node is not alias and node not in alias.sources]
    if others:
        space.env.Alias(alias, others)


def _goals(space: Workspace, pattern: Pattern) -> list[Any]:
    """Return the nodes of all targets that match: of several the outputs, of a label its goals."""
    found = [target for label, target in space.targets.items() if pattern.matches(label)]
    if "*" in pattern.name:
        return [node for target in found for node in target.nodes]
    return [node for target in found for node in target.goals]


def _below(entry: Any) -> Iterator[Any]:
    """Yield a node, and those in it that SCons knows."""
    yield entry
    if isinstance(entry, SCons.Node.FS.Dir):
        for name, node in entry.entries.items():
            if name not in (".", ".."):
                yield from _below(node)


def _unknown(space: Workspace, text: str, place: Place | None = None) -> Diagnostic:
    if text == "test":
        return Diagnostic("B001", "there are no tests", help="declare one with `mochi_test`")
    names: list[dict[str, str]] = [{str(label): str(label) for label in space.targets}]
    if not is_label(text):
        names.append({path: path for path in map(node_path, space.tasks) if "/" in text})
        names.insert(0, {label.package: label.package for label in space.targets})
        aliases = [name for name in SCons.Node.Alias.default_ans if not is_label(name)]
        names.insert(0, {name: name for name in (*VERBS, *aliases)})
    if "/" not in text:
        names.append({label.name: str(label) for label in space.targets})
    found = (group[near] for group in names if (near := nearest(text, group)))
    near = next(found, None)
    return Diagnostic(
        "B001",
        f"no target named `{text}`",
        place.locate() if place else None,
        help=f"did you mean `{near}`?" if near else "`scons -h` lists the targets",
    )
