"""Builds one function: variables, conversions between types, and the way to each node's rule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

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
from mochi_rules.compiler.irbuild.access import AccessBuilder
from mochi_rules.compiler.irbuild.calls import CallBuilder
from mochi_rules.compiler.irbuild.casts import CastBuilder
from mochi_rules.compiler.irbuild.chains import chain_links, is_logical
from mochi_rules.compiler.irbuild.expressions import ExpressionBuilder
from mochi_rules.compiler.irbuild.items import StructCast, Thunk
from mochi_rules.compiler.irbuild.operators import OperatorBuilder
from mochi_rules.compiler.irbuild.patterns import PatternBuilder
from mochi_rules.compiler.irbuild.queries import QueryBuilder
from mochi_rules.compiler.irbuild.statements import StatementBuilder
from mochi_rules.compiler.names.symbols import Function, Struct, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.irbuild.items import Item
    from mochi_rules.compiler.irbuild.program import ProgramBuilder


class FunctionBuilder(SsaBuilder):
    """The state of one function under construction; the rules stand in the other modules."""

    def __init__(self, program: ProgramBuilder, item: Item) -> None:
        self.program = program
        self.item = item
        self.symbol = item if isinstance(item, Function) else item.target
        self.source = self.symbol.module.source
        self.receiver: ir.Value | None = None
        self.place: ir.Value | None = None  # of what a cast to a struct is a part of
        self.selected: ir.Value | None = None  # the number of the test to run
        self.declared: set[Variable] = set()
        self.links: dict[ast.Expr, ir.Value] = {}  # the values of links of chains, until taken
        super().__init__(ir.Function(program.name_of(item), [], VOID))
        self.statements = StatementBuilder(self)
        self.access = AccessBuilder(self)
        self.calls = CallBuilder(self)
        self.casts = CastBuilder(self)
        self.operators = OperatorBuilder(self)
        self.patterns = PatternBuilder(self)
        self.handlers: dict[type, Callable[[Any], ir.Value]] = {}
        self.expressions = ExpressionBuilder(self)
        rules = (self.expressions, self.access, self.calls, self.casts, self.operators,
                 self.patterns, QueryBuilder(self))  # fmt: skip
        for rule in rules:
            self.handlers.update(rule.handlers)

    def build(self) -> ir.Function:
        """Build the function."""
        if isinstance(self.item, Thunk):
            self._build_thunk(self.item)
        elif isinstance(self.item, StructCast):
            self._build_cast(self.item)
        elif self.symbol.decl is None:
            self._build_top_level()
        else:
            self._build_body(self.symbol.decl)
        assert not self.links, "a link of a chain was built, and never taken"
        return self.function

    # Functions

    def _build_top_level(self) -> None:
        modules = self.program.resolution.modules
        if self.symbol is modules[-1].top:
            if self.program.program.tests is not None:
                self.selected = self._param("test", INT)
            for module in modules[:-1]:
                assert module.top is not None
                self.emit("call", (), VOID, self.program.name_of(module.top))
        self.statements.body(self.symbol.module.tree.body)
        self.leave(None)

    def _build_body(self, decl: ast.FunDecl) -> None:
        symbol = self.symbol
        self.function.result = self.program.result_of(symbol)
        if symbol.receiver is not None:
            self.receiver = self._param("self", self.program.struct_type(symbol.receiver))
        values = [self._param(param.name, resolve(param.type)) for param in symbol.params]
        for variable, type_ in zip(
            symbol.captures, self.program.capture_types(symbol), strict=True
        ):
            self.env[variable] = self._param(variable.name, type_)
        if self.receiver is not None and symbol.receiver is not None:
            for number, (name, variable) in enumerate(symbol.fields.items()):
                attr = (self.program.struct_name(symbol.receiver), number)
                type_ = resolve(symbol.receiver.cells[name])
                self.declare(variable, self.emit("field.load", (self.receiver,), type_, attr))
        for variable, value in zip(symbol.params, values, strict=True):
            self.declare(variable, value)
        self.statements.body(decl.body)
        if self.block is not None:
            result = self.function.result
            self.leave(None if result is VOID else self.null(result))

    def _build_thunk(self, thunk: Thunk) -> None:
        target, bound = thunk.target, thunk.bound
        params = [resolve(param.type) for param in target.params]
        captured = (*params[:bound], *self.program.capture_types(target))
        value_type = self.program.value_type(target)
        closure = self._param("closure", value_type)
        rest = [self._param(param.name, type_) for param, type_ in
                zip(target.params[bound:], params[bound:], strict=True)]  # fmt: skip
        loaded = [self.emit("closure.load", (closure,), type_, (number, captured))
                  for number, type_ in enumerate(captured)]  # fmt: skip
        self.function.result = value_type.result
        args = [*loaded[:bound], *rest, *loaded[bound:]]
        result = self.emit(
            "call", args, self.program.result_of(target), self.program.name_of(target)
        )
        self.leave(self.convert(result, value_type.result))

    def _build_cast(self, item: StructCast) -> None:
        source, self.place = self._param("value", ANY), self._param("site", WORD)
        self.site = item.site
        self.function.result = self.program.struct_type(item.struct)
        self.leave(self.casts.fields(source, item.struct, self.function.result))

    def _param(self, name: str, type_: Type) -> ir.Value:
        value = ir.Value("param", (), type_, name=name)
        self.function.params.append(value)
        return value

    # Variables

    def declare(self, variable: Variable, value: ir.Value) -> None:
        """Give a variable its first value in a scope."""
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
        """Change the value of a variable."""
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

    # Expressions

    def expression(self, node: ast.Expr) -> ir.Value:
        """Return the value of an expression, of the type that comes naturally."""
        if node in self.links:
            return self.links.pop(node)
        for link in chain_links(node):
            self.links[link] = self.handlers[type(link)](link)
        handler = self.handlers.get(type(node))
        if handler is None:  # reported by name resolution already
            return self.null(ANY)
        return handler(node)

    def value(self, node: ast.Expr, type_: Type) -> ir.Value:
        """Return the value of an expression as a type."""
        if type_ in SCALARS and isinstance(node, (ast.Index, ast.Field)):
            found = self.access.present_scalar(node, type_)
            if found is not None:
                return found
        return self.convert(self.expression(node), type_)

    def ways(self, node: ast.Expr) -> Ways:
        """Branch on a condition; return where control goes when true and when false."""
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
        """Return the current place as the runtime library takes it."""
        return self.place or self.emit("site", (), WORD)

    def at(self, node: ast.Node) -> None:
        """Say which node the next instructions belong to."""
        line, _ = self.source.position(node.start)
        self.site = ir.Site(self.symbol.module.number, line)

    def null(self, type_: Type) -> ir.Value:
        """Return the null of a type; of types without one, whatever is all zeros."""
        if type_ is FLOAT:
            return self.const(0.0, FLOAT)
        if type_ in SCALARS:
            return self.const(0, type_)
        return self.emit("null", (), type_)

    def string(self, text: str | bytes) -> ir.Value:
        """Return a string constant."""
        return self.emit("string", (), STRING, text.encode() if isinstance(text, str) else text)

    def error(self, code: str, message: str, node: ast.Node, help: str = "") -> None:
        """Report an error that only shows now."""
        span = Span(self.source, node.start, node.end)
        self.program.diagnostics.add(Diagnostic(code, message, span, help=help))

    def struct_of(self, type_: Type) -> Struct | None:
        """Return the struct of a type."""
        return self.program.struct_by_name(type_.name) if isinstance(type_, StructType) else None

    # Conversions

    def convert(self, value: ir.Value, to: Type) -> ir.Value:
        """Return a value as another type; where it may not fit, check at run time."""
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
                lambda: self._convert_to_optional(self._not_null(value, to), to),
            )
        inner = self.convert(value, to.inner)
        return self.emit("any.of" if to.inner in SCALARS else "widen", (inner,), to)

    def _not_null(self, value: ir.Value, to: OptionalType) -> ir.Value:
        if isinstance(value.type, OptionalType):
            return self.emit("any.cast", (value,), value.type.inner)
        return self._checked(value, to.inner)
