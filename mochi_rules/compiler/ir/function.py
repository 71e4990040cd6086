"""The mid-level IR: functions of basic blocks in SSA form, with block parameters.

Every value is defined once, by an instruction or as a parameter of a block. A branch goes only
to blocks with one predecessor, so there is always a place on an edge. The IR names nothing of
WebAssembly and does not know the width of an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.ops import ALL, OPS
from mochi_rules.compiler.ir.types import FLOAT, INT, SCALARS, VOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mochi_rules.compiler.ir.ops import Effects
    from mochi_rules.compiler.ir.types import Type


@dataclass(frozen=True, slots=True)
class Site:
    """A line of a source, for messages at run time. `file` is an index into Program.files."""

    file: int
    line: int


class Value:
    """An instruction and its result, or a parameter (`op` is "param")."""

    __slots__ = ("args", "attr", "name", "op", "site", "type")

    def __init__(
        self, op: str, args: tuple[Value, ...], type_: Type, attr: Any = None,
        site: Site | None = None, name: str = "",
    ) -> None:  # fmt: skip
        self.op = op
        self.args = args
        self.type = type_
        self.attr = attr
        self.site = site
        self.name = name

    @property
    def has_result(self) -> bool:
        """Whether there is a value to use."""
        return self.type is not VOID

    def __repr__(self) -> str:
        return f"<{self.op} {self.name} : {self.type}>"


def int_constant(number: int) -> Value:
    """Return an instruction that makes an int."""
    return Value("const", (), INT, number)


def renewed(params: Iterable[Value]) -> list[Value]:
    """Return new parameters, of the types and names of some values."""
    return [Value("param", (), value.type, name=value.name) for value in params]


class Block:
    """Instructions that run in sequence, and the jump that ends them.

    `site` is that of the loop which the block heads, where it may have no instruction with one.
    """

    __slots__ = ("code", "end", "params", "site")

    def __init__(self, site: Site | None = None) -> None:
        self.site = site
        self.params: list[Value] = []
        self.code: list[Value] = []
        self.end: Jump | Branch | Return | Unreachable | None = None

    @property
    def targets(self) -> tuple[Block, ...]:
        """The blocks that may run next."""
        end = self.end
        if isinstance(end, Jump):
            return (end.target,)
        if isinstance(end, Branch):
            return (end.then, end.otherwise)
        return ()

    @property
    def end_operands(self) -> Sequence[Value]:
        """The values that the end of the block uses."""
        match self.end:
            case Jump():
                return self.end.args
            case Branch():
                return (self.end.condition,)
            case Return() if self.end.value is not None:
                return (self.end.value,)
            case _:
                return ()

    def rename_operands(
        self, old: Mapping[Value, object], name: Callable[[Value], Value]
    ) -> None:  # fmt: skip
        """Let the block use what `name` returns for values in `old`, which is few of all."""
        are_other = old.keys().isdisjoint
        for value in self.code:
            if not are_other(value.args):
                value.args = tuple(map(name, value.args))
        if not are_other(self.end_operands):
            self.rename_end_operands(name)

    def rename_end_operands(self, name: Callable[[Value], Value]) -> None:
        """Let the end of the block use what `name` returns for each value that it uses."""
        match self.end:
            case Jump(args=args):
                args[:] = map(name, args)
            case Branch(condition=condition):
                self.end.condition = name(condition)
            case Return(value=result) if result is not None:
                self.end.value = name(result)


@dataclass(slots=True, eq=False)
class Jump:
    """Go on in another block, with values for its parameters."""

    target: Block
    args: list[Value] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Branch:
    """Go on in one of two blocks, each without parameters and with this one predecessor.

    `likely` is True, False or None: which way the program goes as a rule.
    """

    condition: Value
    then: Block
    otherwise: Block
    likely: bool | None = None


@dataclass(slots=True, eq=False)
class Return:
    """Leave the function; `value` is None where the result is void.

    `site` is that of the statement: a constant has none.
    """

    value: Value | None
    site: Site | None = None


@dataclass(slots=True, eq=False)
class Unreachable:
    """The instruction before never returns."""


@dataclass(slots=True, eq=False)
class Function:
    """A function; it takes over the parameters in `consumes`, and its result is its caller's."""

    name: str
    params: list[Value]
    result: Type
    blocks: list[Block] = field(default_factory=list)  # the first is the entry
    is_runtime: bool = False
    consumes: frozenset[int] = frozenset()

    @property
    def taken_params(self) -> list[Value]:
        """The parameters whose references are the function's own."""
        return [self.params[number] for number in sorted(self.consumes)]

    @property
    def entry(self) -> Block:
        """The block that runs first; it has no parameters of its own."""
        return self.blocks[0]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a caller must know of a function."""

    params: tuple[Type, ...]
    result: Type
    consumes: frozenset[int] = frozenset()
    borrowed_result: bool = False
    never_returns: bool = False


@dataclass(slots=True, eq=False)
class StructLayout:
    """A struct as values have it: fields in the order of declaration; `role` as in symbols.py."""

    name: str
    fields: list[tuple[str, Type]]
    role: str = ""


@dataclass(frozen=True, slots=True)
class CFunction:
    """A function for callers in C: what they call it, without the prefix of the library.

    `function` is its name in the IR. Types are as in Mochi, and `struct NAME` for a struct;
    `params` are names and types.
    """

    name: str
    function: str
    params: tuple[tuple[str, str], ...]
    result: str


@dataclass(slots=True, eq=False)
class Program:
    """A whole program. `globals` maps names to types; `main` runs first.

    `signatures` are of the functions of the runtime library that it calls, and of its own that
    take parameters over. With `has_bigint`, that library computes with more than 64 bits.

    With `tests`, the names of its test blocks, `main` takes the number of the one to run, or -1
    for all. `exports` are what C can call besides.
    """

    files: list[str]
    functions: dict[str, Function]
    globals: dict[str, Type]
    structs: dict[str, StructLayout]
    main: str
    tests: list[str] | None = None
    has_bigint: bool = False
    signatures: dict[str, Signature] = field(default_factory=dict)
    exports: list[CFunction] = field(default_factory=list)

    @property
    def entries(self) -> tuple[str, ...]:
        """The functions of the program that are called from outside."""
        exported = (export.function for export in self.exports)
        return (self.main, *(name for name in exported if name in self.functions))


_NO_ARGUMENTS: frozenset[int] = frozenset()
_ALL_ARGUMENTS = frozenset((ALL,))
_CONSUMED = {
    name: _ALL_ARGUMENTS if op.consumes == (ALL,) else frozenset(op.consumes)
    for name, op in OPS.items()
}


def consumed(value: Value, signatures: Mapping[str, Signature]) -> frozenset[int] | range:
    """Return the numbers of the arguments whose reference an instruction takes over."""
    if value.op == "call":
        signature = signatures.get(value.attr)  # without one, it borrows
        return signature.consumes if signature else _NO_ARGUMENTS
    found = _CONSUMED[value.op]
    return range(len(value.args)) if found is _ALL_ARGUMENTS else found


def result_is(value: Value, signatures: Mapping[str, Signature]) -> str:
    """Return how the result of an instruction or a parameter is held; see ops.py."""
    if value.op == "param":
        return "owned"
    if value.op == "call":
        signature = signatures.get(value.attr)
        return "borrowed" if signature and signature.borrowed_result else "owned"
    return OPS[value.op].result_is


def effects_of(value: Value) -> Effects:
    """Return the effects of an instruction, which may be milder than those of its operation.

    A store of what is not counted frees nothing, floats divide without a trap, and what is a
    reference under any type is not looked into.
    """
    op = OPS[value.op]
    match op.milder:
        case "":
            return op.effects
        case "uncounted":
            is_mild = not value.args[-1].type.is_counted
        case "float":
            is_mild = value.type is FLOAT
        case _:
            assert op.milder == "reference", op.milder
            is_mild = value.type not in SCALARS
    return op.mild if is_mild else op.effects
