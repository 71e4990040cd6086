"""Where steps run: `executor=remote`, or `executor=remote,mochi=local` for one kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL, REMOTE, RACE = "local", "remote", "race"
EXECUTORS = (LOCAL, REMOTE, RACE)
KINDS = ("mochi", "aot", "clif", "test")  # of steps that may run elsewhere: the others take no time


def parse_executors(text: str) -> Mapping[str, str]:
    """Return where each kind of step runs; those that run here alone are left out.

    Emits: K020.

    Raises:
        MochiError: It names no executor, or no kind of step.
    """
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        kind, _, executor = part.rpartition("=")
        _check(executor, EXECUTORS, "is not where a step can run")
        if kind:
            _check(kind, KINDS, "is not a step that can run elsewhere")
        found |= dict.fromkeys([kind] if kind else KINDS, executor)
    return {kind: executor for kind, executor in found.items() if executor != LOCAL}


def _check(word: str, choices: tuple[str, ...], problem: str) -> None:
    if word not in choices:
        raise fail(
            "K020",
            f"`{word}` in `executor` {problem}",
            notes=(f"it must be one of {listing(choices)}",),
            help=did_you_mean(word, choices) or "write `executor=remote`",
        )
