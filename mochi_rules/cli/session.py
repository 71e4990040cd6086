"""What the verbs share: the configuration, the cache, the pipeline, and how errors are shown."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.render import render_all
from mochi_rules.cache.cache import Cache
from mochi_rules.cli.options import CACHE, COLOR, CPU, MODE, TARGET, color_choice
from mochi_rules.rules.configuration import find_configurations
from mochi_rules.rules.identity import Identities
from mochi_rules.rules.lazy import LazyEngines
from mochi_rules.rules.pipeline import Pipeline
from mochi_rules.ui.color import use_color

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.cli.options import Parsed
    from mochi_rules.rules.configuration import Configuration

BUILDING = (TARGET, MODE, CPU, CACHE, COLOR)


def configuration_of(parsed: Parsed) -> Configuration:
    """Return the configuration that the options ask for.

    Emits: B004, B052 (several platforms), C010 to C013.
    """
    found = find_configurations(parsed.get("target"), parsed.get("mode"), parsed.get("cpu"))
    if len(found) > 1:
        message = "`--target` names one platform at a time"
        raise fail("B052", message, help=f"write `--target {found[0].platform.name}`")
    return found[0]


def open_pipeline(root: Path | None, config: EngineConfig | None) -> Pipeline:
    """Return a pipeline whose engines start when they are needed; `config` is what they are for."""
    memo = root / "v1" / "identities" if root else None
    return Pipeline(Cache(root), LazyEngines(config), Identities(memo))


def close_pipeline(pipeline: Pipeline) -> None:
    """End what was started, and say what is wrong with the cache."""
    pipeline.engines.close()
    pipeline.cache.flush()
    show(pipeline.cache.warnings)


def show(diagnostics: Sequence[Diagnostic]) -> None:
    """Show errors and warnings on stderr."""
    if diagnostics:
        is_terminal = sys.stderr.isatty()
        color = use_color(color_choice[0], os.environ, is_terminal=is_terminal)
        sys.stderr.write(render_all(diagnostics, color=color))
