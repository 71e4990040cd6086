"""From local variables to SSA: Braun et al., "Simple and Efficient Construction of SSA" (CC 2013).

A block asks for a variable's value when it is used. Where several edges arrive, or may arrive yet,
the block gets a parameter; what each edge passes is found out when all edges are known.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass, field


@dataclass(slots=True, eq=False)
class Edge:
    """A jump from one block to another, with what it passes."""

    source: Block
    target: Block
    args: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        args = ", ".join(f"v{value}" for value in self.args)
        return f"block{self.target.number}({args})" if args else f"block{self.target.number}"


@dataclass(slots=True, eq=False)
class Block:
    """A basic block; `end` is its last instruction, in which each edge stands for itself.

    `is_sealed` says that no edge will be added to it. `values` are those of local variables at its
    end, as far as known; `addresses` are those of offsets in the memory that it has computed.
    """

    number: int
    params: list[int] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    is_sealed: bool = False
    is_cold: bool = False
    values: dict[int, int] = field(default_factory=dict)
    addresses: dict[int, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    end: tuple[str | Edge, ...] = ()


class Variables:
    """The values of a function's variables in its blocks, and the types of all values."""

    def __init__(self, types: list[str]) -> None:
        self.types: list[str] = []  # of values
        self.zeros: list[tuple[int, str]] = []  # values of variables before they are set
        self._variables = types
        self._waiting: list[tuple[Block, int]] = []

    def new_value(self, type_: str) -> int:
        """Return a fresh value."""
        self.types.append(type_)
        return len(self.types) - 1

    def get(self, variable: int, block: Block) -> int:
        """Return the value of a variable at the end of a block as it is now."""
        passed = []
        value = block.values.get(variable)
        while value is None:
            if len(block.edges) == 1 and block.is_sealed:
                passed.append(block)
                block = block.edges[0].source
                value = block.values.get(variable)
            elif not block.edges and block.is_sealed:
                value = block.values[variable] = self.new_value(self._variables[variable])
                self.zeros.append((value, self._variables[variable]))
            else:
                value = self.new_value(self._variables[variable])
                block.params.append(value)
                block.values[variable] = value
                self._waiting.append((block, variable))
        for between in passed:
            between.values[variable] = value
        return value

    def finish(self) -> None:
        """Complete what edges pass, once every block is sealed."""
        position = 0
        while position < len(self._waiting):
            block, variable = self._waiting[position]
            for edge in block.edges:
                edge.args.append(self.get(variable, edge.source))
            position += 1
