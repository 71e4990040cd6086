"""Tests of what a build shows while it runs."""

from __future__ import annotations

import io
import re
import sys

import pytest

from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.base.events import Outcome, StepFinished, StepStarted
from mochi_rules.base.span import Source, Span
from mochi_rules.ui.console import Console, choose
from mochi_rules.ui.output import Output
from mochi_rules.ui.watched import Watched, watched_streams

STEP = StepStarted("aot", "app/hello.cwasm")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def console(choice: str = "plain", total: int = 14) -> tuple[Console, io.StringIO, io.StringIO]:
    """Return a console and its two streams."""
    output, errors = Terminal(), io.StringIO()
    shown = Console(Output(output), Output(errors), choice=choice, total=lambda: total)
    return shown, output, errors


def finish(shown: Console, outcome: Outcome, remark: str = "", verb: str = "aot") -> None:
    """Begin a step and end it."""
    step = StepStarted(verb, "app/hello.cwasm")
    shown.started(step)
    shown.finished(step, StepFinished(verb, "app/hello.cwasm", outcome, remark, 0.1, 100))


def test_plain_console_shows_a_line_for_each_step() -> None:
    """Number, verb, target and remark are in columns."""
    shown, output, _ = console()
    finish(shown, Outcome.BUILT)
    finish(shown, Outcome.RESTORED)
    finish(shown, Outcome.BUILT, "9 functions", verb="check")
    assert output.getvalue().splitlines() == [
        "[ 1/14] aot    app/hello.cwasm",
        "[ 2/14] aot    app/hello.cwasm            cached",
        "[ 3/14] check  app/hello.cwasm            9 functions",
    ]


def test_steps_that_are_up_to_date_count_and_are_not_shown() -> None:
    """Numbers skip what need not run."""
    shown, output, _ = console()
    for _ in range(8):
        shown.up_to_date()
    finish(shown, Outcome.BUILT)
    assert output.getvalue().startswith("[ 9/14] ")


def test_column_of_targets_is_as_wide_as_they_are() -> None:
    """Long names push the remarks of all steps."""
    shown, output, _ = console()
    shown.fit(["x" * 40])
    finish(shown, Outcome.RESTORED)
    assert output.getvalue().splitlines()[0].index("cached") == len("[ 1/14] aot    ") + 41


def test_test_that_was_restored_has_passed() -> None:
    """The words are those of Bazel."""
    shown, output, _ = console()
    finish(shown, Outcome.RESTORED, verb="test")
    assert output.getvalue().rstrip().endswith("passed (cached)")


def test_fancy_console_has_one_live_line() -> None:
    """Each step overwrites the one before, and the closing line stands alone."""
    shown, output, _ = console("fancy")
    finish(shown, Outcome.BUILT)
    finish(shown, Outcome.BUILT)
    shown.close()
    lines = output.getvalue().split("\n")
    assert len(lines) == 2
    assert re.fullmatch(r"built 2 of 14 in .*s · 0 up to date · 12 not reached · 0 failed",
                        lines[0].split("\r\x1b[K")[-1])  # fmt: skip


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_live_line_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """A line that wraps could not be erased."""
    monkeypatch.setattr("mochi_rules.ui.console._columns", lambda _output: columns)
    shown, output, _ = console("fancy")
    step = StepStarted("check", "a/rather/long/folder/with/a_long_name.cwasm")
    shown.started(step)
    shown.finished(step, StepFinished(*_names(step), Outcome.BUILT, "119 functions, 52 checks"))
    lines = output.getvalue().split("\r\x1b[K")
    assert max(map(len, lines)) < columns
    assert any("check" in line for line in lines)


def _names(step: StepStarted) -> tuple[str, str]:
    return step.verb, step.target


def test_fancy_console_leaves_messages_on_the_screen() -> None:
    """The live line goes before a message is written."""
    shown, output, errors = console("fancy")
    shown.started(STEP)
    shown.report([Diagnostic("P001", "no")])
    assert output.getvalue().endswith("\r\x1b[K")
    assert errors.getvalue() == "error[P001]: no\n"


def test_diagnostic_is_shown_once() -> None:
    """Each program that imports a wrong library finds the same mistake at the same place."""
    shown, _, errors = console()
    source = Source("lib.mochi", "a\nb\n")
    places = (Span(source, 0, 1), Span(source, 2, 3), Span(Source("lib.mochi", "a\nb\n"), 0, 1))
    for place in places:
        shown.report([Diagnostic("T002", "undefined", place)])
    shown.report([])
    assert errors.getvalue().count("error[T002]: undefined\n") == 2


