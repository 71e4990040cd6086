"""Tests of the command as a whole: its verbs, and its exit status."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mochi_rules import __version__
from mochi_rules.cli import build, main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Typed


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",)])
def test_help_lists_every_verb_and_rule(
    typed: Callable[..., Typed], words: tuple[str, ...]
) -> None:
    """Without a verb, help is what is wanted."""
    got = typed(*words)
    assert got.status == 0
    assert all(f"\n  {verb}" in got.out for verb in main.VERBS)
    assert "mochi_binary" in got.out


def test_help_of_a_rule_is_its_reference(typed: Callable[..., Typed]) -> None:
    """The same table that checks a call."""
    assert "the libraries whose files may be imported" in typed("help", "mochi_binary").out


def test_help_of_a_verb_is_that_of_its_option(typed: Callable[..., Typed]) -> None:
    """`help run` and `run --help` say the same."""
    assert typed("help", "run").out == typed("run", "--help").out


def test_version_names_commit_and_wasmtime(typed: Callable[..., Typed]) -> None:
    """One line has all that a report of a bug needs; a copy without git has no commit."""
    form = rf"mochi-rules {re.escape(__version__)} \((commit [0-9a-f]{{12}}, )?Wasmtime [0-9.]+\)\n"
    assert re.fullmatch(form, typed("--version").out)


@pytest.mark.parametrize(
    ("words", "needed"),
    [(("cache",), "an action"), (("cache", "key"), "one of `new`, `revoke`, `show`")],
)
def test_missing_action_is_named(
    typed: Callable[..., Typed], words: tuple[str, ...], needed: str
) -> None:
    """By what it may be, or with the usage as help."""
    said = typed(*words).err.splitlines()[0]
    assert said == f"error[B053]: `mochi-rules {' '.join(words)}` needs {needed}"


@pytest.mark.parametrize(
    ("words", "message", "help_"),
    [
        (("rn",), "error[B050]: no verb is named `rn`", "help: did you mean `run`?"),
        (("a.mochi",), "error[B050]: no verb is named `a.mochi`",
         "help: write `mochi-rules run a.mochi`"),
        (("help", "mochi_binry"), "error[B050]: no verb or rule is named `mochi_binry`",
         "help: did you mean `mochi_binary`?"),
        (("cache", "stat"), "error[B062]: `mochi-rules cache` has no action `stat`",
         "help: did you mean `stats`?"),
        (("toolchain", "instal"), "error[B062]: `mochi-rules toolchain` has no action `instal`",
         "help: did you mean `install`?"),
        (("toolchain", "install", "launchr"),
         "error[B062]: the tool to install must be one of `aot`, `emulated`, `launcher`, `native`",
         "help: did you mean `launcher`?"),
    ],
)  # fmt: skip
def test_unknown_name_gets_the_nearest(
    typed: Callable[..., Typed], words: tuple[str, ...], message: str, help_: str
) -> None:
    """The status is that of wrong input."""
    got = typed(*words)
    assert got.status == 2
    assert got.out == ""
    assert got.err.splitlines()[0] == message
    assert got.err.splitlines()[-1] == help_


def test_bug_of_ours_is_reported_in_a_line(
    typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 70, no traceback, and how to see it."""

    def broken(_parsed: object) -> int:
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr(build, "VERB", build.VERB._replace(run=broken))
    got = typed("build", "hello.mochi")
    assert got.status == 70
    first, *_, last = got.err.splitlines()
    assert first == "error[X001]: internal error: ZeroDivisionError: no such number"
    assert last == "note: this is a bug in mochi_rules; please report it"
    assert "Traceback" not in got.err


def test_bug_of_ours_is_traced_when_asked(
    typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCHI_RULES_DEBUG=1 shows where."""
    monkeypatch.setenv("MOCHI_RULES_DEBUG", "1")
    monkeypatch.setattr(build, "VERB", build.VERB._replace(run=lambda _: 1 // 0))
    assert "Traceback" in typed("build", "hello.mochi").err


def test_interruption_ends_with_the_status_of_a_signal(
    typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is not an error to talk about."""

    def interrupted(_parsed: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "VERB", build.VERB._replace(run=interrupted))
    got = typed("build", "hello.mochi")
    assert (got.status, got.err) == (130, "")


@pytest.mark.parametrize(("choice", "is_colored"), [("always", True), ("never", False)])
def test_option_decides_about_color(
    typed: Callable[..., Typed], here: Path, *, choice: str, is_colored: bool
) -> None:
    """Errors of whatever comes later follow the option."""
    got = typed("check", "nothing.mochi", "--color", choice)
    assert ("\x1b[" in got.err) is is_colored


def test_path_that_is_not_utf8_is_shown(here: Path) -> None:
    """With its bytes escaped, where the terminal's encoding has nothing for them."""
    done = subprocess.run(
        [sys.executable, "-m", "mochi_rules", "init", b"\xff"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"wrote \\udcff/SConstruct\n" in done.stdout
    assert (here / "\udcff" / "SConstruct").exists()


@pytest.mark.parametrize("verb", ["run", "build", "check", "test", "inspect", "verify", "objdump"])
@pytest.mark.parametrize("name", ["a\0b", "folder.mochi", "\udcff.mochi", "", "x" * 300])
def test_what_cannot_be_a_program_is_an_error(
    typed: Callable[..., Typed], here: Path, verb: str, name: str
) -> None:
    """Of the user's input, for every verb that takes a file."""
    (here / "folder.mochi").mkdir()
    got = typed(verb, name)
    assert got.status == 2
    assert "error[B" in got.err
