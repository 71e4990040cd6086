"""Entries of a cache in one file, for machines without a network.

A tar of `cas/<sha256>`, blobs, and of `ac/<sha256 of the Action>`, results as a server has them.
What is taken out of one is verified, and judged like what comes from a server.
"""

from __future__ import annotations

import re
import tarfile
from itertools import starmap
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.files import reason, write_through
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.directory import examine, prepare
from mochi_rules.cache.evict import digests_of, scan_blobs, scan_results
from mochi_rules.cache.messages import ActionResult, decode, encode
from mochi_rules.cache.statistics import Recorder
from mochi_rules.cache.store import ContentStore, read
from mochi_rules.cache.wire import WireError
from mochi_rules.remote.trust import has_origin, with_origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mochi_rules.cache.directory import Layout
    from mochi_rules.remote.trust import Signer

_NAME = re.compile(r"(ac|cas)/([0-9a-f]{64})")
_MAX_SIZE = 1 << 31  # bytes of an entry


def push(layout: Layout, path: Path, signer: Signer | None) -> int:
    """Write all entries of a cache to a file, signed if there is a key; return how many results.

    Emits: K028 (the file cannot be written).

    Raises:
        MochiError: It cannot.
    """
    count = 0

    def members() -> Iterator[bytes]:
        nonlocal count
        yield from starmap(_member, _blobs(layout))
        for name, data in _results(layout, signer):
            count += 1
            yield _member(name, data)
        yield bytes(2 * tarfile.BLOCKSIZE)

    try:
        write_through(path, members())
    except OSError as error:
        raise environment_error("K028", f"cannot write `{path}`: {reason(error)}") from None
    return count


def pull(layout: Layout, path: Path) -> int:
    """Add the entries of a file to a cache; return how many results are new.

    Emits: K001 to K005 (the cache), K028 (the file cannot be read, or is not a bundle).

    Raises:
        MochiError: It cannot be done.
    """
    if not examine(layout.root):
        prepare(layout.root)
    recorder = Recorder()
    blobs, results = ContentStore(layout, recorder), ActionCache(layout, recorder)
    found: dict[str, ActionResult] = {}
    for kind, name, data in _entries(path):
        if kind == "cas":
            digest = digest_bytes(data)
            if digest.hash != name:
                raise fail("K028", f"`{path}` is damaged: a blob does not have its digest")
            blobs.put(digest, data)
            continue
        try:
            found[name] = decode(ActionResult, data)
        except WireError as error:
            raise fail("K028", f"`{path}` is damaged: {error}") from None
    news = [name for name in found if results.get(Digest(name, 0)) is None]
    for name in news:
        results.put(Digest(name, 0), with_origin(found[name], path.name))
    return len(news)


def _blobs(layout: Layout) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each blob that is sound."""
    for digest in digests_of(scan_blobs(layout)):
        data = read(layout.blob(digest), _MAX_SIZE, layout, Recorder())
        if data is not None and digest_bytes(data).hash == digest.hash:
            yield f"cas/{digest.hash}", data


def _results(layout: Layout, signer: Signer | None) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each result, signed if there is a key."""
    recorder = Recorder()
    results = ActionCache(layout, recorder)
    for key in digests_of(scan_results(layout)):
        result = results.get(key)
        if result is not None:
            action = read(layout.blob(key), _MAX_SIZE, layout, recorder)
            if signer and action and not has_origin(result):  # others sign their own
                result = signer.sign(digest_bytes(action), result)
            yield f"ac/{key.hash}", encode(result)


def _member(name: str, data: bytes) -> bytes:
    """Return a file as a tar has it."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info.tobuf() + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def _entries(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield the entries of a file: kind, name and content. What has another name is left out."""
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                match = _NAME.fullmatch(member.name)
                if match and member.isfile() and member.size <= _MAX_SIZE:
                    file = tar.extractfile(member)
                    yield match[1], match[2], file.read() if file else b""
    except OSError as error:
        raise environment_error("K028", f"cannot read `{path}`: {reason(error)}") from None
    except tarfile.TarError:
        raise fail("K028", f"`{path}` is not a bundle of cache entries") from None
