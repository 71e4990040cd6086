"""Wasmtime's Python wheel: its version, and how a worker of it starts.

The worker loads this file, so it loads little.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.isolation import isolated_main

WHEEL = "wheel"  # the name of the toolchain
INSTALL = f"pip install 'wasmtime>={WASMTIME_MAJOR},<{WASMTIME_MAJOR + 1}'"


def wheel_version() -> str:
    """Return the version of the installed wheel, or an empty string when there is none."""
    spec = find_spec("wasmtime")
    if spec is not None and spec.origin is not None:
        # `importlib.metadata` says the same, and takes 12 ms to load.
        found = [path.stem for path in Path(spec.origin).parents[1].glob("wasmtime-*.dist-info")]
        if len(found) == 1:
            return found[0].partition("-")[2]
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("wasmtime")
    except PackageNotFoundError:
        return ""


def worker_command() -> tuple[str, ...]:
    """Return the command of a worker, isolated: no site, no user's path, no PYTHON* variable.

    Emits: C035.

    Raises:
        MochiError: The wheel is not installed.
    """
    return isolated_main("mochi_rules.aot.worker", packages=[wheel_packages()])


def wheel_packages() -> str:
    """Return the directory of packages where the wheel is.

    Emits: C035.

    Raises:
        MochiError: The wheel is not installed.
    """
    spec = find_spec("wasmtime")
    if spec is None or spec.origin is None:
        raise environment_error(
            "C035", "the Python package `wasmtime` is not installed", help=f"run `{INSTALL}`"
        )
    return str(Path(spec.origin).parents[1])
