"""The command line as data: options, verbs, and what was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.platforms.toolchain import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable


class Option(NamedTuple):
    """An option. `metavar` names its value, empty for a switch; `choices` lists what is allowed."""

    name: str
    doc: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    short: str = ""


class Verb(NamedTuple):
    """A verb of the command: its usage, what it does, what runs it.

    `operands` is how many there are at least and at most. `takes_arguments` says that what follows
    `--` is for the program.
    """

    name: str
    usage: str
    doc: str
    run: Callable[[Parsed], int]
    options: tuple[Option, ...] = ()
    operands: tuple[int, int] = (1, 1)
    takes_arguments: bool = False


class Parsed:
    """What was typed: values of options by name, operands, and the program's own arguments."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.operands: list[str] = []
        self.arguments: list[str] = []

    def get(self, name: str) -> str:
        """Return the value of an option, or an empty string."""
        return self.values.get(name, "")

    def has(self, name: str) -> bool:
        """Return whether an option was given."""
        return name in self.values


color_choice = ["auto"]  # what was typed, for the errors of whatever happens later

COLOR = Option("color", "when to use color", "WHEN", ("auto", "always", "never"))
CACHE = Option("cache", "where results are cached, or `off`", "DIR")
TARGET = Option("target", "the platform to build for", "PLATFORM")
MODE = Option("mode", "how to compile: `debug` or `release`", "MODE")
OPTIMIZE = Option("optimize", "how far to optimize: `2` for the fastest program, `1` to compile "
                  "fast", "LEVEL", ("0", "1", "2"), "O")  # fmt: skip
CPU = Option("cpu", "the CPU level that the code may require", "LEVEL")
ENGINE = Option("engine", "a profile of `mochi.toml`", "PROFILE")
TOOLCHAIN = Option("toolchain", "the tools to use: `off` for Python packages alone, `system` also "
                   "for those installed, `auto` also for those that cargo builds", "WHICH",
                   tuple(POLICIES))  # fmt: skip
AOT = Option("aot", "a `wasmtime` command to compile with", "PATH")
HELP = Option("help", "show this", short="h")
