"""What the rules build a function with: variables, conversions, and the rules of other nodes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.base.span import Span
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir import function as ir
from mochi_rules.compiler.ir.builder import SsaBuilder, Ways
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    CELL,
    FLOAT,
    INT,
    NULL,
    SCALARS,
    STRING,
    VOID,
    WORD,
    OptionalType,
    StructType,
    Type,
    UnionType,
    union_of,
)
from mochi_rules.compiler.irbuild.chains import chain_links, is_logical
from mochi_rules.compiler.names.symbols import Function, Struct, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mochi_rules.compiler.irbuild.items import Item
    from mochi_rules.compiler.irbuild.state import ProgramState

    ExpressionRules = Mapping[type, Callable[["FunctionBuilder", Any], ir.Value]]
    StatementRules = Mapping[type, Callable[["FunctionBuilder", Any], None]]
    PresentRules = Mapping[type, Callable[["FunctionBuilder", Any, Type], ir.Value | None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule of each class of nodes.

    Those of `present` build a scalar that must be present, or return None where they have no rule
    for that.
    """

    expressions: ExpressionRules
    statements: StatementRules
    present: PresentRules


class FunctionBuilder(SsaBuilder):
    """The state of one function under construction."""

    def __init__(self, program: ProgramState, item: Item, rules: Rules) -> None:
        self.program = program
        self.rules = rules
        self.symbol = item if isinstance(item, Function) else item.target
        self.source = self.symbol.module.source
        self.receiver: ir.Value | None = None
        self.place: ir.Value | None = None  # of the cast that a cast to a struct is part of
        self.selected: ir.Value | None = None  # the number of the test to run
        self.declared: set[Variable] = set()
        self.links: dict[ast.Expr, ir.Value] = {}  # the values of nodes built before, until taken
        super().__init__(ir.Function(program.name_of(item), [], VOID))

    # Variables

    def declare(self, variable: Variable, value: ir.Value) -> None:
        """Initialize a variable in a scope."""
        value = self.convert(value, resolve(variable.type))
        self.declared.add(variable)
        if variable.is_global:
            self.emit("global.store", (value,), attr=self.program.global_name(variable))
        elif variable.needs_cell:
            self.env[variable] = self.emit("cell.new", (value,), CELL)
        else:
            self.env[variable] = value

    def read(self, variable: Variable, node: ast.Node) -> ir.Value:
        """Return the value of a variable.

        Emits: T002.
        """
        type_ = resolve(variable.type)
        if variable.is_global:
            if variable.owner is self.symbol and variable not in self.declared:
                return self._undeclared(variable, node, type_)
            return self.emit("global.load", (), type_, self.program.global_name(variable))
        value = self.env.get(variable)
        if value is None:
            return self._undeclared(variable, node, type_)
        return self.emit("cell.load", (value,), type_) if variable.needs_cell else value

    def write(self, variable: Variable, value: ir.Value) -> None:
        """Assign to a variable."""
        value = self.convert(value, resolve(variable.type))
        if variable.is_global:
            self.emit("global.store", (value,), attr=self.program.global_name(variable))
        elif variable.needs_cell and variable in self.env:
            self.emit("cell.store", (self.env[variable], value))
        else:
            self.declare(variable, value)

    def _undeclared(self, variable: Variable, node: ast.Node, type_: Type) -> ir.Value:
        self.error("T002", f"`{variable.name}` is used before its declaration", node)
        return self.null(type_)

    # Statements and expressions

    def statements(self, body: list[ast.Stmt]) -> None:
        """Build statements up to the first that never completes."""
        for statement in body:
            if self.block is None:
                return
            rule = self.rules.statements.get(type(statement))
            if rule:
                self.at(statement)
                rule(self, statement)

    def expression(self, node: ast.Expr) -> ir.Value:
        """Return the value of an expression, of its own type."""
        if node in self.links:
            return self.links.pop(node)
        for link in chain_links(node, self.links):
            self.links[link] = self.rules.expressions[type(link)](self, link)
        rule = self.rules.expressions.get(type(node))
        if rule is None:  # reported by name resolution already
            return self.null(ANY)
        return rule(self, node)

    def value(self, node: ast.Expr, type_: Type) -> ir.Value:
        """Return the value of an expression as a type."""
        present = self.rules.present.get(type(node)) if type_ in SCALARS else None
        found = present(self, node, type_) if present else None
        return self.convert(self.expression(node), type_) if found is None else found

    def ways(self, node: ast.Expr) -> Ways:
        """Branch on a condition; return the blocks for true and for false."""
        links: list[ast.Binary | ast.Unary] = []
        while is_logical(node):
            links.append(node)
            node = node.left if isinstance(node, ast.Binary) else node.operand
        ways = self.branch(self.truth(self.expression(node)))
        for link in reversed(links):
            if isinstance(link, ast.Binary):
                ways = self.short_circuit(link.op, ways, partial(self.ways, link.right))
            else:
                ways = ways[1], ways[0]
        return ways

    def truth(self, value: ir.Value) -> ir.Value:
        """Return whether a value counts as true."""
        if value.type is BOOL:
            return value
        return self.runtime("any_truthy", (self.convert(value, ANY),), BOOL)

    def runtime(self, name: str, args: Iterable[ir.Value], result: Type) -> ir.Value:
        """Call a function of the runtime library."""
        signature = self.program.library.signature(name)
        self.program.program.signatures[name] = signature
        return self.emit("call", args, result, name)

    def here(self) -> ir.Value:
        """Return the current place, encoded for the runtime library."""
        return self.place or self.emit("site", (), WORD)

    def at(self, node: ast.Node) -> None:
        """Set the node that the next instructions belong to."""
        line, _ = self.source.position(node.start)
        file = self.symbol.module.number
        if self.site is None or (line, file) != (self.site.line, self.site.file):
            self.site = ir.Site(file, line)

    def null(self, type_: Type) -> ir.Value:
        """Return the null of a type; of types without one, the value that is all zeros."""
        if type_ is FLOAT:
            return self.const(0.0, FLOAT)
        if type_ in SCALARS:
            return self.const(0, type_)
        return self.emit("null", (), type_)

    def string(self, text: str | bytes) -> ir.Value:
        """Return a string constant."""
        return self.emit("string", (), STRING, text.encode() if isinstance(text, str) else text)

    def error(self, code: str, message: str, node: ast.Node, help: str = "") -> None:
        """Report an error that is found only now."""
        span = Span(self.source, node.start, node.end)
        self.program.diagnostics.add(Diagnostic(code, message, span, help=help))

    def struct_of(self, type_: Type) -> Struct | None:
        """Return the struct of a type."""
        return self.program.struct_by_name(type_.name) if isinstance(type_, StructType) else None

    # Conversions

    def convert(self, value: ir.Value, to: Type) -> ir.Value:
        """Convert a value to another type; where it may not fit, check at run time."""
        source = value.type
        if source is to or to is VOID:
            return value
        if source in (VOID, NULL) or value.op == "null":
            return self._convert_null(to)
        if to is ANY:
            return self.emit("any.of" if source in SCALARS else "widen", (value,), ANY)
        if isinstance(to, OptionalType):
            return self._convert_to_optional(value, to)
        if isinstance(source, OptionalType):
            return self.convert(self.emit("check.some", (value,), source.inner), to)
        if source is ANY or (isinstance(source, UnionType) and isinstance(to, StructType)):
            return self._checked(value, to)
        if source is INT and to is FLOAT:
            return self.emit("float.of_int", (value,), FLOAT)
        if source is FLOAT and to is INT:
            return self.emit("int.of_float", (value,), INT)
        struct = self.struct_of(source)
        if struct is not None and struct.union is not None and to is union_of(struct.union.name):
            return self.emit("widen", (value,), to)
        return self._checked(self.convert(value, ANY), to)

    def not_null(self, value: ir.Value) -> ir.Value:
        """Return a value without its null; null stops the program."""
        if isinstance(value.type, OptionalType):
            return self.emit("check.some", (value,), value.type.inner)
        return value

    def _checked(self, value: ir.Value, to: Type) -> ir.Value:
        """Return a tagged word as a type; another one stops the program."""
        struct = self.struct_of(to)
        if struct is not None:
            self.program.struct_name(struct)
        return self.emit("any.to", (value,), to)

    def _convert_null(self, to: Type) -> ir.Value:
        if to in SCALARS or not (to in (ANY, NULL) or isinstance(to, OptionalType)):
            self.emit("check.some", (self.emit("null", (), ANY),), ANY)
        return self.null(to)

    def _convert_to_optional(self, value: ir.Value, to: OptionalType) -> ir.Value:
        source = value.type
        if source is ANY or isinstance(source, OptionalType):
            if to.inner not in SCALARS and isinstance(source, OptionalType):
                return self.emit("widen", (value,), to)  # a variant as its union
            ways = self.branch(self.emit("is_null", (value,), BOOL))
            return self.choose(
                ways,
                lambda: self.null(to),
                lambda: self._convert_to_optional(self._some(value, to), to),
            )
        inner = self.convert(value, to.inner)
        return self.emit("any.of" if to.inner in SCALARS else "widen", (inner,), to)

    def _some(self, value: ir.Value, to: OptionalType) -> ir.Value:
        if isinstance(value.type, OptionalType):
            return self.emit("any.cast", (value,), value.type.inner)
        return self._checked(value, to.inner)
