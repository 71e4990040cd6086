"""Keys: everything that decides the outputs of a step, as an action of the Remote Execution API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.messages import (
    Action,
    Command,
    Directory,
    DirectoryNode,
    FileNode,
    Platform,
    Property,
    encode,
    path_segments,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# A platform property with this prefix is the identity of a tool.
TOOL_PREFIX = "tool:"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """A step as its rule describes it; nothing else may decide the bytes of its outputs.

    `mnemonic` names the kind of step and becomes the first argument. `inputs` maps a path in the
    input tree to the file's content or its digest; `tools` a tool to its version or digest;
    `properties` are the rest, such as the platform. A `namespace` parts those who share a cache
    and do not trust each other. Paths are relative, with `/`, and hold no name of this machine.
    `target` is what other machines find the step by, whatever its key; it is no part of the key.
    """

    mnemonic: str
    arguments: tuple[str, ...]
    inputs: Mapping[str, Digest | bytes]
    tools: Mapping[str, str]
    output_paths: tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class PreparedAction:
    """A step with its key, the digest of its Action message.

    `inputs` are those of the spec, all as digests. `messages` holds the bytes of the Action, its
    Command and its Directories, by digest: what a store keeps beside the outputs.
    """

    key: Digest
    spec: ActionSpec
    inputs: Mapping[str, Digest]
    output_paths: tuple[str, ...]  # ascending, each once
    messages: Mapping[Digest, bytes]


def prepare(spec: ActionSpec) -> PreparedAction:
    """Return a step with its key.

    Raises:
        ValueError: A path is not relative or has an empty, `.` or `..` name; an input is both a
            file and a directory; a property has a tool's prefix; a string has lone surrogates.
    """
    inputs = {
        path: content if isinstance(content, Digest) else digest_bytes(content)
        for path, content in spec.inputs.items()
    }
    output_paths = tuple(sorted(set(spec.output_paths)))
    platform = _platform(spec)
    messages: dict[Digest, bytes] = {}
    command = Command(
        arguments=(spec.mnemonic, *spec.arguments),
        environment_variables=_sorted_properties(spec.environment),
        platform=platform,
        output_paths=output_paths,
    )
    action = Action(
        command_digest=_keep(command, messages),
        input_root_digest=input_tree(inputs, messages),
        salt=spec.namespace.encode(),
        platform=platform,
    )
    return PreparedAction(_keep(action, messages), spec, inputs, output_paths, messages)


def input_tree(
    inputs: Mapping[str, Digest],
    messages: dict[Digest, bytes],
    executables: Collection[str] = (),
    subtrees: Mapping[str, Digest] | None = None,
) -> Digest:
    """Add the Directory messages of a tree of files, and return the digest of its root.

    `subtrees` are directories of the root whose messages are known.

    Raises:
        ValueError: As `prepare`.
    """
    files: dict[tuple[str, ...], list[FileNode]] = {(): []}
    for path in sorted(inputs):
        *parents, name = path_segments(path)
        files.setdefault(tuple(parents), []).append(
            FileNode(name, inputs[path], path in executables)
        )
        for depth in range(len(parents)):
            files.setdefault(tuple(parents[:depth]), [])
    below: dict[tuple[str, ...], list[DirectoryNode]] = {
        (): [DirectoryNode(*item) for item in (subtrees or {}).items()]
    }
    for place in sorted(files, key=lambda place: (len(place), place), reverse=True):
        nodes = sorted(below.get(place, ()), key=lambda node: node.name)
        digest = _keep(Directory(tuple(files[place]), tuple(nodes)), messages)
        if place:
            below.setdefault(place[:-1], []).append(DirectoryNode(place[-1], digest))
    return digest


def _platform(spec: ActionSpec) -> Platform:
    properties = dict(spec.properties)
    if taken := [name for name in properties if name.startswith(TOOL_PREFIX)]:
        raise ValueError(f"a property has the prefix of a tool: {taken[0]!r}")
    properties.update((TOOL_PREFIX + name, version) for name, version in spec.tools.items())
    return Platform(_sorted_properties(properties))


def _sorted_properties(values: Mapping[str, str]) -> tuple[Property, ...]:
    return tuple(Property(name, values[name]) for name in sorted(values))


def _keep(message: object, messages: dict[Digest, bytes]) -> Digest:
    data = encode(message)
    digest = digest_bytes(data)
    messages[digest] = data
    return digest
