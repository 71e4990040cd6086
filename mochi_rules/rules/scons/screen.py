"""The terminal that a build shares with SCons, the user's build files, and the tools they start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SCons.Action

from mochi_rules.ui.watched import watch_streams

if TYPE_CHECKING:
    from mochi_rules.ui.console import Console


def share_terminal(console: Console) -> None:
    """Take the live line off the terminal before anybody else writes there.

    A program that SCons starts writes past our streams: while one runs there is no live line.
    """
    if not console.has_live_line:
        return
    watch_streams(console)
    execute = SCons.Action.CommandAction.execute

    def paused(*arguments: Any, **options: Any) -> Any:
        with console.paused():
            return execute(*arguments, **options)

    SCons.Action.CommandAction.execute = paused
