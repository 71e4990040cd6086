"""Cells: what inference knows of a type so far, and how knowledge flows between them.

A value that goes somewhere is a flow from one cell to another. Scalars flow in one direction:
where an int and a string arrive, the place becomes `any`. Containers are shared, not copied, so
where one flows its element cells become one cell (Steensgaard). That is why a `list<int>` is an
array of machine integers wherever it is seen.

Knowledge only grows (unknown → a kind → any; not null → perhaps null), so propagation ends, and
its order does not matter to scalars. Elements that meet in one order may be any in another.

A declared scalar, string or struct is `fixed`: an `any` that flows in is checked at run time
instead of making the place `any`. A declared container has a `shape`: an `any` that meets its
elements makes them `any`, but what is known to be something else is a conflict.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir import types

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.names.symbols import Function, Struct, Union

# The blame of what is stored through `any`: it changes declared types, too, but for those that such
# a store checks.
STORED = "stored"
CHECKED = frozenset({"int", "float", "bool"})
NUMBERS = frozenset({"int", "float", "bigint"})
NEVER, PERHAPS, NULL = 0, 1, 2  # how null got in: not; by a read that may miss; by itself
SCALARS = {
    "int": types.INT, "float": types.FLOAT, "bool": types.BOOL, "string": types.STRING,
    "bigint": types.ANY,  # arithmetic on tagged words goes on where 64 bits end
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of a declared container as it is written, for what goes there to be compared with.

    Cells cannot say: where values of other types go, what they know becomes `any`. `kind`, `args`
    and `of` are as in a cell; what may be anything has no kind.
    """

    kind: str
    args: tuple[Shape, ...]
    of: Struct | Union | None

    def __str__(self) -> str:
        return _words(self.kind, [str(arg) for arg in self.args], self.of)


class Cell:
    """What is known of a type. Follow `find` before looking at anything.

    `kind` is "", "any", a key of SCALARS, "list", "map", "fun", "struct" or "union"; `args` are
    element; key and value; parameters and result. `of` is the Struct or Union. Of the keys of a
    map, `names` are those that are in the program; where `is_open`, there may be others.
    """

    __slots__ = (
        "args", "fixed", "is_open", "kind", "names", "nullable", "of", "parent", "shape", "type",
        "watchers",
    )  # fmt: skip

    def __init__(
        self, kind: str = "", args: tuple[Cell, ...] = (), of: Struct | Union | None = None
    ) -> None:
        self.kind = kind
        self.args = args
        self.of = of
        self.nullable = NEVER
        self.fixed = False
        self.shape: Shape | None = None
        self.names: AbstractSet[str] = frozenset()
        self.is_open = False
        self.parent: Cell | None = None
        self.watchers: list[Callable[[], None]] = []
        self.type: Type | None = None

    def find(self) -> Cell:
        """Return the cell that stands for all those this one was united with."""
        cell = self
        while cell.parent is not None:
            if cell.parent.parent is not None:
                cell.parent = cell.parent.parent
            cell = cell.parent
        return cell

    @property
    def contents(self) -> dict[str, Cell]:
        """The cells of the fields; empty but for structs."""
        return self.of.cells if self.kind == "struct" else {}  # type: ignore[union-attr]

    @property
    def methods(self) -> dict[str, Function]:
        """The methods; empty but for structs."""
        return self.of.methods if self.kind == "struct" else {}  # type: ignore[union-attr]

    def __str__(self) -> str:
        return str(resolve(self)) if self.find().kind else "unknown"


def shape_of(cell: Cell) -> Shape:
    """Return the shape of a cell that was just made of a written type."""
    if cell.shape is not None:
        return cell.shape
    kind = "" if cell.kind == "any" else cell.kind
    args = tuple(shape_of(arg) for arg in cell.args)
    return Shape(kind, args, cell.of)


def disagrees(cell: Cell, shape: Shape) -> bool:
    """Whether values of a cell are known to be of another type than the written one."""
    cell = cell.find()
    if not shape.kind or cell.kind in ("", "any"):
        return False
    if cell.kind != shape.kind:
        return not _passes_for(cell, shape)
    if cell.of is not shape.of:
        return True
    compared = slice(1 if cell.kind == "map" else 0, None)  # any key becomes text
    return any(map(disagrees, cell.args[compared], shape.args[compared]))


