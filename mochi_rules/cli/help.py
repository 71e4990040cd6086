"""`mochi-rules help`: the verbs, one verb, or one rule."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.cli.options import Option, Verb
from mochi_rules.cli.usage import describe
from mochi_rules.project import attributes as attrs
from mochi_rules.ui.help_text import wrapped_table

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def show_help(parsed: Parsed) -> int:
    """Show help.

    Emits: B050.
    """
    if parsed.has("version"):
        from mochi_rules.cli.version import version_text  # noqa: PLC0415 - of this option only

        sys.stdout.write(version_text() + "\n")
    elif parsed.operands:
        sys.stdout.write(_topic(parsed.operands[0]))
    else:
        sys.stdout.write(_overview())
    return 0


def _topic(name: str) -> str:
    from mochi_rules.cli.main import VERBS, load  # noqa: PLC0415 - it loads this module

    if name in attrs.BY_NAME:
        return attrs.describe(attrs.BY_NAME[name])
    if name in VERBS:
        return describe(load(name))
    known = [*VERBS, *attrs.BY_NAME]
    raise fail(
        "B050",
        f"no verb or rule is named `{name}`",
        help=did_you_mean(name, known) or "`mochi-rules help` lists them",
    )


def _overview() -> str:
    from mochi_rules.cli.main import VERBS, load  # noqa: PLC0415 - as above

    verbs = [(load(name).usage.removesuffix(" [OPTIONS]"), load(name).doc) for name in VERBS]
    rules = [(rule.name, rule.doc) for rule in attrs.RULES]
    lines = (
        "mochi-rules VERB [OPTIONS]",
        *("", "verbs", *wrapped_table((usage, _first(doc)) for usage, doc in verbs)),
        *("", "rules of a SConscript", *wrapped_table((name, _first(doc)) for name, doc in rules)),
        *("", "Run `mochi-rules help VERB` or `mochi-rules help RULE` for details."),
    )
    return "\n".join(lines) + "\n"


def _first(doc: str) -> str:
    """Return the first sentence."""
    return doc.split(". ", maxsplit=1)[0].split(": ", maxsplit=1)[0].removesuffix(".")


VERB = Verb(
    "help",
    "help [VERB|RULE]",
    "List the verbs and the rules, or describe one.",
    show_help,
    (Option("version", "show the version", short="V"),),
    operands=(0, 1),
)
