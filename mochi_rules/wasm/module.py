"""A WebAssembly module as data: what the compiler builds, the encoder writes, the printer shows.

Functions, globals and data segments are known by name, and types by value; only the encoder
knows indices. Nothing here checks anything: whoever loads the module validates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.wasm.types import FuncType

if TYPE_CHECKING:
    from mochi_rules.wasm.types import ExternType, GlobalType, MemoryType, TableType, ValueType

# `(mnemonic, *immediates)`: the name in the text format, then what opcodes.py says it takes.
# Immediates are hashable. `("loc", file_index, line)` makes no code: it says where the next
# instruction comes from.
Instruction: TypeAlias = tuple[Any, ...]
# What a body is made of: an instruction, or the bytes of some that are the same in every module.
Piece: TypeAlias = Instruction | bytes


@dataclass(slots=True)
class Import:
    """Something the host gives; `name` is what instructions call a function or a global."""

    module: str
    field: str
    type: ExternType
    name: str = ""


@dataclass(slots=True)
class Function:
    """A function: parameters and locals share one numbering, and `body` has no final `end`.

    `local_names` names parameters, then locals; it may be shorter, and an empty name is none.
    A shared function is the same in every module that has one of its name.
    """

    name: str
    params: list[ValueType] = field(default_factory=list)
    results: list[ValueType] = field(default_factory=list)
    locals: list[ValueType] = field(default_factory=list)
    body: list[Piece] = field(default_factory=list)
    local_names: list[str] = field(default_factory=list)
    is_shared: bool = False

    @property
    def type(self) -> FuncType:
        """The signature."""
        return FuncType(tuple(self.params), tuple(self.results))

    def with_body(self, body: list[Piece]) -> Function:
        """Return the same function with another body."""
        own = (self.name, self.params, self.results, self.locals)
        return Function(*own, body, self.local_names, self.is_shared)


@dataclass(slots=True)
class Global:
    """A global; `initial` is one constant instruction, such as `("i32.const", 0)`."""

    name: str
    type: GlobalType
    initial: Instruction


@dataclass(slots=True)
class Export:
    """Something the host may use; `target` names the function or global."""

    name: str
    kind: Literal["func", "table", "memory", "global"]
    target: str = ""


@dataclass(slots=True)
class ElementSegment:
    """Functions that are put into the table from `offset` on at instantiation."""

    offset: int
    functions: list[str]


@dataclass(slots=True)
class DataSegment:
    """Bytes that are put into memory at `offset`; without one, `memory.init` asks for them."""

    name: str
    data: bytes
    offset: int | None = None


@dataclass(slots=True)
class CustomSection:
    """Bytes that WebAssembly itself ignores, such as debugging information."""

    name: str
    data: bytes


@dataclass(slots=True)
class Module:
    """A module with at most one table and one memory."""

    name: str = ""
    imports: list[Import] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    table: TableType | None = None
    memory: MemoryType | None = None
    globals: list[Global] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    start: str | None = None
    elements: list[ElementSegment] = field(default_factory=list)
    data: list[DataSegment] = field(default_factory=list)
    custom_sections: list[CustomSection] = field(default_factory=list)
