"""ELF objects, judged by pyelftools, binutils, real linkers and the kernel."""

from __future__ import annotations

import io
import shutil
import subprocess

import pytest
from elftools.elf.elffile import ELFFile

from mochi_rules.aot.objects.writer import write_object
from mochi_rules.platforms.platform import PLATFORMS, host_platform

from .tools import CHECK_C, PAYLOAD, expected_output, run, tool

ELF = [row for row in PLATFORMS if row.system.object_format == "elf"]
EMULATIONS = {
    "x86_64": "elf_x86_64",
    "aarch64": "aarch64linux",
    "riscv64": "elf64lriscv",
    "s390x": "elf64_s390",
}


def read(platform, *arguments):
    """Return an object as pyelftools sees it."""
    return ELFFile(io.BytesIO(write_object(platform, "app", *arguments)))


@pytest.mark.parametrize("platform", ELF, ids=lambda row: row.name)
def test_header_is_of_the_platform(platform):
    """The header names the machine, the byte order and a relocatable object."""
    elf = read(platform, PAYLOAD)
    assert elf["e_type"] == "ET_REL"
    assert elf.elfclass == 64
    assert elf.little_endian == (platform.architecture.endianness == "little")
    machines = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
    machines |= {"riscv64": "EM_RISCV", "s390x": "EM_S390"}
    assert elf["e_machine"] == machines[platform.cpu]
    assert elf["e_flags"] == (5 if platform.cpu == "riscv64" else 0)


@pytest.mark.parametrize("alignment", [16, 64, 4096])
@pytest.mark.parametrize("platform", ELF, ids=lambda row: row.name)
def test_payload_is_read_only_data(platform, alignment):
    """The payload is the whole of .rodata, allocated, not writable, not executable, aligned."""
    section = read(platform, PAYLOAD, alignment).get_section_by_name(".rodata")
    assert section.data() == PAYLOAD
    assert section["sh_flags"] == 2
    assert section["sh_addralign"] == alignment
    assert section["sh_offset"] % alignment == 0


@pytest.mark.parametrize("platform", ELF, ids=lambda row: row.name)
@pytest.mark.parametrize("payload", [b"", b"ab", PAYLOAD], ids=len)
def test_symbols_enclose_the_payload(platform, payload):
    """Two global data symbols are defined, at the start and behind the last byte, and no other."""
    elf = read(platform, payload)
    symbols = list(elf.get_section_by_name(".symtab").iter_symbols())[1:]
    assert [symbol.name for symbol in symbols] == ["app_start", "app_end"]
    assert [symbol["st_value"] for symbol in symbols] == [0, len(payload)]
    assert [symbol["st_size"] for symbol in symbols] == [len(payload), 0]
    for symbol in symbols:
        assert symbol["st_info"] == {"bind": "STB_GLOBAL", "type": "STT_OBJECT"}
        assert symbol["st_other"]["visibility"] == "STV_HIDDEN"
        assert elf.get_section(symbol["st_shndx"]).name == ".rodata"


