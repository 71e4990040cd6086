"""The operations of the mid-level IR, as one table.

`args` and `result` are signatures: a capital letter stands for any type, the same one everywhere
in a row. `consumes` lists the arguments whose reference the operation takes over. `result_is`
says how a counted result is held: "owned" (one reference is ours), "borrowed" (it lives as long
as argument 0 and what that argument refers to stay unchanged), "alias" (it is argument 0 under
another type), "static" (it lives for ever).

Effects are sets, so that two operations keep their order only where one can notice the other:

- reads, writes: which of KINDS of memory
- needs: the arguments whose objects it looks into; they must be alive when it runs
- traps: it may stop the program
- frees: a place in the memory that it writes may drop its reference to an object
- allocates: it makes an object; nobody notices when it does not
- pinned: its result is right only where control flow led to it, so it never moves up

What an operation relies on reaches it as a value: the index of an element is the result of a
check, or of `index.known` where control flow says it; so is a divisor.

`milder` names where the effects are fewer: see `ir.effects_of`.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass, field, replace

Kinds = frozenset[str]

LENGTH = frozenset({"length"})  # of lists
ELEMENTS = frozenset({"elements"})  # of lists
KEYS = frozenset({"keys"})  # of maps, and where their entries lie
ENTRIES = frozenset({"entries"})  # the values in maps
FIELDS = frozenset({"fields"})
CELLS = frozenset({"cells"})
BYTES = frozenset({"bytes"})  # of strings
COUNTS = frozenset({"counts"})  # references to an object
GLOBALS = frozenset({"globals"})
OUTSIDE = frozenset({"outside"})  # input and output, the clock, the size of the memory
SCRATCH = frozenset({"scratch"})  # what nobody reads
HEAP = LENGTH | ELEMENTS | KEYS | ENTRIES | FIELDS | CELLS | BYTES | COUNTS
KINDS = HEAP | GLOBALS | OUTSIDE | SCRATCH
NOTHING: Kinds = frozenset()

CONSTANTS = frozenset({"const", "null", "string", "address", "site", "symbol"})
ALL = -1  # in `consumes`: every argument


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """What an operation does besides making a result; see the module's text.

    `is_removable` is whether nobody misses the operation when nobody uses its result, and
    `is_movable` whether it may run later, where no operation in between conflicts with it.
    """

    reads: Kinds = NOTHING
    writes: Kinds = NOTHING
    needs: tuple[int, ...] = ()
    traps: bool = False
    frees: bool = False
    allocates: bool = False
    pinned: bool = False
    is_removable: bool = field(init=False, repr=False)
    is_movable: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        is_removable = not (self.writes or self.traps or self.frees)
        is_movable = not (self.writes or self.frees or self.allocates)
        object.__setattr__(self, "is_removable", is_removable)
        object.__setattr__(self, "is_movable", is_movable)

    def conflicts(self, other: Effects) -> bool:
        """Return whether two operations must stay in their order.

        What a program that stops has written is never seen, but outside.
        """
        return bool(
            self.writes & other.writes
            or self.writes & other.reads
            or self.reads & other.writes
            or (self.frees and other.needs)
            or (self.needs and other.frees)
            or (self.traps and (other.traps or other.writes & OUTSIDE))
            or (other.traps and self.writes & OUTSIDE)
        )


PURE = Effects()
TRAPS = Effects(traps=True)
ALLOCATES = Effects(allocates=True)
PINNED = Effects(pinned=True)
ANYTHING = Effects(KINDS, KINDS, traps=True, frees=True, allocates=True)


@dataclass(frozen=True, slots=True)
class Op:
    """A row of the table; see the module's text."""

    name: str
    args: str
    result: str
    doc: str
    effects: Effects = PURE
    consumes: tuple[int, ...] = ()
    result_is: str = "owned"
    milder: str = ""
    mild: Effects = PURE  # the effects where `milder` holds

    @property
    def arity(self) -> int | None:
        """The number of arguments, or None where it varies."""
        if "..." in self.args:
            return None
        return self.args.count(": ")


