"""Shards: programs that have some of the test blocks of a program, and all else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.unit.compiler.conftest import run_wasm

if TYPE_CHECKING:
    from pathlib import Path

FIVE = "".join(f'test "{n}" {{ print({n}) }}\n' for n in range(5))


def printed(folder: Path, text: str, shard: tuple[int, int], **others: str) -> list[str]:
    """Return the lines that a shard prints; objects that are alive at its end make it fail."""
    sources = {"main.mochi": text, **{f"{name}.mochi": other for name, other in others.items()}}
    request = CompileRequest("main.mochi", sources, check_leaks=True, shard=shard)
    ended = run_wasm(compile_program(request).wasm, folder, b"", {})
    assert ended.status == 0, ended
    return ended.stdout.split()


def test_each_block_is_in_one_shard(tmp_path: Path) -> None:
    """In turns, as they stand in the file."""
    shards = [printed(tmp_path, FIVE, (index, 3)) for index in range(3)]
    assert shards == [["0", "3"], ["1", "4"], ["2"]]


def test_what_is_in_no_block_is_in_every_shard(tmp_path: Path) -> None:
    """Also where it stands between blocks, and where there are more shards than blocks."""
    text = f'let xs = ["a"]\n{FIVE}print(xs[0])\n'
    assert [printed(tmp_path, text, (index, 7))[-1] for index in range(7)] == ["a"] * 7


def test_block_in_a_function_belongs_to_it(tmp_path: Path) -> None:
    """Whether it is reached may follow from what a shard has, so it is not counted."""
    text = 'fun f() { test "f" { print("f") } }\ntest "0" { print(0) }\nf()\n'
    assert [printed(tmp_path, text, (index, 2)) for index in range(2)] == [["0", "f"], ["f"]]


def test_blocks_of_each_file_are_counted(tmp_path: Path) -> None:
    """A block more in one file does not move those of others."""
    text = f'import "other" as other\n{FIVE}'
    other = 'test "a" { print("a") }\ntest "b" { print("b") }\n'
    assert printed(tmp_path, text, (1, 2), other=other) == ["b", "1", "3"]


def test_blocks_of_other_shards_are_checked(tmp_path: Path) -> None:
    """Whatever shard is compiled, the errors are those of the whole program."""
    request = CompileRequest("t.mochi", {"t.mochi": f'{FIVE}test "5" {{ expect 1 }}\n'},
                             shard=(0, 2))  # fmt: skip
    assert [error.code for error in compile_program(request).diagnostics] == ["T011"]
