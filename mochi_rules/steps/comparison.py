"""What the last build did with its files, and what other machines did otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.events import Outcome
from mochi_rules.cache.explain import difference
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.steps.journal import explain, select

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.cache.tiers import Tier
    from mochi_rules.steps.journal import Journal


def explain_outputs(journal: Journal, texts: Iterable[str], cache: Tier) -> list[str]:
    """Return lines about the outputs that some strings name, or about all; empty for no build.

    What was built here is compared with what the server has of it, if the cache has one.

    Emits: B001.

    Raises:
        MochiError: A string names none, or the server is required and fails.
    """
    entries = journal.entries()
    if not entries:
        return []
    paths = [path for text in texts for path in select(entries, text)] or list(entries)
    built = [path for path in paths if entries[path].outcome is Outcome.BUILT]
    others = _compare(journal, built, cache)
    return [line for path in paths for line in (*explain(entries[path]), *others.get(path, ()))]


def _compare(journal: Journal, paths: list[str], cache: Tier) -> dict[str, list[str]]:
    """Return lines about what the server has of some outputs."""
    if not isinstance(cache, TieredCache) or not paths:
        return {}
    known = journal.records()
    records = {path: known[path].key for path in paths if path in known}
    lines: dict[str, list[str]] = {}
    for path, other in cache.shared.other_keys(records).items():
        if other is None:
            lines[path] = ["  the remote cache has no result of it by another key"]
        else:
            changes = difference(other, records[path])
            head = "  the remote cache has a result by another key (there → here):"
            lines[path] = [head, *(f"    {change}" for change in changes)]
    return lines
