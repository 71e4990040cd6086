"""What a test is: a program that must end with status 0, and print what is expected."""

from __future__ import annotations

import difflib
import json
import posixpath
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import read_input
from mochi_rules.base.suggest import count_text
from mochi_rules.project.folder import check_name
from mochi_rules.steps.processes.capture import MAX_OUTPUT
from mochi_rules.steps.step import CWASM, PROGRAM, WASM, Made, Step
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.executable.settings import Directory
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.steps.engines.engines import Engines
    from mochi_rules.steps.processes.capture import Ran

STDIN, EXPECTED = "stdin", "expected"
RESULT = "result.json"
_SHOWN_LINES, _SHOWN_COLUMNS = 20, 500
_FILES = "dirs"  # begins the names of inputs that are files of the program's directories
_MAX_FILES_SIZE = 64_000_000  # bytes; they are copied for each run


@dataclass(frozen=True, slots=True)
class Case:
    """A test: what messages call it, its arguments, its time in seconds, what it may use."""

    name: str
    args: tuple[str, ...] = ()
    timeout: float = 60
    limits: tuple[tuple[str, int], ...] = ()
    directories: tuple[Directory, ...] = ()


def directory_inputs(case: Case, base: Path) -> dict[str, bytes]:
    """Return the files of a test's directories as inputs of its step; `base` is where paths start.

    Emits: A075 (no such directory), B010, B013, B041 (too large).

    Raises:
        MochiError: They cannot be read, or are too large to be copied for each run.
    """
    inputs: dict[str, bytes] = {}
    room = _MAX_FILES_SIZE
    for number, directory in enumerate(case.directories):
        root = base / directory.host
        if not root.is_dir():
            raise fail("A075", f"cannot open the directory `{directory.host}` for `{case.name}`")
        for path in sorted(item for item in root.rglob("*") if item.is_file()):
            room -= path.stat().st_size
            if room < 0:
                raise _too_large(case)
            name = path.relative_to(root).as_posix()
            check_name(name)
            inputs[f"{_FILES}/{number}/{name}"] = read_input(path)
    return inputs


def _too_large(case: Case) -> MochiError:
    return fail(
        "B041",
        f"the directories of `{case.name}` hold more than {size_text(_MAX_FILES_SIZE)}",
        notes=("a test gets a copy of them, and its result is cached by their content",),
        help="give the program a smaller directory in a target of its own",
    )


def case_step(case: Case, config: EngineConfig) -> Step:
    """Run a test.

    The inputs are the artifact; EXPECTED, STDIN, and WASM (for the lines of a trap) where there
    are any; and those of `directory_inputs`.

    Emits: B040 (failed).
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.processes.subprocesses import Program  # noqa: PLC0415 - loads processes
        from mochi_rules.wasm.debug.lines import find_lines  # noqa: PLC0415

        program = Program(
            inputs[CWASM],
            config,
            (case.name, *case.args),
            limits=dict(case.limits),
            directories=[(item.guest, item.access) for item in case.directories],
            files={n: data for n, data in inputs.items() if n.startswith(f"{_FILES}/")},
            lines=find_lines(inputs[WASM]) if WASM in inputs else b"",
        )
        ran = engines.subprocesses.run(program, inputs.get(STDIN, b""), case.timeout)
        return _passed(case, ran, inputs.get(EXPECTED))

    arguments = (f"--name={case.name}", f"--timeout={case.timeout:g}",
                 *(f"--{name}={value}" for name, value in case.limits),
                 *(f"--dir={item.guest}:{item.access}" for item in case.directories),
                 *(f"--argument={text}" for text in case.args))  # fmt: skip
    return Step("test", arguments, ("test", "wasmtime"), RESULT, make)


def executable_case_step(
    case: Case, platform: Platform, find_emulator: Callable[[], Sequence[str]]
) -> Step:
    """Run a test as an executable for a platform: on a server that has it, or under an emulator.

    The inputs are PROGRAM, and what lies beside it by name; EXPECTED and STDIN, where there are
    any; and those of `directory_inputs`. `find_emulator` returns the command that runs it here.

    Emits: B027 (a directory is elsewhere), B040 (failed), and as `find_emulator`.
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.processes.subprocesses import STARTED, Executable  # noqa: PLC0415 - as above

        hosts = [_inside(case, item.host) for item in case.directories]
        files, program = {}, {}
        for name, data in inputs.items():
            if name.startswith(f"{_FILES}/"):
                _, number, path = name.split("/", 2)
                files[f"{hosts[int(number)]}/{path}"] = data
            elif name not in (STDIN, EXPECTED):
                program[STARTED if name == PROGRAM else name] = data
        executable = Executable(platform.name, program, case.args, files, hosts)
        stdin = inputs.get(STDIN, b"")
        ran = engines.subprocesses.execute(executable, find_emulator, stdin, case.timeout)
        return _passed(case, ran, inputs.get(EXPECTED))

    arguments = (f"--platform={platform.name}", f"--timeout={case.timeout:g}",
                 *(f"--dir={item.host}" for item in case.directories),
                 *(f"--argument={text}" for text in case.args))  # fmt: skip
    return Step("test", arguments, ("test",), RESULT, make)


