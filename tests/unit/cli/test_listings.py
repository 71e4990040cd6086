"""`objdump` and `explore` as they are typed."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

PROGRAM = 'fun twice(n: int): int {\n  return n * 2\n}\n\nprint(twice(4))\nprint("done")\n'
STORED = Path(__file__).parents[2] / "golden" / "objdump"


@pytest.fixture
def program(here) -> Path:
    """Return a program with a function."""
    (here / "app.mochi").write_text(PROGRAM)
    return Path("app.mochi")


def test_objdump_of_a_program(typed, program) -> None:
    """A program is compiled with its lines, and each is shown before its code."""
    result = typed("objdump", program, "--function", "main")
    rows = result.out.splitlines()

    assert (result.status, result.err) == (0, "")
    assert rows[0] == "main (app.mochi:5)"
    assert "  ; app.mochi:5: print(twice(4))" in rows
    assert '  ; app.mochi:6: print("done")' in rows


def test_objdump_shows_the_code_that_runs(typed, program) -> None:
    """Lines are added beside the code: it is the very code that `build` writes."""
    typed("build", program, "--mode", "release", "-o", "app.cwasm")
    text = ELFFile(io.BytesIO(Path("app.cwasm").read_bytes())).get_section_by_name(".text").data()
    rows = typed("objdump", program, "--mode", "release").out.splitlines()

    shown = 0
    for row in rows:
        address, _, rest = row.strip().partition("  ")
        if row.startswith("     ") and rest:
            data = bytes.fromhex(rest.partition("  ")[0])
            assert text[int(address, 16) :].startswith(data)
            shown += len(data)
    assert shown > 2000


def test_objdump_of_an_artifact_with_lines(typed, here) -> None:
    """An artifact with lines shows the source, when it is where the artifact says."""
    packed = (STORED / "s390x-unknown-linux-gnu.cwasm.gz").read_bytes()
    (here / "fib.cwasm").write_bytes(gzip.decompress(packed))
    without = typed("objdump", "fib.cwasm", "--function", "fib")
    (here / "fib.mochi").write_text((STORED / "fib.mochi").read_text())
    with_text = typed("objdump", "fib.cwasm", "--function", "fib")

    assert "  ; fib.mochi:5\n" in without.out
    assert "  ; fib.mochi:5: return fib(n - 1) + fib(n - 2)\n" in with_text.out


def test_objdump_of_an_artifact_without_lines(typed, program) -> None:
    """Without lines the code is shown, and how to get the lines is said."""
    typed("build", program, "-o", "app.cwasm", "--mode", "release")
    result = typed("objdump", "app.cwasm")

    assert result.status == 0
    assert result.out.startswith("wasm[0]::function[3]\n")
    assert result.err == (
        "warning[A027]: `app.cwasm` has no line numbers\n"
        "help: build it with `--mode debug`, or name its `.mochi` here\n"
    )


def test_objdump_of_a_debug_build(typed, program) -> None:
    """What `--mode debug` builds has its lines in it."""
    typed("build", program, "-o", "app.cwasm", "--mode", "debug")
    result = typed("objdump", "app.cwasm", "--function", "main")

    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("main (app.mochi:5)\n")
    assert "  ; app.mochi:5: print(twice(4))\n" in result.out


def test_objdump_of_damaged_lines(typed, here) -> None:
    """Lines that cannot be read are a warning with the reason; the code is shown."""
    data = gzip.decompress((STORED / "x86_64-unknown-linux-gnu.cwasm.gz").read_bytes())
    section = ELFFile(io.BytesIO(data)).get_section_by_name(".debug_line")
    place = section["sh_offset"] + 4  # its version
    (here / "bad.cwasm").write_bytes(data[:place] + b"\x09" + data[place + 1 :])
    result = typed("objdump", "bad.cwasm", "--function", "fib")

    assert (result.status, result.out.splitlines()[0]) == (0, "fib")
    assert "the line numbers of `bad.cwasm` cannot be read: version 9 of DWARF" in result.err


def test_objdump_of_an_object(typed, program) -> None:
    """What an object holds is shown as the artifact itself is."""
    typed("build", program, "-o", "app.cwasm")
    typed("build", program, "-o", "app.o")

    assert typed("objdump", "app.o").out == typed("objdump", "app.cwasm").out != ""


def test_objdump_colors_on_request(typed, program) -> None:
    """Color comes with `--color always`, and not into a pipe."""
    assert "\x1b[1mmain" in typed("objdump", program, "--color", "always").out
    assert "\x1b" not in typed("objdump", program).out


def test_objdump_into_a_pipe_that_closes(here, program) -> None:
    """A reader who has seen enough ends the command without a word."""
    words = f"{sys.executable} -m mochi_rules objdump {program} | head -n 1"
    root = Path(__file__).parents[3]
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words],
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(here)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (result.returncode, result.stdout, result.stderr) == (0, "_start\n", "")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("objdump", "nothing.cwasm"), 2, "error[B010]: cannot read `nothing.cwasm`"),
        (("objdump", "text.cwasm"), 2, "error[A020]: text.cwasm is not a .cwasm: not an ELF"),
        (("objdump", "cut.cwasm"), 2, "error[A021]: cut.cwasm is damaged"),
        (("objdump", "app.mochi", "--function", "mian"), 2, "help: did you mean `main`?"),
        (("objdump", "app.cwasm", "--mode", "release"), 2, "help: leave `--mode` out"),
        (("objdump", "app.mochi", "--target", "x86"), 2, "error[C010]"),
        (("objdump",), 2, "error[B053]: `mochi-rules objdump` needs `FILE`"),
        (("explore", "app.cwasm"), 2, "error[B066]: `app.cwasm` is compiled already"),
        (("explore", "wrong.mochi"), 2, "error[T002]"),
        (("explore", "app.mochi", "-o", "/proc/no/page.html"), 3, "error[B014]: cannot write"),
    ],
)
def test_mistakes(typed, program, here, words, status, said) -> None:
    """A mistake is one message that says what to do, and no traceback."""
    typed("build", program, "-o", "app.cwasm")
    (here / "text.cwasm").write_text("no artifact")
    (here / "cut.cwasm").write_bytes((here / "app.cwasm").read_bytes()[:9000])
    (here / "wrong.mochi").write_text("print(nobody)\n")
    result = typed(*words)

    assert (result.status, result.out) == (status, "")
    assert said in result.err


def test_explore_writes_a_page(typed, program, here) -> None:
    """The page has the name of the program, and its three columns hold what they should."""
    result = typed("explore", program, "-O0")
    page = (here / "app.html").read_text(encoding="utf-8")

    assert (result.status, result.out, result.err) == (0, "wrote app.html\n", "")
    assert "</b>print(twice(4))</li>" in page
    assert "<summary>(func $twice (param i64) (result i64)" in page
    assert "<summary>twice</summary>" in page


def test_explore_shows_on_demand(typed, program) -> None:
    """With `-o -` the page goes to the output, the same as into a file."""
    typed("explore", program, "-o", "page.html")

    assert typed("explore", program, "-o", "-").out == Path("page.html").read_text()


def test_explore_of_foreign_wasm_reads_no_file_elsewhere(typed, here, monkeypatch) -> None:
    """Sources are shown when they lie here; a file that WebAssembly names elsewhere is not."""
    from mochi_rules.compiler.driver import CompileRequest, compile_program

    (here.parent / "secret.mochi").write_text("print(1) // a secret\n")
    (here / "own.mochi").write_text("print(1) // seen\n")
    for name in ("../secret.mochi", "own.mochi"):
        sources = {name: "print(1)\n"}
        wasm = compile_program(CompileRequest(name, sources, debug_info=True)).wasm
        (here / f"{Path(name).stem}.wasm").write_bytes(wasm)

    secret = typed("explore", "secret.wasm", "-o", "-")
    own = typed("explore", "own.wasm", "-o", "-")

    assert (secret.status, own.status) == (0, 0)
    assert "a secret" not in secret.out
    assert "print(1) // seen" in own.out


def test_wasm_without_lines_says_so(typed, here, program) -> None:
    """A foreign binary without lines is shown, and how to get them is said."""
    typed("build", program, "-o", "app.wasm", "--mode", "release")
    result = typed("objdump", "app.wasm")

    assert result.status == 0
    assert result.out.startswith("wasm[0]::function[3]\n")
    assert "help: compile it with `-g`" in result.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.wat", "--native"], "`--native` applies only to `.mochi` files, not to `a.wat`"),
        (
            ["app.mochi", "--native", "--target", "aarch64-macos"],
            "`--native` shows objects in ELF, which `aarch64-macos` does not use",
        ),
    ],
)
def test_native_code_that_cannot_be_shown(typed, program, words, message) -> None:
    """Before anything is compiled."""
    result = typed("objdump", *words)
    assert result.status == 2
    assert f"error[B070]: {message}\n" in result.err
