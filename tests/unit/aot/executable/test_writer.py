"""What becomes an executable, and what is refused with both sides named."""

from __future__ import annotations

import hashlib

import pytest

from mochi_rules.aot.executable import writer
from mochi_rules.aot.executable.payload import make_payload
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import find_platform

from .files import ALL, LINUX, MACOS, WINDOWS, make_artifact, make_launcher

each = pytest.mark.parametrize("platform", ALL, ids=lambda row: row.name)


def refusal(platform, launcher, artifact, settings=b""):
    """Return code and message of a refusal."""
    with pytest.raises(MochiError) as caught:
        write_executable(platform, launcher, artifact, settings)
    [found] = caught.value.diagnostics
    assert found.help
    return f"{found.code}: {found.message}"


@pytest.mark.parametrize("platform", [LINUX, WINDOWS], ids=lambda row: row.name)
def test_layout_is_launcher_zeros_digest_payload(platform):
    """The payload ends the file; it begins at a multiple of 4096, with a digest before it."""
    launcher, artifact = make_launcher(platform), make_artifact(platform)
    data = write_executable(platform, launcher, artifact, b"fuel\t5\n")
    payload = make_payload(artifact, b"fuel\t5\n")
    front = launcher + bytes(4096 - 32 - len(launcher))
    assert data == front + hashlib.sha256(front).digest() + payload


@each
def test_same_arguments_give_the_same_bytes(platform):
    """Nothing else enters an executable."""
    arguments = platform, make_launcher(platform), make_artifact(platform), b"stack\t1000000\n"
    assert write_executable(*arguments) == write_executable(*arguments)


@each
def test_launcher_with_a_program_is_refused(platform):
    """An executable is not a launcher."""
    launcher, artifact = make_launcher(platform), make_artifact(platform)
    executable = write_executable(platform, launcher, artifact, b"")
    assert refusal(platform, executable, artifact).startswith("A108")


@pytest.mark.parametrize("other", ALL, ids=lambda row: row.name)
@each
def test_launcher_of_another_platform_is_refused(platform, other):
    """For every pair but those of one platform, both sides are named."""
    if platform == other:
        return
    words = {"elf": "an ELF", "coff": "a PE", "macho": "a Mach-O"}
    text = refusal(platform, make_launcher(other), make_artifact(platform))
    assert text == (
        f"A107: the launcher is {words[other.system.object_format]} executable for `{other.cpu}`, "
        f"and `{platform.name}` needs {words[platform.system.object_format]} executable "
        f"for `{platform.cpu}`"
    )


@pytest.mark.parametrize("other", ALL, ids=lambda row: row.name)
@each
def test_artifact_of_another_platform_is_refused(platform, other):
    """For every pair but those of one platform, both sides are named."""
    if platform == other:
        return
    text = refusal(platform, make_launcher(platform), make_artifact(other))
    assert text == (
        f"A109: the artifact is for `{other.triple}` and Wasmtime 48, "
        f"the launcher for `{platform.name}` and Wasmtime 48"
    )


def test_artifact_of_another_wasmtime_is_refused():
    """Both versions are named."""
    text = refusal(LINUX, make_launcher(LINUX), make_artifact(LINUX, version="47"))
    assert "and Wasmtime 47, the launcher for `x86_64-linux` and Wasmtime 48" in text


def test_artifact_of_another_c_library_fits():
    """Of a triple only architecture and system decide, as in Wasmtime."""
    artifact = make_artifact(LINUX, target="x86_64-unknown-linux-musl")
    assert artifact in write_executable(LINUX, make_launcher(LINUX), artifact, b"")


@pytest.mark.parametrize(
    ("artifact", "words"),
    [
        (b"", "not a compiled artifact"),
        (b"\0asm\1\0\0\0", "not a compiled artifact"),
        (make_launcher(LINUX), "not a compiled artifact"),
        (make_artifact(LINUX)[:8], "damaged"),
        (make_artifact(LINUX)[:70], "damaged"),
        (make_artifact(LINUX, target="a\x1b-\n"), r"is for `a\x1b-\n`"),
        (make_artifact(LINUX, flags=2), "is a component"),
    ],
)
def test_what_is_no_module_is_refused(artifact, words):
    """Anything else that is given for an artifact is named by what it is."""
    text = refusal(LINUX, make_launcher(LINUX), artifact)
    assert text.startswith("A109")
    assert words in text


@each
def test_launcher_that_is_cut_off_is_refused(platform):
    """Whatever is missing at its end, no executable is made of it."""
    launcher = make_launcher(platform)
    for size in (0, 4, 20, 70, len(launcher) // 2, len(launcher) - 1):
        text = refusal(platform, launcher[:size], make_artifact(platform))
        assert text.startswith(("A106", "A107"))


def test_library_is_no_launcher():
    """Neither a library nor an object can be started."""
    for launcher in (make_launcher(LINUX, kind=3, entry=0), make_launcher(WINDOWS, flags=0x2022)):
        platform = LINUX if launcher.startswith(b"\x7fELF") else WINDOWS
        text = refusal(platform, launcher, make_artifact(platform))
        assert text.startswith("A107: the launcher is a")
        assert " library for `x86_64`" in text


def test_program_that_may_lie_anywhere_is_a_launcher():
    """A static program is a shared object with an entry."""
    artifact = make_artifact(LINUX)
    assert artifact in write_executable(LINUX, make_launcher(LINUX, kind=3), artifact, b"")


def test_message_on_a_universal_file_names_lipo():
    """A launcher for two architectures needs another tool first."""
    with pytest.raises(MochiError) as caught:
        write_executable(MACOS, b"\xca\xfe\xba\xbe" + bytes(100), make_artifact(MACOS), b"")
    [found] = caught.value.diagnostics
    assert found.code == "A107"
    assert "lipo -thin aarch64" in found.help


def test_too_large_artifact_is_refused(monkeypatch):
    """What no format could hold is refused before it is written."""
    monkeypatch.setattr(writer, "MAX_SIZE", 5000)
    text = refusal(LINUX, make_launcher(LINUX), make_artifact(LINUX))
    assert text == "A109: an artifact of 5000 bytes is too large for an executable"


def test_settings_that_no_launcher_reads_are_refused():
    """The mistake is found before the program is started."""
    text = refusal(LINUX, make_launcher(LINUX), make_artifact(LINUX), b"bogus\t1\n")
    assert text == r"A110: no launcher knows the setting `'bogus\t1'`"


def test_32_bit_files_are_refused():
    """A launcher of 32 bits is of no platform."""
    i386 = b"\x7fELF\x01\x01\x01" + bytes(100)
    assert "is not machine code" in refusal(LINUX, i386, make_artifact(LINUX))
    riscv = find_platform("riscv64-linux")
    big = bytearray(make_launcher(riscv))
    big[18:20] = b"\x16\0"  # s390x, in little-endian
    assert "an ELF executable for another architecture" in refusal(
        riscv, bytes(big), make_artifact(riscv)
    )