def _rows(effects: Effects, result: str, args: str, names: str, doc: str) -> list[Op]:
    return [Op(name, args, result, doc, effects) for name in names.split()]


def _load(name: str, args: str, result: str, reads: Kinds, doc: str) -> Op:
    """Return an operation that gets a value out of argument 0."""
    return Op(name, args, result, doc, Effects(reads, needs=(0,)), result_is="borrowed")


def _store(name: str, args: str, writes: Kinds, doc: str) -> Op:
    """Return an operation that puts its last argument in the place of another value."""
    last = args.count(": ") - 1
    mild = Effects(writes=writes, needs=(0,) if last else ())
    full = replace(mild, writes=writes | COUNTS, frees=True)
    return Op(name, args, "", doc, full, (last,), milder="uncounted", mild=mild)


def _vacate(name: str, args: str, kind: Kinds, doc: str) -> Op:
    """Return an operation that empties a place for the reuse of what it holds, the last argument."""
    needs = tuple(dict.fromkeys((0, args.count(": ") - 1)))
    return Op(name, args, "", doc, Effects(kind, kind | COUNTS, needs, frees=True))


_ARITHMETIC = [
    *_rows(PURE, "T", "a: T, b: T", "add sub mul", "wrap around on int and word"),
    *_rows(TRAPS, "int", "a: int, b: int", "add.checked sub.checked mul.checked",
           "stop the program on overflow; attr: what is known, see lower/overflow.py"),
    *_rows(PURE, "bool", "a: int, b: int", "add.wraps mul.wraps",
           "whether the result wraps around, if the attribute as above is None; else it may"),
    Op("div.checked", "a: int, b: int", "int", "truncate; b is not 0; stops on overflow", TRAPS),
    *(Op(name, "a: T, b: T", "T", "truncate; b is not 0 where T is int", TRAPS, milder="float")
      for name in ("div", "rem")),
    *_rows(TRAPS, "T", "a: T, b: T", "div_u rem_u", "unsigned; traps where b is 0"),
    *_rows(PURE, "T", "a: T, b: T", "and or xor shl shr shr_u rotl", "bitwise"),
    *_rows(PURE, "bool", "a: T, b: T", "eq ne lt le gt ge", "compare numbers; signed"),
    *_rows(PURE, "bool", "a: T, b: T", "lt_u le_u gt_u ge_u", "compare unsigned"),
    *_rows(PURE, "T", "a: T", "neg clz ctz", "wrap around on int"),
    *_rows(PURE, "float", "a: float", "abs sqrt floor ceil trunc nearest", "as IEEE 754 has it"),
    *_rows(PURE, "float", "a: float, b: float", "copysign", "as IEEE 754 has it"),
    *_rows(PURE, "bool", "a: bool", "not", "negation"),
    Op("select", "c: bool, a: T, b: T", "T", "a where c, else b; both are evaluated"),
]  # fmt: skip

_CONVERSIONS = [
    Op("float.of_int", "a: int", "float", "nearest double"),
    Op("int.of_float", "a: float", "int", "truncate; saturates, NaN gives 0"),
    Op("int.of_word", "a: word", "int", "unsigned"),
    Op("int.of_word_s", "a: word", "int", "signed"),
    Op("word.of_int", "a: int", "word", "low bits"),
    Op("bool.of_word", "a: word", "bool", "a is 0 or 1"),
    Op("word.of_bool", "a: bool", "word", "0 or 1"),
    Op("bits.of_float", "a: float", "int", "the IEEE 754 bits"),
    Op("float.of_bits", "a: int", "float", "from the IEEE 754 bits"),
]

