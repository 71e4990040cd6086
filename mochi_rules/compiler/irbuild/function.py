"""Builds one function, with the rules of all other modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir import function as ir
from mochi_rules.compiler.ir.types import ANY, INT, VOID, WORD, Type
from mochi_rules.compiler.irbuild import (
    access,
    calls,
    casts,
    expressions,
    operators,
    patterns,
    statements,
)
from mochi_rules.compiler.irbuild.context import FunctionBuilder, Rules
from mochi_rules.compiler.irbuild.items import FieldGetter, StructCast, StructMaker, Thunk
from mochi_rules.compiler.irbuild.objects import new_struct
from mochi_rules.compiler.irbuild.queries import query

if TYPE_CHECKING:
    from mochi_rules.compiler.irbuild.items import Item
    from mochi_rules.compiler.irbuild.state import ProgramState
    from mochi_rules.compiler.syntax import ast

_RULES = Rules(
    expressions={
        **expressions.EXPRESSIONS,
        **access.EXPRESSIONS,
        **calls.EXPRESSIONS,
        **casts.EXPRESSIONS,
        **operators.EXPRESSIONS,
        **patterns.EXPRESSIONS,
        **query.EXPRESSIONS,
    },
    statements=statements.STATEMENTS,
    present=access.PRESENT,
)


def build_function(program: ProgramState, item: Item) -> ir.Function:
    """Build a function of the IR."""
    b = FunctionBuilder(program, item, _RULES)
    if isinstance(item, Thunk):
        _build_thunk(b, item)
    elif isinstance(item, StructCast):
        _build_cast(b, item)
    elif isinstance(item, StructMaker):
        _build_maker(b, item)
    elif isinstance(item, FieldGetter):
        _build_getter(b, item)
    elif item.decl is None:
        _build_top_level(b)
    else:
        _build_body(b, item.decl)
    assert not b.links, "a link of a chain was built, and never taken"
    return b.function


def _build_top_level(b: FunctionBuilder) -> None:
    modules = b.program.resolution.modules
    if b.symbol is modules[-1].top:
        if b.program.program.tests is not None:
            b.selected = _param(b, "test", INT)
        for module in modules[:-1]:
            assert module.top is not None
            b.emit("call", (), VOID, b.program.name_of(module.top))
    b.statements(b.symbol.module.tree.body)
    b.leave(None)


def _build_body(b: FunctionBuilder, decl: ast.FunDecl) -> None:
    symbol = b.symbol
    b.function.result = b.program.result_of(symbol)
    if symbol.receiver is not None:
        b.receiver = _param(b, "self", b.program.struct_type(symbol.receiver))
    values = [_param(b, param.name, resolve(param.type)) for param in symbol.params]
    for variable, type_ in zip(symbol.captures, b.program.capture_types(symbol), strict=True):
        b.env[variable] = _param(b, variable.name, type_)
    if b.receiver is not None and symbol.receiver is not None:
        for number, (name, variable) in enumerate(symbol.fields.items()):
            attr = (b.program.struct_name(symbol.receiver), number)
            type_ = resolve(symbol.receiver.cells[name])
            b.declare(variable, b.emit("field.load", (b.receiver,), type_, attr))
    for variable, value in zip(symbol.params, values, strict=True):
        b.declare(variable, value)
    b.statements(decl.body)
    if b.block is not None:
        result = b.function.result
        b.leave(None if result is VOID else b.null(result))


def _build_thunk(b: FunctionBuilder, thunk: Thunk) -> None:
    target, bound = thunk.target, thunk.bound
    params = [resolve(param.type) for param in target.params]
    captured = (*params[:bound], *b.program.capture_types(target))
    value_type = b.program.value_type(target)
    closure = _param(b, "closure", value_type)
    rest = [_param(b, param.name, type_) for param, type_ in
            zip(target.params[bound:], params[bound:], strict=True)]  # fmt: skip
    loaded = [b.emit("closure.load", (closure,), type_, (number, captured))
              for number, type_ in enumerate(captured)]  # fmt: skip
    b.function.result = value_type.result
    args = [*loaded[:bound], *rest, *loaded[bound:]]
    result = b.emit("call", args, b.program.result_of(target), b.program.name_of(target))
    b.leave(b.convert(result, value_type.result))


def _build_cast(b: FunctionBuilder, item: StructCast) -> None:
    source, b.place = _param(b, "value", ANY), _param(b, "site", WORD)
    b.site = item.site
    b.function.result = b.program.struct_type(item.struct)
    b.leave(casts.cast_fields(b, source, item.struct, b.function.result))


def _build_maker(b: FunctionBuilder, item: StructMaker) -> None:
    cells = item.struct.cells
    values = {name: _param(b, name, resolve(cell)) for name, cell in cells.items()}
    b.function.result = b.program.struct_type(item.struct)
    b.leave(new_struct(b, item.struct, values))


def _build_getter(b: FunctionBuilder, item: FieldGetter) -> None:
    value = _param(b, "self", b.program.struct_type(item.struct))
    b.function.result = resolve(item.struct.cells[item.field])
    attr = b.program.field_attribute(item.struct, item.field)
    b.leave(b.emit("field.load", (value,), b.function.result, attr))


def _param(b: FunctionBuilder, name: str, type_: Type) -> ir.Value:
    value = ir.Value("param", (), type_, name=name)
    b.function.params.append(value)
    return value
