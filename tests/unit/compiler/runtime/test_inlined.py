"""Which functions of the runtime library are built where they are called."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import runtime_library
from mochi_rules.compiler.ir.print import print_function


@pytest.mark.parametrize("name", ["is_object", "kind_of", "int_hash", "retain"])
def test_a_small_function_is_built_where_it_is_called(name) -> None:
    """A call would take about as long as what it does."""
    assert runtime_library(check_leaks=False).inlined(name) is not None


@pytest.mark.parametrize(
    "name", ["map_look_int", "string_eq", "any_hash", "fail_memory", "map_find_int"]
)
def test_loops_and_what_returns_early_is_called(name) -> None:
    """A function that is built in place ends at its end, and is short."""
    assert runtime_library(check_leaks=False).inlined(name) is None


def test_nothing_is_left_of_a_call_that_was_built_in_place() -> None:
    """Not even of calls in what was built there."""
    text = print_function(runtime_library(check_leaks=False).function("any_value_hash"))
    assert "call kind_of" not in text
    assert "call is_object" not in text