def test_fancy_console_tells_how_many_steps_run() -> None:
    """The step that runs longest stands for the others."""
    shown, output, _ = console("fancy")
    shown.started(STEP)
    shown.started(StepStarted("mochi", "b.wasm"))
    assert output.getvalue().split("\r\x1b[K")[-1].endswith("(1 more)")


def test_quiet_console_shows_nothing_of_a_success() -> None:
    """Neither steps nor the closing line."""
    shown, output, _ = console("quiet")
    finish(shown, Outcome.BUILT)
    shown.close()
    assert output.getvalue() == ""


def test_quiet_console_shows_that_something_failed() -> None:
    """The closing line of a failure is shown."""
    shown, output, _ = console("quiet")
    finish(shown, Outcome.FAILED)
    shown.close()
    assert "1 failed" in output.getvalue()


def test_planned_steps_are_numbered() -> None:
    """Under `-n` every step that would run has a line."""
    shown, output, _ = console(total=2)
    shown.planned("mochi", "a.wasm")
    shown.planned("aot", "a.cwasm")
    assert output.getvalue() == "[1/2] mochi  a.wasm\n[2/2] aot    a.cwasm\n"


@pytest.mark.parametrize(
    ("choice", "is_terminal", "environment", "want"),
    [
        ("auto", True, {}, "fancy"),
        ("auto", False, {}, "plain"),
        ("auto", True, {"CI": "true"}, "plain"),
        ("auto", True, {"TERM": "dumb"}, "plain"),
        ("quiet", True, {}, "quiet"),
        ("fancy", False, {"CI": "true"}, "fancy"),
    ],
)
def test_choice_follows_the_terminal(
    *,
    choice: str,
    is_terminal: bool,
    environment: dict[str, str],
    want: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A terminal gets a live line, unless it is that of a CI; an option goes before."""
    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert choose(choice, is_terminal=is_terminal) == want


def test_colored_line_has_its_number_dimmed() -> None:
    """Color marks the number, and is never alone in saying something."""
    output = io.StringIO()
    shown = Console(Output(output), Output(output), choice="plain", color=True, total=lambda: 1)
    finish(shown, Outcome.BUILT)
    assert output.getvalue() == "\x1b[2m[1/1]\x1b[0m aot    app/hello.cwasm\n"


def live_console() -> tuple[Console, Terminal]:
    """Return a console with a live line on the screen, and the screen."""
    screen = Terminal()
    shown = Console(Output(screen), Output(screen), choice="fancy", total=lambda: 14)
    shown.started(STEP)
    assert visible(screen).startswith("[ 0/14]")
    return shown, screen


def visible(screen: Terminal) -> str:
    """Return what a terminal shows in its last line."""
    return re.split(r"\r\x1b\[K|\n", screen.getvalue())[-1]


def test_live_line_makes_way_for_whoever_else_writes() -> None:
    """What is written to a watched stream is in a line of its own."""
    shown, screen = live_console()
    print("done building targets", file=Watched(screen, shown))
    assert screen.getvalue().endswith("\r\x1b[Kdone building targets\n")


def test_live_line_waits_for_the_end_of_the_line_of_another() -> None:
    """A prompt without a line break is not overwritten; afterwards the live line is back."""
    shown, screen = live_console()
    Watched(screen, shown).write("checking ... ")
    shown.started(StepStarted("aot", "b.cwasm"))
    assert visible(screen) == "checking ... "
    Watched(screen, shown).write("yes\n")
    shown.started(StepStarted("aot", "c.cwasm"))
    assert visible(screen).startswith("[ 0/14]")


def test_no_live_line_while_another_program_may_write() -> None:
    """A child's output comes past our streams, at any time."""
    shown, screen = live_console()
    with shown.paused():
        shown.started(StepStarted("aot", "b.cwasm"))
        assert visible(screen) == ""
    shown.started(StepStarted("aot", "c.cwasm"))
    assert visible(screen).startswith("[ 0/14]")


def test_stream_that_is_no_terminal_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to a file cannot meet the live line."""
    shown, screen = live_console()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", file := io.StringIO())
    with watched_streams(shown):
        assert isinstance(sys.stdout, Watched)
        assert sys.stderr is file
    assert sys.stdout is screen


def test_progress_of_a_step_is_shown_in_the_live_line() -> None:
    """Before its time."""
    shown, screen = live_console()
    shown.progressed(STEP.target, "crate 45 of 160")
    shown.started(StepStarted("aot", "b.cwasm"))
    assert visible(screen).endswith("(crate 45 of 160, 1 more)")
