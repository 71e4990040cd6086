"""Settings of programs: the engine's, and what a program may use when it runs.

They are written together, in an attribute `engine` of a rule or in a profile of `mochi.toml`:

    [engine.sandboxed]
    fuel = 1_000_000_000
    memory_limit = 268_435_456
    dirs = ["data", "out:rw"]
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mochi_rules.aot.engine_options import BY_NAME
from mochi_rules.aot.executable.settings import NUMBERS, Directory, RunSettings
from mochi_rules.base.dataclass import fields, replace
from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.platforms.platform import find_platform
from mochi_rules.project.project_file import ENGINE, FILE, read_project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.project.project_file import ProjectFile

_DIRECTORIES = "dirs"
_RUN_NAMES = (*(number.name for number in NUMBERS), _DIRECTORIES)

Settings = dict[str, object]

assert {field.name for field in fields(RunSettings)} >= {number.name for number in NUMBERS}


def split(settings: Mapping[str, object]) -> tuple[Settings, RunSettings]:
    """Return settings as those of the engine, and those of the run.

    A limit of the run turns on what it needs of the engine: `fuel` counts instructions, and
    `deadline_ms` looks at a clock.

    Emits: A050 (no such setting), B027 (`dirs` is wrong).

    Raises:
        MochiError: There is no such setting, or a directory cannot be understood.
    """
    known = (*BY_NAME, *_RUN_NAMES)
    if unknown := [name for name in settings if name not in known]:
        raise MochiError(*(_unknown(name, known) for name in unknown))
    run: dict[str, Any] = {name: value for name, value in settings.items() if name in _RUN_NAMES}
    engine = {name: value for name, value in settings.items() if name not in _RUN_NAMES}
    for number in NUMBERS:
        if number.option and run.get(number.name) is not None:
            engine.setdefault(number.option, True)
    directories = _directories(run.pop(_DIRECTORIES, ()))
    return engine, RunSettings(**run, directories=directories)


def _unknown(name: str, known: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        "A050",
        f"neither the engine nor a run has a setting `{name}`",
        notes=(f"the settings are {listing(known)}",),
        help=did_you_mean(name, known) or "leave it out",
    )


def _directories(value: object) -> tuple[Directory, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _wrong_directories(value)
    return tuple(map(parse_directory, value))


def parse_directory(text: str) -> Directory:
    """Return the directory that `HOST`, `HOST=GUEST`, or either with `:rw` behind it, names.

    Emits: B027.

    Raises:
        MochiError: It is empty.
    """
    access = "rw" if text.endswith(":rw") else "r"
    host, equals, guest = text.removesuffix(":rw").partition("=")
    if not host or (equals and not guest):
        raise _wrong_directories([text])
    return Directory(host, guest or host, access)


def _wrong_directories(value: object) -> MochiError:
    return fail(
        "B027",
        f"`{_DIRECTORIES}` must be a list of directories, got `{value!r:.60}`",
        help=f'write `{_DIRECTORIES} = ["data", "out:rw", "../tables=tables"]`',
    )


class Profiles:
    """The profiles of a workspace: the tables `[engine.NAME]` of its `mochi.toml`, read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._checked: set[str] = set()

    @property
    def names(self) -> list[str]:
        """What the profiles are called.

        Emits: B010, B011, B028 (the file is wrong).
        """
        return list(self._profiles)

    def find(self, name: str) -> Settings:
        """Return the settings of a profile, checked.

        Emits: B010, B011, B028 (the file is wrong), B029 (no such profile), A050 to A054, A100 to
        A102, B027 (a setting is wrong).

        Raises:
            MochiError: There is no such profile, or a setting cannot be.
        """
        profiles = self._profiles
        if name in profiles:
            if name not in self._checked:
                _check(self._file, name, profiles[name])
                self._checked.add(name)
            return profiles[name]
        notes = (f"the profiles are {listing(profiles)}",) if profiles else ()
        raise MochiError(
            Diagnostic(
                "B029",
                f"no profile of the engine is named `{name}`",
                notes=notes,
                help=did_you_mean(name, profiles) or f"write `[{ENGINE}.{name}]` in `{FILE}`",
            )
        )

    @cached_property
    def _file(self) -> ProjectFile:
        return read_project(self._root)

    @cached_property
    def _profiles(self) -> Mapping[str, Settings]:
        tables = self._file.tables.get(ENGINE, {})
        is_table = isinstance(tables, dict)
        others = [name for name, value in (tables.items() if is_table else ())
                  if not isinstance(value, dict)]  # fmt: skip
        if others or not is_table:
            raise MochiError(
                Diagnostic(
                    "B028",
                    f"`{ENGINE}` of `{FILE}` must hold tables",
                    self._file.locate(ENGINE, *others[:1]),
                    help=f"write `[{ENGINE}.sandboxed]`, and below it `fuel = 1_000_000`",
                )
            )
        return tables  # type: ignore[no-any-return] # TOML has no types


def _check(file: ProjectFile, name: str, settings: Settings) -> None:
    """Check a profile, as a program on a platform with all features would have it."""
    from mochi_rules.aot.config import engine_config  # noqa: PLC0415 - of profiles only
    from mochi_rules.aot.executable.settings import launcher_settings  # noqa: PLC0415

    try:
        engine, run = split(settings)
        launcher_settings(engine_config(find_platform("x86_64-linux"), "", engine), run)
    except MochiError as error:
        found = (replace(item, span=file.locate(ENGINE, name, *_named(settings, item.message)))
                 for item in error.diagnostics)  # fmt: skip
        raise MochiError(*found) from None


def _named(settings: Settings, message: str) -> list[str]:
    """Return the first setting that a message names, if it names one."""
    return [name for name in settings if re.search(rf"`{re.escape(name)}\b", message)][:1]
