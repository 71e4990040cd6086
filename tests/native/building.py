"""Building the native programs, compiling WAT with the wheel, attaching artifacts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime

from mochi_rules.platforms.native_files import (
    AOT_WORKER,
    CLIF,
    CLIF_WORKER,
    LAUNCHER,
    native_directory,
)
from tests.needs import need

NATIVE = Path(__file__).parents[2] / "toolchains" / "native"
HOST = "x86_64-unknown-linux-gnu"
PAGE = 4096
# The workers make the same bytes at any level, and cargo makes them in a third of the time.
_QUICK = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "1"}

REQUEST: dict[str, Any] = {
    "kind": "module",
    "target": HOST,
    "flags": [],
    "opt_level": "speed",
    "compiler": "cranelift",
    "debug_info": False,
    "consume_fuel": False,
    "epoch_interruption": False,
    "memory_reservation": None,
    "memory_guard_size": None,
    "signals_based_traps": True,
    "nan_canonicalization": False,
}


def cargo_build(directory: Path, triple: str, *arguments: str) -> Path:
    """Build with cargo in `directory` for a target and return where the programs are."""
    need("cargo", "rustc")
    target = _cargo_target()
    flags = f"CARGO_TARGET_{triple.upper().replace('-', '_')}_RUSTFLAGS"
    environment = os.environ | {"CARGO_TARGET_DIR": str(target), flags: remap_flags(), **_QUICK}
    command = ["cargo", "build", "--locked", "-j2", "--target", triple, *arguments]
    subprocess.run(command, cwd=directory, env=environment, check=True)
    return target / triple


def build_aot_worker() -> Path:
    """Build the worker that compiles WebAssembly."""
    return cargo_build(NATIVE, HOST, "--release") / "release" / AOT_WORKER


def build_clif_worker() -> Path:
    """Build the worker of the native backend."""
    directory = native_directory(CLIF)
    assert directory
    cargo_build(directory, HOST, "--release")
    return clif_worker_path()


def clif_worker_path() -> Path:
    """Return where that worker is, once it is built."""
    return _cargo_target() / HOST / "release" / CLIF_WORKER


def _cargo_target() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR") or NATIVE / "target")


def build_launcher(triple: str) -> Path:
    """Build the launcher of a target of Rust."""
    programs = cargo_build(NATIVE / "launcher", triple, "--profile", "launcher")
    return programs / "launcher" / LAUNCHER


def remap_flags() -> str:
    """Return the flags that keep this machine's paths out of programs."""
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    sysroot = _output("rustc", "--print", "sysroot")
    commit = re.search("commit-hash: (.*)", _output("rustc", "-vV"))
    assert commit
    return (
        f"--remap-path-prefix={home}/registry/src=/crates "
        f"--remap-path-prefix={sysroot}/lib/rustlib/src/rust=/rustc/{commit[1]}"
    )


def machine_folders(launcher: Path) -> list[str]:
    """Return folders of this machine that a launcher must not name."""
    cargo = os.environ.get("CARGO_HOME") or Path.home() / ".cargo"
    folders = [Path.home(), Path(cargo), NATIVE, launcher.parent]
    return [f"{folder}{os.sep}" for folder in folders]


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def cc_build(compiler: str, directory: Path) -> Path:
    """Build the C launcher into a directory."""
    need(compiler)
    launcher = directory / "launcher"
    source = NATIVE / "bundle" / "launcher.c"
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", source, "-o", launcher], check=True)
    return launcher


def wheel_library() -> Path:
    """Return the library in the installed wheel."""
    [library] = Path(wasmtime.__file__).parent.glob("*/_libwasmtime.so")
    return library


def has_rust_target(triple: str) -> bool:
    """Return whether Rust's library for a target is installed."""
    need("rustc")
    return Path(_output("rustc", "--print", "target-libdir", "--target", triple)).is_dir()


def launcher_target() -> str:
    """Return the triple that needs no library, or else the compiler's own."""
    triple = "x86_64-unknown-linux-musl"
    return triple if has_rust_target(triple) else HOST


