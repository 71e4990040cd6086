"""Wasmtime's C API, as far as it compiles: called in the wheel's library itself.

The wheel's own Python package binds all of the API when it is imported, which takes longer than
to compile a small program. Sources: Wasmtime 48, crates/c-api/include/wasmtime/config.h, module.h,
component/component.h and error.h.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from mochi_rules.aot.engine_options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

# They return a pointer: what they make, or an error. The others return nothing.
_POINTERS = (
    *("wasm_config_new", "wasm_engine_new_with_config", "wasmtime_config_target_set"),
    *("wasmtime_module_new", "wasmtime_module_serialize"),
    *("wasmtime_component_new", "wasmtime_component_serialize"),
)
_SIZE = ctypes.c_size_t
_C_TYPES = {bool: ctypes.c_bool, int: ctypes.c_uint64, str: ctypes.c_uint8}


class RefusedError(Exception):
    """What Wasmtime does not compile, and why."""


class _Bytes(ctypes.Structure):
    """`wasm_byte_vec_t`."""

    _fields_ = (("size", _SIZE), ("data", ctypes.c_void_p))

    def take(self) -> bytes:
        """Return the bytes, and free them."""
        data = ctypes.string_at(self.data, self.size)
        _library().wasm_byte_vec_delete(ctypes.byref(self))
        return data


def compile_artifact(fields: Mapping[str, Any], wasm: bytes) -> bytes:
    """Return the artifact of a module or a component; `fields` are those of a worker's request.

    An invalid setting aborts the process: this runs in a worker.

    Raises:
        RefusedError: Wasmtime does not compile it.
    """
    library = _library()
    engine = ctypes.c_void_p(library.wasm_engine_new_with_config(_configured(fields)))
    kind = fields["kind"]
    compiled, artifact = ctypes.c_void_p(), _Bytes()
    place = ctypes.byref(compiled)
    try:
        _check(getattr(library, f"wasmtime_{kind}_new")(engine, wasm, _SIZE(len(wasm)), place))
        _check(getattr(library, f"wasmtime_{kind}_serialize")(compiled, ctypes.byref(artifact)))
        return artifact.take()
    finally:
        if compiled.value:
            getattr(library, f"wasmtime_{kind}_delete")(compiled)
        library.wasm_engine_delete(engine)


def _configured(fields: Mapping[str, Any]) -> ctypes.c_void_p:
    library = _library()
    ignore_environment()
    config = ctypes.c_void_p(library.wasm_config_new())
    configure(library, config, fields)
    _check(library.wasmtime_config_target_set(config, fields["target"].encode()))
    for flag, value in fields["flags"]:
        if value is None:
            library.wasmtime_config_cranelift_flag_enable(config, flag.encode())
        else:
            library.wasmtime_config_cranelift_flag_set(config, flag.encode(), value.encode())
    return config


def ignore_environment() -> None:
    """Remove the variable that would put the guest's DWARF into an artifact, or ask for it there.

    A configuration reads it when it is made.
    """
    os.environ.pop("WASMTIME_BACKTRACE_DETAILS", None)


def configure(
    library: Any, config: Any, fields: Mapping[str, Any], sizes: Mapping[str, int] | None = None
) -> None:
    """Set our options in a `wasm_config_t`, by the functions of a library.

    `sizes` are those that only a loader has, by the names of the C API.
    """
    # The bytes are the same with threads, and a thread pool breaks fork.
    library.wasmtime_config_parallel_compilation_set(config, ctypes.c_bool(False))
    values = [
        (option.c_name, _C_TYPES[option.kind](option.c_values.get(value, value)))
        for option in OPTIONS
        if (value := fields[option.name]) is not None
    ]
    values += [(name, ctypes.c_uint64(size)) for name, size in (sizes or {}).items()]
    for name, value in values:
        getattr(library, f"wasmtime_config_{name}_set")(config, value)


def _check(error: int | None) -> None:
    if error is not None:
        message = _Bytes()
        _library().wasmtime_error_message(ctypes.c_void_p(error), ctypes.byref(message))
        _library().wasmtime_error_delete(ctypes.c_void_p(error))
        raise RefusedError(message.take().decode())


@cache
def _library() -> Any:
    """Return the library of the wheel, with the types of what is called in it."""
    # What runs an artifact configures its engine here too, and needs neither.
    from mochi_rules.aot.wheel import wheel_packages  # noqa: PLC0415
    from mochi_rules.platforms.platform import host_platform  # noqa: PLC0415

    host = host_platform()
    folder = f"{wheel_packages()}/wasmtime/{host.system.wheel_name}-{host.cpu}"
    library = ctypes.CDLL(f"{folder}/{host.system.wheel_library}")
    for name in _POINTERS:
        getattr(library, name).restype = ctypes.c_void_p
    return library
