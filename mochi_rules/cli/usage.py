"""What is wrong with a command line, and what a right one looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.cli.options import HELP
from mochi_rules.ui.help_text import wrap, wrapped_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.cli.options import Option, Verb


def unknown_verb(name: str, verbs: Iterable[str]) -> MochiError:
    """Make the error of a verb that there is not.

    Emits: B050.
    """
    hint = did_you_mean(name, verbs)
    if not hint and name.endswith((".mochi", ".wasm", ".cwasm")):
        hint = f"write `mochi-rules run {name}`"
    return fail("B050", f"no verb is named `{name}`", help=hint or "`mochi-rules help` lists them")


def wrong_option(verb: Verb, word: str, option: Option | None, value: str) -> MochiError:
    """Make the error of an option that cannot be.

    Emits: B051 (unknown), B052 (its value).
    """
    if option is None:
        return _unknown(verb, word.partition("=")[0])
    shown = f"`--{option.name}`"
    if not option.metavar:
        return fail("B052", f"{shown} takes no value", help=f"write {shown}")
    if not value:
        return fail(
            "B052", f"{shown} needs a value", help=f"write `--{option.name} {option.metavar}`"
        )
    return fail(
        "B052",
        f"{shown} cannot be `{value}`",
        notes=(f"it must be one of {listing(option.choices)}",),
        help=did_you_mean(value, option.choices),
    )


def wrong_count(verb: Verb, operands: Sequence[str]) -> MochiError:
    """Make the error of too few or too many operands.

    Emits: B053.
    """
    usage = f"write `mochi-rules {verb.usage}`"
    least, most = verb.operands
    if len(operands) < least:
        wanted = verb.usage.split()[1].strip("[].…")
        shown = f"one of {listing(wanted.split('|'))}" if "|" in wanted else f"`{wanted}`"
        shown = "an action" if " | " in verb.usage else shown
        return fail("B053", f"`mochi-rules {verb.name}` needs {shown}", help=usage)
    extra = operands[most]
    if verb.takes_arguments:
        usage = f"arguments of the program go after `--`: `-- {extra}`"
    return fail("B053", f"unexpected `{extra}`", help=usage)


def wrong_word(word: str) -> MochiError:
    """Make the error of a word that no operating system takes.

    Emits: B054.
    """
    message = f"`{word}` contains a NUL character, or one that cannot be encoded"
    return fail("B054", message, help="leave the character out")


def describe(verb: Verb) -> str:
    """Return the help of a verb, ending in a newline."""
    rows = [(_shown(option), option.doc) for option in (*verb.options, HELP)]
    lines = [f"mochi-rules {verb.usage}", "", *wrap(verb.doc), "", "options", *wrapped_table(rows)]
    return "\n".join(lines) + "\n"


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return two aligned columns, indented by two."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return "".join(f"  {name:<{width}}  {text}".rstrip() + "\n" for name, text in rows)


def _unknown(verb: Verb, name: str) -> MochiError:
    names = [f"--{option.name}" for option in (*verb.options, HELP)]
    hint = did_you_mean(name, names)
    if not hint and verb.takes_arguments:
        hint = f"options of the program go after `--`: `-- {name}`"
    return fail(
        "B051",
        f"`mochi-rules {verb.name}` has no option `{name}`",
        help=hint or f"`mochi-rules help {verb.name}` lists them",
    )


def _shown(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    metavar = "|".join(option.choices) or option.metavar
    return f"{short}--{option.name}" + (f" {metavar}" if metavar else "")
