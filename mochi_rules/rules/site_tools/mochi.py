"""The tool as SCons finds it by name: `toolpath=[PyPackageDir("mochi_rules.rules.site_tools")]`."""

from __future__ import annotations

from typing import Any

from mochi_rules.rules.null_build.unchanged import begin


def generate(env: Any, **parameters: Any) -> None:
    """Give an environment the tool, unless the build has nothing to do: then it ends here."""
    watch = begin(str(parameters.get("build", "build")).strip("/"))
    from mochi_rules.rules.tool import add_tool  # noqa: PLC0415 - takes 0.1 s

    add_tool(env, watch, parameters)


def exists(_env: Any) -> bool:
    """Return that the tool can be used."""
    return True