@pytest.mark.parametrize("platform", ELF, ids=lambda row: row.name)
def test_stack_is_not_executable(platform):
    """The marker section is there, and without a flag: the linker keeps the stack plain."""
    marker = read(platform, PAYLOAD).get_section_by_name(".note.GNU-stack")
    assert (marker["sh_flags"], marker["sh_size"]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("platform", ELF, ids=lambda row: row.name)
def test_readelf_finds_no_fault(platform, tmp_path):
    """Everything in the object can be printed, without a warning."""
    path = tmp_path / "app.o"
    path.write_bytes(write_object(platform, "app", PAYLOAD))
    assert "app_start" in run(tool("readelf"), "-aW", str(path))


@pytest.mark.slow
@pytest.mark.parametrize("flavor", ["static-pie", "pie", "no-pie", "shared", "gold", "lld"])
def test_program_of_the_host_finds_the_payload(flavor, tmp_path):
    """A C program linked in every usual way, warnings being fatal, finds the exact bytes."""
    host = host_platform()
    compiler = tool("gcc")
    if flavor in ("gold", "lld"):
        tool(f"ld.{flavor}")
    object_path, source = tmp_path / "app.o", tmp_path / "main.c"
    object_path.write_bytes(write_object(host, "app", PAYLOAD, 4096))
    source.write_text(CHECK_C)
    flags = (
        "-Wall",
        "-Werror",
        "-O2",
        "-DALIGN=4096",
        "-Wl,--fatal-warnings",
        "-Wl,-z,noexecstack",
    )
    flags += ("-DCHECK=main",) if flavor != "shared" else ("-DCHECK=check", "-fPIC")
    program = tmp_path / "program"
    if flavor == "shared":
        library, user = tmp_path / "libapp.so", tmp_path / "user.c"
        user.write_text("int check(void); int main(void) { return check(); }")
        run(compiler, *flags, "-shared", "-o", str(library), str(source), str(object_path))
        inputs = (str(user), str(library), f"-Wl,-rpath,{tmp_path}")
    else:
        option = f"-fuse-ld={flavor}" if flavor in ("gold", "lld") else f"-{flavor}"
        inputs = (option, str(source), str(object_path), "-Wl,--gc-sections")
    run(compiler, *flags, "-o", str(program), *inputs)
    assert run(str(program)) == expected_output()
    with program.open("rb") as file:
        segments = {part["p_type"]: part["p_flags"] for part in ELFFile(file).iter_segments()}
    assert segments["PT_GNU_STACK"] & 1 == 0


@pytest.mark.slow
@pytest.mark.parametrize("platform", ELF, ids=lambda row: row.name)
@pytest.mark.parametrize("linker", ["bfd", "lld"])
def test_linker_of_the_target_takes_the_object(platform, linker, tmp_path):
    """The target's own linker and LLVM's link the object, warnings being fatal."""
    if linker == "lld" and platform.cpu == "s390x":
        return  # LLVM's linker knows s390x from version 18 on
    bfd = "ld" if platform == host_platform() else f"{platform.cpu}-linux-gnu-ld"
    command = tool("ld.lld" if linker == "lld" else bfd)
    path = tmp_path / "app.o"
    path.write_bytes(write_object(platform, "app", PAYLOAD, 64))
    output = tmp_path / "app.so"
    run(command, "-m", EMULATIONS[platform.cpu], "--fatal-warnings", "-z", "noexecstack",
        "-shared", "-o", str(output), str(path))  # fmt: skip
    with output.open("rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".symtab")
        [start], [end] = (symbols.get_symbol_by_name(name) for name in ("app_start", "app_end"))
        section = elf.get_section(start["st_shndx"])
        offset = start["st_value"] - section["sh_addr"]
        size = end["st_value"] - start["st_value"]
        assert section.data()[offset : offset + size] == PAYLOAD


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["aarch64", "riscv64", "s390x"])
def test_program_of_another_machine_finds_the_payload(cpu, tmp_path):
    """A program for each other machine, run by emulation, finds the exact bytes."""
    [platform] = [row for row in ELF if row.cpu == cpu]
    compiler, emulator = tool(f"{cpu}-linux-gnu-gcc"), tool(f"qemu-{cpu}-static", f"qemu-{cpu}")
    object_path, source = tmp_path / "app.o", tmp_path / "main.c"
    object_path.write_bytes(write_object(platform, "app", PAYLOAD, 64))
    source.write_text(CHECK_C)
    program = tmp_path / "program"
    flags = ("-O2", "-DALIGN=64", "-DCHECK=main", "-static", "-Wl,--fatal-warnings")
    run(compiler, *flags, "-o", str(program), str(source), str(object_path))
    assert run(emulator, str(program)) == expected_output()


@pytest.mark.slow
def test_objects_with_other_bases_link_together(tmp_path):
    """Two objects of different bases link into one program; of the same base they do not."""
    linker = tool("ld")
    host = host_platform()
    for name, base in (("a", "one"), ("b", "two"), ("c", "one")):
        (tmp_path / f"{name}.o").write_bytes(write_object(host, base, PAYLOAD))
    run(linker, "-r", "-o", "ab.o", "a.o", "b.o", cwd=tmp_path)
    command = (shutil.which("ld"), "-r", "-o", "ac.o", "a.o", "c.o")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "multiple definition of `one_start'" in done.stderr