class Worker:
    """A running worker, spoken to in its protocol."""

    def __init__(self, path: Path, environment: dict[str, str] | None = None) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([path], stdin=pipe, stdout=pipe, env=environment)
        self.greeting = json.loads(self.read())

    def read(self) -> bytes:
        """Read a frame."""
        assert self.process.stdout
        (length,) = struct.unpack("<I", self.process.stdout.read(4))
        return self.process.stdout.read(length)

    def ask(self, wasm: bytes, **changes: object) -> tuple[str | None, bytes]:
        """Return the error or None, and the artifact."""
        return self.ask_raw(json.dumps(REQUEST | changes).encode(), wasm)

    def ask_raw(self, request: bytes, wasm: bytes) -> tuple[str | None, bytes]:
        """Send any bytes as a request."""
        assert self.process.stdin
        for frame in (request, wasm):
            self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()
        return json.loads(self.read())["error"], self.read()

    def close(self) -> int:
        """End the input and return the exit status."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=10)


def wheel_config(changes: dict[str, Any]) -> wasmtime.Config:
    """Return the wheel's configuration for a request."""
    request = REQUEST | changes
    config = wasmtime.Config()
    config.target = request["target"]
    config.parallel_compilation = False
    if request["compiler"] == "winch":
        from wasmtime import _ffi

        _ffi.dll.wasmtime_config_strategy_set(config.ptr(), 2)
    for name, value in request["flags"]:
        if value is None:
            config.cranelift_flag_enable(name)
        else:
            config.cranelift_flag_set(name, value)
    config.cranelift_opt_level = request["opt_level"]
    config.cranelift_nan_canonicalization = request["nan_canonicalization"]
    for name in ("debug_info", "consume_fuel", "epoch_interruption", "signals_based_traps"):
        setattr(config, name, request[name])
    for name in ("memory_reservation", "memory_guard_size"):
        if request[name] is not None:
            setattr(config, name, request[name])
    return config


def compile_with_wheel(wat: str | bytes, **changes: Any) -> bytes:
    """Return the artifact that the wheel makes of WAT or wasm."""
    wasm = wasmtime.wat2wasm(wat) if isinstance(wat, str) else wat
    engine = wasmtime.Engine(wheel_config(changes))
    return bytes(wasmtime.Module(engine, bytes(wasm)).serialize())


def payload(artifact: bytes, settings: str = "") -> bytes:
    """Return what is attached: the artifact, its settings and the footer."""
    text = settings.encode()
    digest = hashlib.sha256(artifact + text).digest()
    footer = b"MOCHIEXE" + struct.pack("<IIQQ", 1, len(text), len(artifact), 0) + digest
    return artifact + text + footer


@dataclass(frozen=True)
class Programs:
    """Makes executables in a directory of the test."""

    launcher: Path
    directory: Path

    def attach(self, artifact: bytes, settings: str = "", name: str = "app") -> Path:
        """Return an executable of an artifact."""
        head = self.launcher.read_bytes()
        padding = bytes(-len(head) % PAGE)
        return self.write(head + padding + payload(artifact, settings), name)

    def build(self, wat: str, settings: str = "", **changes: Any) -> Path:
        """Return an executable of WAT, compiled by the wheel."""
        return self.attach(compile_with_wheel(wat, **changes), settings)

    def write(self, data: bytes, name: str = "app") -> Path:
        """Return an executable of bytes."""
        path = self.directory / name
        path.write_bytes(data)
        path.chmod(0o755)
        return path


WASI = {
    "args_get": "i32 i32",
    "args_sizes_get": "i32 i32",
    "clock_time_get": "i32 i64 i32",
    "environ_get": "i32 i32",
    "environ_sizes_get": "i32 i32",
    "fd_close": "i32",
    "fd_fdstat_get": "i32 i32",
    "fd_prestat_dir_name": "i32 i32 i32",
    "fd_prestat_get": "i32 i32",
    "fd_read": "i32 i32 i32 i32",
    "fd_seek": "i32 i64 i32 i32",
    "fd_write": "i32 i32 i32 i32",
    "path_open": "i32 i32 i32 i32 i32 i64 i64 i32 i32",
    "path_unlink_file": "i32 i32 i32",
    "random_get": "i32 i32",
}


def program(body: str, *imports: str, world: str = "stdio", top: str = "") -> str:
    """Return the WAT of a program. `$print` writes bytes, `$exit` ends it; memory is two pages.

    In the world `files` one function more is imported, for which the launcher changes its ways.
    """
    names = {"fd_write", *imports} | ({"path_unlink_file"} if world == "files" else set())
    declared = "\n".join(
        f'(import "wasi_snapshot_preview1" "{name}" '
        f"(func ${name} (param {WASI[name]}) (result i32)))"
        for name in sorted(names)
    )
    return f"""(module
      {declared}
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 2)
      (func $print (param $address i32) (param $length i32)
        (i32.store (i32.const 65520) (local.get $address))
        (i32.store (i32.const 65524) (local.get $length))
        (if (call $fd_write (i32.const 1) (i32.const 65520) (i32.const 1) (i32.const 65528))
          (then (call $exit (i32.const 99)))))
      {top}
      (func $main (export "_start") (local $i i32) (local $j i32)
        {body}))"""
