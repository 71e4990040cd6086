"""Transformations of the mid-level IR: one pass a file, the order here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.passes.prune import prune
from mochi_rules.compiler.passes.refcount import insert_reference_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Program

BUILD = "build"  # what stands for no pass at all


def _prune(program: Program) -> None:
    for function in program.functions.values():
        prune(function)


def _refcount(program: Program) -> None:
    for function in program.functions.values():
        insert_reference_counts(function, program.signatures)


# In order. Counting comes last: it must see what stays.
PASSES: dict[str, Callable[[Program], None]] = {"prune": _prune, "refcount": _refcount}


def run_passes(program: Program, last: str = "") -> None:
    """Transform a program, up to and with the pass `last` when one is named, or BUILD."""
    for name, run in PASSES.items():
        if last == BUILD:
            break
        run(program)
        if name == last:
            break
