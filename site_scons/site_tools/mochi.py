"""The tool `mochi`, by name."""  # noqa: INP001 - SCons loads it

from mochi_rules.rules.site_tools.mochi import exists, generate

__all__ = ["exists", "generate"]
