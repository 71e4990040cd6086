"""Transformations of the mid-level IR: one pass a file, the order here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.passes.accumulate import accumulate
from mochi_rules.compiler.passes.ascii import use_bytes
from mochi_rules.compiler.passes.consume import infer_consumed
from mochi_rules.compiler.passes.context import Context
from mochi_rules.compiler.passes.fill import fill
from mochi_rules.compiler.passes.hoist import hoist
from mochi_rules.compiler.passes.inline import inline
from mochi_rules.compiler.passes.known_keys import place_known_keys
from mochi_rules.compiler.passes.lengths import fix_lengths
from mochi_rules.compiler.passes.literals import lift_literals
from mochi_rules.compiler.passes.localize import localize
from mochi_rules.compiler.passes.naturals import find_naturals
from mochi_rules.compiler.passes.number import number_values
from mochi_rules.compiler.passes.orders import pass_orders
from mochi_rules.compiler.passes.prune import prune
from mochi_rules.compiler.passes.ranges import drop_checks
from mochi_rules.compiler.passes.refcount import insert_reference_counts
from mochi_rules.compiler.passes.reserve import reserve
from mochi_rules.compiler.passes.rotate import rotate
from mochi_rules.compiler.passes.scalars import replace_objects
from mochi_rules.compiler.passes.selects import make_selects
from mochi_rules.compiler.passes.share import share
from mochi_rules.compiler.passes.tail_calls import loop_tail_calls
from mochi_rules.compiler.passes.thread import thread
from mochi_rules.compiler.passes.tidy import tidy
from mochi_rules.compiler.passes.unbox import unbox
from mochi_rules.compiler.passes.unroll import unroll
from mochi_rules.compiler.passes.version import version_loops

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Function, Program
    from mochi_rules.compiler.runtime.library import Library

BUILD = "build"  # the name of the state before every pass
NEVER = 3  # a level that nobody asks for


@dataclass(frozen=True, slots=True)
class Pass:
    """A row of the table: a pass of one function, or of a whole program, and where it runs.

    `level` is the lowest level of optimization at which it runs, and `library` the lowest at
    which functions of the runtime library go through it, each by itself and once in a process.
    """

    name: str
    level: int
    one: Callable[[Function, Context], None] | None = None
    whole: Callable[[Context], None] | None = None
    library: int = NEVER

    def run(self, context: Context) -> None:
        """Transform all functions of a context."""
        if self.whole:
            self.whole(context)
        if self.one:
            for function in context.functions.values():
                self.one(function, context)


# In order. Counting comes last: it must see what stays. Functions of the library count by hand.
PASSES: tuple[Pass, ...] = (
    Pass("accumulate", 2, whole=accumulate),
    Pass("tail_calls", 2, loop_tail_calls),
    Pass("inline", 2, whole=inline),
    Pass("unbox", 2, unbox),
    Pass("scalars", 2, replace_objects),
    Pass("thread", 2, thread),
    Pass("orders", 2, pass_orders),
    Pass("lengths", 2, whole=fix_lengths),
    Pass("number", 2, number_values, library=2),
    Pass("tidy", 2, tidy, library=2),
    Pass("prune", 0, prune, library=2),
    Pass("share", 2, share),
    Pass("literals", 2, lift_literals),
    Pass("naturals", 2, whole=find_naturals),
    Pass("ranges", 2, drop_checks),
    Pass("reserve", 2, reserve),
    Pass("hoist", 2, hoist),
    Pass("ascii", 2, use_bytes),
    Pass("fill", 2, fill),
    Pass("version", 2, version_loops),
    Pass("unroll", 2, unroll),
    Pass("selects", 2, make_selects),
    Pass("rotate", 2, rotate),
    Pass("known_keys", 1, whole=place_known_keys),
    Pass("consume", 1, whole=infer_consumed),
    Pass("refcount", 0, insert_reference_counts),
    Pass("localize", 2, localize),
)


def run_passes(program: Program, library: Library | None, level: int, last: str = "") -> None:
    """Transform a program, up to and including the pass `last` when one is named, or BUILD."""
    context = Context(program.functions, program.signatures, program, library)
    for row in PASSES if last != BUILD else ():
        if row.level <= level:
            row.run(context)
        if row.name == last:
            break


def run_library_passes(function: Function, library: Library, level: int) -> None:
    """Transform a function of the runtime library."""
    rows = [row for row in PASSES if row.library <= level]
    if rows:
        context = Context({function.name: function}, {}, None, library)
        for row in rows:
            row.run(context)
