"""Mutated files: `inspect`, `verify` and `objdump` show or refuse them, and those that can run do.

A mutated artifact is machine code that nobody has verified: it may end in any way, but not with a
traceback, and not never. It runs in a process of its own, with limits.
"""

from __future__ import annotations

import gzip
import os
import resource
import select
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.executable.payload import find_payload
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.aot.objects.writer import write_object
from mochi_rules.aot.run import Guest, run_cwasm
from mochi_rules.aot.wheel import worker_command
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.formats.macho import MAGIC as MACHO_MAGIC
from mochi_rules.platforms.platform import PLATFORMS, find_platform, host_platform
from tests.faults.command import Bug, typed
from tests.faults.harness import ROOT, Wrong
from tests.unit.aot.executable.files import make_launcher

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERBS = (("inspect",), ("inspect", "--full"), ("verify",), ("objdump",))
SECONDS = 10  # of this process, for a verb and a file of some 50 KB
MEGABYTES = 64  # more than ever before, for one file
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 2**63, 2**64 - 1)
RUNNABLE = ("a.wasm", "release.cwasm", "debug.cwasm")
REFUSED = (1, 2, 3, 134)
PATIENCE = 20  # seconds for a run
RUN_LIMITS = {resource.RLIMIT_CPU: 3, resource.RLIMIT_CORE: 0,
              resource.RLIMIT_DATA: 2 << 30, resource.RLIMIT_FSIZE: 64 << 20}  # fmt: skip
LIMITS = {"deadline_ms": 2000, "memory_limit": 64 << 20, "stack": 1 << 20}


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Change some bytes, fields or the size; fields at the ends are changed most."""
    raw = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = _offset(len(raw), chance)
        match chance.randrange(7):
            case 0:
                raw[at] ^= 1 << chance.randrange(8)
            case 1:
                raw[at] = chance.randrange(256)
            case 2 | 3:
                width, order = chance.choice((2, 4, 8)), chance.choice(("little", "big"))
                value = chance.choice(EDGES) & ((1 << 8 * width) - 1)
                raw[at : at + width] = value.to_bytes(width, order)
            case 4:
                del raw[at : at + chance.choice((1, 4, len(raw)))]
            case 5:
                raw[at:at] = chance.randbytes(chance.choice((1, 4, 64)))
            case _:
                other = _offset(len(raw), chance)
                raw[at : at + 16] = raw[other : other + 16]
        if not raw:
            break
    return bytes(raw)


def flip(data: bytes, chance: random.Random) -> bytes:
    """Change one byte anywhere."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def _offset(size: int, chance: random.Random) -> int:
    near = min(size, 512)
    return chance.choice(
        (chance.randrange(size), chance.randrange(near), size - 1 - chance.randrange(near))
    )


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what mutates a file and shows it to a verb, or runs it."""
    worker = AotWorker(worker_command(), 60).__enter__()  # ends with this process
    originals, path = dict(make_originals(worker)), folder / "input"
    for name, data in originals.items():
        path.write_bytes(data)
        if _show(path, ("verify",)) != "status-0":
            raise RuntimeError(f"{name} is refused as it is")

    def run(chance: random.Random) -> str:
        name = chance.choice(list(originals))
        runs = name in RUNNABLE and chance.random() < 0.5
        # Checks refuse most mutants of an artifact; what passes them is mostly a byte of code.
        change = flip if runs and name.endswith(".cwasm") else mutate
        data = change(originals[name], chance)
        path.write_bytes(data)
        if runs:
            return _run_wasm(worker, data) if name.endswith(".wasm") else _run_alone(path)
        end = _show(path, verb := chance.choice(VERBS))
        if verb == ("verify",) and name.endswith(".exe") and end == "status-0":
            _check_same(originals[name], data)
        return end

    return run


def make_originals(worker: AotWorker) -> Iterator[tuple[str, bytes]]:
    """Give wasm, artifacts of every target, and objects and executables of every format."""
    text = (ROOT / "examples" / "wordcount" / "wordcount.mochi").read_text(encoding="utf-8")
    wasm = compile_program(CompileRequest("a.mochi", {"a.mochi": text}, debug_info=True)).wasm
    host = engine_config(host_platform())
    artifact = compile_wasm(worker, host, wasm)
    yield "a.wasm", wasm
    yield "release.cwasm", artifact
    yield "debug.cwasm", compile_wasm(worker, replace(host, debug_info=True), wasm)
    for path in sorted(ROOT.glob("tests/golden/cwasm/*.gz")):
        yield path.name.removesuffix(".gz"), gzip.decompress(path.read_bytes())
    for name in ("x86_64-linux", "s390x-linux", "aarch64-macos", "x86_64-windows"):
        yield f"{name}.o", write_object(find_platform(name), "app", artifact)
    for triple in ("aarch64-apple-darwin", "aarch64-unknown-linux-gnu", "x86_64-pc-windows-msvc"):
        stored = gzip.decompress((ROOT / "tests/golden/cwasm" / f"{triple}.cwasm.gz").read_bytes())
        platform = next(row for row in PLATFORMS if row.triple == triple)
        yield f"{triple}.exe", write_executable(platform, make_launcher(platform), stored, b"")


def _show(path: Path, verb: tuple[str, ...]) -> str:
    """Run a verb on a file, and return its status; it must be quick and need little memory."""
    seconds, memory = time.process_time(), _peak()
    status, _ = typed(*verb, path)
    if (took := time.process_time() - seconds) > SECONDS:
        raise Wrong(f"{verb[0]} took {took:.0f} s")
    if (more := _peak() - memory) > MEGABYTES:
        raise Wrong(f"{verb[0]} took {more} MB more than all before")
    return f"status-{status}"


def _peak() -> int:
    """Return the most memory that this process has ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _check_same(original: bytes, data: bytes) -> None:
    """What verifies as an executable is the original; only the signature of Mach-O may vary."""
    is_signed = original.startswith(MACHO_MAGIC)
    same = find_payload(data) == find_payload(original) if is_signed else data == original
    if not same:
        raise Wrong("verify finds a changed executable sound")


def _run_alone(path: Path) -> str:
    """Run an artifact by `mochi-rules run` in a child, and return how that ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_runner(path, writer)
    os.close(writer)
    with open(reader, "rb") as pipe:  # noqa: PTH123 - a descriptor
        is_done, _, _ = select.select([pipe], [], [], PATIENCE)
        if not is_done:
            os.kill(child, signal.SIGKILL)
        said = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said.startswith("bug"):
        raise Bug(said)
    if not is_done:
        return "ran-stopped"
    return f"ran-{said}" if said else f"ran-{signal.Signals(-status).name}"


def _be_runner(path: Path, report: int) -> NoReturn:
    """Run an artifact with limits, write how that ended, and end."""
    for limit, value in RUN_LIMITS.items():
        resource.setrlimit(limit, (value, value))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    try:
        status, _ = typed("run", path, "--cache", "off", is_program=True)
        said = f"status-{status}" if status in REFUSED else "ended"
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        said = f"bug {type(error).__name__}: {error}"
    os.write(report, said.encode())
    os._exit(0)


def _run_wasm(worker: AotWorker, data: bytes) -> str:
    config = engine_config(host_platform(), settings={"epoch_interruption": True})
    try:
        artifact = compile_wasm(worker, config, data)
        return f"ran-{run_cwasm(artifact, config, Guest(('a',), limits=LIMITS)).status}"
    except MochiError:
        return "refused"
