"""Transformations of the mid-level IR: one pass a file, the order here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.passes.prune import prune
from mochi_rules.compiler.passes.refcount import insert_reference_counts

if TYPE_CHECKING:
    from mochi_rules.compiler.ir import Program, Signature


def run_passes(program: Program, signatures: dict[str, Signature]) -> None:
    """Transform every function of a program. Counting comes last: it must see what stays."""
    for function in program.functions.values():
        prune(function)
        insert_reference_counts(function, signatures)
