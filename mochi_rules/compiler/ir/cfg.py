"""Facts about the control flow of a function: order, predecessors, dominators, loops.

Source programs have no goto, so every graph is reducible: the target of a back edge dominates
where it comes from, and one sweep finds the dominators.
"""

from __future__ import annotations

from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Branch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.compiler.ir.function import Block, Function


class Flow:
    """The facts about one function, each found when first asked for.

    They hold as long as no block is added or removed and no block ends in another way. Only
    blocks that the entry reaches take part.
    """

    def __init__(self, function: Function) -> None:
        self.blocks = _reverse_postorder(function.entry)

    @cached_property
    def number(self) -> dict[Block, int]:
        """The place of each block in reverse postorder: before its successors, back edges aside."""
        return {block: number for number, block in enumerate(self.blocks)}

    @cached_property
    def predecessors(self) -> dict[Block, list[Block]]:
        """Where control comes from: a block once for each edge."""
        found: dict[Block, list[Block]] = {block: [] for block in self.blocks}
        for block in self.blocks:
            for target in block.targets:
                found[target].append(block)
        return found

    def entry_of(self, header: Block) -> Block | None:
        """Return the block that only leads to a loop, if there is one; see `headers`."""
        [*ways] = (way for way in self.predecessors[header] if not self.is_back_edge(way, header))
        return ways[0] if len(ways) == 1 and len(ways[0].targets) == 1 else None

    def is_back_edge(self, source: Block, target: Block) -> bool:
        """Return whether a jump closes a loop."""
        return self.number[target] <= self.number[source]

    @cached_property
    def merges(self) -> set[Block]:
        """The blocks with two or more predecessors, back edges aside."""
        return {
            block for block, sources in self.predecessors.items()
            if len(sources) > 1
            and sum(not self.is_back_edge(source, block) for source in sources) > 1
        }  # fmt: skip

    @cached_property
    def dominator(self) -> dict[Block, Block]:
        """The immediate dominator of every block but the entry.

        That is where the ways up from all forward predecessors meet. Always the one with the
        highest number goes up, so each block on the ways is looked at once.
        """
        up = [0] * len(self.blocks)
        number, predecessors = self.number, self.predecessors
        for at, block in enumerate(self.blocks[1:], 1):
            sources = predecessors[block]
            if len(sources) == 1:
                up[at] = number[sources[0]]
                continue
            ways = {-number[source] for source in sources}
            heap = [way for way in ways if -way < at]
            heapify(heap)
            while len(heap) > 1:
                way = -up[-heappop(heap)]
                if way not in ways:
                    ways.add(way)
                    heappush(heap, way)
            up[at] = -heap[0]
        return {block: self.blocks[up[at]] for at, block in enumerate(self.blocks) if at}

    @cached_property
    def dominated(self) -> dict[Block, list[Block]]:
        """The dominator tree: the blocks that each immediately dominates, in order."""
        tree: dict[Block, list[Block]] = {block: [] for block in self.blocks}
        for block, dominator in self.dominator.items():
            tree[dominator].append(block)
        return tree

    @cached_property
    def _spans(self) -> dict[Block, tuple[int, int]]:
        """For each block, the span of what it dominates in a preorder of the dominator tree."""
        starts: dict[Block, int] = {}
        stack = [self.blocks[0]]
        while stack:
            block = stack.pop()
            starts[block] = len(starts)
            stack += self.dominated[block]
        ends = {block: start + 1 for block, start in starts.items()}
        for block in reversed(self.blocks[1:]):
            dominator = self.dominator[block]
            ends[dominator] = max(ends[dominator], ends[block])
        return {block: (start, ends[block]) for block, start in starts.items()}

    def span(self, block: Block) -> tuple[int, int]:
        """Return numbers for a block: it dominates those that begin within them, and no others."""
        return self._spans[block]

    def dominates(self, block: Block, other: Block) -> bool:
        """Return whether every way to a block leads through another; a block dominates itself."""
        start, end = self._spans[block]
        return start <= self._spans[other][0] < end

    @cached_property
    def unlikely(self) -> set[Block]:
        """The blocks that run only where some branch goes the way that it rarely goes."""
        found: set[Block] = set()
        for block, above in self.dominator.items():
            end = above.end
            is_rare = isinstance(end, Branch) and end.likely and end.otherwise is block
            if is_rare or above in found:
                found.add(block)
        return found

    @cached_property
    def headers(self) -> set[Block]:
        """The targets of back edges."""
        number = self.number
        return {
            target for source, block in enumerate(self.blocks) for target in block.targets
            if number[target] <= source
        }  # fmt: skip

    @cached_property
    def loops(self) -> dict[Block, set[Block]]:
        """The blocks of each loop by its header, which is one of them; outer loops first."""
        found: dict[Block, set[Block]] = {}
        for header in filter(self.headers.__contains__, self.blocks):
            body = found[header] = {header}
            ways = [s for s in self.predecessors[header] if self.is_back_edge(s, header)]
            while ways:
                block = ways.pop()
                if block not in body:
                    body.add(block)
                    ways += self.predecessors[block]
        return found

    @cached_property
    def innermost(self) -> dict[Block, set[Block]]:
        """The loops without another loop in them."""
        headers = self.headers
        return {head: body for head, body in self.loops.items() if len(body & headers) == 1}

    def in_order(self, blocks: Iterable[Block]) -> list[Block]:
        """Return blocks in reverse postorder."""
        return sorted(blocks, key=self.number.__getitem__)


def _reverse_postorder(entry: Block) -> list[Block]:
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
