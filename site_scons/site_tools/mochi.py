"""The tool `mochi`, by name."""  # noqa: INP001 - SCons loads it

from mochi_rules.rules.scons.tool import exists, generate

__all__ = ["exists", "generate"]
