"""Tests of `mochi-rules run`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.cli import run
from tests.needs import open_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Typed


def write_wasm(path: Path, text: str) -> Path:
    """Write a module."""
    path.write_bytes(wasmtime.wat2wasm(text))
    return path


def test_program_runs(typed: Callable[..., Typed]) -> None:
    """Its output is all there is."""
    got = typed("run", "hello.mochi")
    assert (got.status, got.out, got.err) == (0, "hello\n", "")


def test_warm_run_takes_the_shortcut(
    typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run of a program does not load the pipeline."""
    typed("run", "hello.mochi")
    monkeypatch.setattr(run, "_make", None)
    assert typed("run", "hello.mochi").out == "hello\n"


def test_changed_program_is_compiled_again(typed: Callable[..., Typed], here: Path) -> None:
    """What runs is what is there."""
    typed("run", "hello.mochi")
    (here / "hello.mochi").write_text('print("bye")\n')
    assert typed("run", "hello.mochi").out == "bye\n"


def test_changed_import_is_compiled_again(typed: Callable[..., Typed], here: Path) -> None:
    """So is a program whose own file is as it was."""
    (here / "lib.mochi").write_text("export fun f(): int { return 1 }\n")
    (here / "main.mochi").write_text('import "lib"\nprint(lib.f())\n')
    assert typed("run", "main.mochi").out == "1\n"
    (here / "lib.mochi").write_text("export fun f(): int { return 2 }\n")
    assert typed("run", "main.mochi").out == "2\n"


@pytest.mark.parametrize(
    ("settings", "source", "status", "message"),
    [
        ("fuel = 100_000", "while true {}\n", 134, "out of fuel, which was 100000"),
        ("fuel = 100_000", "fun f() { while true {} }\nf()\n", 134, "out of fuel"),
        ("deadline_ms = 100", "while true {}\n", 134, "not done within 100 ms"),
        ("memory_limit = 1_048_576",
         "var xs: list<int> = []\nwhile true { xs = append(xs, 1) }\n",
         134, "note: its `memory_limit` is 1048576 bytes"),
    ],
)  # fmt: skip
def test_profile_limits_a_run(
    typed: Callable[..., Typed], here: Path, settings: str, source: str, status: int, message: str
) -> None:
    """As it limits an executable; a warm run too, and another limit is another run."""
    (here / "mochi.toml").write_text(f"[engine.small]\n{settings}\n")
    (here / "loop.mochi").write_text(source)
    for _ in range(2):
        got = typed("run", "--engine", "small", "loop.mochi")
        assert got.status == status
        assert message in got.err
    (here / "loop.mochi").write_text("print(1)\n")
    (here / "mochi.toml").write_text("[engine.small]\nfuel = 10_000\n")
    assert typed("run", "--engine", "small", "loop.mochi").out == "1\n"
    (here / "mochi.toml").write_text("[engine.small]\nfuel = 1\n")
    assert typed("run", "--engine", "small", "loop.mochi").status == 134


@pytest.mark.parametrize("mode", ["debug", "release"])
def test_program_runs_in_every_mode(typed: Callable[..., Typed], mode: str) -> None:
    """The mode is about speed."""
    assert typed("run", "hello.mochi", "--mode", mode).out == "hello\n"


def test_status_of_the_program_is_the_status(typed: Callable[..., Typed], here: Path) -> None:
    """Whatever the program ends with."""
    exit_ = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
    write_wasm(here / "seven.wasm", f'(module {exit_} (memory (export "memory") 1) '
               '(func (export "_start") (call $exit (i32.const 7))))')  # fmt: skip
    assert typed("run", "seven.wasm").status == 7


def test_trap_is_reported(typed: Callable[..., Typed], here: Path) -> None:
    """A program that traps has the status of one that aborted, and the reason is shown."""
    write_wasm(here / "trap.wasm", '(module (func (export "_start") unreachable))')
    got = typed("run", "trap.wasm")
    assert got.status == 134
    assert got.err.startswith("error[A077]: the program trapped: wasm `unreachable`")


@pytest.mark.parametrize(("mode", "inner"), [("release", ""), ("debug", "f (deep.mochi:2)")])
def test_trap_is_reported_with_its_lines(
    typed: Callable[..., Typed], here: Path, mode: str, inner: str
) -> None:
    """Without names too; by the shortcut as through the pipeline."""
    source = "fun f(n: int): int {\n  return f(n + 1) - f(n + 2)\n}\nprint(f(1))\n"
    (here / "deep.mochi").write_text(source)
    first, second = (typed("run", "deep.mochi", "--mode", mode) for _ in range(2))
    assert first.err == second.err
    assert first.err.startswith("error[A077]: the program trapped: call stack exhausted\n")
    assert f"note: at {inner or 'deep.mochi:2'}, " in first.err
    assert first.err.count("deep.mochi") < 4
    assert "function" not in first.err


