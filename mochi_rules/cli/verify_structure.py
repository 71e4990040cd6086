"""The full structural check of a file: an artifact, or what holds one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.binary import EXECUTABLE, Binary, check_binary, identify
from mochi_rules.aot.executable.payload import has_payload
from mochi_rules.aot.executable.reader import read_executable
from mochi_rules.base.diagnostic import MochiError, about, fail
from mochi_rules.base.suggest import count_text
from mochi_rules.cli.products import read_binary
from mochi_rules.elf.checks.native_objects import NATIVE_CHECKS, is_native, verify_native
from mochi_rules.elf.checks.object_files import OBJECT_CHECKS, ObjectExpectation, verify_object
from mochi_rules.elf.checks.table import CHECKS, Failure, verify
from mochi_rules.elf.object_files import read_object
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.report import inspect
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.steps.expectations import (
    executable_expectation,
    native_expectation,
    platform_expectation,
)

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed
    from mochi_rules.elf.object_files import ObjectImage
    from mochi_rules.platforms.platform import Platform

_ARCHIVES = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")  # gzip, zip, Zstandard


def verify_structure(parsed: Parsed) -> int:
    """Verify an artifact, or what holds one; the status is 1 when a check fails.

    Emits: A010 to A012, A020, A021, A024, A103 to A107, A110, A111, B010, C010.
    """
    target = parsed.get("target")
    platform = find_platform(target) if target else None
    name = parsed.operands[0]
    data = read_binary(Path(name))
    failures, count = _verify(data, name, platform)
    for failure in failures:
        sys.stdout.write(f"{name}: {failure}\n")
    if failures:
        return 1
    sys.stdout.write(f"{name}: sound, {count_text(count, 'check')}\n")
    return 0


def _verify(data: bytes, name: str, platform: Platform | None) -> tuple[list[Failure], int]:
    """Return what is wrong, and how many checks there are."""
    if data.startswith(b"\0asm"):
        from mochi_rules.wasm.reader.read_summary import read_summary  # noqa: PLC0415 - of wasm only

        with about(name):
            read_summary(data)
        return [], 1
    if data.startswith(_ARCHIVES):
        help_ = "write `--provenance FILE`, where FILE is the `.intoto.jsonl` of its release"
        raise fail("A020", f"{name} is an archive, which its provenance verifies", help=help_)
    binary = _identify(data)
    if (binary and binary.role == EXECUTABLE) or _has_payload(data):
        return _executable(data, name, platform or (_platform_of(binary) if binary else None))
    wanted = native_expectation(platform) if platform else ObjectExpectation()
    if not inspect(data).inner:
        native = _native_object(data)
        if native is not None:
            return verify_native(native, wanted), len(NATIVE_CHECKS)
        return _artifact(data, name, platform)
    payload = read_object(data, name).payload
    failures, count = verify_object(data, wanted), len(OBJECT_CHECKS)
    if payload is not None:
        inner, more = _artifact(payload, name, platform)
        failures, count = failures + inner, count + more
    return failures, count


def _native_object(data: bytes) -> ObjectImage | None:
    """Return the object of a program that needs no Wasmtime; None for other files."""
    try:
        image = read_object(data)
    except MochiError:
        return None
    return image if is_native(image) else None


def _artifact(data: bytes, name: str, platform: Platform | None) -> tuple[list[Failure], int]:
    return verify(read_artifact(data, name), platform_expectation(platform)), len(CHECKS)


def _executable(data: bytes, name: str, platform: Platform | None) -> tuple[list[Failure], int]:
    """Verify what is attached to a launcher against the launcher and its settings."""
    payload = read_executable(data)  # which checks the digests
    wanted = None
    if platform is not None:
        check_binary("launcher", platform, EXECUTABLE, data)
        wanted = executable_expectation(platform, payload.settings)
    return verify(read_artifact(payload.artifact, name), wanted), len(CHECKS) + 2


def _has_payload(data: bytes) -> bool:
    """Return whether a file ends as executables do, even if its headers are damaged."""
    try:
        return has_payload(data)
    except MochiError:
        return False


def _identify(data: bytes) -> Binary | None:
    """Return the kind of a file of machine code; its reader reports damage in more detail."""
    try:
        return identify(data)
    except MochiError:
        return None


def _platform_of(binary: Binary) -> Platform | None:
    wanted = (binary.format, binary.cpu)
    found = (row for row in PLATFORMS if (row.system.object_format, row.cpu) == wanted)
    return next(found, None)
