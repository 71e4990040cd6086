"""Whether to use color: one function, so that every command decides alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICES = ("auto", "always", "never")
_FORCING = ("FORCE_COLOR", "CLICOLOR_FORCE")


def use_color(choice: str, environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Return whether to color what goes to a stream.

    The first that is set decides: `choice` (one of CHOICES), NO_COLOR, FORCE_COLOR or
    CLICOLOR_FORCE, TERM, the stream itself. Source: https://no-color.org and ninja's line printer.
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in ("", "0") for name in _FORCING):
        return True
    return is_terminal and environment.get("TERM") != "dumb"
