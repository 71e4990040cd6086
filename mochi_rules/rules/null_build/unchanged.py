"""Ends a build that has nothing to do, before its graph is walked; `manifest` says how it knows."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Node.FS
import SCons.Node.Python
import SCons.Script
import SCons.Script.Main

from mochi_rules.base.clock import process_start
from mochi_rules.rules.null_build.manifest import (
    DATABASE,
    Manifest,
    Sign,
    command_line,
    is_settled,
    sign_of,
)
from mochi_rules.rules.null_build.observer import Observer
from mochi_rules.steps.identity import PACKAGE, signature
from mochi_rules.steps.journal import FOLDER, Journal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.rules.workspace import Workspace

_MADE = (SCons.Node.up_to_date, SCons.Node.executed)
# A build file that says one of these may mean something else next time.
_CLOCKS = re.compile(rb"\b(time|datetime|random|uuid|secrets|urandom|getpid|AlwaysBuild)\b")


class Watch:
    """Watches a build, from the tool on, for a manifest that may stand for the next one."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._start = process_start()
        self.observer = Observer()

    def finish(self, space: Workspace) -> None:
        """Write the manifest, if all that was asked for is done."""
        self.observer.stop()
        paths = self._paths(space)
        if paths is None:
            self.manifest.remove()
        else:
            targets = [str(node) for node in space.goals]
            self.manifest.write(paths, {"steps": space.console.total, "targets": targets})

    def _paths(self, space: Workspace) -> dict[str, Sign | None] | None:
        """Return the state of all that the build looked at, or None where there is a doubt."""
        if self.observer.doubt or not _is_complete(space):
            return None
        nodes = _reachable(space.goals)
        own = _own_folders(space)
        if nodes is None or any(not path.startswith(own) for path in self.observer.written):
            return None
        paths = {p: sign for p, sign in self.observer.paths.items() if not p.startswith(own)}
        for node in nodes:
            sign = sign_of(node.get_abspath())
            if sign is None or not (node.has_builder() or is_settled(sign, self._start)):
                return None
            paths[node.get_abspath()] = sign
        for path in (*_folders(space.fs.Top), *_user_modules(own)):
            paths[path] = sign_of(path)
        return None if any(map(_reads_clock, paths)) else paths


_begun: list[bool] = []


def begin(build: str) -> Watch | None:
    """End SCons if nothing has changed since the last build; or else return a watch of this one.

    There is none where SCons has to decide whatever happens, and for a second environment.

    Raises:
        SystemExit: There is nothing to do, and that has been printed.
    """
    if _begun:
        return None
    _begun.append(True)
    arguments = command_line(sys.argv[1:])
    identity = signature() if arguments is not None else None
    if arguments is None or identity is None:
        return None
    folder = os.path.join(SCons.Node.FS.get_default_fs().Top.get_abspath(), build)
    manifest = Manifest(
        os.path.join(folder, FOLDER), [SCons.Script.GetLaunchDir(), *arguments], identity
    )
    shown = manifest.read()
    if shown is None:
        return Watch(manifest)
    _show(shown)
    Journal(Path(folder)).begin()
    sys.exit(0)


def _show(shown: dict[str, Any]) -> None:
    """Show what SCons would after walking the graph."""
    from mochi_rules.rules.scons.screen import open_console  # noqa: PLC0415 - of this case only

    console = open_console()
    progress = SCons.Script.Main.progress_display
    progress("scons: done reading SConscript files.")
    progress("scons: Building targets ...")
    for target in shown["targets"]:
        SCons.Script.Main.display(f"scons: `{target}' is up to date.")
    progress("scons: done building targets.")
    console.tally.up_to_date = shown["steps"]
    console.close()


def _own_folders(space: Workspace) -> tuple[str, ...]:
    """Return where paths begin that the manifest does not list.

    These are the cache, our notes, SCons' database, and what the identity stands for: Python and
    its packages, unless the workspace lies among them.
    """
    cache = space.settings.cache.root
    folders = [space.root / space.settings.build / FOLDER, *([cache] if cache else [])]
    installed = (Path(sys.prefix), Path(sys.base_prefix), PACKAGE)
    folders += [folder for folder in installed if not space.root.is_relative_to(folder)]
    return (f"{space.root}{os.sep}{DATABASE}", *(f"{folder}{os.sep}" for folder in folders))


def _is_complete(space: Workspace) -> bool:
    """Return whether every step that was asked for is done, and none failed."""
    tally = space.console.tally
    return (
        space.has_begun
        and space.is_building
        and not space.is_interrupted
        and not tally.failed
        and tally.done == space.console.total
        and not SCons.Script.GetBuildFailures()
        and all(space.tasks[node].has_file for node in space.requested_steps())
    )


def _reachable(nodes: list[Any]) -> set[Any] | None:
    """Return the files behind nodes; None where one of them always runs, or is not a file."""
    seen: set[Any] = set()
    files: set[Any] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.always_build or isinstance(node, SCons.Node.Python.Value):
            return None
        if node.has_builder() and node.get_state() not in _MADE:
            return None
        if isinstance(node, SCons.Node.FS.File):
            files.add(node)
        elif not isinstance(node, SCons.Node.FS.Dir) and node.get_executor().get_action_list():
            return None  # an alias that does something
        pending += node.all_children(scan=False)
        pending += node.prerequisites or ()
    return files


def _folders(top: Any) -> Iterable[str]:
    """Yield the folders of the workspace that SCons knows, each as the list of what is in it."""
    pending = [top]
    while pending:
        folder = pending.pop()
        yield os.path.join(folder.get_abspath(), "")
        pending += [
            entry
            for name, entry in folder.entries.items()
            if name not in (".", "..") and isinstance(entry, SCons.Node.FS.Dir)
        ]


def _user_modules(own: tuple[str, ...]) -> Iterable[str]:
    """Yield the files of modules that come from neither Python nor an installed package."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not file.startswith(own):
            yield file


def _reads_clock(path: str) -> bool:
    """Return whether a build file asks for what differs each time it runs."""
    if os.path.basename(path) not in ("SConstruct", "SConscript"):
        return False
    try:
        with open(path, "rb") as file:
            return _CLOCKS.search(file.read()) is not None
    except OSError:
        return False
