"""Stamped programs: what they are stamped with, and the nodes of stamped files."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.contents import check_version
from mochi_rules.release.revision import read_revision
from mochi_rules.rules.builders import file_task
from mochi_rules.signing.keys import public_path
from mochi_rules.steps.stamp import stamp_step
from mochi_rules.steps.step import CWASM

if TYPE_CHECKING:
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.release.revision import Revision
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.workspace import Workspace

RELEASES = "dist"  # the folder of releases
STAMPED = ".stamped.cwasm"


def source_revision(space: Workspace) -> Revision:
    """Return the state of the source; neither what a build writes nor a key is a change of it.

    Emits: R003 (no commit).
    """
    ours = [space.settings.build, RELEASES, ".sconsign*"]
    key = key_path(space)
    if key is not None and key.is_relative_to(space.root):
        ours += [item.relative_to(space.root).as_posix() for item in (key, public_path(key))]
    return read_revision(space.root, ours)


def key_path(space: Workspace) -> Path | None:
    """Return the secret key that signs releases; None where nothing does."""
    name = space.settings.variables["sign"]
    return Path(os.path.normpath(space.root / Path(name).expanduser())) if name else None


@cache
def build_info(space: Workspace) -> dict[str, str]:
    """Return what programs are stamped with: a version and a commit, empty where there is none.

    Emits: R006 (not a version).
    """
    version = space.settings.variables["version"]
    if version:
        check_version(version)
    try:
        revision = source_revision(space)
    except MochiError:
        return {"version": version, "commit": ""}
    return {"version": version, "commit": revision.commit + "-dirty" * bool(revision.changed)}


def stamped(call: Call, configuration: Configuration, name: str, source: Any) -> Any:
    """Return what is to be used of a file: itself, or the node of a stamped copy.

    `name` is CWASM or OBJECT.

    Emits: R006.
    """
    if not call.values["stamp"]:
        return source
    node = call.output(configuration, STAMPED if name == CWASM else ".stamped.o")
    step = stamp_step(name, build_info(call.space))
    call.space.tasks[node] = file_task(call.space, step, node, {name: source})
    call.environment(configuration).MochiExecutable(node, source)
    return node
