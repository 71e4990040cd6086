"""The program that a target of another rule is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.suggest import did_you_mean

if TYPE_CHECKING:
    from mochi_rules.project.label import Label
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.claims import Target


def find_program(call: Call, label: Label, attribute: str, does: str) -> Target:
    """Return the program of a label; `does` is the verb that says what the call does with it.

    Emits: B016 (no such program).

    Raises:
        MochiError: No target has the label, or one that is not a program.
    """
    found = call.space.targets.get(label)
    if found is not None and found.is_program:
        return found
    programs = [str(other.label) for other in call.space.targets.values() if other.is_program]
    is_other = f", which is a `{found.rule}`" if found else ", but there is no such target"
    raise MochiError(
        Diagnostic(
            "B016",
            f"`{call.label}` {does} `{label}`{is_other}",
            call.target.place.locate(attribute),
            help=did_you_mean(str(label), programs) or "declare it with `mochi_binary`",
        )
    )
