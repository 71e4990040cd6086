"""The command line as data: options, verbs, and the one parser for all of them.

The standard library's parser takes 6 ms to load and knows no "did you mean".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

    `operands` is how many there are at least and at most. `takes_arguments` says that what stands
    behind `--` is for the program.
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
        """Return the value of an option, or an empty text."""
        return self.values.get(name, "")

    def has(self, name: str) -> bool:
        """Return whether an option was given."""
        return name in self.values


color_choice = ["auto"]  # what was typed, for the errors of whatever happens later

COLOR = Option("color", "when to use color", "WHEN", ("auto", "always", "never"))
CACHE = Option("cache", "where results are kept, or `off`", "DIR")
TARGET = Option("target", "the platform to build for", "PLATFORM")
MODE = Option("mode", "how to compile: `debug` or `release`", "MODE")
CPU = Option("cpu", "how new a processor the code may require", "LEVEL")
HELP = Option("help", "show this", short="h")


def parse(verb: Verb, words: list[str]) -> Parsed:
    """Return what the words after a verb say.

    Emits: B051 (unknown option), B052 (an option's value is missing or not allowed), B053 (too
    few or too many operands).

    Raises:
        MochiError: They cannot be understood.
    """
    parsed = Parsed()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            where = parsed.arguments if verb.takes_arguments else parsed.operands
            where += rest
            break
        if word.startswith("-") and word != "-":
            _take_option(verb, word, rest, parsed)
        else:
            parsed.operands.append(word)
    least, most = verb.operands
    if not least <= len(parsed.operands) <= most and not parsed.has("help"):
        from mochi_rules.cli.usage import wrong_count  # noqa: PLC0415 - of this error only

        raise wrong_count(verb, parsed.operands)
    return parsed


def _take_option(verb: Verb, word: str, rest: list[str], parsed: Parsed) -> None:
    name, equals, value = word.partition("=")
    option = next(
        (item for item in (*verb.options, HELP) if name in (f"--{item.name}", f"-{item.short}")),
        None,
    )
    if option is not None and option.metavar and not equals and rest:
        equals, value = "=", rest.pop(0)
    fits = option is not None and bool(equals) == bool(option.metavar)
    if option is None or not fits or (option.choices and value not in option.choices):
        from mochi_rules.cli.usage import wrong_option  # noqa: PLC0415 - of this error only

        raise wrong_option(verb, word, option, value)
    parsed.values[option.name] = value
