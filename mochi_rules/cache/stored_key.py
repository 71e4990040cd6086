"""The key of a step as a store has it: read back from the messages that make it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from mochi_rules.base.dataclass import replace
from mochi_rules.cache.explain import key_record
from mochi_rules.cache.key import TOOL_PREFIX, ActionSpec, prepare
from mochi_rules.cache.messages import Action, Command, Directory, decode
from mochi_rules.cache.store import EMPTY
from mochi_rules.cache.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.explain import KeyRecord

    Read = Callable[[Collection[Digest]], Mapping[Digest, bytes]]

_Message = TypeVar("_Message", Action, Command, Directory)
_MAX_FOLDERS = 10_000  # of a step: a tree may name one folder many times


def stored_keys(keys: Collection[Digest], read: Read) -> dict[Digest, KeyRecord]:
    """Return the records of those keys whose messages are all there and sound.

    `read` returns blobs that have been verified; it is called once for each level of the trees.
    """
    blobs = {EMPTY: b"", **read(keys)}
    actions = _decoded(Action, keys, blobs)
    commands = {action.command_digest for action in actions.values()}
    level = {action.input_root_digest for action in actions.values()}
    blobs |= read(commands | level)
    folders: dict[Digest, Directory] = {}
    while level and len(folders) < _MAX_FOLDERS:
        found = _decoded(Directory, level, blobs)
        folders |= found
        level = {node.digest for folder in found.values() for node in folder.directories}
        level -= folders.keys()
        blobs |= read(level) if level else {}
    records = {}
    for key, action in actions.items():
        command = _decoded(Command, [action.command_digest], blobs).get(action.command_digest)
        with suppress(KeyError, ValueError):
            inputs = dict(_files(folders, action.input_root_digest))
            if command is not None:
                records[key] = _record(key, action, command, inputs)
    return records


def _record(
    key: Digest, action: Action, command: Command, inputs: Mapping[str, Digest]
) -> KeyRecord:
    """Return the record of a key.

    Raises:
        ValueError: The messages are not those of a step of ours.
    """
    verb, *arguments = command.arguments
    platform = command.platform.properties if command.platform else ()
    values = {item.name: item.value for item in platform}
    tools = {name: values.pop(name) for name in list(values) if name.startswith(TOOL_PREFIX)}
    spec = ActionSpec(
        verb,
        tuple(arguments),
        inputs,
        {name.removeprefix(TOOL_PREFIX): version for name, version in tools.items()},
        command.output_paths,
        values,
        {item.name: item.value for item in command.environment_variables},
        action.salt.decode(),
    )
    return replace(key_record("", prepare(spec)), action=key.hash)


def _files(folders: Mapping[Digest, Directory], root: Digest) -> Iterator[tuple[str, Digest]]:
    """Yield the path and digest of each file of a tree.

    Raises:
        KeyError: A folder is absent.
        ValueError: It is too large.
    """
    pending = [("", root)]
    for _ in range(_MAX_FOLDERS):
        if not pending:
            return
        path, digest = pending.pop()
        folder = folders[digest]
        yield from ((f"{path}{file.name}", file.digest) for file in folder.files)
        pending += [(f"{path}{node.name}/", node.digest) for node in folder.directories]
    raise ValueError("too many folders")


def _decoded(
    kind: type[_Message], digests: Collection[Digest], blobs: Mapping[Digest, bytes]
) -> dict[Digest, _Message]:
    """Return those messages that are there and sound."""
    found = {}
    for digest in digests:
        if digest in blobs:
            with suppress(WireError):
                found[digest] = decode(kind, blobs[digest])
    return found