_CONSTANTS = [
    Op("const", "", "T", "attr is the value"),
    Op("null", "", "T", "the null of an optional type or of any", result_is="static"),
    Op(
        "string",
        "",
        "T",
        "attr is the text, as bytes; a word in the runtime library",
        result_is="static",
    ),
    Op("address", "", "word", "attr names a static table"),
    Op("site", "", "word", "the place in the source, for a message"),
    Op("symbol", "", "word", "attr names a function; its index for call.indirect"),
]

_CHECKS = [
    Op("check.index", "i: int, n: int", "int",
       "i, or i + n where i < 0; 0 ≤ result < n; attr says what is indexed", TRAPS),
    Op("check.upper", "i: int, n: int", "int", "i, which is not negative; i < n; attr as above",
       TRAPS),
    Op("check.nonzero", "a: T", "T", "a, which is not 0", TRAPS),
    Op("check.some", "a: T?", "T", "a is not null", Effects(needs=(0,), traps=True),
       result_is="alias", milder="reference", mild=TRAPS),
    Op("check.expect", "c: bool", "", "c holds; attr is its text", TRAPS),
    Op("index.known", "i: int, n: int", "int", "i; here 0 ≤ i < n", PINNED),
    Op("nonzero.known", "a: T", "T", "a; here it is not 0", PINNED),
    Op("natural.known", "a: int", "int", "a, a parameter that is never negative"),
]  # fmt: skip

_LISTS = [
    Op("list.new", "v: E, ...", "list<E>", "a list of the arguments", ALLOCATES, (ALL,)),
    Op("list.len", "xs: list<E>", "int", "number of elements", Effects(LENGTH, needs=(0,))),
    Op("list.shortest", "xs: list<list<E>>", "int", "the least length of an element",
       Effects(LENGTH | ELEMENTS, needs=(0,))),
    _load("list.load", "xs: list<E>, i: int", "E", ELEMENTS, "0 ≤ i < len"),
    _store("list.store", "xs: list<E>, i: int, v: E", ELEMENTS, "0 ≤ i < len"),
    Op("list.swap", "xs: list<E>, i: int, j: int", "void", "exchange two elements; both as above",
       Effects(ELEMENTS, ELEMENTS, (0,))),
    _vacate("list.vacate", "xs: list<E>, i: int, old: E", ELEMENTS,
            "where element i is the object old, drop the list's reference: the slot is null "
            "until stored"),
    Op("list.reserve", "xs: list<E>, n: int", "list<E>",
       "the same elements, with room for n more where it is unique and n is not too large",
       Effects(LENGTH | COUNTS, COUNTS, (0,), frees=True, allocates=True), (0,)),
    Op("list.room", "xs: list<E>", "int", "how many appends are in place; 0 where it is shared",
       Effects(LENGTH | COUNTS, needs=(0,))),
    Op("list.extend", "xs: list<E>, n: int", "list<E>",
       "longer by n, which is not above its room; the elements are undefined until stored",
       Effects(LENGTH, LENGTH, (0,)), (0,)),
    Op("list.append", "xs: list<E>, v: E", "list<E>", "in place where xs is unique",
       Effects(LENGTH | ELEMENTS | COUNTS, LENGTH | ELEMENTS | COUNTS, (0,), frees=True,
               allocates=True), (0, 1)),
]  # fmt: skip

