"""What a build did, as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.events import Outcome
from mochi_rules.ui.text import seconds_text, size_text

if TYPE_CHECKING:
    from mochi_rules.base.events import StepFinished


@dataclass(slots=True)
class Tally:
    """Counts the steps of a build; tests count as steps too.

    `restored_size` is in bytes. `fetched` are those of `restored` that came from a server.
    """

    built: int = 0
    restored: int = 0
    fetched: int = 0
    up_to_date: int = 0
    failed: int = 0
    interrupted: int = 0
    restored_size: int = 0
    tests_passed: int = 0
    tests_restored: int = 0
    failed_tests: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many steps are finished."""
        return self.built + self.restored + self.up_to_date + self.failed + self.interrupted

    def count(self, event: StepFinished) -> None:
        """Count a step that ended."""
        match event.outcome:
            case Outcome.BUILT:
                self.built += 1
            case Outcome.RESTORED | Outcome.FETCHED:
                self.restored += 1
                self.restored_size += event.size
                self.fetched += event.outcome is Outcome.FETCHED
            case Outcome.UP_TO_DATE:
                self.up_to_date += 1
            case Outcome.FAILED:
                self.failed += 1
            case Outcome.INTERRUPTED:
                self.interrupted += 1
        if event.verb == "test":
            self._count_test(event)

    def _count_test(self, event: StepFinished) -> None:
        if event.outcome is Outcome.FAILED:
            self.failed_tests.append(event.target)
        elif event.outcome is not Outcome.INTERRUPTED:
            self.tests_passed += 1
            self.tests_restored += event.outcome.is_cached


def summary_line(tally: Tally, total: int, seconds: float, *, is_dry: bool = False) -> str:
    """Return the closing line of a build of `total` steps; its parts add up to the total.

    In a dry run, it is what a build would do.
    """
    total = max(total, tally.done)
    took = "" if is_dry else f" in {seconds_text(seconds)}"
    parts = [f"{'would build' if is_dry else 'built'} {tally.built} of {total}{took}"]
    if tally.restored:
        remote = f"{tally.fetched} remote, " if tally.fetched else ""
        parts.append(f"{tally.restored} cached ({remote}{size_text(tally.restored_size)})")
    parts.append(f"{tally.up_to_date} up to date")
    if total > tally.done:
        parts.append(f"{total - tally.done} not reached")
    if tally.interrupted:
        parts.append(f"{tally.interrupted} interrupted")
    parts.append(f"{tally.failed} failed")
    if tally.tests_passed or tally.failed_tests:
        parts.append(_tests(tally))
    return " · ".join(parts)


def _tests(tally: Tally) -> str:
    failed = len(tally.failed_tests)
    count = tally.tests_passed + failed
    noun = "test" if count == 1 else "tests"
    cached = f" ({tally.tests_restored} cached)" if tally.tests_restored else ""
    if failed:
        return f"{failed} of {count} {noun} failed"
    return f"{count} {noun} passed{cached}"
