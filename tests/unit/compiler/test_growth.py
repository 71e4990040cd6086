"""What grows at the end of the memory grows where it lies."""

from __future__ import annotations

import pytest

PAGE = 1 << 16  # bytes


@pytest.mark.parametrize(
    "text",
    ['var s = "" while len(s) < 8000000 { s = s + "abcdefgh" } print(len(s))',
     "var xs: list<int> = [] while len(xs) < 1000000 { xs = append(xs, len(xs)) } print(len(xs))"],
    ids=["string", "list"],
)  # fmt: skip
def test_long_value_is_in_memory_once(run, text):
    """8 MB that were appended bit by bit take less than twice that, though room doubles."""
    result = run(text)
    assert result.status == 0
    assert result.pages * PAGE < 2.5 * 8_000_000


def test_values_that_grow_again_use_the_same_memory(run):
    """The hundredth string of a size takes no more memory than the first ones."""
    text = 'for k in 0..%d { var s = "" while len(s) < 9000 { s = s + str(k) } print(len(s)) }'
    assert run(text % 100).pages <= run(text % 3).pages + 1
