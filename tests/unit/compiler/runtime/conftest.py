"""Calls functions of the runtime library from Python, in a real Wasmtime instance."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import wasmtime

from mochi_rules.base.span import Source
from mochi_rules.compiler.ir import function as ir
from mochi_rules.compiler.ir.builder import SsaBuilder
from mochi_rules.compiler.ir.types import VOID, WORD
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.host import IMPORTS
from mochi_rules.compiler.lower.link import Linker
from mochi_rules.compiler.runtime import library as lowlevel
from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.module import Export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Little nesting: these instances have a small stack.
SETTINGS = {"CHECK_LEAKS": 1, "HAS_BIGINT": 0, "OUTPUT_SIZE": 4096, "MAX_NESTING": 1000}
BASICS = ("string_make", "release", "object_make", "output_flush", "block_make")


@cache
def compiled(names: tuple[str, ...], source: str = "") -> tuple[wasmtime.Engine, wasmtime.Module]:
    """Return a module with some runtime functions exported, and its engine.

    `source` are functions of the test's own, in the runtime library's dialect.
    """
    library = lowlevel.load_library({**layout.CONSTANTS, **SETTINGS}, IMPORTS)
    library.add(Source("test.mochi", source))
    main = ir.Function("main", [], VOID)
    SsaBuilder(main).leave(None)
    linker = Linker(ir.Program(["test.mochi"], {"main": main}, {}, {}, "main"), library)
    exported = list(dict.fromkeys((*BASICS, *names)))
    for name in exported:
        linker.need(name)
    linker.need_global("live_objects", WORD)
    module = linker.link()
    module.exports += [Export(name, "func", name) for name in exported]
    module.exports.append(Export("live_objects", "global", "live_objects"))
    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, encode_module(module).data)


class Instance:
    """An instance of such a module; counts objects, so leaks show."""

    def __init__(
        self,
        folder: Path,
        names: tuple[str, ...],
        stdin: bytes,
        env: dict[str, str],
        source: str = "",
    ) -> None:
        engine, module = compiled(names, source)
        self.out, self.err = folder / "stdout", folder / "stderr"
        (folder / "stdin").write_bytes(stdin)
        wasi = wasmtime.WasiConfig()
        wasi.env = list(env.items())
        wasi.stdin_file = folder / "stdin"
        wasi.stdout_file, wasi.stderr_file = self.out, self.err
        self.store = wasmtime.Store(engine)
        self.store.set_wasi(wasi)
        link = wasmtime.Linker(engine)
        link.define_wasi()
        self.exports = link.instantiate(self.store, module).exports(self.store)
        self.before = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args: self.exports[name](self.store, *args)

    @property
    def live(self) -> int:
        """The number of objects that are alive, less those from before."""
        return self.exports["live_objects"].value(self.store) - self.before

    def memory(self, address: int, size: int) -> bytes:
        """Read memory."""
        address &= 0xFFFF_FFFF
        return bytes(self.exports["memory"].read(self.store, address, address + size))

    def word(self, address: int) -> int:
        """Read a word."""
        return struct.unpack("<I", self.memory(address, 4))[0]

    def poke(self, address: int, data: bytes) -> None:
        """Write memory."""
        self.exports["memory"].write(self.store, data, address)

    def string(self, text: str | bytes) -> int:
        """Make a string object."""
        data = text.encode() if isinstance(text, str) else text
        start = self.block_make(max(16, len(data)))
        self.poke(start, data)
        count = sum(byte & 0xC0 != 0x80 for byte in data)
        return self.string_make(start, len(data), count)

    def bytes_of(self, string: int) -> bytes:
        """Return the bytes of a string object; check its length in code points."""
        size = self.word(string + layout.STRING_BYTES)
        data = self.memory(string + layout.STRING_DATA, size)
        assert self.word(string + layout.STRING_COUNT) == sum(b & 0xC0 != 0x80 for b in data)
        return data

    def text(self, string: int) -> str:
        """Return the text of a string object."""
        return self.bytes_of(string).decode()

    def printed(self) -> str:
        """Return what was written to standard output so far."""
        self.output_flush()
        return self.out.read_text(encoding="utf-8")

    def failure(self, function: str, *args: Any) -> str:
        """Call a function that stops the program; return the message."""
        with pytest.raises(wasmtime.ExitTrap) as stopped:
            getattr(self, function)(*args)
        assert stopped.value.code == 1
        return self.err.read_text(encoding="utf-8")

    def exhaustion(self, function: str, *args: Any) -> str:
        """Call a function that needs more memory than there is; return the message."""
        with pytest.raises(wasmtime.Trap, match="unreachable"):
            getattr(self, function)(*args)
        return self.err.read_text(encoding="utf-8")


@pytest.fixture
def runtime(tmp_path: Path) -> Callable[..., Instance]:
    """Make instances: `runtime("string_concat", stdin=b"")`."""

    def make(*names: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Instance:
        return Instance(tmp_path, names, stdin, env or {})

    return make


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Instance]:
    """Return the instance of a module, with the functions in its RUNTIME, for all its tests.

    Some of them may be the module's own: its SOURCE. Each call begins to count objects anew.
    """
    folder = tmp_path_factory.mktemp("runtime")
    source = getattr(request.module, "SOURCE", "")
    instance = Instance(folder, request.module.RUNTIME, b"", {}, source)

    def get() -> Instance:
        instance.before += instance.live
        return instance

    return get
