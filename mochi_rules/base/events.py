"""What happens in a build, as data: rules send, ui shows, explain reads."""

from __future__ import annotations

from enum import Enum

from mochi_rules.base.dataclass import dataclass


class Outcome(Enum):
    """How a step obtained its outputs."""

    BUILT = "built"
    RESTORED = "restored"  # from the cache of this machine
    FETCHED = "fetched"  # from the cache that machines share
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # by Ctrl-C, before it had any

    @property
    def is_cached(self) -> bool:
        """Whether a cache had the outputs."""
        return self in (Outcome.RESTORED, Outcome.FETCHED)


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began. `verb` has at most six letters; `target` is a path in the build tree."""

    verb: str
    target: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended. `remark` is the one thing worth adding, or empty; `seconds` is wall time."""

    verb: str
    target: str
    outcome: Outcome
    remark: str = ""
    seconds: float = 0.0
    size: int = 0  # bytes of all outputs
