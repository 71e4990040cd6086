"""Inference: one walk gives every expression its cell and every operation its constraint.

The rules stand in statements.py, expressions.py, access.py, calls.py and queries.py. What is
learnt after the walk comes back to them through watchers; what can only be judged when all cells
are final is checked at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.base.span import Span
from mochi_rules.compiler.infer.access import AccessRules
from mochi_rules.compiler.infer.annotations import Annotations
from mochi_rules.compiler.infer.calls import CallRules
from mochi_rules.compiler.infer.cells import NULL, Cell, Solver
from mochi_rules.compiler.infer.depth import Depths
from mochi_rules.compiler.infer.expressions import ExpressionRules
from mochi_rules.compiler.infer.queries import QueryRules
from mochi_rules.compiler.infer.statements import StatementRules
from mochi_rules.compiler.names.builtins import takes
from mochi_rules.compiler.syntax.chains import links_before
from mochi_rules.compiler.syntax.limits import MAX_NESTING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.names.symbols import Function, ModuleScope, Variable
    from mochi_rules.compiler.syntax import ast


def infer_program(resolution: Resolution, diagnostics: Diagnostics) -> None:
    """Infer all types; the cells on the tree and on symbols are final afterwards.

    Emits: T004, T006, T008, T015, T018, T020, T022, T024 to T027, T039, T046, T090 to T092.
    """
    Inference(resolution, diagnostics).run()


class Inference:
    """The state of the walk, and the way from a node to its rule."""

    def __init__(self, resolution: Resolution, diagnostics: Diagnostics) -> None:
        self.resolution = resolution
        self.diagnostics = diagnostics
        self.solver = Solver()
        self.annotations = Annotations(diagnostics)
        self.function: Function = resolution.functions[0]  # the one that is being walked
        self.later: list[Callable[[], None]] = []
        self.declared: list[tuple[Cell, ModuleScope, ast.Node]] = []
        self.access = AccessRules(self)
        self.calls = CallRules(self)
        self.statements = StatementRules(self)
        rules = (ExpressionRules(self), self.access, self.calls, QueryRules(self))
        self.handlers: dict[type, Callable[[Any], Cell]] = {}
        for rule in rules:
            self.handlers.update(rule.handlers)

    def run(self) -> None:
        """Infer."""
        for module in self.resolution.modules:
            self.annotations.declare_types(module)
        for function in self.resolution.functions:
            self.statements.declare(function)
        for module in self.resolution.modules:
            assert module.top is not None
            self.function = module.top
            self.block(module.tree.body)
        self.solver.run()
        if self._has_deep_type():
            return
        self._report_conflicts()
        for check in self.later:
            check()

    # What rules use

    def null(self) -> Cell:
        """Return the cell of null."""
        cell = Cell()
        cell.nullable = NULL
        return cell

    def expression(self, node: ast.Expr) -> Cell:
        """Infer an expression, once: the links of a chain before it have their cells by then."""
        if node.cell is None:
            for link in (*links_before(node), node):
                if link.cell is None:
                    handler = self.handlers.get(type(link))
                    link.cell = handler(link) if handler else Cell("any")
        return node.cell  # type: ignore[no-any-return]

    def block(self, body: list[ast.Stmt]) -> None:
        """Infer statements."""
        handlers = self.statements.handlers
        for statement in body:
            handler = handlers.get(type(statement))
            if handler:
                handler(statement)

    def flow(self, source: Cell, target: Cell, node: ast.Node) -> None:
        """Say that the value of a node goes somewhere; a conflict is reported there."""
        arity = self.annotations.arities.get(target)
        if arity is not None:
            self.check_later(lambda module: self._check_arity(module, source, arity, node))
        self.solver.flow(source, target, (self.function.module, node))

    def _check_arity(self, module: ModuleScope, function: Cell, arity: int, node: ast.Node) -> None:
        cell = function.find()
        if cell.kind == "fun" and len(cell.args) - 1 != arity:
            expected = takes(arity, arity)
            message = f"expected a function of {expected}, got one of {len(cell.args) - 1}"
            self.report(module, "T008", message, node)

    def variable(self, variable: Variable) -> Cell:
        """Return the cell of a variable."""
        if variable.type is None:
            variable.type = self.annotations.cell(variable.annotation, variable.owner.module)
        return variable.type  # type: ignore[no-any-return]

    def error(self, code: str, message: str, node: ast.Node, help: str = "") -> None:
        """Report an error in the function that is being walked."""
        self.report(self.function.module, code, message, node, help)

    def report(
        self, module: ModuleScope, code: str, message: str, node: ast.Node, help: str = ""
    ) -> None:
        """Report an error."""
        span = Span(module.source, node.start, node.end)
        self.diagnostics.add(Diagnostic(code, message, span, help=help))

    def check_later(self, check: Callable[[ModuleScope], None]) -> None:
        """Check something when all cells are final."""
        module = self.function.module
        self.later.append(lambda: check(module))

    def limit_depth(self, cell: Cell, module: ModuleScope, node: ast.Node) -> None:
        """Let the type of a declaration be checked for its depth when all cells are final."""
        self.declared.append((cell, module, node))

    def _has_deep_type(self) -> bool:
        """Report the first declaration whose type is nested too deeply for the other stages."""
        depths = Depths()
        for cell, module, node in self.declared:
            if depths.of(cell) > MAX_NESTING:
                message = f"the type of this is nested more than {MAX_NESTING} levels deep"
                help_ = "declare a struct for a part of it: `type Part { … }`"
                self.report(module, "T091", message, node, help_)
                return True
        return False

    def _report_conflicts(self) -> None:
        for source, target, blame in self.solver.conflicts:
            one, other = source.find(), target.find()
            is_real = one.kind != other.kind and "any" not in (one.kind, other.kind)
            if is_real and isinstance(blame, tuple):
                module, node = blame
                self.report(module, "T008", f"type mismatch: expected `{other}`, got `{one}`", node)
