"""What a program may use when it runs, and the lines in which its launcher reads that.

The other side is `toolchains/native/launcher/src/settings.rs`.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from mochi_rules.aot.config import canonical
from mochi_rules.aot.engine_options import BY_NAME, MEMORY_LIMIT, MEMORY_UNIT
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.engine_options import Option, Value

ACCESSES = ("r", "rw")


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that a program may use.

    `host` is its path, relative to where the program is run; `guest` is what the program calls it;
    `access` is one of ACCESSES.
    """

    host: str
    guest: str
    access: str = "r"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a program may use. None means no limit; a stack of None has 128 MiB.

    Fuel is in units, about one for each instruction of the wasm; `memory_limit` and `stack` are in
    bytes. The ranges are in NUMBERS.
    """

    fuel: int | None = None
    deadline_ms: int | None = None
    memory_limit: int | None = None
    stack: int | None = None
    directories: tuple[Directory, ...] = ()

    @property
    def limits(self) -> dict[str, int]:
        """The numbers that are set, by name."""
        found = {number.name: getattr(self, number.name) for number in NUMBERS}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Number:
    """A number among the settings, with its range; `unit` is for people.

    Only an artifact that was compiled with `option` can have it. `unlimited` is what the launcher
    of such an artifact gets when nobody sets a limit.
    """

    name: str
    smallest: int
    largest: int
    unit: str
    option: str = ""
    unlimited: int | None = None


_MAX_NUMBER = (1 << 64) - 1
_MAX_DIRECTORIES = 4096
_MAX_DIGITS = 100  # zeros in front are taken

NUMBERS = (
    Number("fuel", 1, _MAX_NUMBER, "units", "consume_fuel", _MAX_NUMBER),
    # The C launcher sleeps under Windows, where a time has 32 bits.
    Number("deadline_ms", 1, (1 << 32) - 1, "milliseconds", "epoch_interruption", 0),
    Number("memory_limit", MEMORY_UNIT, MEMORY_LIMIT, "bytes"),
    # More than the memory of a machine cannot even be reserved on Linux.
    Number("stack", 64 * 1024, 4 << 30, "bytes"),
)

_LIMITS = frozenset(number.name for number in NUMBERS)

# The options of the engine that a launcher must know; the others leave no trace at run time.
_ENGINE = (
    "compiler",
    "debug_info",
    "signals_based_traps",
    "memory_reservation",
    "memory_guard_size",
)


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """The settings of a launcher: the engine's options by name, and the limits.

    `lines` is the section `mochi.lines` in base64, for traps; it is not looked into.
    """

    engine: Mapping[str, Value]
    run: RunSettings
    lines: str = ""


def launcher_settings(config: EngineConfig, run: RunSettings) -> bytes:
    """Return the settings of a program compiled under `config`, as its launcher reads them.

    What has its default is not written: equal meaning gives equal bytes.

    Emits: A100 (number out of range), A101 (not compiled for it), A102 (directory).

    Raises:
        MochiError: A setting is not supported.
    """
    if found := [*_check_numbers(config, run), *_check_directories(run.directories)]:
        raise MochiError(*found)
    lines = [*_engine_lines(config), *_number_lines(config, run)]
    lines += [f"dir\t{item.access}\t{item.host}\t{item.guest}" for item in run.directories]
    return "".join(f"{line}\n" for line in lines).encode()


def lines_setting(section: bytes) -> bytes:
    """Return what is added to the settings, so that traps are reported with the program's lines."""
    return b"lines\t%b\n" % b64encode(section) if section else b""


def read_settings(data: bytes) -> LauncherSettings:
    """Decode the settings of an executable as its launcher does: later lines win.

    The ranges of numbers are not checked again. A line without its end is taken.

    Emits: A110.

    Raises:
        MochiError: A launcher would refuse them.
    """
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise fail(
            "A110", "the settings are not UTF-8", help="build the executable again"
        ) from None
    if not lines[-1]:
        lines.pop()
    engine: dict[str, Value] = {}
    limits: dict[str, int] = {}
    directories: list[Directory] = []
    places = ""
    for line in lines:
        match line.split("\t"):
            case ["dir", "r" | "rw" as access, host, guest] if len(directories) < _MAX_DIRECTORIES:
                directories.append(Directory(host, guest, access))
            case ["lines", value]:
                places = value
            case [name, value] if name in _ENGINE:
                engine[name] = _read_option(line, BY_NAME[name], value)
            case [name, value] if name in _LIMITS:
                limits[name] = _read_number(line, value)
            case _:
                raise _unknown(line)
    return LauncherSettings(engine, RunSettings(**limits, directories=tuple(directories)), places)


def _read_option(line: str, option: Option, value: str) -> Value:
    if option.kind is bool and value in {"0", "1"}:
        return value == "1"
    if option.kind is str and value in option.choices:
        return value
    if option.kind is int:
        return _read_number(line, value)
    raise _unknown(line)


def _read_number(line: str, value: str) -> int:
    """Read a number of 64 bits; Python alone would take `1_000` and the digits of other scripts."""
    digits = value if value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS else ""
    if not digits or int(digits) > _MAX_NUMBER:
        raise _unknown(line)
    return int(digits)


def _unknown(line: str) -> MochiError:
    return fail(
        "A110", f"no launcher knows the setting `{line!r:.80}`", help="build the executable again"
    )


def _engine_lines(config: EngineConfig) -> Iterator[str]:
    values = canonical(config)
    for name in _ENGINE:
        value = values[name]
        if value != BY_NAME[name].default:
            yield f"{name}\t{int(value) if isinstance(value, bool) else value}"


def _number_lines(config: EngineConfig, run: RunSettings) -> Iterator[str]:
    for number in NUMBERS:
        value = getattr(run, number.name)
        if value is None and number.option and getattr(config, number.option):
            value = number.unlimited
        if value is not None:
            yield f"{number.name}\t{value}"


def _check_numbers(config: EngineConfig, run: RunSettings) -> Iterator[Diagnostic]:
    for number in NUMBERS:
        value = getattr(run, number.name)
        if value is None:
            continue
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not number.smallest <= value <= number.largest:
            yield Diagnostic(
                "A100",
                f"`{number.name}` must be {number.smallest} to {number.largest} {number.unit}, "
                f"got `{value!r:.80}`",
                help="leave it out for no limit",
            )
        elif number.option and not getattr(config, number.option):
            yield Diagnostic(
                "A101",
                f"`{number.name}` works only in a program that is compiled for it",
                help=f"write `{number.option} = true`",
            )


def _check_directories(directories: tuple[Directory, ...]) -> Iterator[Diagnostic]:
    for index, item in enumerate(directories):
        if item.access not in ACCESSES:
            yield Diagnostic(
                "A102",
                f"the access to `{item.host}` must be `r` or `rw`, got `{item.access}`",
                help="write `r` to let the program read, `rw` to let it write too",
            )
        for name in (item.host, item.guest):
            if not _is_writable_name(name):
                yield Diagnostic(
                    "A102",
                    f"`{name!r:.80}` is not a valid name of a directory",
                    notes=("a name must be UTF-8 without control characters, and not empty",),
                    help="rename the directory",
                )
        if any(item.guest == other.guest for other in directories[:index]):
            yield Diagnostic(
                "A102",
                f"two directories have the name `{item.guest}` in the program",
                help="give one of them another name",
            )


def _is_writable_name(name: str) -> bool:
    """Return whether a name can be written as a line of the settings and as a C string."""
    try:
        return name.encode() != b"" and min(name) >= " " and "\x7f" not in name
    except UnicodeEncodeError:
        return False
