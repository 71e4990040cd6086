"""Runs a `.cwasm` under WASI in this process, through the wheel.

A module is given WASI preview 1, a component WASI 0.2.

Loading an artifact runs its machine code: nothing in it is verified. The caller has compared its
digest with the one in the cache.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import groupby
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from mochi_rules.aot.engine import make_loader
from mochi_rules.aot.unwritten import Unwritten
from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostic, MochiError, environment_error, fail
from mochi_rules.base.signals import for_this_thread_alone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.executable.settings import Directory

# A program that recurses 100 000 deep may use 1.3 KB a frame; one that never stops recursing
# traps after some 0.3 s and 300 MB. The thread needs more than its program: the host's own calls.
WASM_STACK = 128 << 20
_HOST_STACK = 4 << 20
_PAGE = 64 << 10  # of any platform, at most

TRAP_STATUS = 3 if sys.platform == "win32" else 134  # as executables, and Wasmtime itself
_UNLIMITED_FUEL = (1 << 64) - 1
_NO_DEADLINE = 1 << 62  # ticks of an epoch that nobody counts

_COMMAND = "wasi:cli/run@0.2.0"  # stands for every 0.2
_OTHER_KIND = "incompatible object file format"  # what Wasmtime says of a component for a module
_BACKTRACE = "wasm backtrace:"
# How Wasmtime says why it stopped a program.
_EPOCH, _FUEL = "interrupt", "all fuel consumed by WebAssembly"
_UNREACHABLE = "wasm `unreachable` instruction executed"
_NO_ROOM = "Cannot allocate memory"
_GRACE = 0.5  # seconds for a program whose time is up to get to its next look at the epoch


@dataclass(frozen=True, slots=True)
class Guest:
    """What a program is given: its arguments (the first is its name), variables, directories.

    `limits` are numbers of `executable.settings.NUMBERS` by name; without, it has as in an
    executable.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    directories: tuple[Directory, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a program ended: its own exit status, or TRAP_STATUS with what it trapped on."""

    status: int
    trap: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class _Program:
    """An artifact, how its engine is made, what it is given, and the lines of its traps."""

    artifact: bytes
    fields: Mapping[str, Any]
    guest: Guest
    lines: bytes


_End = Callable[[RunResult], None]


def run_cwasm(
    artifact: bytes,
    config: EngineConfig | Mapping[str, Any],
    guest: Guest,
    lines: bytes = b"",
) -> RunResult:
    """Run the program in an artifact that was compiled under `config`, and return how it ended.

    Instead of a configuration, what `canonical` returns for it is accepted, and loads faster.
    With `lines`, the section `mochi.lines` of its wasm, a trap is reported with them.
    The program has this process's stdin, stdout and stderr. Ctrl-C ends the process at once.

    Emits: A070 (for another machine or configuration), A071 (damaged), A073 (no program),
    A074 (unknown import), A075 (no such directory), A076 (text that cannot be passed), A078 (no
    memory for the stack, or for the program's memory); A077 (trap) in the result.

    Raises:
        MochiError: The program could not be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    unwritten = Unwritten()
    program = _Program(artifact, _fields(config), guest, lines)
    with unwritten.default_signals():
        stack = guest.limits.get("stack", WASM_STACK)
        result = _with_stack(stack, lambda end: _run(program, unwritten, end))
    if result.trap is not None:
        unwritten.write()
    return result


def _fields(config: EngineConfig | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(config, Mapping):
        return config
    from mochi_rules.aot.config import canonical  # noqa: PLC0415 - loaded where there is one

    return canonical(config)


def _run(program: _Program, unwritten: Unwritten, end: _End) -> RunResult:
    guest, fields = program.guest, program.fields
    engine = make_loader(fields, guest.limits.get("stack", WASM_STACK))
    import wasmtime  # noqa: PLC0415 - `make_loader` has loaded it

    loaded = _load(engine, program.artifact, fields)
    is_component = not isinstance(loaded, wasmtime.Module)
    store = wasmtime.Store(engine)
    _limit(engine, store, fields, guest.limits, end)
    store.set_wasi(_wasi(guest))
    is_linked = False
    try:
        if is_component:
            start = _link_component(engine, store, loaded)
        else:
            start = _link_module(engine, store, loaded, unwritten)
        is_linked = True
        return RunResult(start())
    except wasmtime.ExitTrap as ended:
        return RunResult(ended.code)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        # A start function may trap in linking; that of a component has no class of its own.
        if is_linked or isinstance(error, wasmtime.Trap) or _BACKTRACE in str(error):
            return RunResult(TRAP_STATUS, _trapped(error, program.lines, guest.limits))
        raise _not_linked(str(error), is_component=is_component) from None


def _limit(
    engine: Any, store: Any, fields: Mapping[str, Any], limits: Mapping[str, int], end: _End
) -> None:
    if fields["consume_fuel"]:
        store.set_fuel(limits.get("fuel", _UNLIMITED_FUEL))
    if fields["epoch_interruption"]:
        deadline = limits.get("deadline_ms")
        store.set_epoch_deadline(1 if deadline else _NO_DEADLINE)
        if deadline:
            threading.Thread(target=_expire, args=(engine, deadline, end), daemon=True).start()
    if "memory_limit" in limits:
        store.set_limits(memory_size=limits["memory_limit"])


def _expire(engine: Any, deadline: int, end: _End) -> None:
    """Stop a program when its time is up; in a call of the host it does not see the epoch."""
    time.sleep(deadline / 1000)
    engine.increment_epoch()
    time.sleep(_GRACE)
    end(RunResult(TRAP_STATUS, _stopped(f"not done within {deadline} ms")))


def _load(engine: Any, artifact: bytes, fields: Mapping[str, Any]) -> Any:
    """Return the module or the component in an artifact."""
    from wasmtime import Module, WasmtimeError  # noqa: PLC0415 - loaded before

    try:
        return Module.deserialize(engine, artifact)
    except WasmtimeError as error:
        if _OTHER_KIND not in str(error):
            raise _not_loaded(str(error), fields) from None
    from wasmtime.component import Component  # noqa: PLC0415 - rare, and takes 15 ms

    try:
        return Component.deserialize(engine, artifact)
    except WasmtimeError as error:
        raise _not_loaded(str(error), fields) from None


def _link_module(engine: Any, store: Any, module: Any, unwritten: Unwritten) -> Callable[[], int]:
    from wasmtime import Linker  # noqa: PLC0415 - loaded before

    linker = Linker(engine)
    linker.define_wasi()
    exports = linker.instantiate(store, module).exports(store)
    start = _start_function(store, exports)
    unwritten.find(store, exports)

    def call() -> int:
        start(store)
        return 0

    return call


def _link_component(engine: Any, store: Any, component: Any) -> Callable[[], int]:
    from wasmtime.component import Linker  # noqa: PLC0415 - loaded before

    linker = Linker(engine)
    linker.add_wasip2()
    instance = linker.instantiate(store, component)
    interface = instance.get_export_index(store, _COMMAND)
    index = interface and instance.get_export_index(store, "run", interface)
    run = index and instance.get_func(store, index)
    if not run or run.type(store).params:
        raise fail("A073", f"the artifact is not a program: it does not export `{_COMMAND}`")
    # A result without values: the program itself has reported its error.
    return lambda: int(getattr(run(store), "tag", "ok") != "ok")


def _start_function(store: Any, exports: Any) -> Any:
    from wasmtime import Func  # noqa: PLC0415 - loaded before

    with suppress(KeyError):
        start = exports["_start"]
        if isinstance(start, Func) and not start.type(store).params:
            return start
    message = "the artifact is not a program: it has no function `_start` without parameters"
    raise fail("A073", message)


def _wasi(guest: Guest) -> Any:
    from wasmtime import WasiConfig, WasmtimeError  # noqa: PLC0415 - loaded before

    for text in (*guest.argv, *(part for pair in guest.env for part in pair)):
        if not _can_be_passed(text):
            raise fail("A076", f"`{text!r:.80}` cannot be passed to a program")
    wasi = WasiConfig()
    wasi.argv = list(guest.argv)
    wasi.env = list(guest.env)
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    for item in guest.directories:
        try:
            wasi.preopen_dir(item.host, item.guest, item.access == "rw")
        except (WasmtimeError, UnicodeEncodeError):
            raise fail("A075", f"cannot open the directory `{item.host}` for the program") from None
    return wasi


def _can_be_passed(text: str) -> bool:
    """Return whether a string is UTF-8 without NUL; other arguments hold lone surrogates."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _causes(text: str) -> tuple[list[str], list[str]]:
    """Return the lines before and after `Caused by:`, without numbers; the first is never empty."""
    before, _, after = text.partition("Caused by:")
    return _unnumbered(before) or ["no reason given"], _unnumbered(after)


def _unnumbered(text: str) -> list[str]:
    lines = (re.sub(r"^\d+:\s+", "", line.strip()) for line in text.splitlines())
    return [line for line in lines if line]


def _stopped(limit: str, notes: tuple[str, ...] = ()) -> Diagnostic:
    return Diagnostic("A077", f"the program was stopped: {limit}", notes=notes)


def _trapped(error: Exception, lines: bytes, limits: Mapping[str, int]) -> Diagnostic:
    heads, causes = _causes(str(error))
    reason = (causes or heads)[-1].removeprefix("wasm trap: ")
    # The wheel has the frames of what failed in the host as text only.
    frames = _described(error.frames, lines) if hasattr(error, "frames") else heads[1:]
    told = [(frame, sum(1 for _ in same)) for frame, same in groupby(frames)]
    places = tuple(f"at {frame}" + f", {n} times" * (n > 1) for frame, n in told)
    if reason == _EPOCH and "deadline_ms" in limits:
        return _stopped(f"not done within {limits['deadline_ms']} ms", places)
    if reason == _FUEL and "fuel" in limits:
        return _stopped(f"out of fuel, which was {limits['fuel']}", places)
    if reason == _UNREACHABLE and "memory_limit" in limits:  # how programs end without memory
        places = (*places, f"its `memory_limit` is {limits['memory_limit']} bytes")
    notes = (*causes[:-1], *places)
    return Diagnostic("A077", f"the program trapped: {reason}", notes=notes)


def _described(frames: Iterable[Any], lines: bytes) -> list[str]:
    """Say where a program was, as the launcher does: by names, by places, or both.

    A function without either is left out, unless no place is known at all.
    """
    from mochi_rules.wasm.debug.line_table import LineTable  # noqa: PLC0415 - of this error only
    from mochi_rules.wasm.debug.read_lines import read_lines  # noqa: PLC0415

    table = LineTable()
    with suppress(MochiError):  # nobody has checked it; then no place is known
        table = read_lines(lines) if lines else table
    found = [(frame, table.find(frame.module_offset)) for frame in frames]
    is_known = any(place for _, place in found)
    told = []
    for frame, place in found:
        where = f"{table.files[place.file]}:{place.line}" if place else ""
        if frame.func_name:
            told.append(f"{frame.func_name} ({where})" if where else frame.func_name)
        elif where or not is_known:
            told.append(where or f"function {frame.func_index}")
    return told


def _no_room(cause: str) -> MochiError:
    return environment_error(
        "A078",
        "not enough address space for the memory of the program",
        notes=(cause,),
        help="raise `ulimit -v`, or set `memory_reservation` in a profile of the engine",
    )


def _not_loaded(text: str, fields: Mapping[str, Any]) -> MochiError:
    heads, causes = _causes(text)
    if _NO_ROOM in text:
        return _no_room(heads[0])
    cause = (causes or heads)[-1]
    if "not available on the host" in cause:
        return _newer_cpu(cause, fields)
    if "compiled" in cause:
        return fail(
            "A070",
            "the artifact is for another machine or configuration",
            notes=(cause,),
            help="build it again",
        )
    return fail("A071", f"the artifact is damaged: {cause}", help="build it again")


def _newer_cpu(cause: str, fields: Mapping[str, Any]) -> MochiError:
    from mochi_rules.platforms.platform import find_platform  # noqa: PLC0415 - of this error only

    architecture = find_platform(fields["target"]).architecture
    flags = tuple(flag for flag, _ in fields["flags"])
    names = [level.name for level in architecture.cpu_levels if level.flags == flags]
    return environment_error(
        "A070",
        f"this machine lacks a CPU feature of `{names[0] if names else 'the artifact'}`",
        notes=(cause,),
        help=f"build it with `cpu={architecture.default_cpu_level}`",
    )


def _not_linked(text: str, *, is_component: bool) -> MochiError:
    heads, causes = _causes(text)
    if _NO_ROOM in text:
        return _no_room(heads[0])
    wasi = "WASI 0.2" if is_component else "WASI preview 1 (`wasi_snapshot_preview1`)"
    return fail(
        "A074",
        f"the program cannot be started: {heads[0]}",
        notes=(*causes, f"a program may import only {wasi}"),
    )


def _with_stack(stack: int, body: Callable[[_End], RunResult]) -> RunResult:
    """Call `body` in a thread whose stack has room for a program's.

    It is given a function by which another thread may end the wait for it, with a result.
    """
    results: SimpleQueue[RunResult | BaseException] = SimpleQueue()

    def call() -> None:
        try:
            results.put(body(results.put))
        except BaseException as error:  # noqa: BLE001 - raised again below
            results.put(error)

    size = -(-(stack + _HOST_STACK) // _PAGE) * _PAGE
    before = threading.stack_size(size)
    try:
        thread = threading.Thread(target=call, daemon=True)
        with for_this_thread_alone():
            thread.start()
    except RuntimeError:
        message = f"not enough address space for a stack of {size >> 20} MiB"
        raise environment_error("A078", message, help="raise `ulimit -v`") from None
    finally:
        threading.stack_size(before)
    result = results.get()
    if isinstance(result, BaseException):
        raise result
    return result
