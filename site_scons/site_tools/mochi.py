"""The tool `mochi`, by name."""

from mochi_rules.rules.scons.tool import exists, generate

__all__ = ["exists", "generate"]
