"""What the verbs share: the configuration, the cache, the pipeline, and how errors are shown."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mochi_rules.base.render import render_all
from mochi_rules.cache.cache import Cache
from mochi_rules.cli import start
from mochi_rules.cli.options import CACHE, COLOR, CPU, MODE, TARGET
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

    Emits: B004, C010 to C013.
    """
    return find_configurations(parsed.get("target"), parsed.get("mode"), parsed.get("cpu"))[0]


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
        color = use_color(start.color_choice[0], os.environ, is_terminal=is_terminal)
        sys.stderr.write(render_all(diagnostics, color=color))
