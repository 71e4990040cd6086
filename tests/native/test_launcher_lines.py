"""A trap is reported with the lines of the program's sources."""

from __future__ import annotations

import random
from base64 import b64encode
from typing import Any

import pytest

from mochi_rules.aot.executable.settings import lines_setting
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.wasm.debug.lines import find_lines

from .building import Programs, compile_with_wheel, program
from .test_launcher import TRAP, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("programs", ["launcher", "bundle_launcher"], indirect=True),
]

SOURCES = {
    "app/ü.mochi": 'import "../lib/spin.mochi" as spin\n\n\nprint(spin.spin(len(input())))\n',
    "lib/spin.mochi": (
        "export fun spin(n: int): int {\n  var i = n\n  while i >= 0 {\n    i = i + 1\n  }\n"
        "  return i\n}\n"
    ),
}
FUEL = "error: `app`: out of fuel, which was 100000\n"
CHANCE = random.Random(1)


def wasm(*, names: bool) -> bytes:
    """Return a program that does not end, in which each function keeps its own code."""
    request = CompileRequest("app/ü.mochi", SOURCES, debug_names=names, optimize=0)
    done = compile_program(request)
    assert done.wasm, done.diagnostics
    return done.wasm


def told(programs: Programs, code: bytes, lines: bytes, **changes: Any) -> str:
    """Return what a program says that runs out of fuel."""
    settings = f"fuel\t100000\n{lines.decode()}"
    if changes:
        settings += "compiler\twinch"
    artifact = compile_with_wheel(code, consume_fuel=True, **changes)
    done = run(programs.attach(artifact, settings))
    assert done.returncode == TRAP
    return done.stderr.decode()


@pytest.mark.parametrize("changes", [{}, {"compiler": "winch"}], ids=str)
def test_frames_without_names_have_places(programs: Programs, changes: dict[str, Any]) -> None:
    """Every function of a source has its file and line, and those of the runtime say nothing."""
    code = wasm(names=False)
    text = told(programs, code, lines_setting(find_lines(code)), **changes)
    assert text == f"{FUEL}  at lib/spin.mochi:3\n  at app/ü.mochi:4\n"


def test_frames_with_names_have_both(programs: Programs) -> None:
    """A function of the runtime has its name."""
    code = wasm(names=True)
    text = told(programs, code, lines_setting(find_lines(code)))
    assert text == f"{FUEL}  at spin (lib/spin.mochi:3)\n  at main (app/ü.mochi:4)\n  at _start\n"


def test_names_cannot_steer_the_terminal(programs: Programs) -> None:
    """Neither that of a source nor that of a function; quotation marks and other letters stay."""
    main = "a\x1b[31m\x9b\u202e“ü”.mochi"
    done = compile_program(
        CompileRequest(
            main, {main: "var i = len(input())\nwhile i >= 0 {\n  i = i + 1\n}\nprint(i)\n"}
        )
    )
    assert done.wasm, done.diagnostics
    text = told(programs, done.wasm, lines_setting(find_lines(done.wasm)))
    shown = "a\\x1b[31m\\x9b\\u202e“ü”.mochi"
    assert text.removeprefix(f"{FUEL}  at main (").rpartition(":")[0] == shown


def test_damaged_lines_are_no_lines(programs: Programs) -> None:
    """Whatever the bytes, the trap is reported, and at once."""
    code = wasm(names=False)
    section = find_lines(code)
    artifact = compile_with_wheel(code, consume_fuel=True)
    damaged = [section[:size] for size in range(len(section))]
    damaged += [CHANCE.randbytes(CHANCE.randrange(40)) for _ in range(40)]
    damaged += [b"\xff" * 8 + b"\x01", b"\0\0\1\1", b"\1\1a\0\2\0", b"\1" + b"\xff" * 7 + b"\x7f"]
    texts = [b64encode(data).decode() for data in damaged]
    for text in (*texts, "", "?", "ü", "A", "====", "AA=A"):
        done = run(programs.attach(artifact, f"fuel\t100000\nlines\t{text}"))
        assert done.returncode == TRAP
        assert done.stderr.decode("utf-8", "replace").startswith(f"{FUEL}  at ")


def test_programs_without_lines_have_numbers(programs: Programs) -> None:
    """As those of other languages, with neither names nor lines."""
    code = program("(loop $again (br $again))").replace("$main", "")
    artifact = compile_with_wheel(code, consume_fuel=True)
    done = run(programs.attach(artifact, "fuel\t1000"))
    assert done.stderr == b"error: `app`: out of fuel, which was 1000\n  at function 3\n"
