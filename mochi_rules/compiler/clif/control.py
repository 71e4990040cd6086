"""Structured control flow in CLIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.clif.function import Frame

if TYPE_CHECKING:
    from mochi_rules.compiler.clif.function import Handler, Translator
    from mochi_rules.wasm.module import Instruction


def _open(t: Translator, instruction: Instruction) -> None:
    mnemonic, type_ = instruction
    condition = t.stack.pop() if mnemonic == "if" else None
    end = t.new_block()
    if type_ is not None:
        end.params.append(t.variables.new_value(type_))
    frame = Frame(end, end, len(t.stack), has_result=type_ is not None)
    if mnemonic == "loop":
        frame.target = t.new_block()
        t.finish("jump ", t.jump(frame.target, []))
        t.block = frame.target
    elif condition is not None:
        then, to_then = t.only()
        then.is_cold = condition in t.overflows
        frame.other, to_other = t.only()
        t.finish(f"brif v{condition}, ", to_then, ", ", to_other)
        t.block = then
    t.frames.append(frame)


def _br(t: Translator, instruction: Instruction) -> None:
    frame = t.frames[-1 - instruction[1]]
    args = _passed(t, frame)
    t.finish("jump ", t.jump(frame.target, args))


def _br_if(t: Translator, instruction: Instruction) -> None:
    condition = t.stack.pop()
    frame = t.frames[-1 - instruction[1]]
    args = _passed(t, frame)
    taken = t.jump(frame.target, args[:])
    following, edge = t.only()
    t.finish(f"brif v{condition}, ", taken, ", ", edge)
    t.block = following
    t.stack += args


def _passed(t: Translator, frame: Frame) -> list[int]:
    """Pop what a branch passes: the result of a block, and nothing to the start of a loop."""
    return [t.pop()] if frame.has_result and frame.target is frame.end else []


def _unreachable(t: Translator, _: Instruction) -> None:
    assert t.block is not None
    t.block.is_cold = t.block is not t.entry  # Cranelift does not allow that
    t.finish("trap user1")


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("block", "loop", "if"), _open),
    "else": lambda t, _: t.turn(), "end": lambda t, _: t.leave_frame(),
    "br": _br, "br_if": _br_if, "return": lambda t, _: t.leave(), "unreachable": _unreachable,
}  # fmt: skip
