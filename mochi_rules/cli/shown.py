"""Diagnostics on stderr: loaded by each verb, and little else with it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mochi_rules.base.render import render_all
from mochi_rules.cli.options import color_choice
from mochi_rules.ui.color import use_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.base.diagnostic import Diagnostic


def show(diagnostics: Sequence[Diagnostic]) -> None:
    """Show errors and warnings on stderr."""
    if diagnostics:
        is_terminal = sys.stderr.isatty()
        color = use_color(color_choice[0], os.environ, is_terminal=is_terminal)
        sys.stderr.write(render_all(diagnostics, color=color))
