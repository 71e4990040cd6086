"""The operations of the mid-level IR, as one table.

`args` and `result` are for people and for the verifier's arity check. `consumes` lists the
arguments whose reference the operation takes over. `result_is` says how a counted result is
held: "owned" (one reference is ours), "borrowed" (it lives as long as argument 0 and what that
argument refers to stay unchanged), "static" (lives for ever). `effect` is the strongest of:

- pure: depends on the arguments alone; may be removed, moved and merged
- read: also reads memory
- alloc: makes a fresh object; may be removed
- check: may stop the program, otherwise does nothing
- write: changes memory, but frees nothing
- free: may also drop references, and so free objects
- call: anything
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Op:
    """A row of the table; see the module's text."""

    name: str
    args: str
    result: str
    effect: str
    doc: str
    consumes: tuple[int, ...] = ()
    result_is: str = "owned"

    @property
    def arity(self) -> int | None:
        """The number of arguments, or None where it varies."""
        if "..." in self.args:
            return None
        return self.args.count(": ")


ALL = -1  # in `consumes`: every argument


def _rows(effect: str, result: str, args: str, names: str, doc: str) -> list[Op]:
    return [Op(name, args, result, effect, doc) for name in names.split()]


_ARITHMETIC = [
    *_rows("pure", "T", "a: T, b: T", "add sub mul", "wrap around on int and word"),
    *_rows("check", "int", "a: int, b: int", "add.checked sub.checked mul.checked",
           "stop the program on overflow; attr is the site"),
    *_rows("check", "T", "a: T, b: T", "div rem", "truncate; b is not 0 where T is int"),
    *_rows("check", "T", "a: T, b: T", "div_u rem_u", "unsigned; traps where b is 0"),
    *_rows("pure", "T", "a: T, b: T", "and or xor shl shr shr_u rotl", "bitwise"),
    *_rows("pure", "bool", "a: T, b: T", "eq ne lt le gt ge", "compare numbers; signed"),
    *_rows("pure", "bool", "a: T, b: T", "lt_u le_u gt_u ge_u", "compare unsigned"),
    *_rows("pure", "T", "a: T", "neg clz ctz", "wrap around on int"),
    *_rows("pure", "float", "a: float", "abs sqrt floor ceil trunc nearest", "as IEEE 754 has it"),
    *_rows("pure", "float", "a: float, b: float", "copysign", "as IEEE 754 has it"),
    *_rows("pure", "bool", "a: bool", "not", "negation"),
    Op("select", "c: bool, a: T, b: T", "T", "pure", "a where c, else b; both are evaluated"),
]  # fmt: skip

_CONVERSIONS = [
    Op("float.of_int", "a: int", "float", "pure", "nearest double"),
    Op("int.of_float", "a: float", "int", "pure", "truncate; saturates, NaN gives 0"),
    Op("int.of_word", "a: word", "int", "pure", "unsigned"),
    Op("int.of_word_s", "a: word", "int", "pure", "signed"),
    Op("word.of_int", "a: int", "word", "pure", "low bits"),
    Op("bool.of_word", "a: word", "bool", "pure", "a is 0 or 1"),
    Op("word.of_bool", "a: bool", "word", "pure", "0 or 1"),
    Op("bits.of_float", "a: float", "int", "pure", "the IEEE 754 bits"),
    Op("float.of_bits", "a: int", "float", "pure", "from the IEEE 754 bits"),
    Op("ref.of_word", "a: word", "T", "pure", "runtime only: name an owned object", result_is="owned"),
    Op("word.of_ref", "a: T", "word", "pure", "runtime only: the address or tagged word of a"),
]  # fmt: skip

_CONSTANTS = [
    Op("const", "", "int|float|bool|word", "pure", "attr is the value"),
    Op("null", "", "T", "pure", "the null of an optional type or of any", result_is="static"),
    Op("string", "", "string", "pure", "attr is the text, as bytes", result_is="static"),
    Op("address", "", "word", "pure", "attr names a static table"),
    Op("site", "", "word", "pure", "the place in the source, for a message"),
    Op("symbol", "", "word", "pure", "attr names a function; its index for call.indirect"),
]

_CHECKS = [
    Op("check.index", "i: int, n: int", "", "check", "0 ≤ i < n; attr: the site and what is indexed"),
    Op("check.nonzero", "a: int|float", "", "check", "a ≠ 0; attr is the site"),
    Op("check.some", "a: T?", "T", "check", "a is not null; attr is the site", result_is="borrowed"),
    Op("check.expect", "c: bool", "", "check", "c holds; attr is the site"),
]  # fmt: skip

