"""The tool: `Environment(tools=["mochi"])` gives an environment builders, rules and verbs."""

from __future__ import annotations

import atexit
import gc
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Node.FS
import SCons.Script

from mochi_rules.base import trace
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.files import reason, write_through
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.cache.directory import default_root
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.project.configuration import (
    VARIABLES,
    check_arguments,
    check_choice,
    find_configurations,
    variant_of,
)
from mochi_rules.project.profiles import Profiles
from mochi_rules.rules.builders import CONFIGURATION, add_builders
from mochi_rules.rules.executables import add_executable_builder
from mochi_rules.rules.foresight import fetch_ahead
from mochi_rules.rules.hooks import install_hooks
from mochi_rules.rules.releases.releases import check_caches, is_releasing
from mochi_rules.rules.rules import rule_functions
from mochi_rules.rules.scons.errors import scons_error
from mochi_rules.rules.scons.interrupts import end_on_interrupt
from mochi_rules.rules.scons.place import user_place
from mochi_rules.rules.scons.screen import open_console, share_terminal
from mochi_rules.rules.summary import summarize
from mochi_rules.rules.targets import install_lookup
from mochi_rules.rules.verbs import PREFETCH, add_verbs, help_text, is_building
from mochi_rules.rules.workspace import Settings, Workspace, open_workspace
from mochi_rules.steps.caches import find_away, find_remote, open_cache
from mochi_rules.steps.engines.engines import PooledEngines
from mochi_rules.steps.tools.tool_choice import Toolchains

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.rules.null_build.unchanged import Watch
    from mochi_rules.ui.console import Console

# What holds for releases unless the user says otherwise: they trust no cache.
_OF_RELEASES = {"cache": "off", "remote": "off", "link": "launcher"}
_NAMES = tuple(variable.name for variable in VARIABLES)
_PARAMETERS = (*_NAMES, "variables", "toolchains", "build")

# The graph is one large live heap: collecting it while it grows takes a quarter of a null build.
_GC_THRESHOLD = 200_000


def add_tool(env: Any, watch: Watch | None, parameters: dict[str, Any]) -> None:
    """Give an environment the tool. Parameters stand for variables that are not given.

    `variables` lists variables of the user's own, `toolchains` are asked before ours, and `build`
    is the output directory. The first environment of a build comes with its watch.
    """
    is_first = not _opened
    space = open_workspace(lambda: _open(env, parameters))
    if is_first:
        _opened.append(space)
        _install(space, env, watch)
    env[CONFIGURATION] = space.settings.configurations[0]
    add_builders(env)
    add_executable_builder(env)
    for name, function in rule_functions().items():
        env.AddMethod(function, name)


_opened: list[Workspace] = []


def _open(env: Any, parameters: dict[str, Any]) -> Workspace:
    console = open_console()
    try:
        settings = _settings(parameters, console)
    except MochiError as error:
        raise scons_error(error, console) from None
    toolchains = settings.toolchains
    space = Workspace(env, settings, console, PooledEngines(toolchains, settings.away))
    space.is_building = is_building()
    console.find_total = space.requested
    return space


def _install(space: Workspace, env: Any, watch: Watch | None) -> None:
    """Install the hooks that belong to the process, not to an environment."""
    gc.set_threshold(_GC_THRESHOLD, 50, 100)
    install_lookup()
    share_terminal(space.console)
    space.at_end.append(partial(summarize, space))
    cache = space.settings.cache
    if isinstance(cache, TieredCache):
        space.at_first_step.append(partial(fetch_ahead, space, cache))
    if path := SCons.Script.GetOption("mochi_trace"):
        trace.start()
        space.at_end.append(partial(_write_file, space, path, trace.document))
    if path := SCons.Script.GetOption("mochi_build_events"):
        began = time.time()
        space.at_end.append(lambda: _write_file(space, path, lambda: _events(space, began)))
    if watch:  # which takes its streams away again when it has seen enough
        watch.observer.watch_output()
        space.at_begin.append(watch.observer.stop)
        space.at_end.append(partial(watch.finish, space))
    add_verbs(env)
    _publish(env)
    install_hooks(space)
    atexit.register(space.close)
    atexit.register(end_on_interrupt)  # the last to be registered is the first to run
    SCons.Script.help_text = _Help(space, SCons.Script.help_text or "")


