"""Shows a build while it runs: one live line on a terminal, one line for each step elsewhere.

A line is `[k/N] verb  target  remark`. N is the number of steps that were requested, and k
how many of them are done: run, restored or found up to date. Steps that are up to date have no
line, so numbers may skip.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from mochi_rules.base.events import Outcome
from mochi_rules.base.printable import printable
from mochi_rules.ui.summary import Tally, summary_line
from mochi_rules.ui.text import elide_middle, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.base.events import StepFinished, StepStarted
    from mochi_rules.ui.output import Output

# What each choice means: `auto` is `fancy` on a terminal, and `plain` elsewhere and in CI.
CHOICES = ("auto", "fancy", "plain", "quiet")

_TARGET_WIDTHS = (26, 52)  # the column of targets is as wide as they are, within these bounds
_TICK = 0.2  # seconds between two looks at a step that takes long
_REMINDER = 30.0  # seconds after which a silent build says that it goes on
_ERASE = "\r\x1b[K"
_STYLES = {"number": "\x1b[2m", "failed": "\x1b[1;31m", "summary": "\x1b[1m"}
_RESET = "\x1b[0m"


class Console:
    """The one place that a build writes to; safe for threads.

    `total` returns N; it is called when the first line is shown. Messages go to `errors`, all else
    to `output`. The user has waited for `age` seconds already.
    """

    def __init__(
        self,
        output: Output,
        errors: Output,
        *,
        choice: str = "auto",
        color: bool = False,
        total: Callable[[], int] = lambda: 0,
        age: float = 0.0,
    ) -> None:
        self._output, self._errors = output, errors
        self._choice = choose(choice, is_terminal=output.is_terminal)
        self.color = color
        self.find_total = total
        self._total: int | None = None
        self._lock = threading.RLock()
        self._width = _TARGET_WIDTHS[0]
        self._reported: set[tuple[str, str, str]] = set()  # code, message and place
        self._running: dict[StepStarted, float] = {}
        self._progress: dict[str, str] = {}  # by target
        self._is_dry = False
        self._is_live = False  # a live line is on the screen
        self._is_mid_line = False  # somebody else has begun a line there
        self._writers = 0  # other programs that may write there now
        self._ticker: threading.Thread | None = None
        self._spoken = time.monotonic()
        self._started = self._spoken - age
        self.tally = Tally()

    @property
    def total(self) -> int:
        """N, at least the number of steps that are done."""
        if self._total is None:
            self._total = self.find_total()
        return max(self._total, self.tally.done)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing but errors is shown."""
        return self._choice == "quiet"

    @property
    def has_live_line(self) -> bool:
        """Whether a line is overwritten again and again: whoever else writes must let it know."""
        return self._choice == "fancy"

    def fit(self, targets: Iterable[str]) -> None:
        """Make the column of targets as wide as these are."""
        narrow, wide = _TARGET_WIDTHS
        self._width = min(max(map(len, targets), default=narrow), wide)
        self._width = max(self._width, narrow)

    def started(self, event: StepStarted) -> None:
        """Show that a step runs."""
        with self._lock:
            self._running[event] = time.monotonic()
            if self._choice != "quiet" and self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, daemon=True)
                self._ticker.start()
            self._show_live()

    def progressed(self, target: str, progress: str) -> None:
        """Note how far a step is that takes long; the live line shows it."""
        with self._lock:
            self._progress[target] = progress

    def finished(self, step: StepStarted, event: StepFinished) -> None:
        """Show that a step ended; `step` is what it began with."""
        with self._lock:
            self._running.pop(step, None)
            self.tally.count(event)
            if self._choice == "plain":
                self._say(self._line(event.verb, event.target, _remark(event)))
            elif event.outcome is not Outcome.FAILED:
                self._show_live(event)

    def planned(self, verb: str, target: str) -> None:
        """Show a step that would run."""
        with self._lock:
            self._is_dry = True
            self.tally.built += 1
            self._say(self._line(verb, target, ""))

    def up_to_date(self) -> None:
        """Count a step that need not run."""
        self.tally.up_to_date += 1

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Show diagnostics, each once: many steps may find the mistake of one library."""
        from mochi_rules.base.render import render_all  # noqa: PLC0415 - most builds have none

        with self._lock:
            found = {(item.code, item.message, str(item.span)): item for item in diagnostics}
            news = [item for key, item in found.items() if key not in self._reported]
            self._reported.update(found)
            if news:
                self.clear()
                self._errors.write(render_all(news, color=self.color))

    def say(self, line: str) -> None:
        """Show a line and leave it on the screen."""
        with self._lock:
            self._say(line)

    def clear(self) -> None:
        """Clear the live line: another program is about to write."""
        with self._lock:
            if self._is_live:
                self._output.write(_ERASE)
                self._is_live = False

    def write_through(self, stream: IO[str], text: str) -> int:
        """Write for another program; the live line is hidden until its line is complete."""
        with self._lock:
            self.clear()
            self._is_mid_line = not text.endswith("\n") if text else self._is_mid_line
            return stream.write(text)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show no live line meanwhile: another program may write at any time."""
        with self._lock:
            self._writers += 1
            self.clear()
        try:
            yield
        finally:
            with self._lock:
                self._writers -= 1

    def close(self, *, summary: bool = True) -> None:
        """End the live line, and print what was done."""
        with self._lock:
            self.clear()
            self._choice = "quiet" if self._choice == "quiet" else "closed"
            if summary and (self._choice != "quiet" or self.tally.failed):
                for name in self.tally.failed_tests:
                    self._output.write(self._paint("failed", f"failed: {name}") + "\n")
                seconds = time.monotonic() - self._started
                line = summary_line(self.tally, self.total, seconds, is_dry=self._is_dry)
                self._output.write(self._paint("failed" if self.tally.failed else "summary", line))
                self._output.write("\n")

    def _say(self, line: str) -> None:
        self.clear()
        self._output.write(line + "\n")
        self._spoken = time.monotonic()

    def _line(self, verb: str, target: str, remark: str, width: int = 0) -> str:
        """Return a line, cut off at a width if there is one: what wraps cannot be erased."""
        digits = len(str(self.total))
        number = f"[{self.tally.done:>{digits}}/{self.total}]"
        target = printable(target)
        rest = f" {verb:<6} {target:<{self._width}} {remark}".rstrip()
        if width and len(number + rest) > width:
            rest = f" {verb:<6} {target} {remark}".rstrip()[: max(width - len(number), 0)]
        return self._paint("number", number) + rest

    def _show_live(self, last: StepFinished | None = None) -> None:
        """Show the step that runs longest, or the one that just ended."""
        if not self.has_live_line or self._writers or self._is_mid_line:
            return
        if self._running:
            step, since = next(iter(self._running.items()))
            details = [self._progress[step.target]] if step.target in self._progress else []
            details += [f"{len(self._running) - 1} more"] if len(self._running) > 1 else []
            if (seconds := time.monotonic() - since) >= 1:
                details.append(seconds_text(seconds))
            remark = f"({', '.join(details)})" if details else ""
            verb, target = step.verb, step.target
        elif last:
            verb, target, remark = last.verb, last.target, _remark(last)
        else:
            return
        width = _columns(self._output) - 1
        space = width - len(str(self.total)) * 2 - len(remark) - 12
        line = self._line(verb, elide_middle(target, max(space, 8)), remark, width)
        self._output.write(_ERASE + line)
        self._is_live = True

    def _tick(self) -> None:
        """Keep the live line true, and a silent log alive: CI kills a silent job."""
        while self._choice in ("fancy", "plain"):
            time.sleep(_TICK)
            with self._lock:
                if self._choice == "fancy":
                    self._show_live()
                elif self._running and time.monotonic() - self._spoken > _REMINDER:
                    step, since = next(iter(self._running.items()))
                    details = [seconds_text(time.monotonic() - since)]
                    details += filter(None, [self._progress.get(step.target)])
                    remark = f"still running, {', '.join(details)}"
                    self._say(self._line(step.verb, step.target, remark))

    def _paint(self, style: str, text: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self.color else text


def choose(choice: str, *, is_terminal: bool) -> str:
    """Return `fancy`, `plain` or `quiet`."""
    if choice != "auto":
        return choice
    is_plain = not is_terminal or os.environ.get("TERM") == "dumb" or os.environ.get("CI")
    return "plain" if is_plain else "fancy"


def _remark(event: StepFinished) -> str:
    if event.outcome.is_cached:
        where = "cached, remote" if event.outcome is Outcome.FETCHED else "cached"
        return f"passed ({where})" if event.verb == "test" else where
    if event.outcome is Outcome.FAILED:
        return "failed"
    if event.outcome is Outcome.INTERRUPTED:
        return "interrupted"
    return event.remark


def _columns(output: Output) -> int:
    try:
        return os.get_terminal_size(output.stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80
