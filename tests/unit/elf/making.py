"""Real artifacts, compiled by the wheel: one table of variants, each compiled once a session."""

from __future__ import annotations

import ctypes
import gzip
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TRIPLE = "x86_64-unknown-linux-gnu"

_STORE = Path(__file__).parents[2] / "golden" / "cwasm"
CROSS_TRIPLES = sorted(path.name.removesuffix(".cwasm.gz") for path in _STORE.glob("*.gz"))

RICH = """
(module
  (memory (export "memory") 2)
  (data (i32.const 100) "hello world")
  (func $add (export "add") (param i32 i32) (result i32)
    (i32.load (i32.add (local.get 0) (local.get 1))))
  (func $round (export "round") (param f64) (result f64) (f64.floor (local.get 0)))
  (func $begin (i32.store (i32.const 0) (i32.const 7)))
  (start $begin))
"""
EMPTY = "(module)"
IMPORTED_MEMORY = """
(module (import "host" "memory" (memory 1))
  (data (i32.const 3) "active") (data "passive"))
"""
PASSIVE_DATA = '(module (memory 1) (data (i32.const 3) "active") (data "passive"))'
IMPORTED_FUNCTION = """
(module (import "host" "f" (func $f (param i32))) (export "f" (func $f))
  (func (export "g") (call $f (i32.const 1))))
"""
SIMD = """
(module (func (export "f") (param v128 v128) (result v128)
  (f32x4.ceil (i8x16.swizzle (local.get 0) (local.get 1)))))
"""
GC = """
(module
  (type $pair (struct (field (mut i32)) (field (mut anyref))))
  (tag $oops (param i32))
  (func $fail (param i32) (throw $oops (local.get 0)))
  (func (export "f") (param anyref) (result anyref) (local $pair (ref null $pair))
    (block $caught (result i32)
      (try_table (result i32) (catch $oops $caught) (call $fail (i32.const 3)) (i32.const 1)))
    drop
    (local.set $pair (struct.new $pair (i32.const 1) (local.get 0)))
    (call $fail (i32.const 1))
    (local.get $pair)))
"""
COMPONENT = """
(component
  (core module $m (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $i "add"))))
"""
# Two components that pass a string, so that Wasmtime makes an adapter module, and an import.
ADAPTERS = """
(component
  (component $callee
    (core module $m (memory (export "mem") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
      (func (export "f") (param i32 i32) (result i32) (local.get 1)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "s" string) (result u32) (canon lift (core func $i "f")
      (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))
  (component $caller
    (import "f" (func $f (param "s" string) (result u32)))
    (core module $libc (memory (export "mem") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16)))
    (core instance $libc (instantiate $libc))
    (core func $lowered (canon lower (func $f) (memory (core memory $libc "mem"))
      (realloc (core func $libc "realloc")) string-encoding=utf16))
    (core module $m (import "" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0) (i32.const 3))))
    (core instance $i (instantiate $m (with "" (instance (export "f" (func $lowered))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
  (export "run" (func $caller "run")))
"""
NAMES = f"""
(module (func $"a\u00e9" (nop)) (func $"a\\00zero and a\\0aline" (nop))
  (func ${"long" * 500} (nop)))
"""
_MANY = "".join(
    f'(func $f{i} (export "f{i}") (param i32 i32) (result i32)'
    f" (i32.div_s (i32.load offset={i} (local.get 0))"
    f" (call $f{(i + 1) % 400} (local.get 1) (local.get 0))))"
    for i in range(400)
)
MANY = f"(module (memory 1){_MANY})"


@dataclass(frozen=True)
class Variant:
    """A source text, the number of functions a module defines, and how to compile it."""

    wat: str = RICH
    functions: int | None = 3
    flags: tuple[str, ...] = ()
    target: str = TRIPLE
    winch: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


_V2 = ("x86-64-v2",)
_V3 = ("x86-64-v3", "has_avx")
_V4 = ("x86-64-v4", "has_avx", "has_avx512f")

VARIANTS: dict[str, Variant] = {
    "plain": Variant(),
    "v2": Variant(flags=_V2),
    "v3": Variant(flags=_V3),
    "v4": Variant(flags=_V4),
    "debug": Variant(settings={"debug_info": True}),
    "fuel": Variant(settings={"consume_fuel": True}),
    "epoch": Variant(settings={"epoch_interruption": True}),
    "reservation": Variant(settings={"memory_reservation": 1 << 20, "memory_guard_size": 1 << 16}),
    "no-signals": Variant(settings={"signals_based_traps": False}),
    "no-cow": Variant(settings={"memory_init_cow": False}),
    "no-unwind": Variant(settings={"native_unwind_info": False}),
    "size": Variant(settings={"cranelift_opt_level": "speed_and_size"}),
    "nan": Variant(settings={"cranelift_nan_canonicalization": True}),
    "winch": Variant(winch=True),
    "pulley": Variant(target="pulley64"),
    "empty": Variant(EMPTY, 0),
    "empty-debug": Variant(EMPTY, 0, settings={"debug_info": True}),
    "imported-memory": Variant(IMPORTED_MEMORY, 0),
    "imported-function": Variant(IMPORTED_FUNCTION, 1),
    "passive-data": Variant(PASSIVE_DATA, 0),
    "simd": Variant(SIMD, 1),
    "simd-sse41": Variant(SIMD, 1, flags=("has_sse41",)),
    "simd-ssse3": Variant(SIMD, 1, flags=("has_ssse3",)),
    "simd-v3": Variant(SIMD, 1, flags=_V3),
    "gc": Variant(GC, 2),
    "many": Variant(MANY, 400),
    "names": Variant(NAMES, 3),
    "component": Variant(COMPONENT, None),
    "adapters": Variant(ADAPTERS, None),
}


@cache
def compiled(name: str) -> bytes:
    """Return the artifact of a variant."""
    import wasmtime
    from wasmtime import component

    variant = VARIANTS[name]
    engine = wasmtime.Engine(_config(wasmtime, variant))
    if variant.functions is None:
        return bytes(component.Component(engine, variant.wat).serialize())
    return bytes(wasmtime.Module(engine, variant.wat).serialize())


def stored(triple: str) -> bytes:
    """Return the artifact of RICH for another target; tests/golden/cwasm has its origin."""
    return gzip.decompress((_STORE / f"{triple}.cwasm.gz").read_bytes())


def _config(wasmtime: Any, variant: Variant) -> Any:
    config = wasmtime.Config()
    config.parallel_compilation = False
    config.target = variant.target
    for flag in variant.flags:
        config.cranelift_flag_enable(flag)
    if variant.winch:
        wasmtime._ffi.dll.wasmtime_config_strategy_set(config.ptr(), ctypes.c_uint8(2))
    for setting, value in variant.settings.items():
        setattr(config, setting, value)
    return config
