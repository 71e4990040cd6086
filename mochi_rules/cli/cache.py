"""`mochi-rules cache`: maintain the cache."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import count_text, did_you_mean, listing
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.directory import Layout
from mochi_rules.cache.limits import Limits, find_limits, parse_days, parse_size
from mochi_rules.cache.statistics import latency_text
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import CACHE, COLOR, Option, Verb
from mochi_rules.cli.shown import show
from mochi_rules.cli.usage import table
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.cli.options import Parsed

_OF_A_SERVER = ("untrusted", "calls_10ms", "calls_100ms", "calls_1s", "calls_longer")
_SIZE, _DAYS = "max-size", "max-days"
_OF_A_DIRECTORY = ("evicted", "bytes_evicted")


def look_after(parsed: Parsed) -> int:
    """Do one thing to the cache.

    Emits: B052 (no cache), B053 (too many operands), B062 (no such action), K001 to K007.
    """
    name = parsed.operands[0]
    if name not in _ACTIONS:
        raise fail(
            "B062",
            f"`mochi-rules cache` has no action `{name}`",
            notes=(f"the actions are {listing(_ACTIONS)}",),
            help=did_you_mean(name, _ACTIONS),
        )
    least, most = _WITH_OPERANDS.get(name, (1, 1))
    if not least <= len(parsed.operands) <= most:
        wanted = "needs a file" if least > 1 else "takes no operands"
        raise fail("B053", f"`mochi-rules cache {name}` {wanted}")
    cache = Cache(cache_root(parsed), limits=_limits(parsed))
    status = _ACTIONS[name](cache, parsed)
    show(cache.warnings)
    return status


def _limits(parsed: Parsed) -> Limits:
    """Return the limits of the cache: of the command line, or of the environment.

    Emits: K009.
    """
    limits = find_limits(os.environ)
    size, days = parsed.get(_SIZE), parsed.get(_DAYS)
    return Limits(
        parse_size(f"--{_SIZE}", size) if parsed.has(_SIZE) else limits.size,
        parse_days(f"--{_DAYS}", days) if parsed.has(_DAYS) else limits.age,
    )


def _path(cache: Cache, _parsed: Parsed) -> int:
    sys.stdout.write(f"{cache.root or 'off'}\n")
    return 0


def _stats(cache: Cache, parsed: Parsed) -> int:
    report = cache.report()
    counts = dataclasses.asdict(report.statistics)
    remote = dataclasses.asdict(report.shared)
    usage = dataclasses.asdict(report.usage)
    if parsed.has("json"):
        import json  # noqa: PLC0415 - of this option only

        facts = {"root": str(cache.root), "statistics": counts, "usage": usage, "remote": remote}
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return 0
    rows = [("directory", str(cache.root or "off")), ("limit", size_text(cache.limits.size))]
    rows += [(name.replace("_", " "), _shown(name, value)) for name, value in usage.items()]
    rows += _rows(counts, _OF_A_SERVER)
    if any(remote.values()):
        rows += [("", ""), ("remote cache", ""), *_rows(remote, _OF_A_DIRECTORY)]
        rows += [("latency", text)] if (text := latency_text(report.shared)) else []
    sys.stdout.write(table(rows))
    return 0


def _rows(counts: dict[str, int], left_out: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the counters of a tier as rows."""
    rows = [(name.replace("_", " "), _shown(name, value))
            for name, value in counts.items() if name not in left_out]  # fmt: skip
    looked = counts["hits"] + counts["misses"]
    return [*rows, ("hit rate", f"{counts['hits'] / looked:.1%}")] if looked else rows


def _shown(name: str, value: int) -> str:
    return size_text(value) if "bytes" in name or "size" in name else str(value)


def _gc(cache: Cache, _parsed: Parsed) -> int:
    evicted = cache.gc()
    files, size = count_text(evicted.evicted, "file"), size_text(evicted.bytes_evicted)
    sys.stdout.write(f"evicted {files}, {size}\n")
    return 0


def _verify(cache: Cache, parsed: Parsed) -> int:
    if parsed.has("remote"):
        return _verify_remote(cache)
    from mochi_rules.steps.stored_checks import refusal  # noqa: PLC0415 - of this action only

    found = cache.verify(refusal)
    for path in found.damaged:
        sys.stdout.write(f"{path}: damaged, set aside\n")
    for path in found.dangling:
        sys.stdout.write(f"{path}: refers to a blob that is missing, removed\n")
    for path, reason in found.refused:
        sys.stdout.write(f"{path}: a build would refuse its artifact, removed: {reason}\n")
    faults = len(found.damaged) + len(found.dangling) + len(found.refused)
    count = count_text(faults, "fault")
    sys.stdout.write(f"checked {found.checked}, {count}\n")
    return 1 if faults else 0


