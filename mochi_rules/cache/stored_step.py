"""A step as its result in the cache has it: read back from the messages that make its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.messages import Action, Command, Directory, decode
from mochi_rules.cache.store import EMPTY, read
from mochi_rules.cache.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.cache.directory import Layout
    from mochi_rules.cache.messages import ActionResult
    from mochi_rules.cache.statistics import Recorder

_MAX_MESSAGE = 64 << 20  # bytes
_Message = TypeVar("_Message", Action, Command, Directory)


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step that a cache has the result of.

    `inputs` are the files at the top of the input tree, and `outputs` those that the step made, by
    name. `read` returns the content of one; None where the cache does not have it.
    """

    verb: str
    arguments: tuple[str, ...]
    inputs: Mapping[str, Digest]
    outputs: Mapping[str, Digest]
    read: Callable[[Digest], bytes | None]


def stored_step(
    key: Digest, result: ActionResult, layout: Layout, recorder: Recorder
) -> StoredStep | None:
    """Return the step of a result; None where one of its messages is absent or damaged.

    Emits: K002, K006, K007.
    """

    def blob(digest: Digest, limit: int) -> bytes | None:
        if digest.hash == EMPTY.hash:
            return b""
        data = read(layout.blob(digest), limit, layout, recorder)
        return data if data is not None and digest_bytes(data).hash == digest.hash else None

    def message(kind: type[_Message], digest: Digest) -> _Message | None:
        data = blob(digest, _MAX_MESSAGE)
        try:
            return None if data is None else decode(kind, data)
        except WireError:
            return None

    action = message(Action, key)
    command = action and message(Command, action.command_digest)
    root = message(Directory, action.input_root_digest) if action else None
    if not command or root is None or not command.arguments:
        return None
    verb, *arguments = command.arguments
    return StoredStep(
        verb,
        tuple(arguments),
        {file.name: file.digest for file in root.files},
        {file.path: file.digest for file in result.output_files},
        lambda digest: blob(digest, digest.size),
    )
