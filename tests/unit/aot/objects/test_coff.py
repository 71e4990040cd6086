"""COFF objects, judged by LLVM and by the linkers of MinGW and LLVM."""

from __future__ import annotations

import struct

import pytest

from mochi_rules.aot.objects.writer import write_object
from mochi_rules.platforms.platform import find_platform

from .tools import CHECK_C, PAYLOAD, run, tool

WINDOWS = [find_platform(name) for name in ("x86_64-windows", "aarch64-windows")]
MACHINES = {"x86_64": 0x8664, "aarch64": 0xAA64}
both = pytest.mark.parametrize("platform", WINDOWS, ids=lambda row: row.name)


@both
def test_header_has_no_time(platform):
    """The header names the machine; its time stamp and its characteristics are zero."""
    data = write_object(platform, "app", PAYLOAD)
    machine, sections, time, _, symbols, optional, flags = struct.unpack_from("<HHIIIHH", data)
    assert (machine, sections, time) == (MACHINES[platform.cpu], 1, 0)
    assert (symbols, optional, flags) == (2, 0, 0)


@pytest.mark.slow
@both
@pytest.mark.parametrize("payload", [b"", b"a", PAYLOAD], ids=len)
@pytest.mark.parametrize("alignment", [16, 4096])
def test_llvm_reads_what_was_written(platform, payload, alignment, tmp_path):
    """LLVM finds the read-only aligned section, its bytes, and the two external symbols."""
    path = tmp_path / "app.obj"
    path.write_bytes(write_object(platform, "app", payload, alignment))
    text = run(tool("llvm-readobj"), "--all", "--section-data", str(path))
    assert f"IMAGE_SCN_ALIGN_{alignment}BYTES" in text
    assert "IMAGE_SCN_CNT_INITIALIZED_DATA" in text
    assert "IMAGE_SCN_MEM_READ" in text
    assert "IMAGE_SCN_MEM_WRITE" not in text
    assert "IMAGE_SCN_MEM_EXECUTE" not in text
    assert f"RawDataSize: {len(payload)}" in text
    listing = run(tool("llvm-nm"), "--format=posix", str(path)).splitlines()
    assert sorted(listing) == [f"app_end R {len(payload):x} 0", "app_start R 0 0"]


@pytest.mark.slow
@both
def test_lld_links_the_object(platform, tmp_path):
    """LLVM's linker takes the object into a DLL, warnings being errors, bytes and symbols whole."""
    path, output = tmp_path / "app.obj", tmp_path / "app.dll"
    path.write_bytes(write_object(platform, "app", PAYLOAD, 4096))
    machine = "x64" if platform.cpu == "x86_64" else "arm64"
    run(tool("lld-link"), "/dll", "/noentry", "/wx", f"/machine:{machine}",
        "/export:app_start,data", "/export:app_end,data", f"/out:{output}", str(path))  # fmt: skip
    image = output.read_bytes()
    assert image.count(PAYLOAD) == 1
    exports = run(tool("llvm-readobj"), "--coff-exports", str(output))
    places = [int(line.split()[1], 16) for line in exports.splitlines() if "RVA" in line]
    *_, end, start = places  # by name; before them stands the entry that every table has
    assert end - start == len(PAYLOAD)
    assert start % 4096 == 0


@pytest.mark.slow
def test_mingw_links_a_program(tmp_path):
    """MinGW's compiler links a C program with the object, warnings being fatal."""
    compiler = tool("x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-gcc-win32")
    path, source = tmp_path / "app.o", tmp_path / "main.c"
    path.write_bytes(write_object(WINDOWS[0], "app", PAYLOAD, 64))
    source.write_text(CHECK_C)
    program = tmp_path / "program.exe"
    flags = ("-O2", "-DALIGN=64", "-DCHECK=main", "-Wl,--fatal-warnings")
    run(compiler, *flags, "-o", str(program), str(source), str(path))
    assert program.read_bytes().count(PAYLOAD) == 1
    listing = run(tool("x86_64-w64-mingw32-nm"), str(program))
    places = {line.split()[2]: int(line.split()[0], 16) for line in listing.splitlines()
              if line.endswith((" app_start", " app_end"))}  # fmt: skip
    assert places["app_end"] - places["app_start"] == len(PAYLOAD)
    assert places["app_start"] % 64 == 0
