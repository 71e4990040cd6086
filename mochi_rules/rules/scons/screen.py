"""The terminal that a build shares with SCons, the user's build files, and the tools they start."""

from __future__ import annotations

import os
import sys
from typing import Any

import SCons.Action
import SCons.Script

from mochi_rules.base.clock import process_age
from mochi_rules.ui.color import CHOICES as COLOR_CHOICES
from mochi_rules.ui.color import use_color
from mochi_rules.ui.console import CHOICES as UI_CHOICES
from mochi_rules.ui.console import Console
from mochi_rules.ui.output import Output
from mochi_rules.ui.watched import watch_streams


def open_console() -> Console:
    """Return the console that the options of the command line ask for."""
    options = (("ui", UI_CHOICES, "how to show progress"),
               ("color", COLOR_CHOICES, "whether to use color"))  # fmt: skip
    for name, choices, text in options:
        SCons.Script.AddOption(
            f"--{name}", dest=f"mochi_{name}", type="choice", choices=choices,
            default="auto", metavar="WHEN", help=text,
        )  # fmt: skip
    files = (("trace", "write when which step ran, for chrome://tracing or Perfetto"),
             ("build-events", "write the result as Bazel's build events, in JSON"))  # fmt: skip
    for name, text in files:
        SCons.Script.AddOption(
            f"--{name}", dest=f"mochi_{name.replace('-', '_')}", metavar="FILE", default="",
            help=text,
        )  # fmt: skip
    output, errors = Output(sys.stdout), Output(sys.stderr)
    choice = "quiet" if SCons.Script.GetOption("silent") else SCons.Script.GetOption("mochi_ui")
    color = use_color(
        SCons.Script.GetOption("mochi_color"), os.environ, is_terminal=errors.is_terminal
    )
    return Console(output, errors, choice=choice, color=color, age=process_age())


def share_terminal(console: Console) -> None:
    """Take the live line off the terminal before another program writes there.

    A program that SCons starts writes past our streams: while one runs there is no live line.
    """
    watch_streams(console)
    if not console.has_live_line:
        return
    execute = SCons.Action.CommandAction.execute

    def paused(*arguments: Any, **options: Any) -> Any:
        with console.paused():
            return execute(*arguments, **options)

    SCons.Action.CommandAction.execute = paused