_LISTS = [
    Op("list.new", "v: E, ...", "list<E>", "alloc", "a list of the arguments", (ALL,)),
    Op("list.len", "xs: list<E>", "int", "read", "number of elements"),
    Op("index.wrap", "i: int, n: int", "int", "pure", "i + n where i < 0, else i"),
    Op("list.load", "xs: list<E>, i: int", "E", "read", "0 ≤ i < len", result_is="borrowed"),
    Op("list.store", "xs: list<E>, i: int, v: E", "", "free", "0 ≤ i < len", (2,)),
    Op("list.vacate", "xs: list<E>, i: int, old: E", "", "write",
       "where element i is the object old, drop the list's reference: the slot is null until stored"),
    Op("list.append", "xs: list<E>, v: E", "list<E>", "free", "in place where xs is unique", (0, 1)),
]  # fmt: skip

_STRINGS = [
    Op("string.len", "s: string", "int", "read", "number of code points"),
    Op("string.eq", "a: string, b: string", "bool", "read", "equal bytes"),
]

_MAPS = [
    Op("map.new", "", "map<K, V>", "alloc", "an empty map"),
    Op("map.len", "m: map<K, V>", "int", "read", "number of keys"),
    Op("map.find", "m: map<K, V>, k: K", "word", "read", "the entry of a key, or 0"),
    Op("map.insert", "m: map<K, V>, k: K", "word", "write", "the entry of a key, made if missing"),
    Op("entry.load", "m: map<K, V>, e: word", "V", "read", "the value of entry e", result_is="borrowed"),
    Op("entry.store", "m: map<K, V>, e: word, v: V", "", "free", "set the value of entry e", (2,)),
    Op("entry.vacate", "m: map<K, V>, e: word, old: V", "", "write", "as list.vacate"),
]  # fmt: skip

_STRUCTS = [
    Op("struct.new", "v: F, ...", "S", "alloc", "attr is the struct; one argument a field", (ALL,)),
    Op("field.load", "s: S", "F", "read", "attr: struct and field number", result_is="borrowed"),
    Op("field.store", "s: S, v: F", "", "free", "attr: struct and field number", (1,)),
    Op("field.vacate", "s: S, old: F", "", "write", "as list.vacate"),
    Op("struct.is", "a: S|any", "bool", "read", "attr: whether a is of that struct"),
]

_VARIABLES = [
    Op("cell.new", "v: T", "cell", "alloc", "a captured variable", (0,)),
    Op("cell.load", "c: cell", "T", "read", "its value", result_is="borrowed"),
    Op("cell.store", "c: cell, v: T", "", "free", "change it", (1,)),
    Op("cell.vacate", "c: cell, old: T", "", "write", "as list.vacate"),
    Op("global.load", "", "T", "read", "attr names the variable", result_is="borrowed"),
    Op("global.store", "v: T", "", "free", "attr names the variable", (0,)),
    Op("global.vacate", "old: T", "", "write", "as list.vacate"),
]

_CALLS = [
    Op("call", "a: T, ...", "R", "call", "attr names the function; it says what it consumes"),
    Op("closure.new", "v: T, ...", "fun", "alloc", "attr names the function; captures", (ALL,)),
    Op("closure.load", "f: fun", "T", "read", "attr: number and types of captures", result_is="borrowed"),
    Op("closure.call", "f: fun, a: T, ...", "R", "call", "call a function value"),
    Op("call.indirect", "f: word, a: T, ...", "R", "call", "attr is the signature"),
]  # fmt: skip

_DYNAMIC = [
    Op("any.of", "a: T", "any", "alloc", "tag or box a scalar"),
    Op("any.to", "a: any", "T", "check", "attr: site; stops where a is no T", result_is="borrowed"),
    Op("any.cast", "a: any", "T", "pure", "a is known to be a T", result_is="borrowed"),
    Op("widen", "a: T", "U", "pure", "the same word under a type that includes T", result_is="borrowed"),
    Op("is_null", "a: T?", "bool", "pure", "whether it is null"),
    Op("same", "a: T, b: T", "bool", "pure", "the same object, or the same tagged word"),
]  # fmt: skip

_COUNTING = [
    Op("retain", "a: T", "", "write", "one reference more"),
    Op("release", "a: T", "", "free", "one reference less; the last frees the object"),
]

_MEMORY = [
    Op("mem.load", "p: word", "T", "read", "attr: width in bytes, signedness, offset"),
    Op("mem.store", "p: word, v: T", "", "write", "attr: width in bytes, offset"),
    Op("mem.copy", "to: word, from: word, n: word", "", "write", "n bytes; may overlap"),
    Op("mem.fill", "to: word, byte: word, n: word", "", "write", "n bytes"),
    Op("mem.pages", "", "word", "read", "size of the memory in pages of 64 KiB"),
    Op("mem.grow", "n: word", "word", "call", "by n pages; the old size, or the largest word"),
]

OPS: dict[str, Op] = {
    op.name: op
    for rows in (
        _ARITHMETIC, _CONVERSIONS, _CONSTANTS, _CHECKS, _LISTS, _STRINGS, _MAPS, _STRUCTS,
        _VARIABLES, _CALLS, _DYNAMIC, _COUNTING, _MEMORY,
    )
    for op in rows
}  # fmt: skip

TERMINATORS = ("jump", "branch", "return", "tail", "unreachable")
