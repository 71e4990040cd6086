"""Tests of `mochi-rules verify` on executables of every format."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.elf.checks.table import CHECKS
from mochi_rules.platforms.platform import find_platform
from tests.unit.aot.executable.files import CODE, make_launcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Typed

GOLDEN = Path(__file__).parents[2] / "golden" / "cwasm"
PLATFORMS = ("aarch64-linux", "s390x-linux", "x86_64-windows", "aarch64-macos")


def executable(name: str, settings: bytes = b"") -> bytes:
    """Return an executable of a platform."""
    platform = find_platform(name)
    artifact = gzip.decompress((GOLDEN / f"{platform.triple}.cwasm.gz").read_bytes())
    return write_executable(platform, make_launcher(platform), artifact, settings)


@pytest.mark.parametrize("name", PLATFORMS)
def test_executable_of_every_format_is_sound(
    typed: Callable[..., Typed], here: Path, name: str
) -> None:
    """All checks of the artifact, and the digests of launcher and payload."""
    (here / "app").write_bytes(executable(name))
    for words in ((), ("--target", name)):
        got = typed("verify", "app", *words)
        assert (got.status, got.out) == (0, f"app: sound, {len(CHECKS) + 2} checks\n")


@pytest.mark.parametrize("name", PLATFORMS)
def test_damaged_launcher_is_found(typed: Callable[..., Typed], here: Path, name: str) -> None:
    """A byte of its code cannot change, although no header refers to it."""
    data = bytearray(executable(name))
    data[data.index(CODE) + 5] ^= 0x10
    (here / "app").write_bytes(data)
    got = typed("verify", "app")
    messages = {
        "macho": "error[A111]: the code signature is wrong: the page at 4096 has another SHA-256\n"
    }
    default = (
        "error[A105]: the executable is damaged: its launcher does not have the recorded SHA-256\n"
    )
    assert got.status == 2
    assert got.err.startswith(messages.get(find_platform(name).system.object_format, default))


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("place", [4, 5, 16, 18, 24, 60])
def test_damaged_header_of_an_executable_is_found(
    typed: Callable[..., Typed], here: Path, name: str, place: int
) -> None:
    """An executable that looks like another kind of file is not verified as that kind."""
    data = bytearray(executable(name))
    data[place] ^= 0x03
    (here / "app").write_bytes(data)
    assert typed("verify", "app").status in {1, 2}


def test_artifact_of_another_wasmtime_is_refused_whatever_the_platform(
    typed: Callable[..., Typed], here: Path
) -> None:
    """Without `--target` too: nothing of this version would load it."""
    artifact = gzip.decompress((GOLDEN / "s390x-unknown-linux-gnu.cwasm.gz").read_bytes())
    (here / "a.cwasm").write_bytes(artifact)
    assert typed("verify", "a.cwasm").status == 0
    (here / "a.cwasm").write_bytes(artifact.replace(b"\0\x0248", b"\0\x0247"))
    got = typed("verify", "a.cwasm")
    assert got.status == 1
    assert "expected Wasmtime 48, got 47" in got.out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (b"fuel\t5\n", "`consume_fuel` = True, got False"),
        (b"deadline_ms\t5\n", "`epoch_interruption` = True, got False"),
        (b"memory_guard_size\t65536\n", "`memory_guard_size` = 65536, got 33554432"),
    ],
)
def test_settings_that_the_artifact_does_not_have_are_reported(
    typed: Callable[..., Typed], here: Path, settings: bytes, message: str
) -> None:
    """The launcher would refuse the artifact."""
    (here / "app").write_bytes(executable("aarch64-linux", settings))
    got = typed("verify", "app")
    assert got.status == 1
    assert got.out.startswith(f"app: tunables: expected {message}\n")


@pytest.mark.parametrize("name", PLATFORMS)
def test_launcher_alone_is_no_program(typed: Callable[..., Typed], here: Path, name: str) -> None:
    """There is nothing to verify."""
    (here / "app").write_bytes(make_launcher(find_platform(name)))
    got = typed("verify", "app")
    assert got.status == 2
    assert got.err.startswith("error[A103]: no program is attached to this executable\n")
