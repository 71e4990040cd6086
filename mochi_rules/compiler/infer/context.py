"""What the rules of inference share: the state of the walk, and the way from a node to its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, Severity
from mochi_rules.base.span import Span
from mochi_rules.compiler.infer.annotations import Annotations
from mochi_rules.compiler.infer.cells import NULL, Cell, Solver
from mochi_rules.compiler.names.builtins import takes
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import links_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.names.symbols import Function, ModuleScope, Variable

    ExpressionRules = Mapping[type, Callable[["Inference", Any], Cell]]
    StatementRules = Mapping[type, Callable[["Inference", Any], None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule of each class of nodes."""

    expressions: ExpressionRules
    statements: StatementRules


class Inference:
    """The state of the walk."""

    def __init__(self, resolution: Resolution, diagnostics: Diagnostics, rules: Rules) -> None:
        self.resolution = resolution
        self.diagnostics = diagnostics
        self.rules = rules
        self.solver = Solver()
        self.annotations = Annotations(diagnostics)
        self.function: Function = resolution.functions[0]  # the one that is being walked
        self.expected: dict[ast.Expr, Cell] = {}  # the elements of literals, and choices
        self.expected_keys: dict[ast.Expr, Cell] = {}  # of literals
        self.later: list[Callable[[], None]] = []
        self.declared: list[tuple[Cell, ModuleScope, ast.Node]] = []

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
                    rule = self.rules.expressions.get(type(link))
                    link.cell = rule(self, link) if rule else Cell("any")
        return node.cell  # type: ignore[no-any-return]

    def expect(self, node: ast.Expr, place: Cell) -> None:
        """Let what a literal or a choice consists of be compared with a declared type.

        Where its parts differ, their common type is `any`, which goes anywhere. Elements of a type
        that is not written, as in `list<E>`, are what they are.
        """
        kind, shape = place.find().kind, place.shape  # as it is written, whatever it met since
        has_items = shape is not None and kind == shape.kind and bool(shape.args[-1].kind)
        waiting: list[ast.Expr | None] = [node] if place.find().fixed or shape is not None else []
        while waiting:
            match waiting.pop():
                case ast.ListLit() | ast.Query() as part if kind == "list" and has_items:
                    self.expected[part] = place.args[-1]
                case ast.MapLit() as part if kind == "map":
                    if has_items:
                        self.expected[part] = place.args[-1]
                    if place.args[0].fixed:
                        self.expected_keys[part] = place.args[0]
                case ast.IfExpr() as part:
                    self.expected[part] = place
                    waiting += (part.then, part.otherwise)
                case ast.Match() as part:
                    self.expected[part] = place
                    waiting += (arm.value for arm in part.arms)
                case ast.Binary(op="+" | "??") as part if kind == "list":
                    waiting += (part.left, part.right)

    def expect_all(self, nodes: Iterable[ast.Expr], places: Iterable[Cell]) -> None:
        """Let literals among arguments have the elements of what the parameters declare."""
        for node, place in zip(nodes, places, strict=False):
            self.expect(node, place)

    def give(self, node: ast.Expr, place: Cell) -> None:
        """Infer an expression whose value goes to a place."""
        self.expect(node, place)
        self.flow(self.expression(node), place, node)

    def block(self, body: list[ast.Stmt]) -> None:
        """Infer statements."""
        for statement in body:
            rule = self.rules.statements.get(type(statement))
            if rule:
                rule(self, statement)

    def walk(self, function: Function) -> None:
        """Infer the body of a function."""
        outer, self.function = self.function, function
        assert function.decl is not None
        self.block(function.decl.body)
        self.function = outer

    def flow(self, source: Cell, target: Cell, node: ast.Node) -> None:
        """Record that the value of a node flows somewhere; a conflict is reported there."""
        arity = self.annotations.arities.get(target)
        if arity is not None:
            self.check_later(lambda module: self._check_arity(module, source, arity, node))
        self.solver.flow(source, target, (self.function.module, node))

    def watch(self, action: Callable[[], None], *cells: Cell) -> None:
        """Do something now, and again whenever a cell changes, in the same function."""
        function = self.function

        def resumed() -> None:
            outer, self.function = self.function, function
            action()
            self.function = outer

        self.solver.watch(resumed, *cells)

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
        self,
        module: ModuleScope,
        code: str,
        message: str,
        node: ast.Node,
        help: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Report an error, or a warning."""
        span = Span(module.source, node.start, node.end)
        self.diagnostics.add(Diagnostic(code, message, span, help=help, severity=severity))

    def report_name(
        self, module: ModuleScope, code: str, message: str, node: ast.Field, help: str = ""
    ) -> None:
        """Report an error in the name of a field: its base may be long, or on another line."""
        span = Span(module.source, node.name_start, node.end)
        self.diagnostics.add(Diagnostic(code, message, span, help=help))

    def check_later(self, check: Callable[[ModuleScope], None]) -> None:
        """Check something when all cells are final."""
        module = self.function.module
        self.later.append(lambda: check(module))

    def limit_depth(self, cell: Cell, module: ModuleScope, node: ast.Node) -> None:
        """Let the type of a declaration be checked for its depth when all cells are final."""
        self.declared.append((cell, module, node))