def _verify_remote(cache: Cache) -> int:
    """Check what the server has of the results of this machine.

    Emits: K020 (there is no server), K022, K023.
    """
    from mochi_rules.remote.tier import RemoteTier  # noqa: PLC0415 - of this option only
    from mochi_rules.steps.caches import find_remote  # noqa: PLC0415 - as above

    settings = dataclasses.replace(find_remote(Path.cwd(), {}), is_required=True)
    if settings.address is None:
        help_ = "set MOCHI_RULES_REMOTE, or `url` in `[remote]` of `mochi.toml`"
        raise fail("K020", "there is no remote cache to verify", help=help_)
    tier = RemoteTier(settings, settings.address, lambda _line: None)
    found = tier.verify(Layout(_root(cache)))
    tier.finish()
    for key, fault in found.faults.items():
        sys.stdout.write(f"{key.hash}: {fault}\n")
    checked = count_text(found.checked, "result")
    faults = count_text(len(found.faults), "fault")
    sys.stdout.write(f"checked {checked} made here, {faults}\n")
    return 1 if found.faults else 0


def _clear(cache: Cache, _parsed: Parsed) -> int:
    removed = cache.clear()
    sys.stdout.write(f"removed {count_text(removed.entries, 'file')}, {size_text(removed.size)}\n")
    return 0


def _key(_cache: Cache, parsed: Parsed) -> int:
    from mochi_rules.cli.cache_keys import look_after_keys  # noqa: PLC0415 - of this action only

    return look_after_keys(parsed)


def _push(cache: Cache, parsed: Parsed) -> int:
    from mochi_rules.remote.entry_bundle import push  # noqa: PLC0415 - of this action only
    from mochi_rules.remote.trust import load_signer  # noqa: PLC0415 - as above
    from mochi_rules.steps.caches import find_remote  # noqa: PLC0415 - as above

    settings = find_remote(Path.cwd(), {})
    path = settings.files.get("signing_key")
    signer = load_signer(path, settings.trust.trusted) if path else None
    count = push(Layout(_root(cache)), Path(parsed.operands[1]), signer)
    sys.stdout.write(f"wrote {count_text(count, 'result')}\n")
    return 0


def _pull(cache: Cache, parsed: Parsed) -> int:
    from mochi_rules.remote.entry_bundle import pull  # noqa: PLC0415 - of this action only

    count = pull(Layout(_root(cache)), Path(parsed.operands[1]))
    sys.stdout.write(f"added {count_text(count, 'result')}\n")
    return 0


def _prefetch(_cache: Cache, parsed: Parsed) -> int:
    """Let SCons fetch: only it knows what targets need."""
    import subprocess  # noqa: PLC0415 - of this action only

    words = parsed.operands[1:]
    words += [f"cache={parsed.get('cache')}"] if parsed.has("cache") else []
    return subprocess.run([sys.executable, "-m", "SCons", "-Q", "prefetch", *words]).returncode  # noqa: PLW1510 - its status is ours


def _root(cache: Cache) -> Path:
    """Return the directory of a cache.

    Emits: B052 (it is off).
    """
    if cache.root is None:
        help_ = "name its directory, or leave `--cache` out"
        raise fail("B052", "`--cache` cannot be `off` for this action", help=help_)
    return cache.root


_ACTIONS: dict[str, Callable[[Cache, Parsed], int]] = {
    "stats": _stats,
    "gc": _gc,
    "verify": _verify,
    "clear": _clear,
    "path": _path,
    "key": _key,
    "push": _push,
    "pull": _pull,
    "prefetch": _prefetch,
}
_WITH_OPERANDS = {"key": (1, 3), "push": (2, 2), "pull": (2, 2),
                  "prefetch": (1, 1000)}  # the action is one of them  # fmt: skip

VERB = Verb(
    "cache",
    "cache stats|gc|verify|clear|path [OPTIONS] | prefetch [TARGET]... | push|pull FILE | "
    "key new|show|revoke NAME",
    "Show statistics of the cache, evict what exceeds its limit, verify every entry, clear it, or "
    "print its path. `prefetch` fetches what a build of some targets needs from the remote cache, "
    "and builds nothing. `push` writes all entries to a file, and `pull` adds those of one. `key` "
    "makes a key that signs what goes to the remote cache, shows the public part of one, or "
    "revokes a writer.",
    look_after,
    (
        Option("json", "`stats` as JSON"),
        Option("remote", "`verify`: check what the remote cache has of the results that are here"),
        Option(_SIZE, "`gc`: the most that the cache may take, such as `20GB`", "SIZE"),
        Option(_DAYS, "`gc`: evict what was not used for so long", "DAYS"),
        CACHE,
        COLOR,
    ),
    operands=(1, 1000),
)
