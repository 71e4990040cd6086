"""`mochi-rules doctor`: what this machine lacks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mochi_rules.cache.cache import Cache
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import CACHE, COLOR, TARGET, Verb
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.tools.doctor import examine, render
from mochi_rules.steps.tools.tool_choice import Toolchains

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def examine_machine(parsed: Parsed) -> int:
    """Show one line for each need; the status is 3 when something is missing."""
    configurations = find_configurations(parsed.get("target"))
    findings = examine(Toolchains(), configurations, Cache(cache_root(parsed)))
    sys.stdout.write(render(findings))
    return 0 if all(finding.is_good for finding in findings) else 3


VERB = Verb(
    "doctor",
    "doctor [OPTIONS]",
    "Show what this machine has and what is missing, with the command that installs it.",
    examine_machine,
    (TARGET, CACHE, COLOR),
    operands=(0, 0),
)
