"""What was built for a release, gathered from the graph and from the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.bom.crates import launcher_crates
from mochi_rules.release.build_record import Build, StepRecord
from mochi_rules.release.contents import PROGRAM_MODE, File
from mochi_rules.rules.scons.nodes import file_of, node_path, read_node, source_name
from mochi_rules.steps.step import LAUNCHER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mochi_rules.cache.explain import KeyRecord
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.workspace import Workspace
    from mochi_rules.steps.journal import Record

_PARENT = ".../"  # stands for `../` in a key


def build_record(
    space: Workspace,
    nodes: Sequence[Any],
    configuration: Configuration,
    records: Mapping[str, Record],
) -> Build:
    """Return what was built for a platform; `nodes` are the executables.

    Emits: R023 (the licences of the launcher are not known), R038 (an output was made elsewhere).
    """
    prefix = f"{space.settings.build}/{configuration.name}/"
    found = sorted(space.reach(nodes), key=node_path)
    own = [node for node in found if node_path(node).startswith(prefix)]
    for node in own:
        _check_recorded(node, records)
    steps = tuple(_step(space, node, records[node_path(node)], prefix) for node in own)
    programs = tuple(File(node.name, read_node(node), PROGRAM_MODE) for node in nodes)
    launcher = _launcher(nodes[0], records) if nodes else b""
    crates = launcher_crates(configuration.platform)
    return Build(configuration.platform, programs, launcher, crates, steps)


def _check_recorded(node: Any, records: Mapping[str, Record]) -> None:
    """Refuse an output of unknown origin: one that a repository supplied, for example.

    Emits: R038.
    """
    if node_path(node) not in records:
        message = f"`{node_path(node)}` was not made in this workspace"
        raise fail("R038", message, help="remove the output directory, and release again")


def _launcher(program: Any, records: Mapping[str, Record]) -> bytes:
    """Return the launcher that an executable was made with."""
    wanted = _parts(records[node_path(program)].key, "input")[LAUNCHER]
    contents = map(read_node, program.sources)
    return next(data for data in contents if digest_bytes(data).hash == wanted)


def _step(space: Workspace, node: Any, record: Record, prefix: str) -> StepRecord:
    key = record.key
    inputs = _parts(key, "input")
    verb = next(part.value for part in key.parts if part.kind == "step")
    if verb == "mochi":  # whose inputs are sources, the imported ones too
        made = _made_sources(space, node)
        named = ((name.replace(_PARENT, "../"), digest) for name, digest in inputs.items())
        sources = {name: digest for name, digest in named if name not in made}
    else:
        sources = {source_name(leaf): digest_bytes(read_node(leaf)).hash
                   for leaf in _leaves(space, node)}  # fmt: skip
    arguments = tuple(
        f"{part.name}={part.value}" if part.value else part.name
        for part in key.parts
        if part.kind == "argument"
    )
    return StepRecord(
        node_path(node).removeprefix(prefix),
        digest_bytes(read_node(node)).hash,
        verb,
        key.action,
        arguments,
        _parts(key, "tool"),
        inputs,
        sources,
        record.is_restored,
    )


def _made_sources(space: Workspace, node: Any) -> set[str]:
    """Return the names of the sources of a program that builders of the user make."""
    scan = space.tasks[node].scan
    imported = scan() if scan else ()
    return {source_name(source) for source in (*node.sources, *imported) if source.has_builder()}


def _leaves(space: Workspace, node: Any) -> Iterator[Any]:
    """Give the sources of a node that nothing makes, without tools of the user."""
    for source in node.sources:
        if not source.has_builder() and Path(file_of(source)).is_relative_to(space.root):
            yield source


def _parts(key: KeyRecord, kind: str) -> dict[str, str]:
    return {part.name: part.value for part in key.parts if part.kind == kind}