@pytest.mark.parametrize("mode", ["debug", "release"])
def test_artifact_of_any_mode_runs(typed: Callable[..., Typed], mode: str) -> None:
    """What it runs under is read from the artifact."""
    assert typed("build", "hello.mochi", "--mode", mode, "-o", "a.cwasm").status == 0
    assert typed("run", "a.cwasm").out == "hello\n"


def test_limit_is_reported_inside_the_loop(typed: Callable[..., Typed], here: Path) -> None:
    """It is checked at the start of a loop, whose code follows that of the lines before."""
    (here / "mochi.toml").write_text("[engine.small]\nfuel = 100_000\n")
    source = "print(1)\nprint(2)\nvar i = 0\nwhile true {\n  i = (i + 1) % 7\n}\n"
    (here / "loop.mochi").write_text(source)
    got = typed("run", "--engine", "small", "loop.mochi")
    assert got.err.endswith("out of fuel, which was 100000\nnote: at loop.mochi:5\n")


@pytest.mark.parametrize("source", ["\nwhile true {}\n", "print(1)\nwhile true {\n  continue\n}\n"])
def test_limit_is_reported_at_a_loop_without_code(
    typed: Callable[..., Typed], here: Path, source: str
) -> None:
    """The place is where the loop begins, whatever it compiles to."""
    (here / "mochi.toml").write_text("[engine.small]\nfuel = 100_000\n")
    (here / "loop.mochi").write_text(source)
    got = typed("run", "--engine", "small", "loop.mochi")
    assert got.err.endswith("out of fuel, which was 100000\nnote: at loop.mochi:2\n")


@pytest.mark.parametrize(
    ("limit", "rest", "reason"),
    [
        ("fuel = 1_000_000", "while true {}", "out of fuel"),
        ("deadline_ms = 100", "while true {}", "not done within 100 ms"),
        ("memory_limit = 1_048_576",
         "var xs: list<int> = []\nwhile true { xs = append(xs, 1) }", "unreachable"),
        ("stack = 100_000", "fun f(n: int): int { return f(n + 1) - 1 }\nprint(f(1))", "stack"),
    ],
)  # fmt: skip
def test_output_before_a_trap_is_shown(
    typed: Callable[..., Typed], here: Path, limit: str, rest: str, reason: str
) -> None:
    """However a program is ended by force, what it printed is there."""
    (here / "mochi.toml").write_text(f"[engine.small]\n{limit}\n")
    (here / "trap.mochi").write_text(f'print("one", [1.5])\nprint("two")\n{rest}\n')
    got = typed("run", "--engine", "small", "trap.mochi")
    assert got.out == "one [1.5]\ntwo\n"
    assert reason in got.err


@pytest.mark.parametrize("line", ['print("now", 1)', "json(2)", 'print("a", "b", "c")'])
def test_terminal_shows_each_line_at_once(here: Path, line: str) -> None:
    """Before the program ends, and in one piece."""
    terminal, slave = open_terminal()
    (here / "slow.mochi").write_text(f"{line}\nwhile true {{}}\n")
    command = [sys.executable, "-m", "mochi_rules", "run", "slow.mochi"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=here, env=environment, stdout=slave) as process:
        try:
            shown = os.read(terminal, 100)
        finally:
            process.kill()
    assert shown in (b"now 1\r\n", b"2\r\n", b"a b c\r\n")


def test_arguments_reach_the_program(typed: Callable[..., Typed], here: Path) -> None:
    """The name of the program comes first."""
    write_wasm(here / "count.wasm", """
    (module
      (import "wasi_snapshot_preview1" "args_sizes_get"
        (func $sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (call $exit (i32.load (i32.const 0)))))
    """)  # fmt: skip
    assert typed("run", "count.wasm", "--", "--mode", "x").status == 3


def test_cache_that_is_off_keeps_nothing(typed: Callable[..., Typed], here: Path) -> None:
    """And the program runs."""
    assert typed("run", "hello.mochi", "--cache", "off").out == "hello\n"


