"""Payloads in Mach-O files, judged by LIEF's copy of dyld's checks and by LLVM."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from mochi_rules.aot.executable.macho_insert import check_signed, sign
from mochi_rules.aot.executable.payload import find_payload, make_payload
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.formats.code_signature import check_signature
from mochi_rules.formats.macho import read_image
from mochi_rules.platforms.platform import find_platform
from tests.needs import need

from .files import MACOS, make_artifact, make_macho

PLATFORMS = [find_platform(name) for name in ("x86_64-macos", "aarch64-macos")]
both = pytest.mark.parametrize("platform", PLATFORMS, ids=lambda row: row.name)
FORMS = [(chained, signed) for chained in (False, True) for signed in (False, True)]
forms = pytest.mark.parametrize(("chained", "signed"), FORMS)


def judge(data):
    """Return what LIEF reads, and what its checks say: those of dyld and of codesign_allocate."""
    lief = pytest.importorskip("lief", reason="the Python package lief is missing")
    binary = lief.MachO.parse(list(data)).at(0)
    return binary, *lief.MachO.check_layout(binary)


def parse(data):
    """Return what LIEF reads, after its checks."""
    binary, ok, why = judge(data)
    assert ok, why
    return binary


def attach(platform, launcher, artifact=None):
    """Return an executable."""
    return write_executable(platform, launcher, artifact or make_artifact(platform), b"")


def refusal(launcher, platform=MACOS):
    """Return code and message of a refusal."""
    with pytest.raises(MochiError) as caught:
        attach(platform, launcher)
    return str(caught.value)


@both
@forms
def test_executable_passes_the_checks_of_dyld(platform, chained, signed):
    """So do the launchers, with either kind of fixups, with or without a signature."""
    launcher = make_macho(platform, chained=chained, signed=signed)
    parse(launcher)
    executable = parse(attach(platform, launcher))
    names = [item.name for item in executable.segments]
    assert names == ["__PAGEZERO", "__TEXT", "__DATA", "__MOCHI", "__LINKEDIT"]


@both
@pytest.mark.parametrize("chained", [False, True])
def test_signature_alone_passes_them_too(platform, chained):
    """An executable that no linker signed gets a signature, and keeps the one it has."""
    unsigned = make_macho(platform, chained=chained, signed=False)
    signed = sign(platform, unsigned, b"program")
    executable = parse(signed)
    assert [item.name for item in executable.segments][-1] == "__LINKEDIT"
    assert executable.has_code_signature
    check_signed(read_image(signed))
    assert sign(platform, signed, b"program") is signed


def test_judge_sees_a_wrong_number_of_segments():
    """The judge is one: with the old number of segments in the fixups it refuses."""
    data = bytearray(attach(MACOS, make_macho(MACOS)))
    place = read_image(bytes(data)).segment("__LINKEDIT").offset + 32
    assert data[place] == 5
    data[place] = 4
    _, ok, why = judge(bytes(data))
    assert (ok, "seg_count" in why) == (False, True)


@both
@pytest.mark.parametrize("size", [100, 0x4000 - 64, 0x4000 - 63, 50_000])
def test_section_holds_exactly_the_payload(platform, size):
    """The section begins on a page, is mapped read-only, and ends where the payload ends."""
    artifact = make_artifact(platform, size=size)
    executable = parse(attach(platform, make_macho(platform), artifact))
    segment = executable.get_segment("__MOCHI")
    [section] = segment.sections
    assert bytes(section.content) == make_payload(artifact, b"")
    assert section.offset % platform.page_size == section.virtual_address % platform.page_size == 0
    assert segment.init_protection == segment.max_protection == 1


@both
def test_all_before_the_payload_stays(platform):
    """Of the launcher only load commands change, and tables move as they are."""
    launcher = make_macho(platform)
    data = attach(platform, launcher)
    assert data[0x1000:0x8000] == launcher[0x1000:0x8000]
    before, after = parse(launcher), parse(data)
    assert [s.name for s in before.symbols] == [s.name for s in after.symbols] == ["_main"]
    pointers = [(item.address, item.target) for item in before.relocations]
    assert pointers == [(item.address, item.target) for item in after.relocations]
    assert len(pointers) == 1


@both
@forms
def test_signature_covers_all_before_it(platform, chained, signed):
    """A byte that is changed anywhere before the signature is found by its page."""
    data = attach(platform, make_macho(platform, chained=chained, signed=signed))
    command = next(item for item in read_image(data).commands if item[0] == 0x1D)
    _, _, offset, size = struct.unpack("<4I", command)
    assert offset + size == len(data)
    check_signature(data[:offset], data[offset:])
    for place in range(0, offset, 509):
        damaged = bytearray(data[:offset])
        damaged[place] ^= 1
        with pytest.raises(MochiError, match=f"A111.* the page at {place // 4096 * 4096} "):
            check_signature(bytes(damaged), data[offset:])


def test_damaged_launcher_is_found_by_its_signature():
    """No executable is made of a launcher that would not start."""
    launcher = bytearray(make_macho(MACOS))
    launcher[0x1000] ^= 1
    assert refusal(bytes(launcher)).startswith("A111: the code signature is wrong: the page at")


def test_launcher_without_room_is_refused():
    """The load commands must not grow into the code."""
    commands_end = 32 + read_image(make_macho(MACOS)).header[5]
    assert "A106: the Mach-O file cannot be used: its header has no room" in refusal(
        make_macho(MACOS, room=-(-(commands_end + 151) // 16) * 16 - 16)
    )
    parse(attach(MACOS, make_macho(MACOS, room=-(-(commands_end + 152) // 16) * 16)))


def test_unknown_load_command_is_refused():
    """A load command that might hold an offset is not passed over."""
    extra = struct.pack("<II24s", 0x31, 32, b"LC_NOTE")
    assert "its load command 0x31 is unknown" in refusal(make_macho(MACOS, extra=extra))


@pytest.mark.parametrize(
    ("place", "number", "words"),
    [
        (20, 0x7F8, "its load commands are damaged"),
        (288, 1 << 30, "its segment `__DATA` does not stand before the last one"),
        (432, 4, "does not begin on a page of 16384 bytes"),
        (488, 1, "a table of its load command 0x2 is not in `__LINKEDIT`"),
        (492, 1 << 20, "a table of its load command 0x2 is not in `__LINKEDIT`"),
        (0x8000, 1, "its fixups have an unknown format"),
        (0x8004, 1 << 20, "its fixups are damaged"),
        (0x8008, 40, "its fixups have an unknown format"),
        (0x8020, 3, "its fixups have an unknown format"),
    ],
)
def test_launcher_of_another_form_is_refused(place, number, words):
    """Whatever is taken for granted is looked at: one number of the headers is another."""
    launcher = bytearray(make_macho(MACOS, signed=False))
    struct.pack_into("<I", launcher, place, number)
    text = refusal(bytes(launcher))
    assert text.startswith("A106: the Mach-O file cannot be used: ")
    assert text.endswith(words)


def test_short_load_command_is_refused():
    """A load command without room for its numbers has none."""
    extra = struct.pack("<II", 0x26, 8)
    assert "its load command 0x26 is too short" in refusal(make_macho(MACOS, extra=extra))


def test_signature_elsewhere_is_refused():
    """A signature that is not at the end does not cover what stands behind it."""
    launcher = make_macho(MACOS)
    command = next(item for item in read_image(launcher).commands if item[0] == 0x1D)
    _, _, offset, size = struct.unpack("<4I", command)
    moved = launcher.replace(command, struct.pack("<4I", 0x1D, 16, offset, size - 16))
    assert "its signature is not at its end" in refusal(moved)


def test_bytes_behind_the_last_segment_are_refused():
    """What stands behind the signature would be lost."""
    assert "there is data after its last segment" in refusal(make_macho(MACOS) + b"more")


def test_segment_without_payload_is_no_place_for_one():
    """A second segment of the name would never be found."""
    launcher = make_macho(MACOS, signed=False).replace(b"__DATA\0", b"__MOCHI")
    assert "it has a segment `__MOCHI` already" in refusal(launcher)


def test_payload_that_was_appended_is_found():
    """A launcher looks at its end when it has no segment, and so is it here."""
    artifact = make_artifact(MACOS)
    data = make_macho(MACOS) + make_payload(artifact, b"")
    assert find_payload(data).artifact == artifact
    assert refusal(data).startswith("A108")


def test_section_behind_the_end_is_damage():
    """A section that is not in the file is not read."""
    data = bytearray(attach(MACOS, make_macho(MACOS)))
    place = data.index(b"__payload\0")
    struct.pack_into("<Q", data, place + 40, 1 << 40)
    with pytest.raises(MochiError, match=r"A106.* ends beyond the end of the file"):
        find_payload(bytes(data))


def rust_lld():
    """Return the linker that comes with Rust, or skip the test."""
    need("rustc")
    command = ["rustc", "--print", "target-libdir"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    linker = Path(found.strip()).parent / "bin" / "rust-lld"
    if not linker.exists():
        pytest.skip("rust-lld is missing")
    return linker


SYSTEM = """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ dyld_stub_binder, _puts ]
...
"""
SOURCE = """
extern int puts(const char *);
const char *names[] = { "one", "two" };
int (*function)(const char *) = puts;
int main(void) { return function(names[1]); }
"""


@pytest.mark.slow
@both
@pytest.mark.parametrize("fixups", ["-fixup_chains", "-no_fixup_chains"])
def test_linked_program_keeps_its_pointers(platform, fixups, tmp_path):
    """What dyld binds and rebases in a program that lld linked stays the same."""
    linker = rust_lld()
    need("clang")
    (tmp_path / "main.c").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "libSystem.tbd").write_text(SYSTEM, encoding="utf-8")
    arch = "arm64" if platform.cpu == "aarch64" else "x86_64"
    for command in (
        ["clang", "-target", f"{arch}-apple-macos12", "-c", "main.c"],
        [linker, "-flavor", "darwin", "-arch", arch, "-platform_version", "macos", "12.0", "12.0",
         fixups, "-headerpad", "0x400", "main.o", "libSystem.tbd", "-o", "main"],
    ):  # fmt: skip
        subprocess.run(command, cwd=tmp_path, check=True)
    launcher = (tmp_path / "main").read_bytes()
    before, after = parse(launcher), parse(attach(platform, launcher))
    for pick in (
        lambda binary: [(item.symbol.name, item.address) for item in binary.bindings],
        lambda binary: [(item.address, item.size) for item in binary.relocations],
        lambda binary: [(item.name, item.value) for item in binary.symbols],
        lambda binary: [(item.offset, item.size) for item in binary.sections][:4],
        lambda binary: binary.entrypoint,
    ):
        assert pick(before) == pick(after)
    assert len(before.relocations) == 2


@pytest.mark.slow
@both
def test_llvm_finds_the_section(platform, tmp_path):
    """Another reader of the format finds the payload by its names."""
    need("llvm-objcopy")
    path, content = tmp_path / "app", tmp_path / "content"
    path.write_bytes(attach(platform, make_macho(platform, chained=False)))
    command = ["llvm-objcopy", f"--dump-section=__MOCHI,__payload={content}", path, tmp_path / "x"]
    subprocess.run(command, check=True)
    assert content.read_bytes() == make_payload(make_artifact(platform), b"")
