"""Configurations: for which platform, in which mode, and the variables that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.config import EngineConfig, engine_config
from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.platforms.architecture import ARCHITECTURES
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.platform import PLATFORMS, Platform, find_platform, host_platform
from mochi_rules.platforms.toolchain import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mochi_rules.aot.executable.settings import RunSettings
    from mochi_rules.project.profiles import Settings


@dataclass(frozen=True, slots=True)
class Mode:
    """How a program is compiled, as a name: the compiler's and the engine's settings.

    `optimize` is the level of optimization where the user names none.
    """

    name: str
    doc: str
    debug_names: bool
    optimize: int
    engine: Mapping[str, object] = field(default_factory=dict, compare=False)


# The first is the default.
MODES: tuple[Mode, ...] = (
    Mode("release", "fast code, without names of functions",
         debug_names=False, optimize=2, engine={"opt_level": "speed"}),
    Mode("debug", "for debuggers: lines, names of functions, and code that is not optimized",
         debug_names=True, optimize=0, engine={"opt_level": "none", "debug_info": True}),
)  # fmt: skip


# What a mode does not decide for WebAssembly of other languages. Wasmtime aborts on the debug
# information of some (bytecodealliance/wasmtime#5395), and it differs from process to process.
FOREIGN: Mapping[str, object] = {"debug_info": False}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What everything below one output directory is made for.

    `cpu` is a level's name, checked. `optimize` is how far the compiler goes. `profile` has the
    settings for all programs. `variant` says in the directory's name what else differs from the
    default: see `variant_of`.
    """

    platform: Platform
    mode: Mode
    cpu: str
    optimize: int
    profile: Mapping[str, object] = field(default_factory=dict, compare=False)
    variant: str = ""

    @property
    def name(self) -> str:
        """The name of the output directory: `x86_64-linux-debug`, or `…-debug-v3+sandboxed`."""
        is_default = self.cpu == self.platform.architecture.default_cpu_level
        cpu = "" if is_default else f"-{self.cpu.removeprefix('x86-64-')}"
        level = "" if self.optimize == self.mode.optimize else f"-O{self.optimize}"
        return f"{self.platform.name}-{self.mode.name}{cpu}{level}{self.variant}"

    def engine(self, settings: Mapping[str, object] | None = None) -> EngineConfig:
        """Return the engine's configuration.

        `settings` of a rule go before those of the profile, and these before those of the mode.

        Emits: A050 to A054, B027, C012, C013.

        Raises:
            MochiError: A setting is wrong.
        """
        return self.loader(self._split(settings)[0])

    def launch(self, settings: Mapping[str, object] | None = None) -> bytes:
        """Return what the launcher reads: the engine's configuration, and what the program may use.

        Emits: as `engine`; A100 to A102 (a limit or a directory cannot be).

        Raises:
            MochiError: A setting is wrong.
        """
        from mochi_rules.aot.executable.settings import launcher_settings  # noqa: PLC0415

        return launcher_settings(self.engine(settings), self._split(settings)[1])

    def run(self, settings: Mapping[str, object] | None = None) -> RunSettings:
        """Return what a program may use when it runs.

        Emits: as `engine`.

        Raises:
            MochiError: A setting is wrong.
        """
        return self._split(settings)[1]

    def _split(self, settings: Mapping[str, object] | None) -> tuple[Settings, RunSettings]:
        both = {**self.profile, **(settings or {})}
        if not both:
            from mochi_rules.aot.executable.settings import RunSettings  # noqa: PLC0415

            return dict(self.mode.engine), RunSettings()
        from mochi_rules.project.profiles import split  # noqa: PLC0415 - most programs have none

        engine, run = split(both)
        # What a debugger needs is given up for a setting that contradicts it.
        mode = {**self.mode.engine}
        if engine.get("compiler") == "winch":
            mode.pop("debug_info", None)
        return {**mode, **engine}, run

    def loader(self, settings: Mapping[str, object]) -> EngineConfig:
        """Return the configuration that loads what was compiled elsewhere, in whatever mode.

        Emits: as `engine`.

        Raises:
            MochiError: A setting is wrong.
        """
        return engine_config(self.platform, self.cpu, settings)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the command line, `NAME=VALUE`; `values` lists what is allowed."""

    name: str
    default: str
    doc: str
    values: Callable[[], Iterable[str]]


LINKS = ("auto", "launcher", "bundle", "native", "none")
LEVELS = ("0", "1", "2")  # of optimization

VARIABLES: tuple[Variable, ...] = (
    Variable("target", "this machine", "platforms to build for, separated by commas, or `all`",
             lambda: [row.name for row in PLATFORMS]),
    Variable("mode", MODES[0].name, "how to compile", lambda: [mode.name for mode in MODES]),
    Variable("cpu", "of the platform", "the CPU level that the code may require",
             lambda: [level.name for row in ARCHITECTURES for level in row.cpu_levels]),
    Variable("optimize", "of the mode", "how far the compiler optimizes: `2` for the fastest "
             "program, `1` to compile fast, `0` to leave the program as it is written",
             lambda: LEVELS),
    Variable("engine", "none", "a profile of `mochi.toml`, for all programs", lambda: ["NAME"]),
    Variable("link", "auto", "the launcher of executables: `auto` where one is installed, "
             "`bundle` from a C compiler, `native` without Wasmtime, `none` for no executables",
             lambda: LINKS),
    Variable("toolchain", "auto", "the tools to use besides Python packages: `system` for those "
             "installed, `auto` also for those that cargo builds; or one that has to compile all",
             lambda: list(POLICIES)),
    Variable("aot", "none", "a `wasmtime` command to compile with", lambda: ["PATH"]),
    Variable("cache", "of the user", "where results are cached: a directory, or `off`, as for a "
             "release",
             lambda: ["DIR", "off"]),
    Variable("remote", "none", "the cache that machines share, such as "
             "`grpcs://cache.example.org/main`", lambda: ["URL", "off"]),
    Variable("remote_mode", "both", "how the remote cache is used; `read` for pull requests",
             lambda: ["read", "write", "both", "off"]),
    Variable("remote_upload", "async", "`wait` to end only when everything is uploaded",
             lambda: ["async", "wait"]),
    Variable("remote_require", "no", "`yes` to fail without the remote cache",
             lambda: ["yes", "no"]),
    Variable("executor", "local", "where steps run: `remote` for the server of the remote cache, "
             "`race` for both; `aot=remote` for one kind of step",
             lambda: ["local", "remote", "race"]),
    Variable("version", "none", "the version of a release, and of stamped programs",
             lambda: ["VERSION"]),
    Variable("sign", "none", "the secret key that signs a release", lambda: ["FILE"]),
    Variable("sign_with", "none", "a command that signs each file of a release, such as "
             "`cosign sign-blob --yes`", lambda: ["COMMAND"]),
    Variable("allow_dirty", "no", "whether to release a work tree that differs from its commit",
             lambda: ("no", "yes")),
)  # fmt: skip


def find_mode(name: str) -> Mode:
    """Return the mode of a name.

    Emits: B004.

    Raises:
        MochiError: There is no such mode.
    """
    for mode in MODES:
        if mode.name == name:
            return mode
    names = [mode.name for mode in MODES]
    raise fail(
        "B004",
        f"no mode is named `{name}`",
        notes=(f"the modes are {listing(names)}",),
        help=did_you_mean(name, names) or "write `mode=debug`",
    )


def check_choice(name: str, value: str) -> str:
    """Return the value of a variable of few values; empty is the default.

    Emits: B004.

    Raises:
        MochiError: It is none of them.
    """
    variable = next(row for row in VARIABLES if row.name == name)
    choices = list(variable.values())
    if not value or value in choices:
        return value or variable.default
    example = variable.default if variable.default in choices else choices[-1]
    raise fail(
        "B004",
        f"`{name}` cannot be `{value}`",
        notes=(f"it must be one of {listing(choices)}",),
        help=did_you_mean(value, choices) or f"write `{name}={example}`",
    )


def variant_of(engine: str, link: str) -> str:
    """Return how an output directory is called for `engine=` and `link=`: `-bundle+sandboxed`.

    The other kinds of `link` make the same files, or fewer. The name of a profile comes last,
    behind a sign of its own: whatever it is, it means nothing else.
    """
    variant = f"-{link}" if link in ("bundle", "native") else ""
    if engine:
        from urllib.parse import quote  # noqa: PLC0415 - most builds have no profile

        variant += f"+{quote(engine, safe='')}"
    return variant


def find_configurations(
    target: str = "",
    mode: str = "",
    cpu: str = "",
    profile: Mapping[str, object] | None = None,
    variant: str = "",
    optimize: str = "",
) -> list[Configuration]:
    """Return the configurations that the variables ask for, each once; empty strings are defaults.

    Emits: B004, C010, C011, C012, C013.

    Raises:
        MochiError: A value is not allowed.
    """
    chosen = find_mode(mode or MODES[0].name)
    level = int(check_choice("optimize", optimize)) if optimize else chosen.optimize
    return [
        Configuration(
            platform, chosen, find_cpu_level(platform, cpu).name, level, profile or {}, variant
        )
        for platform in _platforms(target)
    ]


def _platforms(target: str) -> list[Platform]:
    if not target:
        return [host_platform()]
    if target == "all":
        return list(PLATFORMS)
    names = [name.strip() for name in target.split(",")]
    return list(dict.fromkeys(find_platform(name) for name in names if name or len(names) == 1))


def check_arguments(arguments: Mapping[str, str], declared: Iterable[str] = ()) -> None:
    """Refuse variables that nobody knows, and ours without a value.

    `arguments` are values by name, and `declared` names those of the user's own SConstruct.

    Emits: B003, B004.

    Raises:
        MochiError: A variable is unknown, or empty.
    """
    for variable in VARIABLES:
        if arguments.get(variable.name) == "":
            help_ = f"write `{variable.name}=VALUE`, or leave it out"
            raise fail("B004", f"`{variable.name}` needs a value", help=help_)
    known = [*(variable.name for variable in VARIABLES), *declared]
    for name in arguments:
        if name not in known:
            raise fail(
                "B003",
                f"unknown variable `{name}`",
                notes=(f"the variables are {listing(known)}",),
                help=did_you_mean(name, known)
                or f'declare one of your own: `tools=[("mochi", {{"variables": ["{name}"]}})]`',
            )