# A piece is a constant of 1 to 8 bytes.
_OF_BYTES = Effects(BYTES, needs=(0,))
_STRINGS = [
    Op("string.len", "s: string", "int", "number of code points", _OF_BYTES),
    Op("string.concat", "a: string, b: string", "string", "in place where a is unique",
       Effects(BYTES | COUNTS, BYTES | COUNTS, (0, 1), frees=True, allocates=True), (0,)),
    Op("string.reserve", "s: string, n: int", "string",
       "the same bytes, with room for n more where n is positive and not too large",
       Effects(BYTES | COUNTS, COUNTS, (0,), frees=True, allocates=True), (0,)),
    Op("string.size", "s: string", "int", "number of bytes", _OF_BYTES),
    Op("string.room", "s: string, size: int", "int",
       "how often `size` bytes, not 0, can be appended in place; not above 0 where s is shared",
       Effects(BYTES | COUNTS, needs=(0,))),
    Op("string.extend", "s: string, piece: string, n: int", "string",
       "longer by n pieces, which is not above its room; they are undefined until stored",
       Effects(BYTES, BYTES, (0,)), (0,)),
    Op("string.store", "s: string, piece: string, at: int", "void",
       "put the piece at a byte; up to 8 bytes from there are undefined behind it",
       Effects(writes=BYTES, needs=(0,))),
    Op("string.eq", "a: string, b: string", "bool", "equal bytes", Effects(BYTES, needs=(0, 1))),
    Op("string.compare", "a: string, b: string", "int",
       "below 0 where a comes before b, 0 where they are equal, else above 0",
       Effects(BYTES, needs=(0, 1))),
    Op("string.offset", "s: string, i: int", "word", "where code point i begins; 0 ≤ i < len",
       _OF_BYTES),
    Op("string.next", "s: string, at: word", "word", "where the code point at an offset ends",
       _OF_BYTES),
    Op("string.char", "s: string, at: word", "string", "the code point at an offset",
       replace(_OF_BYTES, allocates=True)),
    Op("string.order", "s: string", "word",
       "compares as s does with strings of one ASCII character, of which it is twice the byte",
       _OF_BYTES),
    Op("string.order_at", "s: string, at: word", "word",
       "the `string.order` of the code point at an offset", _OF_BYTES),
    Op("string.eq_at", "s: string, at: word, other: string", "bool",
       "whether the code point at an offset is the other string", Effects(BYTES, needs=(0, 2))),
    Op("string.eq_chars", "s: string, at: word, other: string, other_at: word", "bool",
       "whether the code points at two offsets are equal", Effects(BYTES, needs=(0, 2))),
    Op("string.cut", "s: string, i: int", "string",
       "s[i:i + 1]: one code point, or none; i may be any number",
       replace(_OF_BYTES, allocates=True)),
    Op("string.order_cut", "s: string, i: int", "word", "the `string.order` of s[i:i + 1]",
       _OF_BYTES),
    Op("string.eq_cut", "s: string, i: int, other: string", "bool",
       "whether s[i:i + 1] is the other string", Effects(BYTES, needs=(0, 2))),
    # Of strings that are known to be ASCII alone.
    Op("byte.load", "s: string, at: word", "word", "the byte at an offset", _OF_BYTES),
    Op("byte.cut", "s: string, i: int", "word",
       "the byte that is s[i:i + 1], or -1 where there is none; i may be any number", _OF_BYTES),
    Op("byte.string", "b: word", "string", "the string of one byte, or the empty one where it is -1",
       result_is="static"),
]  # fmt: skip

_MAPS = [
    Op("map.new", "", "map<K, V>", "an empty map; attr: its room, if known", ALLOCATES),
    Op("map.len", "m: map<K, V>", "int", "number of keys", Effects(KEYS, needs=(0,))),
    Op("map.find", "m: map<K, V>, k: K", "word", "the entry of a key, or 0; attr: its number, if likely",
       Effects(KEYS | BYTES, needs=(0, 1))),
    Op("map.insert", "m: map<K, V>, k: K", "word",
       "the entry of a key, made if missing; moves the others; attr: its number, where it is new "
       "and there is room",
       Effects(KEYS | BYTES, KEYS | ENTRIES | COUNTS, (0, 1), allocates=True)),
    _load("entry.load", "m: map<K, V>, e: word", "V?", KEYS | ENTRIES, "the value of entry e"),
    _store("entry.store", "m: map<K, V>, e: word, v: V", ENTRIES, "set the value of entry e"),
    _vacate("entry.vacate", "m: map<K, V>, e: word, old: V", ENTRIES, "as list.vacate"),
]  # fmt: skip

