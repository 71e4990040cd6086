"""What the remote tier needs of a server, whatever protocol it speaks."""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from mochi_rules.remote.trouble import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.messages import ActionResult

_T = TypeVar("_T")
_R = TypeVar("_R")


class Server(Protocol):
    """A server; safe for threads. What it returns has not been verified.

    Each method raises ServerError if the server cannot be used. With `in_background`, the build
    does not wait for the call.
    """

    def can_write(self) -> bool:
        """Return whether results may be written; connects."""

    def largest(self) -> int:
        """Return how large a blob may be, in bytes; 0 if the server sets no limit. Connects."""

    def get_result(self, key: Digest, paths: tuple[str, ...]) -> ActionResult | None:
        """Return the result of an action, perhaps with the contents of these outputs."""

    def put_result(self, key: Digest, result: ActionResult) -> None:
        """Store the result of an action, in the background; its blobs are there."""

    def missing(self, digests: Sequence[Digest]) -> set[Digest]:
        """Return those of some blobs that the server lacks; in the background."""

    def read(self, digests: Sequence[Digest]) -> Mapping[Digest, bytes]:
        """Return those of some blobs that there are."""

    def write(self, blobs: Mapping[Digest, bytes]) -> None:
        """Store blobs, in the background."""

    def close(self) -> None:
        """End the connection; calls under way fail."""


def concurrently(
    work: Callable[[_T], _R], items: Iterable[_T], threads: int
) -> list[_R | ServerError]:
    """Call a function with each item, in several threads; return results in the order of items.

    The threads end with the process, which may be ending already: executors refuse work then.
    """
    listed = list(items)
    found: list[Any] = [None] * len(listed)
    pending = iter(enumerate(listed))
    lock = Lock()
    broken: list[BaseException] = []

    def run() -> None:
        while not broken:
            with lock:
                index, item = next(pending, (-1, None))
            if index < 0:
                return
            try:
                found[index] = work(cast("_T", item))
            except ServerError as error:
                found[index] = error
            except BaseException as error:  # noqa: BLE001 - raised again below
                broken.append(error)

    helpers = [Thread(target=run, daemon=True) for _ in range(min(threads, len(listed)) - 1)]
    for helper in helpers:
        helper.start()
    run()
    for helper in helpers:
        helper.join()
    if broken:
        raise broken[0]
    return found


def results(found: list[_R | ServerError], *, is_partial: bool = False) -> list[_R]:
    """Return what calls returned. With `is_partial` one that succeeded is enough.

    Raises:
        ServerError: One of them failed.
    """
    good = [item for item in found if not isinstance(item, ServerError)]
    for item in found:
        if isinstance(item, ServerError) and not (is_partial and good):
            raise item
    return good


def batches(
    items: Iterable[_T], size: Callable[[_T], int], most: int, count: int
) -> Iterator[list[_T]]:
    """Yield items in lists of at most `count`, whose sizes add up to at most `most`.

    An item that is larger than that is alone in its list.
    """
    batch: list[_T] = []
    total = 0
    for item in items:
        amount = size(item)
        if batch and (total + amount > most or len(batch) == count):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += amount
    if batch:
        yield batch
