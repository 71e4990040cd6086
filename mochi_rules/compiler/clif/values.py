"""Constants, variables, memory and calls in CLIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.clif.function import signature_of
from mochi_rules.compiler.clif.instructions import I8, I32, I64, LOADS, STORES, constant
from mochi_rules.compiler.clif.names import TABLE
from mochi_rules.compiler.clif.overflow import CONST

if TYPE_CHECKING:
    from mochi_rules.compiler.clif.function import Handler, Translator
    from mochi_rules.wasm.module import Instruction
    from mochi_rules.wasm.types import FuncType


def _const(t: Translator, instruction: Instruction) -> None:
    mnemonic, value = instruction
    t.push(constant(mnemonic, value), mnemonic.partition(".")[0])
    if mnemonic == CONST:
        t.made[t.stack[-1]] = (CONST, value)


def _local_get(t: Translator, instruction: Instruction) -> None:
    assert t.block is not None
    t.stack.append(t.variables.get(instruction[1], t.block))


def _local_set(t: Translator, instruction: Instruction) -> None:
    assert t.block is not None
    value = t.pop()
    t.block.values[instruction[1]] = value
    if instruction[0] == "local.tee":
        t.stack.append(value)


def _drop(t: Translator, _: Instruction) -> None:
    t.stack.pop()


def _select(t: Translator, _: Instruction) -> None:
    condition = t.stack.pop()
    then, other = t.pop_all(2)
    t.push(f"select v{condition}, v{then}, v{other}", t.variables.types[then])


def _eqz(t: Translator, _: Instruction) -> None:
    value = t.stack.pop()
    type_ = t.variables.types[value]
    zero = t.value(f"iconst.{type_} 0", type_)
    t.push(f"icmp eq v{value}, v{zero}", I8)


# Memory


def _load(t: Translator, instruction: Instruction) -> None:
    mnemonic, _, offset = instruction
    operation = LOADS[mnemonic]
    t.push(f"{operation.text} notrap v{t.address(t.pop())}{offset:+}", operation.result)


def _store(t: Translator, instruction: Instruction) -> None:
    mnemonic, _, offset = instruction
    value = t.pop()
    t.emit(f"{STORES[mnemonic]} notrap v{value}, v{t.address(t.pop())}{offset:+}")


def _copy(t: Translator, _: Instruction) -> None:
    to, from_, size = t.pop_all(3)
    args = (t.address(to), t.address(from_), t.widen(size))
    _call_host(t, "memmove", args, has_result=True)


def _fill(t: Translator, _: Instruction) -> None:
    to, byte, size = t.pop_all(3)
    _call_host(t, "mochi_fill", (t.address(to), t.widen(byte), t.widen(size)))


def _memory_size(t: Translator, _: Instruction) -> None:
    t.push(f"load.i32 notrap aligned v{t.symbol_value('mochi_pages')}", I32)


def _grow(t: Translator, _: Instruction) -> None:
    pages = _call_host(t, "mochi_grow", (t.widen(t.pop()),), has_result=True)
    t.push(f"ireduce.i32 v{pages}", I32)


def _global_get(t: Translator, instruction: Instruction) -> None:
    type_, name = t.names.variable(instruction[1])
    t.push(f"load.{type_} little notrap aligned v{t.symbol_value(name)}", type_)


def _global_set(t: Translator, instruction: Instruction) -> None:
    value = t.pop()
    _, name = t.names.variable(instruction[1])
    t.emit(f"store little notrap aligned v{value}, v{t.symbol_value(name)}")


# Calls


def _call(t: Translator, instruction: Instruction) -> None:
    name = instruction[1]
    type_ = t.names.types[name]
    args = t.pop_all(len(type_.params))
    if imported := t.names.imported(name):
        _call_import(t, imported, type_, args)
        return
    reference = t.reference(t.names.function(name), signature_of(type_))
    _call_ours(t, f"call {reference}({_words(args)})", type_)


def _call_indirect(t: Translator, instruction: Instruction) -> None:
    type_ = instruction[1]
    index = t.widen(t.pop())
    args = t.pop_all(len(type_.params))
    table = t.symbol_value(TABLE)
    three = t.value("iconst.i64 3", I64)
    offset = t.value(f"ishl v{index}, v{three}", I64)
    place = t.value(f"iadd v{table}, v{offset}", I64)
    address = t.value(f"load.i64 notrap aligned readonly v{place}", I64)
    signature = t.signature(signature_of(type_))
    _call_ours(t, f"call_indirect {signature}, v{address}({_words(args)})", type_)


def _call_ours(t: Translator, text: str, type_: FuncType) -> None:
    if type_.results:
        t.push(text, type_.results[0])
    else:
        t.emit(text)


def _call_import(t: Translator, name: str, type_: FuncType, args: list[int]) -> None:
    wide = [t.widen(value) if t.variables.types[value] == I32 else value for value in args]
    result = _call_host(t, name, wide, has_result=bool(type_.results))
    if type_.results:
        t.push(f"ireduce.i32 v{result}", I32)


def _call_host(
    t: Translator, name: str, args: list[int] | tuple[int, ...], *, has_result: bool = False
) -> int:
    """Call C. All have 64 bits: no two machines agree on how to pass fewer."""
    params = ", ".join([I64] * len(args))
    signature = f"({params}) -> {I64}" if has_result else f"({params})"
    text = f"call {t.reference(name, signature)}({_words(args)})"
    if has_result:
        return t.value(text, I64)
    t.emit(text)
    return -1


def _words(args: list[int] | tuple[int, ...]) -> str:
    return ", ".join(f"v{value}" for value in args)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("i32.const", "i64.const", "f64.const"), _const),
    "local.get": _local_get, "local.set": _local_set, "local.tee": _local_set,
    "drop": _drop,
    "select": _select, "i32.eqz": _eqz, "i64.eqz": _eqz,
    **dict.fromkeys(LOADS, _load), **dict.fromkeys(STORES, _store),
    "memory.copy": _copy, "memory.fill": _fill, "memory.size": _memory_size, "memory.grow": _grow,
    "global.get": _global_get, "global.set": _global_set,
    "call": _call, "call_indirect": _call_indirect,
}  # fmt: skip
