"""Tests of blocks of memory, where the memory ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conftest import Instance

if TYPE_CHECKING:
    from pathlib import Path

FILL = """
fun fill(): void {
  while true {
    let block = block_make(60000)
    if block > 4294800000 {
      store8(block + 59999, 1)
    }
  }
}
"""


def test_last_page_is_there_or_memory_is_out(tmp_path: Path) -> None:
    """A block that ends in the last page of 4 GiB can be written to, before nothing is left."""
    instance = Instance(tmp_path, ("fill",), b"", {}, FILL)
    assert instance.exhaustion("fill") == "error: out of memory\n"
