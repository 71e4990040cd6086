"""Numbers as text, and checked arithmetic of the runtime library."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("value", [0, 7, -1, 10, -10, 2**63 - 1, -(2**63)])
def test_int_becomes_decimal_text(runtime, value) -> None:
    """Every int has the decimal text that Python gives it, and the text is freed again."""
    instance = runtime("string_of_int")
    text = instance.string_of_int(value)
    assert instance.text(text) == str(value)
    instance.release(text)
    assert instance.live == 0
