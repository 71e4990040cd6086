"""The engine that loads artifacts, of Wasmtime's wheel, by our configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def make_loader(fields: Mapping[str, Any], stack_size: int) -> Any:
    """Return a `wasmtime.Engine` that loads what a worker compiles for a request with these fields.

    It has this machine's target and CPU, for that is what the loader has to compare with. A
    program may use `stack_size` bytes; the thread that calls it must have more.
    """
    # The wheel is loaded when an engine is made: that takes 20 ms, and most steps need none.
    import wasmtime  # noqa: PLC0415
    from wasmtime import _ffi  # noqa: PLC0415

    from mochi_rules.aot.c_api import configure, ignore_environment  # noqa: PLC0415

    ignore_environment()
    config = wasmtime.Config()
    # An engine whose other stacks are smaller than `max_wasm_stack` aborts.
    sizes = {"max_wasm_stack": stack_size, "async_stack_size": stack_size}
    configure(_ffi.dll, config.ptr(), fields, sizes)
    return wasmtime.Engine(config)
