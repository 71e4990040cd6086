"""The tool as SCons finds it by name: `toolpath=[PyPackageDir("mochi_rules.rules.site_tools")]`."""

from mochi_rules.rules.scons.tool import exists, generate

__all__ = ["exists", "generate"]
