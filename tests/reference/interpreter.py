"""Statements, expressions and calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.span import Source
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.parser import parse_module
from tests.reference.builtins import BUILTINS, index_in, part, printed
from tests.reference.operators import binary, distinct, to_int
from tests.reference.values import LEAST, Big, Closure, Failure, Map, Struct, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NULL = "null where a value is needed"


class TooLongError(Exception):
    """The program takes more steps than it may."""


class Break(Exception):  # noqa: N818 - control flow of the program
    """`break`."""


class Continue(Exception):  # noqa: N818 - control flow of the program
    """`continue`."""


@dataclass
class Return(Exception):  # noqa: N818 - control flow of the program
    """`return`."""

    value: Any


@dataclass(frozen=True)
class End:
    """How a program ends: what it prints, and the message and line of its failure or nothing."""

    output: str
    error: str = ""


class Scope:
    """The variables of a block, where in the text they are declared, and what is around it."""

    __slots__ = ("around", "names", "places")

    def __init__(self, around: Scope | None = None) -> None:
        self.around, self.names, self.places = around, dict[str, Any](), dict[str, int]()

    def holder(self, name: str, place: int) -> dict[str, Any]:
        """Return the variables that have a name; null stands for one that is declared nowhere.

        A function does not see what is declared behind it, but for what is of the top level.
        """
        scope: Scope | None = self
        while scope:
            if name in scope.names and (not scope.around or scope.places.get(name, -1) < place):
                return scope.names
            scope = scope.around
        return {name: None}


@dataclass(eq=False)
class Group:
    """What `group by` makes of equal keys."""

    key: Any
    items: list[Any] = field(default_factory=list)


def run(source: str, steps: int) -> End:
    """Run a program that the compiler accepts, named `m.mochi`.

    Raises:
        TooLongError: After a number of statements and expressions.
    """
    diagnostics = Diagnostics()
    module = parse_module(Source("m.mochi", source), diagnostics)
    if diagnostics.errors:
        raise ValueError(diagnostics.errors[0].message)
    interpreter = Interpreter(source, steps)
    try:
        interpreter.block(module.body, Scope())
    except Failure as failure:
        return End(
            "".join(interpreter.output), f"error: {failure}\n  --> m.mochi:{interpreter.line}\n"
        )
    return End("".join(interpreter.output))


class Interpreter:
    """Runs a tree. `line` is that of the statement that runs: each stands on a line of its own."""

    def __init__(self, source: str, steps: int) -> None:
        self.output: list[str] = []
        self.line = 0
        self._left = steps
        self._lines = [0]
        for letter in source:
            self._lines.append(self._lines[-1] + (letter == "\n"))
        self._variants: dict[str, list[str]] = {}

    # Statements

    def block(self, body: list[ast.Stmt], scope: Scope) -> None:
        """Run statements; the functions and types among them are there from the beginning."""
        for statement in body:
            match statement:
                case ast.FunDecl(name=name):
                    scope.names[name] = Closure(statement, scope)
                case ast.UnionDecl(variants=variants):
                    for variant in variants:
                        self._variants[variant.name] = [row.name for row in variant.fields]
        for statement in body:
            self._tick(statement)
            _STATEMENTS[type(statement)](self, statement, scope)

    def _tick(self, node: ast.Node) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooLongError
        self.line = self._lines[node.start] + 1

    def _let(self, node: ast.Let, scope: Scope) -> None:
        scope.names[node.name] = None if node.value is None else self.value(node.value, scope)
        scope.places.setdefault(node.name, node.start)

    def _assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.value(node.value, scope)
        match node.target:
            case ast.Name(name=name):
                scope.holder(name, node.start)[name] = value
            case ast.Index(base=base, index=index):
                holder = self._needed(base, scope)
                key = self.value(index, scope)
                if isinstance(holder, Map):
                    holder.rows[text(key)] = key, value
                else:
                    holder[index_in("list", key, len(holder))] = value
            case ast.Field(base=base, name=name):
                self._needed(base, scope).fields[name] = value

    def _if(self, node: ast.If, scope: Scope) -> None:
        if self.value(node.condition, scope):
            self.block(node.then, Scope(scope))
        elif node.otherwise:
            self.block(node.otherwise, Scope(scope))

    def _while(self, node: ast.While, scope: Scope) -> None:
        while self.value(node.condition, scope):
            try:
                self.block(node.body, Scope(scope))
            except Break:
                return
            except Continue:
                pass
            self._tick(node)

    def _for(self, node: ast.For, scope: Scope) -> None:
        low = self._needed(node.low, scope)
        items = (
            self._elements(low)
            if node.high is None
            else iter(range(low, self.value(node.high, scope)))
        )
        for item in items:
            inner = Scope(scope)
            inner.names[node.name] = item
            try:
                self.block(node.body, Scope(inner))
            except Break:
                return
            except Continue:
                pass

    def _elements(self, value: Any) -> Iterator[Any]:
        if isinstance(value, Map):
            return iter([key for key, _ in value.ordered()])
        return iter(value.items if isinstance(value, Group) else value)

    def _return(self, node: ast.Return, scope: Scope) -> None:
        raise Return(None if node.value is None else self.value(node.value, scope))

    def _break(self, _: ast.Break, __: Scope) -> None:
        raise Break

    def _continue(self, _: ast.Continue, __: Scope) -> None:
        raise Continue

    def _expression(self, node: ast.ExprStmt, scope: Scope) -> None:
        self.value(node.value, scope)

    def _declared(self, _: ast.Stmt, __: Scope) -> None:
        """Do nothing: it is there since the block began."""

    # Expressions

    def value(self, node: ast.Expr, scope: Scope) -> Any:
        """Return the value of an expression."""
        self._left -= 1
        if self._left < 0:
            raise TooLongError
        return _EXPRESSIONS[type(node)](self, node, scope)

    def _needed(self, node: ast.Expr, scope: Scope) -> Any:
        value = self.value(node, scope)
        if value is None:
            raise Failure(NULL)
        return value

    def _literal(self, node: ast.IntLit | ast.FloatLit | ast.BoolLit, _: Scope) -> Any:
        return node.value

    def _string(self, node: ast.StringLit, _: Scope) -> str:
        return node.value.decode()

    def _name(self, node: ast.Name, scope: Scope) -> Any:
        holder = scope.holder(node.name, node.start)
        if node.name in self._variants and holder[node.name] is None:
            return Struct(node.name, {})
        return holder[node.name]

    def _list(self, node: ast.ListLit, scope: Scope) -> list[Any]:
        return [self.value(item, scope) for item in node.items]

    def _map(self, node: ast.MapLit, scope: Scope) -> Map:
        made = Map()
        for key_node, value_node in node.items:
            key = self.value(key_node, scope)
            made.rows[text(key)] = key, self.value(value_node, scope)
        return made

    def _struct(self, node: ast.StructLit, scope: Scope) -> Struct:
        return Struct(node.name, {row.name: self.value(row.value, scope) for row in node.fields})

    def _fun(self, node: ast.FunExpr, scope: Scope) -> Closure:
        return Closure(node.fun, scope)

    def _index(self, node: ast.Index, scope: Scope) -> Any:
        base = self._needed(node.base, scope)
        index = self.value(node.index, scope)
        if isinstance(base, Map):
            return base.rows.get(text(index), (None, None))[1]
        kind = "string" if isinstance(base, str) else "list"
        return base[index_in(kind, index, len(base))]

    def _slice(self, node: ast.Slice, scope: Scope) -> Any:
        base = self._needed(node.base, scope)
        return part(base, *(bound and self.value(bound, scope) for bound in (node.low, node.high)))

    def _field(self, node: ast.Field, scope: Scope) -> Any:
        base = self._needed(node.base, scope)
        if isinstance(base, Group):
            return {"key": base.key, "items": base.items, "count": len(base.items)}[node.name]
        if isinstance(base, Map):
            return base.rows.get(node.name, (None, None))[1]
        return base.fields[node.name]

    def _cast(self, node: ast.Cast, scope: Scope) -> Any:
        value = self.value(node.operand, scope)
        name = node.type.name if isinstance(node.type, ast.NamedType) else ""
        if name not in _CASTS:
            raise NotImplementedError(node.type)
        return _CASTS[name](value)

    def _unary(self, node: ast.Unary, scope: Scope) -> Any:
        value = self._needed(node.operand, scope)
        if node.op == "!":
            return not value
        if isinstance(value, Big):
            return Big(-value)
        return value if value == LEAST else -value  # the least int is its own negative

    def _binary(self, node: ast.Binary, scope: Scope) -> Any:
        left = self.value(node.left, scope)
        if node.op in {"&&", "||"}:
            return self.value(node.right, scope) if left == (node.op == "&&") else left
        if node.op == "??":
            return self.value(node.right, scope) if left is None else left
        return binary(node.op, left, self.value(node.right, scope))

    def _if_value(self, node: ast.IfExpr, scope: Scope) -> Any:
        if self.value(node.condition, scope):
            return self.value(node.then, scope)
        return None if node.otherwise is None else self.value(node.otherwise, scope)

    def _match(self, node: ast.Match, scope: Scope) -> Any:
        subject = self.value(node.subject, scope)
        for arm in node.arms:
            inner = Scope(scope)
            if arm.value is not None and self._fits(arm.pattern, subject, inner):
                return self.value(arm.value, inner)
        return None

    def _fits(self, pattern: ast.Expr, value: Any, inner: Scope) -> bool:
        match pattern:
            case ast.Name(name="_"):
                return True
            case ast.Name(name=name) if name not in self._variants:
                inner.names[name] = value
                return True
            case ast.Name(name=name):
                return isinstance(value, Struct) and value.name == name
            case ast.Call(callee=ast.Name(name=name), args=parts):
                if not isinstance(value, Struct) or value.name != name:
                    return False
                fields = [value.fields[row] for row in self._variants[name]]
                return all(map(self._fits, parts, fields, [inner] * len(parts)))
        return bool(binary("==", self.value(pattern, inner), value))

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        name = node.callee.name if isinstance(node.callee, ast.Name) else ""
        callee = self.value(node.callee, scope) if name not in self._variants else None
        if isinstance(callee, Closure):
            return self._enter(callee, [self.value(item, scope) for item in node.args])
        arguments = [self.value(item, scope) for item in node.args]
        if name in self._variants:
            return Struct(name, dict(zip(self._variants[name], arguments, strict=True)))
        if name == "print":
            self.output.append(f"{printed(*arguments)}\n")
            return None
        if name == "reduce":
            items, function, start = arguments
            for item in items:
                start = self._enter(function, [start, item])
            return start
        if name == "panic":
            raise Failure(f"panic: {text(arguments[0])}")
        return BUILTINS[name](
            *(item.items if isinstance(item, Group) else item for item in arguments)
        )

    def _enter(self, callee: Closure, arguments: list[Any]) -> Any:
        inner, line = Scope(callee.scope), self.line
        names = (row.name for row in callee.declaration.params)
        inner.names.update(zip(names, arguments, strict=True))
        result = None
        try:
            self.block(callee.declaration.body, inner)
        except Return as end:
            result = end.value
        self.line = line
        return result

    # Queries

    def _query(self, node: ast.Query, scope: Scope) -> list[Any]:
        rows = self._rows(node, scope)
        if node.group:
            rows = self._groups(node.group, node.sources[0].name, rows, scope)
        if node.sort:
            keyed = [(self.value(node.sort, row), row) for row in rows]
            rows = [row for _, row in sorted(keyed, key=lambda pair: pair[0])]
        low = self.value(node.skip, scope) if node.skip else 0
        high = low + self.value(node.take, scope) if node.take else None
        made = [self.value(node.select, row) for row in rows[low:high]]
        return distinct(made) if node.distinct else made

    def _rows(self, node: ast.Query, scope: Scope) -> list[Scope]:
        rows = [scope]
        for source in node.sources:
            rows = list(chain.from_iterable(self._bound(source, row) for row in rows))
        for join in node.joins:
            rows = list(chain.from_iterable(self._bound(join, row) for row in rows))
            rows = [row for row in rows if self.value(join.condition, row)]
        return [row for row in rows if not node.where or self.value(node.where, row)]

    def _bound(self, source: ast.QuerySource | ast.QueryJoin, row: Scope) -> Iterator[Scope]:
        for item in self._elements(self.value(source.source, row)):
            inner = Scope(row)
            inner.names[source.name] = item
            yield inner

    def _groups(
        self, node: ast.QueryGroup, item: str, rows: list[Scope], scope: Scope
    ) -> list[Scope]:
        groups: dict[str, Group] = {}
        for row in rows:
            key = self.value(node.keys[0], row)
            groups.setdefault(text(key), Group(key)).items.append(row.names[item])
        made = []
        for group in groups.values():
            inner = Scope(scope)
            inner.names[node.name] = group
            if not node.having or self.value(node.having, inner):
                made.append(inner)
        return made


_STATEMENTS: dict[type[ast.Stmt], Callable[[Interpreter, Any, Scope], None]] = {
    ast.Let: Interpreter._let,
    ast.Assign: Interpreter._assign,
    ast.If: Interpreter._if,
    ast.While: Interpreter._while,
    ast.For: Interpreter._for,
    ast.Return: Interpreter._return,
    ast.Break: Interpreter._break,
    ast.Continue: Interpreter._continue,
    ast.ExprStmt: Interpreter._expression,
    ast.FunDecl: Interpreter._declared,
    ast.StructDecl: Interpreter._declared,
    ast.UnionDecl: Interpreter._declared,
}
_CASTS: dict[str, Callable[[Any], Any]] = {"int": to_int, "float": float, "bigint": Big}
_EXPRESSIONS: dict[type[ast.Expr], Callable[[Interpreter, Any, Scope], Any]] = {
    ast.IntLit: Interpreter._literal,
    ast.FloatLit: Interpreter._literal,
    ast.BoolLit: Interpreter._literal,
    ast.StringLit: Interpreter._string,
    ast.Name: Interpreter._name,
    ast.ListLit: Interpreter._list,
    ast.MapLit: Interpreter._map,
    ast.StructLit: Interpreter._struct,
    ast.FunExpr: Interpreter._fun,
    ast.Call: Interpreter._call,
    ast.Index: Interpreter._index,
    ast.Slice: Interpreter._slice,
    ast.Field: Interpreter._field,
    ast.Cast: Interpreter._cast,
    ast.Unary: Interpreter._unary,
    ast.Binary: Interpreter._binary,
    ast.IfExpr: Interpreter._if_value,
    ast.Match: Interpreter._match,
    ast.Query: Interpreter._query,
}
