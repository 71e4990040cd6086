"""Basic blocks to structured control flow: Ramsey, "Beyond Relooper" (ICFP 2022).

A block with several forward predecessors becomes the code after a wasm `block`; the target of a
back edge becomes a wasm `loop`; every other block stands where it is jumped to. Source programs
have no goto, so every graph is reducible and the method is complete.

The recursion of the paper is an explicit stack here: a function of a thousand statements nests
a thousand deep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mochi_rules.compiler.ir.function import Branch, Jump, Return, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Block, Value


class Emitter(Protocol):
    """What structure needs of instruction selection; see select.py."""

    def raw(self, *instruction: object) -> None:
        """Append a wasm instruction."""

    def finish(self, mnemonic: str) -> None:
        """Append a wasm instruction behind which nothing runs."""

    def begin_loop(self, block: Block) -> None:
        """Mark the line of the loop that a block heads: limits are checked at its start."""

    def block_code(self, block: Block) -> None:
        """Emit the instructions of a block."""

    def condition(self, value: Value, *, negated: bool) -> None:
        """Push a condition."""

    def pass_arguments(self, jump: Jump) -> None:
        """Set the parameters of the target."""

    def pass_below(self, jump: Jump) -> None:
        """Set the parameters of the target, and leave the condition on the stack."""

    def leave(self, end: Return) -> None:
        """Push the result and return."""


class Structurer:
    """Emits one function; `scopes` are the wasm labels around the current place, outside in."""

    def __init__(self, flow: Flow, emitter: Emitter) -> None:
        self.flow = flow
        self.emit = emitter
        self.scopes: list[Block | None] = []
        self.todo: list[Callable[[], None]] = []

    def run(self, entry: Block) -> None:
        """Emit everything reachable from the entry."""
        self.todo.append(lambda: self._tree(entry))
        while self.todo:
            self.todo.pop()()

    def _then(self, *actions: Callable[[], None]) -> None:
        self.todo.extend(reversed(actions))

    def _open(self, mnemonic: str, label: Block | None) -> None:
        self.emit.raw(mnemonic, None)
        self.scopes.append(label)

    def _close(self) -> None:
        self.emit.raw("end")
        self.scopes.pop()

    def _tree(self, block: Block) -> None:
        """Emit a block and all blocks that it dominates."""
        merges = self.flow.in_order(self.flow.merges.intersection(self.flow.dominated[block]))
        if block in self.flow.headers:
            self.emit.begin_loop(block)
            self._open("loop", block)
            self._then(lambda: self._within(block, merges), self._close)
        else:
            self._within(block, merges)

    def _within(self, block: Block, merges: list[Block]) -> None:
        """Emit a block inside the wasm blocks that its merge children follow."""
        if not merges:
            self.todo.append(lambda: self._node(block))
            return
        for merge in reversed(merges):
            self._open("block", merge)
        actions: list[Callable[[], None]] = [lambda: self._node(block)]
        for merge in merges:
            actions += [self._close, lambda merge=merge: self._tree(merge)]  # type: ignore[misc]
        self._then(*actions)

    def _node(self, block: Block) -> None:
        self.emit.block_code(block)
        match block.end:
            case Jump() as jump:
                self._jump(block, jump)
            case Branch() as branch:
                self._branch(block, branch)
            case Return() as end:
                self.emit.leave(end)
            case Unreachable() | None:
                self.emit.finish("unreachable")

    def _jump(self, block: Block, jump: Jump) -> None:
        self.emit.pass_arguments(jump)
        target = jump.target
        if self._is_labelled(block, target):
            self.emit.raw("br", self._depth(target))
        else:
            self._tree(target)

    def _branch(self, block: Block, branch: Branch) -> None:
        for side, other, negated in (
            (branch.then, branch.otherwise, False),
            (branch.otherwise, branch.then, True),
        ):
            if self._is_bare_jump(side) or self._is_last_test(side, other):
                assert isinstance(side.end, Jump)
                self.emit.condition(branch.condition, negated=negated)
                if side.end.args:
                    self.emit.pass_below(side.end)
                self.emit.raw("br_if", self._depth(side.end.target))
                self._tree(other)
                return
        first, second = branch.then, branch.otherwise
        is_negated = self._stays_in_loop(block, branch)
        if is_negated:
            first, second = second, first
        self.emit.condition(branch.condition, negated=is_negated)
        self._open("if", None)
        self._then(
            lambda: self._tree(first),
            lambda: self.emit.raw("else"),
            lambda: self._tree(second),
            self._close,
        )

    def _stays_in_loop(self, block: Block, branch: Branch) -> bool:
        """Whether a branch of a loop's header stays in the loop where its condition holds.

        Cranelift places what follows `else` first: the loop should fall through to its body.
        """
        body = self.flow.loops[block] if block in self.flow.headers else set()
        return branch.then in body and branch.otherwise not in body

    def _is_bare_jump(self, block: Block) -> bool:
        """Whether a block does nothing but jump to a label without passing arguments."""
        end = block.end
        return (
            isinstance(end, Jump)
            and not block.code
            and not end.args
            and self._is_labelled(block, end.target)
        )

    def _is_last_test(self, side: Block, other: Block) -> bool:
        """Whether a loop goes on in one block, and ends in another, with nothing but jumps.

        Then its parameters may be set before it is known whether it goes on: what does not come
        behind the first block of the loop for certain does not use them.
        """
        again, leave = side.end, other.end
        if not isinstance(again, Jump) or not isinstance(leave, Jump) or side.code or other.code:
            return False
        header = again.target
        return (
            self.flow.is_back_edge(side, header)
            and not self.flow.dominates(header, leave.target)
            and not set(header.params) & set(leave.args)
        )

    def _is_labelled(self, source: Block, target: Block) -> bool:
        return target in self.flow.merges or self.flow.is_back_edge(source, target)

    def _depth(self, target: Block) -> int:
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope is target:
                return depth
        raise AssertionError("a jump to a block that is not in scope")