def _write_file(space: Workspace, path: str, make: Callable[[], bytes]) -> None:
    """Write what happened; a build does not fail for that."""
    try:
        write_through(space.root / path, make())
    except OSError as error:
        space.console.say(f"note: cannot write `{path}`: {reason(error)}")


def _events(space: Workspace, began: float) -> bytes:
    from mochi_rules.rules.build_events import build_events  # noqa: PLC0415 - of this option only

    return build_events(space, began)


class _Help:
    """The text of `scons -h`, made when it is printed: then all targets are declared.

    Takes the place of the text that SCons keeps; what the user's `Help` adds follows it.
    """

    def __init__(self, space: Workspace, text: str) -> None:
        self._space, self._text = space, text

    def __add__(self, text: str) -> _Help:
        return _Help(self._space, self._text + text)

    def __str__(self) -> str:
        return help_text(self._space) + self._text


def _publish(env: Any) -> None:
    """Make the rules functions of every SConscript, as those of SCons are."""
    functions = {name: partial(function, env) for name, function in rule_functions().items()}
    module: Any = sys.modules["SCons.Script.SConscript"]  # the name is taken by a function
    module.BuildDefaultGlobals()
    module.GlobalDict.update(functions)
    for frame in module.call_stack:
        for name, function in functions.items():
            frame.globals.setdefault(name, function)


def _settings(parameters: dict[str, Any], console: Console) -> Settings:
    """Return the settings of the command line and the parameters.

    Emits: B003, B004, B026 (no such parameter), B028, B029, C010 to C013, K020.
    """
    top = Path(SCons.Node.FS.get_default_fs().Top.get_abspath())
    for name in parameters:
        if name not in _PARAMETERS:
            raise MochiError(Diagnostic(
                "B026",
                f"the tool `mochi` has no parameter `{name}`",
                user_place(top).locate(name),
                notes=(f"its parameters are {listing(_PARAMETERS)}",),
                help=did_you_mean(name, _PARAMETERS),
            ))  # fmt: skip
    arguments = SCons.Script.ARGUMENTS
    check_arguments(arguments, parameters.get("variables", ()))
    values = {name: str(arguments.get(name, parameters.get(name, ""))) for name in _NAMES}
    profiles = Profiles(top)
    profile = profiles.find(values["engine"]) if values["engine"] else {}
    if is_releasing():
        values = {**values, **{name: values[name] or _OF_RELEASES[name] for name in _OF_RELEASES}}
    if PREFETCH in SCons.Script.COMMAND_LINE_TARGETS:  # whoever asks for that wants to wait
        values["remote_require"] = "yes"
    link = check_choice("link", values["link"])
    check_choice("allow_dirty", values["allow_dirty"])
    configurations = find_configurations(
        values["target"],
        values["mode"],
        values["cpu"],
        profile,
        variant_of(values["engine"], link),
        values["optimize"],
    )
    remote = find_remote(top, values)
    if is_releasing():
        check_caches(remote)
    cache = open_cache(_root(top, values["cache"]), remote, console.say)
    return Settings(
        configurations=tuple(configurations),
        cache=cache,
        build=str(parameters.get("build", "build")).strip("/"),
        link=link,
        toolchains=Toolchains(
            tuple(parameters.get("toolchains", ())),
            str(top / Path(values["aot"]).expanduser()) if values["aot"] else "",
            check_choice("toolchain", values["toolchain"]),
        ),
        profiles=profiles,
        namespace=remote.namespace,
        away=find_away(cache, remote),
        variables=values,
        distrusts_caches=is_releasing() and values["cache"] == values["remote"] == "off",
    )


def _root(top: Path, value: str) -> Path | None:
    """Return the directory of the cache; None where it is off."""
    if value == "off":
        return None
    return top / Path(value).expanduser() if value else default_root()