def _passes_for(cell: Cell, shape: Shape) -> bool:
    """Whether values of another kind fit: ints, variants, records as maps, groups as lists."""
    if shape.kind == "union":
        return getattr(cell.of, "union", None) is shape.of
    if shape.kind == "list":
        return getattr(cell.of, "role", "") == "group"
    if shape.kind == "map":
        return cell.kind in ("struct", "union")
    return (cell.kind, shape.kind) in (("int", "float"), ("int", "bigint"))


def describe(cell: Cell, around: frozenset[Cell] = frozenset()) -> str:
    """Return the type of a cell as it is known so far, while propagation goes on."""
    cell = cell.find()
    if cell in around:
        return "..."
    return _words(cell.kind, [describe(arg, around | {cell}) for arg in cell.args], cell.of)


def _words(kind: str, args: list[str], of: Struct | Union | None) -> str:
    if of is not None:
        return of.name
    if kind == "fun":
        return f"fun({', '.join(args[:-1])}): {args[-1]}"
    if kind == "map":
        return f"map<{'int' if args[0] == 'int' else 'string'}, {args[1]}>"
    return f"{kind or 'any'}<{', '.join(args)}>" if args else kind or "any"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value where another type is declared; `blame` is the module and the node, where known.

    For a declared container, `expected` and `got` name the types before they met.
    """

    source: Cell
    target: Cell
    blame: object
    expected: str = ""
    got: str = ""

    def is_real(self) -> bool:
        """Whether it is one after the last propagation: what may be anything is checked later."""
        one, other = self.source.find(), self.target.find()
        if self.expected:
            return one.kind != "any"
        differs = one.kind != other.kind or one.of is not other.of
        return differs and "any" not in (one.kind, other.kind)


class Solver:
    """Propagates knowledge until nothing changes."""

    def __init__(self) -> None:
        self.work: deque[Callable[[], None]] = deque()
        self.conflicts: list[Conflict] = []
        # Containers and structs that are seen as `any`, and what is stored through `any`, into
        # elements and into fields: each may meet.
        self.escaped: set[Cell | Struct] = set()
        self.stored = Cell()
        self.stored_in_fields = Cell()

    def run(self) -> None:
        """Propagate."""
        work = self.work
        while work:
            work.popleft()()

    def watch(self, action: Callable[[], None], *cells: Cell) -> None:
        """Do something now, and again whenever one of the cells changes."""
        for cell in cells:
            cell.find().watchers.append(action)
        self.work.append(action)

    def flow(self, source: Cell, target: Cell, node: object = None) -> None:
        """Record that values flow from one cell to another; `node` is what to blame."""

        def action() -> None:
            self._flow_now(source.find(), target, node)

        source.find().watchers.append(action)
        action()

    def flow_present(self, source: Cell, target: Cell) -> None:
        """Record that values but null flow from one cell to another."""

        def action() -> None:
            cell = source.find()
            self.learn(target, cell.kind, cell.args, cell.of)

        self.watch(action, source)

    def learn(self, cell: Cell, kind: str, args: tuple[Cell, ...] = (), of: object = None) -> None:
        """Record that a cell holds values of a kind."""
        self._flow_now(Cell(kind, args, of), cell, None)  # type: ignore[arg-type]

    def make_any(self, cell: Cell) -> None:
        """Record that a cell holds anything."""
        cell = cell.find()
        if cell.kind == "any":
            return
        self.escape(cell)
        cell.kind = "any"
        cell.args = ()
        cell.of = None
        cell.fixed = False
        cell.shape = None
        self._changed(cell)

    def make_nullable(self, cell: Cell, how: int) -> None:
        """Record that a cell may hold null."""
        cell = cell.find()
        if cell.nullable < how:
            cell.nullable = how
            self._changed(cell)

    def add_name(self, keys: Cell, name: str) -> None:
        """Record that a map has a key of this name."""
        keys = keys.find()
        if name not in keys.names:
            if not isinstance(keys.names, set):
                keys.names = set(keys.names)
            keys.names.add(name)
            self._changed(keys)

    def open(self, keys: Cell) -> None:
        """Record that a map may have keys of any name."""
        keys = keys.find()
        if not keys.is_open:
            keys.is_open = True
            self._changed(keys)

    def store_dynamically(self, value: Cell) -> None:
        """Record that a value is stored into some container or field of which nothing is known."""
        self.flow(value, self.stored)
        self.flow(value, self.stored_in_fields)

    def escape(self, cell: Cell) -> None:
        """Record that the values of a cell are also seen as `any`."""
        cell = cell.find()
        for struct in _structs_of(cell):
            self._escape_struct(struct)
        if not cell.args or cell in self.escaped:
            return
        self.escaped.add(cell)
        if cell.kind == "fun":
            for arg in cell.args:
                self.make_any(arg)
            return
        if cell.kind == "map":
            self.open(cell.args[0])
        self.flow(self.stored, cell.args[-1], STORED)
        for arg in cell.args:
            self.escape_when_known(arg)

    def _escape_struct(self, struct: Struct) -> None:
        if struct not in self.escaped:
            self.escaped.add(struct)
            for field in struct.cells.values():
                if not struct.role:  # nothing is stored into a group or row
                    self.flow(self.stored_in_fields, field, STORED)
                self.escape_when_known(field)

    def escape_when_known(self, cell: Cell) -> None:
        """Record that the values of a cell are also seen as `any`, whatever they will be."""
        self.watch(lambda: self.escape(cell), cell)

    def _changed(self, cell: Cell) -> None:
        self.work.extend(cell.watchers)

    def _flow_now(self, source: Cell, place: Cell, node: object) -> None:
        target = place.find()
        if source is target:
            return
        if source.nullable > target.nullable:
            self._flow_null(source, target)
        kind = source.kind
        if not kind:
            return
        shape = target.shape
        if shape is not None and isinstance(node, tuple) and disagrees(source, shape):
            self.conflicts.append(Conflict(source, target, node, str(shape), describe(source)))
            return
        if target.kind == kind:
            self._meet(source, target, node)
        elif not target.kind:
            target.kind, target.args, target.of = kind, source.args, source.of
            self._changed(target)
        elif target.kind == "any":
            self.escape(source)
        else:
            self._clash(source, target, node, is_written=place.fixed)

    def _clash(self, source: Cell, target: Cell, node: object, *, is_written: bool) -> None:
        """Let a value of one kind go where another kind was expected, or even `is_written`."""
        is_kept = target.fixed and (node is not STORED or target.kind in CHECKED)
        if source.kind == "any" or (source.kind == "bigint" and target.kind in NUMBERS):
            if not is_kept:
                self.make_any(target)
        elif self._converts(source, target, is_written=is_written):
            pass
        elif is_kept and (source.kind, target.kind) != ("int", "float"):
            self.conflicts.append(Conflict(source, target, node))
        else:
            self.escape(source)
            self.make_any(target)

    def _flow_null(self, source: Cell, target: Cell) -> None:
        # A read that may miss does not make a declared number nullable: it is checked there.
        if source.nullable == PERHAPS and target.fixed and target.kind in ("int", "float", "bool"):
            return
        target.nullable = source.nullable
        self._changed(target)

    def _converts(self, source: Cell, target: Cell, *, is_written: bool = False) -> bool:
        """Whether a value of another kind fits after a conversion, or as a variant.

        An int becomes a float only where float `is_written`: elsewhere it would print as another.
        """
        if source.kind == "int" and target.kind in ("float", "bigint"):
            return is_written or target.kind == "bigint"
        if source.kind == "struct" and target.kind == "union":
            return getattr(source.of, "union", None) is target.of
        return False

    def _meet(self, source: Cell, target: Cell, node: object = None) -> None:
        """Let values of one kind meet: what they contain becomes the same."""
        if source.args:
            if len(source.args) != len(target.args):
                self.escape(source)
                self.make_any(target)
                return
            for one, other in zip(source.args, target.args, strict=True):
                self.unite(one, other, node)
        elif source.of is not target.of:
            union = getattr(source.of, "union", None)
            if (
                union is not None
                and getattr(target.of, "union", None) is union
                and not target.fixed
            ):
                target.kind, target.of = "union", union
                self._changed(target)
            elif target.fixed and node is not STORED:
                self.conflicts.append(Conflict(source, target, node))
            else:
                self.escape(source)
                self.make_any(target)

    def unite(self, one: Cell, other: Cell, node: object = None) -> None:
        """Make two cells one; `node` is what to blame."""
        one, other = one.find(), other.find()
        if one is other:
            return
        if self._rank(one) > self._rank(other):
            one, other = other, one
        # From here on `one` is merged into `other`, which knows at least as much.
        clash = bool(one.kind) and one.kind != other.kind and not self._converts(one, other)
        mixed = one.kind != other.kind
        if clash:
            self._note_ring(one, other, node)
        if one.fixed and clash and other.kind != "any":
            other.fixed = False
        one.parent = other
        other.nullable = max(one.nullable, other.nullable)
        if one.names:
            other.names = {*other.names, *one.names}
        other.is_open |= one.is_open
        if other.shape is None and other.kind == one.kind:
            other.shape = one.shape
        watchers = one.watchers
        other.watchers.extend(watchers)
        if other.kind == "any" or clash:
            one_contents = Cell(one.kind, one.args, one.of)
            self.escape(one_contents)
            self.make_any(other)
        elif one.kind and not mixed:
            self._meet(Cell(one.kind, one.args, one.of), other, node)
        self.work.extend(other.watchers)

    def _note_ring(self, one: Cell, other: Cell, node: object) -> None:
        """Note a container that gets into itself at a place where scalars are declared."""
        for source, target in ((one, other), (other, one)):
            if target.fixed and target.kind in SCALARS and _contains(source, target):
                found, expected = Cell(source.kind, source.args), Cell(target.kind)
                self.conflicts.append(Conflict(found, expected, node))

    @staticmethod
    def _rank(cell: Cell) -> tuple[int, bool]:
        return (0 if not cell.kind else 2 if cell.kind in ("any", "union") else 1, cell.fixed)


def _contains(whole: Cell, part: Cell) -> bool:
    """Whether a cell is within the elements of a container."""
    seen: set[Cell] = set()
    work = [*whole.args]
    while work:
        cell = work.pop().find()
        if cell is part:
            return True
        if cell not in seen:
            seen.add(cell)
            work += cell.args
    return False


def _structs_of(cell: Cell) -> list[Struct]:
    """Return the structs that a value of a cell may be."""
    if cell.kind == "struct":
        return [cell.of]  # type: ignore[list-item]
    return cell.of.variants if cell.kind == "union" else []  # type: ignore[union-attr]


def resolve(cell: Cell) -> Type:
    """Return the type of a cell, after the last propagation.

    What is still unknown can only be null, or an element that nobody ever stores: any. A type
    that contains itself is any at the place where it does.
    """
    cell = cell.find()
    if cell.type is None:
        cell.type = types.ANY  # for cells that contain themselves
        inner = _resolve_kind(cell)
        cell.type = types.optional_of(inner) if cell.nullable else inner
    return cell.type


def _resolve_kind(cell: Cell) -> Type:
    kind = cell.kind
    if kind in SCALARS:
        return SCALARS[kind]
    if kind == "list":
        return types.list_of(resolve(cell.args[0]))
    if kind == "map":
        key = resolve(cell.args[0])
        return types.map_of(key if key is types.INT else types.STRING, resolve(cell.args[1]))
    if kind == "fun":
        *params, result = map(resolve, cell.args)
        return types.fun_of(tuple(params), result)
    if kind == "struct":
        return types.struct_of(cell.of.type_name)  # type: ignore[union-attr]
    if kind == "union":
        return types.union_of(cell.of.name)  # type: ignore[union-attr]
    return types.ANY
