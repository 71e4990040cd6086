"""Basic blocks to structured control flow: Ramsey, "Beyond Relooper" (ICFP 2022).

A block with several forward predecessors becomes the code after a wasm `block`; the target of a
back edge becomes a wasm `loop`; every other block stands where it is jumped to. Source programs
have no goto, so every graph is reducible and the method is complete.

The recursion of the paper is an explicit stack here: a function of a thousand statements nests
a thousand deep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir import Branch, Jump, Return, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir import Block, Value


class Emitter(Protocol):
    """What structure needs of instruction selection; see select.py."""

    def raw(self, *instruction: object) -> None:
        """Append a wasm instruction."""

    def block_code(self, block: Block) -> None:
        """Emit the instructions of a block."""

    def condition(self, value: Value, *, negated: bool) -> None:
        """Push a condition."""

    def pass_arguments(self, jump: Jump) -> None:
        """Set the parameters of the target."""

    def leave(self, end: Return) -> None:
        """Push the result and return."""


@dataclass(slots=True)
class Graph:
    """What the method needs of a function's control flow."""

    order: dict[Block, int]  # reverse postorder
    dominated: dict[Block, list[Block]]  # immediate children in the dominator tree
    loops: set[Block]  # targets of back edges
    merges: set[Block]  # blocks with two or more forward predecessors


def analyze(entry: Block) -> Graph:
    """Number the blocks, and find dominators, loops and merges."""
    sequence = reverse_postorder(entry)
    order = {block: number for number, block in enumerate(sequence)}
    predecessors: dict[Block, list[Block]] = {block: [] for block in sequence}
    for block in sequence:
        for target in block.targets:
            predecessors[target].append(block)
    loops, merges = set(), set()
    for block, sources in predecessors.items():
        forward = [source for source in sources if order[source] < order[block]]
        if len(forward) < len(sources):
            loops.add(block)
        if len(forward) > 1:
            merges.add(block)
    dominated: dict[Block, list[Block]] = {block: [] for block in sequence}
    for block, dominator in _dominators(sequence, order, predecessors).items():
        dominated[dominator].append(block)
    return Graph(order, dominated, loops, merges)


def reverse_postorder(entry: Block) -> list[Block]:
    """Return the reachable blocks; each comes before its successors, but for back edges."""
    seen = {entry}
    finished: list[Block] = []
    stack = [(entry, iter(entry.targets))]
    while stack:
        block, targets = stack[-1]
        for target in targets:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(target.targets)))
                break
        else:
            finished.append(block)
            stack.pop()
    return finished[::-1]


def _dominators(
    sequence: list[Block], order: dict[Block, int], predecessors: dict[Block, list[Block]]
) -> dict[Block, Block]:
    """Return the immediate dominator of every block but the entry.

    Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". The graph is reducible, so
    one pass in reverse postorder over forward edges is enough.
    """
    immediate: dict[Block, Block] = {}
    for block in sequence[1:]:
        candidate: Block | None = None
        for source in predecessors[block]:
            if order[source] >= order[block]:
                continue
            if candidate is None:
                candidate = source
                continue
            other = source
            while candidate is not other:
                if order[candidate] > order[other]:
                    candidate = immediate[candidate]
                else:
                    other = immediate[other]
        assert candidate is not None
        immediate[block] = candidate
    return immediate


class Structurer:
    """Emits one function; `scopes` are the wasm labels around the current place, outside in."""

    def __init__(self, graph: Graph, emitter: Emitter) -> None:
        self.graph = graph
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
        """Emit a block and all that it dominates."""
        merges = [child for child in self.graph.dominated[block] if child in self.graph.merges]
        merges.sort(key=self.graph.order.__getitem__)
        if block in self.graph.loops:
            self._open("loop", block)
            self._then(lambda: self._within(block, merges), self._close)
        else:
            self._within(block, merges)

    def _within(self, block: Block, merges: list[Block]) -> None:
        """Emit a block inside the wasm blocks that its merge children follow."""
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
                self._branch(branch)
            case Return() as end:
                self.emit.leave(end)
            case Unreachable() | None:
                self.emit.raw("unreachable")

    def _jump(self, block: Block, jump: Jump) -> None:
        self.emit.pass_arguments(jump)
        target = jump.target
        if self._is_labelled(block, target):
            self.emit.raw("br", self._depth(target))
        else:
            self._tree(target)

    def _branch(self, branch: Branch) -> None:
        for side, other, negated in (
            (branch.then, branch.otherwise, False),
            (branch.otherwise, branch.then, True),
        ):
            if self._is_bare_jump(side):
                assert isinstance(side.end, Jump)
                self.emit.condition(branch.condition, negated=negated)
                self.emit.raw("br_if", self._depth(side.end.target))
                self._tree(other)
                return
        self.emit.condition(branch.condition, negated=False)
        self._open("if", None)
        self._then(
            lambda: self._tree(branch.then),
            lambda: self.emit.raw("else"),
            lambda: self._tree(branch.otherwise),
            self._close,
        )

    def _is_bare_jump(self, block: Block) -> bool:
        """Whether a block does nothing but jump to a label without passing arguments."""
        end = block.end
        return (
            isinstance(end, Jump)
            and not block.code
            and not end.args
            and self._is_labelled(block, end.target)
        )

    def _is_labelled(self, source: Block, target: Block) -> bool:
        order = self.graph.order
        return target in self.graph.merges or order[target] <= order[source]

    def _depth(self, target: Block) -> int:
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope is target:
                return depth
        raise AssertionError("a jump to a block that is not in scope")
