"""Words of messages: suggestions, by one distance and one threshold, lists and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_THRESHOLD = 0.6  # below, a suggestion is more often silly than right


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like a name, or None when none is near enough."""
    from difflib import get_close_matches  # noqa: PLC0415 - most programs spell all names right

    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    found = get_close_matches(name.casefold(), by_folded, 1, _THRESHOLD)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return "did you mean `x`?", or an empty string."""
    found = nearest(name, candidates)
    return f"did you mean `{found}`?" if found else ""


def listing(values: Iterable[str]) -> str:
    """Return the values sorted, each in backquotes, for a message that lists choices."""
    return ", ".join(f"`{value}`" for value in sorted(values))


def count_text(count: int, noun: str) -> str:
    """Return `1 function` or `3 functions`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
