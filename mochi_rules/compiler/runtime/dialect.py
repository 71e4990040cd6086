"""Builds functions of the runtime library's dialect, which library.py describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mochi_rules.compiler.ir.builder import Exit, SsaBuilder
from mochi_rules.compiler.ir.function import Function, Signature, Value
from mochi_rules.compiler.ir.types import BOOL, FLOAT, INT, VOID, WORD, Type
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.base.span import Source

_TYPES = {"int": INT, "float": FLOAT, "bool": BOOL, "void": VOID}

# Operators by operand type; words compare and divide without sign.
_OPERATORS: dict[str, dict[Type, str]] = {
    **{
        symbol: {WORD: op, INT: op, FLOAT: op}
        for symbol, op in {"+": "add", "-": "sub", "*": "mul"}.items()
    },
    "/": {WORD: "div_u", INT: "div", FLOAT: "div"},
    "%": {WORD: "rem_u", INT: "rem", FLOAT: "rem"},
    "==": {WORD: "eq", INT: "eq", FLOAT: "eq", BOOL: "eq"},
    "!=": {WORD: "ne", INT: "ne", FLOAT: "ne", BOOL: "ne"},
    **{
        symbol: {WORD: f"{op}_u", INT: op, FLOAT: op}
        for symbol, op in {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}.items()
    },
}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})

# Functions that are operations: (operation, result, attr). A None result is the first operand's.
_INTRINSICS: dict[str, tuple[str, Type | None, Any]] = {
    **{name: (name, None, None) for name in ("clz", "ctz", "rotl", "shl", "shr", "shr_u", "xor")},
    "bit_and": ("and", None, None),
    "bit_or": ("or", None, None),
    **{name: (name, BOOL, None) for name in ("lt_u", "le_u", "gt_u", "ge_u")},
    "div_u": ("div_u", None, None),
    "rem_u": ("rem_u", None, None),
    **{name: (name, FLOAT, None) for name in ("sqrt", "floor", "ceil", "trunc", "nearest")},
    "copysign": ("copysign", FLOAT, None),
    "float_abs": ("abs", FLOAT, None),
    "bits_of_float": ("bits.of_float", INT, None),
    "float_of_bits": ("float.of_bits", FLOAT, None),
    "signed": ("int.of_word_s", INT, None),
    "memory_pages": ("mem.pages", WORD, None),
    "memory_grow": ("mem.grow", WORD, None),
    "memory_copy": ("mem.copy", VOID, None),
    "memory_fill": ("mem.fill", VOID, None),
}  # fmt: skip
_LOADS = {
    "load8": (WORD, 1, False), "load16": (WORD, 2, False), "load32": (WORD, 4, False),
    "load64": (INT, 8, False), "loadf": (FLOAT, 8, False),
}  # fmt: skip
_STORES = {
    "store8": (WORD, 1), "store16": (WORD, 2), "store32": (WORD, 4),
    "store64": (INT, 8), "storef": (FLOAT, 8),
}  # fmt: skip


class Names(Protocol):
    """What a function may name besides its own variables; the library provides it."""

    @property
    def constants(self) -> Mapping[str, int]:
        """Constants of the layout and settings."""

    @property
    def globals(self) -> Mapping[str, tuple[Type, int]]:
        """The library's variables: type and initial value."""

    def signature(self, name: str) -> Signature:
        """Return the signature of a function."""

    def inlined(self, name: str) -> ast.FunDecl | None:
        """Return a function that is inlined where it is called; None for others."""


def signature_of(decl: ast.FunDecl) -> Signature:
    """Return the signature that a function declares."""
    return Signature(
        tuple(_type_of(param.type) for param in decl.params),
        _type_of(decl.result),
        frozenset(n for n, param in enumerate(decl.params) if _is_wrapped(param.type, "own")),
        borrowed_result=_is_wrapped(decl.result, "borrow"),
        never_returns="never" in decl.effects,
    )


def type_named(name: str) -> Type:
    """Return a type of the dialect; objects of any kind are words."""
    return _TYPES.get(name, WORD)


def _is_wrapped(type_: ast.TypeExpr | None, wrapper: str) -> bool:
    return isinstance(type_, ast.NamedType) and type_.name == wrapper


