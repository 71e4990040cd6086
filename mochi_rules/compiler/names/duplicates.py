"""What one list or scope declares twice: parameters, fields, functions, types, imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Label, Severity
from mochi_rules.base.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.base.span import Source

# What takes the place of the first one, as with interpreters, so that it is only a warning.
_REPLACING = ("function", "module", "type", "variable")


class Declared:
    """The names that a list or scope has declared so far."""

    def __init__(self, source: Source, diagnostics: Diagnostics, verb: str = "declared") -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.verb = verb
        self.first: dict[str, tuple[str, Span]] = {}

    def add(self, what: str, name: str, start: int, end: int = 0) -> None:
        """Note a declaration; its name is at `start` unless there is an `end`.

        A variable may be declared again: that assigns to it.

        Emits: T095.
        """
        span = Span(self.source, start, end or start + len(name))
        known, first = self.first.setdefault(name, (what, span))
        if first is not span and not what == known == "variable":
            message = f"{what} `{name}` is {self.verb} twice"
            labels = (Label(first, f"first {self.verb} here"),)
            severity = Severity.WARNING if what in _REPLACING else Severity.ERROR
            again = f"{self.verb} again here"
            self.diagnostics.add(
                Diagnostic("T095", message, span, again, labels, severity=severity)
            )


def report_twice(
    source: Source,
    diagnostics: Diagnostics,
    what: str,
    names: Iterable[tuple[str, int]],
    verb: str = "declared",
) -> None:
    """Report the names that a list has twice; each comes with the offset of its start.

    Emits: T095.
    """
    declared = Declared(source, diagnostics, verb)
    for name, start in names:
        declared.add(what, name, start)
