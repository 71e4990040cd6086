"""Engines of Wasmtime's wheel, by our configuration.

The wheel is loaded when an engine is made: that takes 40 ms, and most steps need none.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any

from mochi_rules.aot.engine_options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping


def make_compiler(fields: Mapping[str, Any]) -> Any:
    """Return a `wasmtime.Engine` that compiles; `fields` are those of a worker's request.

    An invalid value aborts the process: this runs in a worker.
    """
    config = _configure(fields)
    config.target = fields["target"]
    for name, value in fields["flags"]:
        if value is None:
            config.cranelift_flag_enable(name)
        else:
            config.cranelift_flag_set(name, value)
    return _load().Engine(config)


def make_loader(fields: Mapping[str, Any], stack_size: int) -> Any:
    """Return a `wasmtime.Engine` that loads what `make_compiler` of the same fields compiles.

    It has this machine's target and CPU, for that is what the loader has to compare with. A
    program may use `stack_size` bytes; the thread that calls it must have more.
    """
    from wasmtime import _ffi  # noqa: PLC0415 - see the head of this file

    config = _configure(fields)
    config.max_wasm_stack = stack_size
    # The wheel has no property for it, and an engine with less than `max_wasm_stack` aborts.
    _ffi.dll.wasmtime_config_async_stack_size_set(config.ptr(), ctypes.c_uint64(stack_size))
    return _load().Engine(config)


def _configure(fields: Mapping[str, Any]) -> Any:
    """Return a `wasmtime.Config` with our options."""
    from wasmtime import _ffi  # noqa: PLC0415 - see the head of this file

    # It would put the guest's DWARF into an artifact, and refuse every artifact without.
    os.environ.pop("WASMTIME_BACKTRACE_DETAILS", None)
    config = _load().Config()
    config.parallel_compilation = False  # the bytes are equal, and a thread pool breaks fork
    for option in OPTIONS:
        value = fields[option.name]
        if option.wheel_values:
            getattr(_ffi, option.wheel)(config.ptr(), option.wheel_values[value])
        elif value is not None:
            setattr(config, option.wheel, value)
    return config


def _load() -> Any:
    import wasmtime  # noqa: PLC0415 - see the head of this file

    return wasmtime
