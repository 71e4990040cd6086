"""Under which keys a target was stored lately: what others built otherwise is found by its name.

A server finds results by their keys alone. So each target has one more result, which no step
makes, and whose key follows from the target's name: what it "printed" are the digests of the
target's last Actions, newest first. The messages of these are on the server already.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.base.digest import Digest
from mochi_rules.cache.cache import Hit, make_result
from mochi_rules.cache.explain import difference
from mochi_rules.cache.key import ActionSpec, prepare
from mochi_rules.cache.stored_key import stored_keys
from mochi_rules.remote.server import concurrently
from mochi_rules.remote.trouble import ServerError
from mochi_rules.remote.trust import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from mochi_rules.cache.explain import KeyRecord
    from mochi_rules.cache.key import PreparedAction
    from mochi_rules.remote.server import Server
    from mochi_rules.remote.settings import RemoteSettings

    Listed = Mapping[str, list[Digest]]
    Read = Callable[[Collection[Digest]], Mapping[Digest, bytes]]

_KEPT = 4
_THREADS = 64  # calls at a time


def make_list(target: str, keys: list[Digest], namespace: str) -> tuple[PreparedAction, Hit]:
    """Return the result that lists the keys of a target, newest first, with its action."""
    lines = [f"{key.hash} {key.size}\n" for key in list(dict.fromkeys(keys))[:_KEPT]]
    action = _action(target, namespace)
    return action, Hit(make_result(action, {}, stderr="".join(lines).encode()), {})


def read_lists(server: Server, targets: Collection[str], settings: RemoteSettings) -> Listed:
    """Return the keys of targets, where the server has a list of them that is trusted."""
    actions = {target: _action(target, settings.namespace) for target in targets}
    get = lambda action: server.get_result(action.key, ())  # noqa: E731
    answers = concurrently(get, actions.values(), _THREADS)
    return {
        target: list(_keys(result.stderr_raw))
        for (target, action), result in zip(actions.items(), answers, strict=True)
        if result is not None
        and not isinstance(result, ServerError)
        and not refusal(settings.trust, action.key, result)
    }


def other_keys(
    records: Mapping[str, KeyRecord], listed: Listed, read: Read
) -> dict[str, KeyRecord | None]:
    """Return for each target the key on the server that is most like that of its record.

    None is for a target that the server has under no other key. `read` returns verified blobs.
    """
    others = {target: [key for key in listed.get(target, ()) if key.hash != record.action]
              for target, record in records.items()}  # fmt: skip
    found = stored_keys({key for keys in others.values() for key in keys}, read)
    nearest: dict[str, KeyRecord | None] = {}
    for target, record in records.items():
        known = [found[key] for key in others[target] if key in found]
        distances = [len(difference(other, record)) for other in known]
        nearest[target] = known[distances.index(min(distances))] if known else None
    return nearest


def _action(target: str, namespace: str) -> PreparedAction:
    return prepare(ActionSpec("recent-keys", (target,), {}, {}, (), namespace=namespace))


def _keys(data: bytes) -> Iterator[Digest]:
    """Yield what is listed; a line that cannot be read is left out."""
    for line in data.decode("ascii", "replace").splitlines()[:_KEPT]:
        with suppress(ValueError):
            name, size = line.split()
            yield Digest(name, int(size))
