"""`mochi-rules verify`: the full structural check of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.files import read_input
from mochi_rules.cli.options import COLOR, TARGET, Verb
from mochi_rules.elf.checks import CHECKS, Failure, verify
from mochi_rules.elf.object_checks import OBJECT_CHECKS, ObjectExpectation, verify_object
from mochi_rules.elf.objects import read_object
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.report import inspect
from mochi_rules.platforms.platform import find_platform
from mochi_rules.rules.expectation import platform_expectation

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed
    from mochi_rules.platforms.platform import Platform


def verify_file(parsed: Parsed) -> int:
    """Verify an artifact, or an object that holds one; the status is 1 when a check fails.

    Emits: A010, A011, A020, A021, A024, B010, C010.
    """
    target = parsed.get("target")
    platform = find_platform(target) if target else None
    name = parsed.operands[0]
    data = read_input(Path(name))
    failures, count = _verify(data, name, platform)
    for failure in failures:
        sys.stdout.write(f"{name}: {failure}\n")
    if failures:
        return 1
    sys.stdout.write(f"{name}: sound, {count} checks\n")
    return 0


def _verify(data: bytes, name: str, platform: Platform | None) -> tuple[list[Failure], int]:
    """Return what is wrong, and how many checks there are."""
    if data.startswith(b"\0asm"):
        from mochi_rules.wasm.read import read_summary  # noqa: PLC0415 - of wasm only

        read_summary(data)
        return [], 1
    if not inspect(data).inner:
        return _artifact(data, name, platform)
    payload = read_object(data, name).payload
    wanted = ObjectExpectation()
    if platform is not None:
        little = platform.endianness == "little"
        wanted = ObjectExpectation(platform.object_format, platform.cpu, little)
    failures, count = verify_object(data, wanted), len(OBJECT_CHECKS)
    if payload is not None:
        inner, more = _artifact(payload, name, platform)
        failures, count = failures + inner, count + more
    return failures, count


def _artifact(data: bytes, name: str, platform: Platform | None) -> tuple[list[Failure], int]:
    wanted = platform_expectation(platform) if platform else None
    return verify(read_artifact(data, name), wanted), len(CHECKS)


VERB = Verb(
    "verify",
    "verify FILE [OPTIONS]",
    "Check the structure of an artifact, or of an object that holds one: status 1, and every check "
    "that fails. Only a digest finds every change: see docs/verification.md.",
    verify_file,
    (TARGET, COLOR),
)