def _type_of(type_: ast.TypeExpr | None) -> Type:
    if type_ is None:
        return VOID
    return type_named(type_.name) if isinstance(type_, ast.NamedType) else WORD


def build_function(names: Names, name: str, decl: ast.FunDecl, source: Source) -> Function:
    """Build a function's IR; a mistake in the library is an AssertionError with its place."""
    return _Builder(names, name, decl, source).run()


class _Builder(SsaBuilder):
    """Builds one function of the dialect."""

    def __init__(self, library: Names, name: str, decl: ast.FunDecl, source: Source) -> None:
        signature = library.signature(name)
        params = [
            Value("param", (), type_, name=param.name)
            for param, type_ in zip(decl.params, signature.params, strict=True)
        ]
        super().__init__(Function(name, params, signature.result, is_runtime=True))
        self.library = library
        self.decl = decl
        self.source = source
        self.scopes: list[dict[str, object]] = [{}]
        self.inlining: list[str] = []  # the functions that are being inlined
        for value in params:
            self._declare(value.name, value)

    def run(self) -> Function:
        """Build the function."""
        self._body(self.decl.body)
        if self.block is not None:
            self._expect(self.function.result is VOID, self.decl, "the end is reached")
            self.leave(None)
        return self.function

    # Names

    def _declare(self, name: str, value: Value) -> None:
        key = _Variable(name)
        self.scopes[-1][name] = key
        self.env[key] = value

    def _find(self, name: str) -> object | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def _expect(self, condition: object, node: ast.Node, message: str) -> None:
        """Fail with a place when the runtime library itself is wrong."""
        assert condition, f"{self.source.name}: {self.function.name}: {message}: {node}"

    # Statements

    def _body(self, body: list[ast.Stmt]) -> None:
        self.scopes.append({})
        for statement in body:
            if self.block is None:
                break
            self._statement(statement)
        self.scopes.pop()

    def _statement(self, node: ast.Stmt) -> None:
        getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _let(self, node: ast.Let) -> None:
        assert node.value is not None
        expected = _type_of(node.type) if node.type else None
        self._declare(node.name, self._value(node.value, expected))

    def _assign(self, node: ast.Assign) -> None:
        assert isinstance(node.target, ast.Name)
        name = node.target.name
        key = self._find(name)
        if key is not None:
            self.env[key] = self._value(node.value, self.env[key].type)
            return
        self._expect(name in self.library.globals, node, f"no variable `{name}`")
        value = self._value(node.value, self.library.globals[name][0])
        self.emit("global.store", (value,), attr=name)

    def _exprstmt(self, node: ast.ExprStmt) -> None:
        self._value(node.value, None)

    def _return(self, node: ast.Return) -> None:
        if node.value is None:
            self.leave(None)
        else:
            value = self._value(node.value, self.function.result)
            self.leave(value if value.has_result else None)

    def _if(self, node: ast.If) -> None:
        true, false = self._ways(node.condition)
        self.merge(true)
        self._body(node.then)
        exits = self.exits()
        self.merge(false)
        self._body(node.otherwise or [])
        self.merge(exits + self.exits())

    def _while(self, node: ast.While) -> None:
        keys = [self._find(name) for name in sorted(_assigned(node.body))]
        loop = self.begin_loop(dict.fromkeys(key for key in keys if key))
        true, false = self._ways(node.condition)
        self.merge(true)
        self._body(node.body)
        self.continue_point(loop)
        self.end_loop(loop, false)

    def _break(self, node: ast.Break) -> None:
        del node
        self.loops[-1].breaks += self.exits()

    def _continue(self, node: ast.Continue) -> None:
        del node
        self.loops[-1].continues += self.exits()

    # Expressions

    def _ways(self, node: ast.Expr) -> tuple[list[Exit], list[Exit]]:
        match node:
            case ast.Binary(op="&&" | "||" as op):
                return self.short_circuit(op, self._ways(node.left), lambda: self._ways(node.right))
            case ast.Unary(op="!"):
                true, false = self._ways(node.operand)
                return false, true
            case _:
                return self.branch(self._value(node, BOOL))

    def _value(self, node: ast.Expr, expected: Type | None) -> Value:
        value = self._compute(node, expected)
        if expected is not None and value.type is not expected:
            self._expect(False, node, f"{value.type} is not {expected}")
        return value

    def _literal(self, node: ast.Expr, expected: Type | None) -> Value | None:
        match node:
            case ast.IntLit():
                return self.const(node.value, expected or WORD)
            case ast.FloatLit():
                return self.const(node.value, FLOAT)
            case ast.BoolLit():
                return self.const(int(node.value), BOOL)
            case ast.StringLit():
                return self.emit("string", (), WORD, node.value)
            case _:
                return None

    def _compute(self, node: ast.Expr, expected: Type | None) -> Value:
        literal = self._literal(node, expected)
        if literal is not None:
            return literal
        match node:
            case ast.Name():
                return self._name(node, expected)
            case ast.Unary(op="-"):
                return self._negation(node, expected)
            case ast.Unary() | ast.Binary(op="&&" | "||"):
                return self.as_value(self._ways(node))
            case ast.Binary():
                return self._binary(node, expected)
            case ast.Cast():
                return self._cast(node)
            case ast.Call(callee=ast.Name()):
                return self._call(node, expected)
            case ast.IfExpr():
                assert node.otherwise is not None
                ways = self._ways(node.condition)
                then, otherwise = node.then, node.otherwise
                return self.choose(
                    ways,
                    lambda: self._value(then, expected),
                    lambda: self._value(otherwise, expected),
                )
            case _:
                raise AssertionError(f"{self.function.name}: not in the dialect: {node}")

    def _name(self, node: ast.Name, expected: Type | None) -> Value:
        key = self._find(node.name)
        if key is not None:
            return self.env[key]
        if node.name in self.library.globals:
            return self.emit("global.load", (), self.library.globals[node.name][0], node.name)
        self._expect(node.name in self.library.constants, node, f"no name `{node.name}`")
        return self.const(self.library.constants[node.name], expected or WORD)

    def _negation(self, node: ast.Unary, expected: Type | None) -> Value:
        operand = self._value(node.operand, expected)
        if operand.op == "const":
            return self.const(-operand.attr, operand.type)
        return self.emit("neg", (operand,), operand.type)

    def _binary(self, node: ast.Binary, expected: Type | None) -> Value:
        wanted = None if node.op in _COMPARISONS else expected
        if self._is_literal(node.left) and not self._is_literal(node.right):
            right = self._value(node.right, wanted)
            left = self._value(node.left, right.type)
        else:
            left = self._value(node.left, wanted)
            right = self._value(node.right, left.type)
        result = BOOL if node.op in _COMPARISONS else left.type
        op = _OPERATORS[node.op][left.type]
        folded = _fold(op, left, right)
        if folded is not None:
            return self.const(folded, result)
        return self.emit(op, (left, right), result)

    def _is_literal(self, node: ast.Expr) -> bool:
        if isinstance(node, ast.Name):
            return node.name in self.library.constants
        return isinstance(node, ast.IntLit)

    def _cast(self, node: ast.Cast) -> Value:
        target = _type_of(node.type)
        if isinstance(node.operand, ast.IntLit):
            return self._value(node.operand, target)
        value = self._value(node.operand, None)
        op = {
            (WORD, INT): "int.of_word", (INT, WORD): "word.of_int", (INT, FLOAT): "float.of_int",
            (FLOAT, INT): "int.of_float",
            (BOOL, WORD): "word.of_bool", (WORD, BOOL): "bool.of_word",
        }.get((value.type, target))  # fmt: skip
        if op is None:
            self._expect(value.type is target, node, f"no cast of {value.type} to {target}")
            return value
        return self.emit(op, (value,), target)

    # Calls

    def _call(self, node: ast.Call, expected: Type | None) -> Value:
        assert isinstance(node.callee, ast.Name)
        name = node.callee.name
        if name in _LOADS:
            return self._load(node, *_LOADS[name])
        if name in _STORES:
            return self._store(node, *_STORES[name])
        if name in _INTRINSICS:
            return self._intrinsic(node, name, expected)
        if name in ("address", "symbol"):
            (argument,) = node.args
            assert isinstance(argument, ast.StringLit)
            return self.emit(name, (), WORD, argument.value.decode())
        if name == "unreachable":
            self.stop()
            return self.const(0, expected or WORD)
        if name.startswith("call_"):
            return self._indirect(node, name)
        signature = self.library.signature(name)
        self._expect(
            len(node.args) == len(signature.params), node, f"wrong number of arguments of `{name}`"
        )
        args = [self._value(a, t) for a, t in zip(node.args, signature.params, strict=True)]
        decl = self.library.inlined(name)
        if decl is not None:
            return self._inline(decl, args, signature.result)
        decl = self.library.inlined(name)
        if decl is not None and name not in self.inlining:
            return self._inline(decl, args, signature.result)
        value = self.emit("call", args, signature.result, name)
        if signature.never_returns:
            self.stop()
            return self.const(0, expected or WORD)
        return value

    def _inline(self, decl: ast.FunDecl, args: list[Value], result: Type) -> Value:
        """Build the body of a function of which the last statement alone may return."""
        scopes, self.scopes = self.scopes, [{}]
        self.inlining.append(decl.name)
        for param, value in zip(decl.params, args, strict=True):
            self._declare(param.name, value)
        *body, last = decl.body
        for statement in body:
            self._statement(statement)
        found = Value("const", (), VOID, 0)
        if isinstance(last, ast.Return) and last.value is not None:
            found = self._value(last.value, result)
        else:
            self._statement(last)
        for key in self.scopes[0].values():
            self.env.pop(key)
        self.inlining.pop()
        self.scopes = scopes
        return found

    def _intrinsic(self, node: ast.Call, name: str, expected: Type | None) -> Value:
        op, result, attr = _INTRINSICS[name]
        wanted = expected if result is None else None
        args: list[Value] = []
        for argument in node.args:
            args.append(
                self._value(argument, wanted or (args[0].type if args and result is None else None))
            )
            if result is BOOL and len(args) == 1:
                wanted = args[0].type
        return self.emit(op, args, result or args[0].type, attr)

    def _indirect(self, node: ast.Call, name: str) -> Value:
        """`call_word(f, …)`: call a function by its index; the name says the result's type."""
        args = [self._value(argument, None) for argument in node.args]
        return self.emit("call.indirect", args, type_named(name.removeprefix("call_")))

    def _address(self, node: ast.Expr) -> tuple[Value, int]:
        """Return an address as base and constant offset."""
        value = self._value(node, WORD)
        if value.op == "add" and value.args[1].op == "const" and 0 <= value.args[1].attr < 2**16:
            return value.args[0], value.args[1].attr
        return value, 0

    def _load(self, node: ast.Call, type_: Type, width: int, signed: bool) -> Value:  # noqa: FBT001
        base, offset = self._address(node.args[0])
        return self.emit("mem.load", (base,), type_, (width, signed, offset))

    def _store(self, node: ast.Call, type_: Type, width: int) -> Value:
        base, offset = self._address(node.args[0])
        value = self._value(node.args[1], type_)
        return self.emit("mem.store", (base, value), VOID, (width, offset))


class _Variable:
    """A variable: an identity with a name for messages."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


_FOLDS: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "eq": lambda a, b: int(a == b),
    "ne": lambda a, b: int(a != b),
}


def _fold(op: str, left: Value, right: Value) -> int | None:
    """Fold an operation of two constants, so that settings decide at compile time what is built."""
    if left.op != "const" or right.op != "const" or left.type is FLOAT or op not in _FOLDS:
        return None
    return _FOLDS[op](left.attr, right.attr)


def _assigned(body: list[ast.Stmt]) -> set[str]:
    """Return the names that statements assign, nested ones included."""
    names: set[str] = set()
    for statement in body:
        match statement:
            case ast.Assign(target=ast.Name(name=name)):
                names.add(name)
            case ast.If():
                names |= _assigned(statement.then) | _assigned(statement.otherwise or [])
            case ast.While():
                names |= _assigned(statement.body)
            case _:
                pass
    return names
