"""Inference: one walk gives every expression its cell and every operation its constraint.

The rules are in statements.py, expressions.py, access.py, calls.py and queries.py; they know each
other through context.py. What is learnt after the walk comes back to them through watchers; what
can only be judged when all cells are final is checked at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer import access, calls, expressions, matches, queries, statements
from mochi_rules.compiler.infer.cells import describe
from mochi_rules.compiler.infer.context import Inference, Rules
from mochi_rules.compiler.infer.depth import Depths
from mochi_rules.compiler.syntax.limits import MAX_NESTING

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.scopes import Resolution

_RULES = Rules(
    expressions={
        **expressions.EXPRESSIONS,
        **access.EXPRESSIONS,
        **calls.EXPRESSIONS,
        **queries.EXPRESSIONS,
        **matches.EXPRESSIONS,
    },
    statements=statements.STATEMENTS,
)


def infer_program(resolution: Resolution, diagnostics: Diagnostics) -> None:
    """Infer all types; the cells on the tree and on symbols are final afterwards.

    Emits: T004, T006 to T008, T010, T013, T015, T018, T020, T022, T024 to T027, T046, T050, T053,
    T054, T090 to T092, T095 to T097.
    """
    inference = Inference(resolution, diagnostics, _RULES)
    for module in resolution.modules:
        inference.annotations.declare_types(module, resolution.structs.values())
    for function in resolution.functions:
        statements.declare(inference, function)
    for module in resolution.modules:
        assert module.top is not None
        inference.function = module.top
        inference.block(module.tree.body)
    inference.solver.run()
    resolution.has_bigint = inference.annotations.has_bigint
    if _has_deep_type(inference):
        return
    _report_conflicts(inference)
    for check in inference.later:
        check()


def _has_deep_type(inference: Inference) -> bool:
    """Report the first declaration whose type is nested too deeply for the other stages."""
    depths = Depths()
    for cell, module, node in inference.declared:
        if depths.of(cell) > MAX_NESTING:
            message = f"the type of this expression is nested more than {MAX_NESTING} levels deep"
            help_ = "declare a struct for a part of it: `type Part { … }`"
            inference.report(module, "T091", message, node, help_)
            return True
    return False


def _report_conflicts(inference: Inference) -> None:
    for conflict in inference.solver.conflicts:
        if isinstance(conflict.blame, tuple) and conflict.is_real():
            module, node = conflict.blame
            expected = conflict.expected or describe(conflict.target)
            got = conflict.got or describe(conflict.source)
            message = f"type mismatch: expected `{expected}`, got `{got}`"
            inference.report(module, "T008", message, node)
