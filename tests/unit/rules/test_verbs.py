"""The one screen of `scons -h`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from mochi_rules.project.configuration import VARIABLES
from mochi_rules.project.label import Label
from mochi_rules.rules.verbs import OPTIONS, VERBS, help_text


def shown(*names: str) -> list[str]:
    """Return the lines of the help for a workspace with some targets in the folder `app`."""
    space: Any = SimpleNamespace(targets={Label("app", name): None for name in names})
    return help_text(space).splitlines()


def test_help_lists_what_can_be_written() -> None:
    """Each target, verb, variable and option begins a line."""
    heads = {line.split()[0].partition("=")[0] for line in shown("a", "b") if line.startswith("  ")}
    written = {"//app:a", "//app:b", *VERBS, *(row.name for row in VARIABLES)}
    assert written | {name.split()[0].partition("=")[0] for name in OPTIONS} <= heads


def test_no_line_is_wider_than_a_terminal() -> None:
    """Long texts and lists of values are wrapped."""
    assert max(map(len, shown("a"))) <= 100


def test_many_targets_are_counted() -> None:
    """The help stays one screen."""
    lines = shown(*(f"t{number:03}" for number in range(500)))
    assert sum(line.startswith("  //app:") for line in lines) < 100
    assert any(line.startswith("  ... and ") for line in lines)