_STRUCTS = [
    Op("struct.new", "v: F, ...", "S", "attr is the struct; one argument a field", ALLOCATES,
       (ALL,)),
    _load("field.load", "s: S", "F", FIELDS, "attr: struct and field number"),
    _store("field.store", "s: S, v: F", FIELDS, "attr: struct and field number"),
    _vacate("field.vacate", "s: S, old: F", FIELDS, "as list.vacate"),
    Op("struct.is", "a: T", "bool", "attr: whether a is of that struct", Effects(needs=(0,))),
]  # fmt: skip

_VARIABLES = [
    Op("cell.new", "v: T", "cell", "a captured variable", ALLOCATES, (0,)),
    _load("cell.load", "c: cell", "T", CELLS, "its value"),
    _store("cell.store", "c: cell, v: T", CELLS, "change it"),
    _vacate("cell.vacate", "c: cell, old: T", CELLS, "as list.vacate"),
    Op("global.load", "", "T", "attr names the variable", Effects(GLOBALS), result_is="borrowed"),
    _store("global.store", "v: T", GLOBALS, "attr names the variable"),
    _vacate("global.vacate", "old: T", GLOBALS, "as list.vacate"),
]

_CALLS = [
    Op("call", "a: T, ...", "R", "attr names the function; it says what it consumes", ANYTHING),
    Op("closure.new", "v: T, ...", "F", "attr names the function; captures", ALLOCATES, (ALL,)),
    _load("closure.load", "f: F", "T", NOTHING, "attr: number and types of captures"),
    Op("closure.call", "f: F, a: T, ...", "R", "call a function value", ANYTHING),
    Op("call.indirect", "f: word, a: T, ...", "R", "call a function by its index", ANYTHING),
]

_DYNAMIC = [
    Op("any.of", "a: T", "U", "tag or box a scalar", ALLOCATES),
    Op("any.to", "a: T", "U", "stops where a is no U", Effects(needs=(0,), traps=True),
       result_is="alias"),
    Op("any.cast", "a: T", "U", "a is known to be a U",
       Effects(needs=(0,), pinned=True),
       result_is="alias", milder="reference", mild=PINNED),
    Op("widen", "a: T", "U", "the same word under a type that includes T", result_is="alias"),
    Op("is_null", "a: T", "bool", "whether it is null"),
    Op("same", "a: T, b: T", "bool", "the same object, or the same tagged word"),
]  # fmt: skip

_COUNTING = [
    Op("retain", "a: T", "", "one reference more", Effects(COUNTS, COUNTS, (0,))),
    Op("release", "a: T", "", "one reference less; the last frees the object",
       Effects(COUNTS, COUNTS, (0,), frees=True)),
]  # fmt: skip

_MEMORY = [
    Op("mem.load", "p: word", "T", "attr: width in bytes, signedness, offset", Effects(HEAP)),
    Op("mem.store", "p: word, v: T", "", "attr: width in bytes, offset", Effects(writes=HEAP)),
    Op("mem.copy", "to: word, from: word, n: word", "", "n bytes; may overlap",
       Effects(HEAP, HEAP)),
    Op("mem.fill", "to: word, byte: word, n: word", "", "n bytes", Effects(writes=HEAP)),
    Op("anchor", "a: T", "", "a is computed here, not where it is used", Effects(writes=SCRATCH)),
    Op("copy", "a: T", "T", "a, in another register; not of floats", PINNED, result_is="alias"),
    Op("mem.pages", "", "word", "size of the memory in pages of 64 KiB", Effects(OUTSIDE)),
    Op("mem.grow", "n: word", "word", "by n pages; the old size, or the largest word", ANYTHING),
]  # fmt: skip

OPS: dict[str, Op] = {
    op.name: op
    for rows in (
        _ARITHMETIC, _CONVERSIONS, _CONSTANTS, _CHECKS, _LISTS, _STRINGS, _MAPS, _STRUCTS,
        _VARIABLES, _CALLS, _DYNAMIC, _COUNTING, _MEMORY,
    )
    for op in rows
}  # fmt: skip