def _inside(case: Case, host: str) -> str:
    """Return the path of a directory, which must be in the folder that the executable starts in."""
    path = posixpath.normpath(host)
    if path.startswith(("/", "..")):
        raise fail(
            "B027",
            f"`{case.name}` cannot use `{host}`, which is not below the folder of its program",
            notes=("for another platform, a test starts an executable in a copy of its folders",),
            help="move the directory there",
        )
    return path


def _passed(case: Case, ran: Ran, expected: bytes | None) -> Made:
    check(case, ran, expected)
    facts = {"status": ran.status, "stdout": digest_bytes(ran.stdout).hash}
    return Made((json.dumps(facts, sort_keys=True) + "\n").encode(), "passed")


def check(case: Case, ran: Ran, expected: bytes | None) -> None:
    """Raise what is wrong with the way a test ended.

    Emits: B040.
    """
    if ran.status != 0:
        if ran.is_flood:
            reason = f"it printed more than {size_text(MAX_OUTPUT)}"
        elif ran.status is None:
            reason = f"it ran longer than {case.timeout:g} s"
        else:
            reason = f"it exited with status {ran.status}"
        notes = [_excerpt("standard output:", ran.stdout), _excerpt("standard error:", ran.stderr)]
    elif expected is not None and ran.stdout != expected:
        reason = "its output differs from the expected output"
        notes = [_difference(expected, ran.stdout)]
    else:
        return
    message = f"test `{case.name}` failed: {reason}"
    raise MochiError(Diagnostic("B040", message, notes=tuple(filter(None, notes))))


def _excerpt(intro: str, data: bytes) -> str:
    """Return the end of what a program printed, for that is where it failed."""
    lines = data.decode("utf-8", "replace").splitlines()
    if not lines:
        return ""
    hidden = len(lines) - _SHOWN_LINES
    if hidden > 0:
        lines = [f"... {count_text(hidden, 'line')} before", *lines[-_SHOWN_LINES:]]
    return "\n".join([intro, *(f"    {line:.{_SHOWN_COLUMNS}}" for line in lines)])


def _difference(expected: bytes, got: bytes) -> str:
    before, after = (data.decode("utf-8", "replace").splitlines() for data in (expected, got))
    lines = list(difflib.unified_diff(before, after, "expected", "printed", lineterm="", n=2))
    if not lines:
        return "they differ only in line endings"
    shown = lines[: _SHOWN_LINES + 3]
    if len(lines) > len(shown):
        shown.append(f"... {count_text(len(lines) - len(shown), 'line')} more")
    return "\n".join(["the difference:", *(f"    {line:.{_SHOWN_COLUMNS}}" for line in shown)])