def test_cache_of_another_user_is_not_used(
    typed: Callable[..., Typed], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither written nor believed: whoever owns it could run anything as us."""
    typed("run", "hello.mochi", "--cache", "mine")
    if os.geteuid() == 0:
        os.chown(here / "mine", 4242, -1)
    else:
        monkeypatch.setattr("os.geteuid", lambda: 4242)
    got = typed("run", "hello.mochi", "--cache", "mine")
    assert got.out == "hello\n"
    assert "warning[K002]" in got.err


@pytest.mark.parametrize(
    ("name", "content", "status", "message"),
    [
        ("gone.mochi", None, 2, "error[B010]: cannot read `gone.mochi`: no such file or directory"),
        ("empty.mochi", b"", 2, "error[B012]: `empty.mochi` is empty"),
        ("latin.mochi", b'print("\xe9")\n', 2,
         "error[B011]: `latin.mochi` is not UTF-8: byte 0xe9 in line 1"),
        ("wrong.mochi", b"print(nothing)\n", 2, "error[T002]: undefined variable: `nothing`"),
        ("syntax.mochi", b"let = 3\n", 2, None),
        ("types.mochi", b'let x: int = "a"\n', 2, None),
        ("missing.mochi", b'import "nowhere"\n', 2,
         "error[B021]: no module `nowhere`: there is no `nowhere.mochi`"),
        ("cycle.mochi", b'import "cycle"\n', 2, "error[B020]: import cycle"),
        ("empty.wasm", b"", 2, "error[A010]: `empty.wasm`: not WebAssembly: the file is empty"),
        ("garbage.wasm", b"!", 2,
         "error[A010]: `garbage.wasm`: not WebAssembly: the file begins with `21`"),
        ("cut.wasm", b"\0asm\1\0\0\0\1\x09", 2, None),
        ("garbage.cwasm", b"garbage!", 2, None),
    ],
)  # fmt: skip
def test_bad_input_is_reported(
    typed: Callable[..., Typed],
    here: Path,
    name: str,
    content: bytes | None,
    status: int,
    message: str | None,
) -> None:
    """One message, the status of wrong input, and no traceback."""
    if content is not None:
        (here / name).write_bytes(content)
    got = typed("run", name)
    assert got.status == status
    assert message in (None, got.err.splitlines()[0])
    assert got.err.startswith("error[")
    assert "Traceback" not in got.err
    assert got.out == ""


def test_directory_is_no_program(typed: Callable[..., Typed], here: Path) -> None:
    """The message is that of the file system."""
    (here / "folder.mochi").mkdir()
    first = typed("run", "folder.mochi").err.splitlines()[0]
    assert first == "error[B010]: cannot read `folder.mochi`: is a directory"


def test_symlink_loop_is_no_program(typed: Callable[..., Typed], here: Path) -> None:
    """The message is that of the file system."""
    (here / "loop.mochi").symlink_to("loop.mochi")
    first = typed("run", "loop.mochi").err.splitlines()[0]
    assert first == "error[B010]: cannot read `loop.mochi`: too many levels of symbolic links"


def test_path_with_spaces_and_signs_is_fine(typed: Callable[..., Typed], here: Path) -> None:
    """A path is a path."""
    folder = here / "two words" / "größe 大"
    folder.mkdir(parents=True)
    (folder / "mein programm.mochi").write_text('print("ja")\n')
    assert typed("run", folder / "mein programm.mochi").out == "ja\n"


def test_wasm_that_imports_the_unknown_is_refused(typed: Callable[..., Typed], here: Path) -> None:
    """The import is named."""
    write_wasm(here / "env.wasm", '(module (import "env" "log" (func)) (func (export "_start")))')
    first = typed("run", "env.wasm").err.splitlines()[0]
    assert first == "error[B030]: `env.wasm` imports `env.log` (func), which no host provides"


def test_error_shows_the_line(typed: Callable[..., Typed], here: Path) -> None:
    """With carets under what is meant."""
    (here / "wrong.mochi").write_text("let x = 1\nprint(nothing)\n")
    err = typed("run", "wrong.mochi").err
    assert "  --> wrong.mochi:2:7\n" in err
    assert " 2 | print(nothing)\n   |       ^^^^^^^\n" in err


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_stream_is_nothing(here: Path, closed: str) -> None:
    """As `/dev/null`: no traceback, and no other file in its place."""
    command = f"'{sys.executable}' -m mochi_rules run hello.mochi {closed}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(2):  # through the pipeline, and by the shortcut
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=environment, capture_output=True, check=False
        )
        printed = b"" if ">&- " in f"{closed} ".replace("2>&-", "") else b"hello\n"
        assert (done.returncode, done.stdout, done.stderr) == (0, printed, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_output_that_is_lost_is_an_error(here: Path) -> None:
    """A full disk does not end with status 0."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "mochi_rules", "run", "hello.mochi"],
            cwd=here, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "error: cannot write to standard output\n")


def test_closed_pipe_ends_a_program_in_silence(here: Path) -> None:
    """As it ends any other; its status is that of the signal."""
    (here / "many.mochi").write_text("for i in 0..1000000 { print(i) }\n")
    command = f"{sys.executable} -m mochi_rules run many.mochi | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=here, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n141\n", "")
