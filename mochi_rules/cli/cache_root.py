"""Where the cache is, by the options of a command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.cache.directory import default_root

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def cache_root(parsed: Parsed) -> Path | None:
    """Return the directory of the cache; None where it is off."""
    value = parsed.get("cache")
    if value == "off":
        return None
    return Path(value).expanduser().absolute() if value else default_root()
