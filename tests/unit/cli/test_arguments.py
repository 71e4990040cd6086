"""Tests of the parser of command lines, and of what it says."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.cli.arguments import parse
from mochi_rules.cli.main import VERBS, load
from mochi_rules.cli.options import Option, Parsed, Verb
from mochi_rules.cli.usage import describe

RUN = Verb(
    "run", "run FILE [OPTIONS] [-- ARGUMENTS]", "Run.", lambda _: 0,
    (Option("mode", "how", "MODE", ("debug", "release"), "m"), Option("cpu", "how new", "LEVEL"),
     Option("dir", "let", short="d")),
    takes_arguments=True,
)  # fmt: skip
TEST = Verb("test", "test FILE... [OPTIONS]", "Test.", lambda _: 0, operands=(1, 9))


def fault(verb: Verb, *words: str) -> Diagnostic:
    """Return what is wrong with a command line."""
    with pytest.raises(MochiError) as caught:
        parse(verb, list(words))
    [found] = caught.value.diagnostics
    return found


def read(verb: Verb, *words: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Return options, operands and arguments."""
    parsed: Parsed = parse(verb, list(words))
    return parsed.values, parsed.operands, parsed.arguments


@pytest.mark.parametrize(
    ("words", "want"),
    [
        (("a",), ({}, ["a"], [])),
        (("--mode", "debug", "a"), ({"mode": "debug"}, ["a"], [])),
        (("a", "--mode=release"), ({"mode": "release"}, ["a"], [])),
        (("-d", "a"), ({"dir": ""}, ["a"], [])),
        (("-m", "debug", "a"), ({"mode": "debug"}, ["a"], [])),
        (("-mdebug", "a"), ({"mode": "debug"}, ["a"], [])),
        (("a", "--", "--mode", "x"), ({}, ["a"], ["--mode", "x"])),
        (("a", "--", "--", "b"), ({}, ["a"], ["--", "b"])),
        (("-",), ({}, ["-"], [])),
        (("--help",), ({"help": ""}, [], [])),
    ],
)
def test_words_are_understood(words: tuple[str, ...], want: object) -> None:
    """Options stand anywhere, and what stands behind `--` is the program's."""
    assert read(RUN, *words) == want


def test_words_behind_dashes_are_operands_of_a_verb_without_a_program() -> None:
    """A file may begin with a dash."""
    assert read(TEST, "a", "--", "-b") == ({}, ["a", "-b"], [])


@pytest.mark.parametrize(
    ("words", "code", "message", "help_"),
    [
        (("a", "--mod"), "B051", "`mochi-rules run` has no option `--mod`",
         "did you mean `--mode`?"),
        (("a", "--verbose"), "B051", "`mochi-rules run` has no option `--verbose`",
         "options of the program go after `--`: `-- --verbose`"),
        (("a", "--mode"), "B052", "`--mode` needs a value", "write `--mode MODE`"),
        (("a", "--mode="), "B052", "`--mode` needs a value", "write `--mode MODE`"),
        (("a", "--cpu="), "B052", "`--cpu` needs a value", "write `--cpu LEVEL`"),
        (("a", "--cpu", ""), "B052", "`--cpu` needs a value", "write `--cpu LEVEL`"),
        (("a", "--mode=fast"), "B052", "`--mode` cannot be `fast`", ""),
        (("a", "--mode=debg"), "B052", "`--mode` cannot be `debg`", "did you mean `debug`?"),
        (("a", "--dir=x"), "B052", "`--dir` takes no value", "write `--dir`"),
        ((), "B053", "`mochi-rules run` needs `FILE`",
         "write `mochi-rules run FILE [OPTIONS] [-- ARGUMENTS]`"),
        (("a", "b"), "B053", "unexpected `b`",
         "arguments of the program go after `--`: `-- b`"),
        (("a\0b",), "B054", "`a\0b` contains a NUL character, or one that cannot be encoded",
         "leave the character out"),
        (("a", "--cache=\ud800"), "B054",
         "`--cache=\ud800` contains a NUL character, or one that cannot be encoded",
         "leave the character out"),
    ],
)  # fmt: skip
def test_wrong_words_are_reported(
    words: tuple[str, ...], code: str, message: str, help_: str
) -> None:
    """Each error has what to type."""
    found = fault(RUN, *words)
    assert (found.code, found.message, found.help) == (code, message, help_)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_describes_itself(name: str) -> None:
    """Usage, what it does, and each option with its meaning."""
    verb = load(name)
    text = describe(verb)
    assert verb.name == name
    assert text.startswith(f"mochi-rules {verb.usage}\n")
    words = " ".join(text.split())
    assert all(f"--{option.name}" in text and option.doc in words for option in verb.options)
