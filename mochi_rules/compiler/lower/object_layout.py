"""The layout of values and objects in memory; nothing else knows it.

Every heap object starts with a reference count and a `meta` word: its kind in the low four bits
and, above them, the layouts of its contents or the address of a descriptor. So an object
describes itself, and one generic routine frees, prints or compares all of them.

A tagged word (`any`) is an object's address, which is a multiple of 8, or an immediate: null is
0, an integer of 31 bits n is 2n + 1, false is 2, true is 6.
"""

from __future__ import annotations

from functools import cache

from mochi_rules.compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    VOID,
    FunType,
    ListType,
    MapType,
    OptionalType,
    StructType,
    Type,
    UnionType,
    is_boxed,
)

KIND_INT = 1
KIND_FLOAT = 2
KIND_STRING = 3
KIND_LIST = 4
KIND_MAP = 5
KIND_STRUCT = 6
KIND_CLOSURE = 7
KIND_CELL = 8
KIND_BOOL = 9  # of immediates; no object has it
KIND_BIGINT = 10

# How an element lies in a list, a map, a field, a cell or a capture.
SLOT_INT = 0  # 8 bytes
SLOT_FLOAT = 1  # 8 bytes
SLOT_BOOL = 2  # 1 byte in a list, else 4
SLOT_REF = 3  # 4 bytes: a tagged word or an address
SLOT_NAME = 4  # in descriptors of structs: the struct's own name, shown as `__name`

RC = 0
META = 4
HEADER = 8

STRING_BYTES = 8  # length in bytes
STRING_COUNT = 12  # length in code points
STRING_CAP = 16  # bytes of room
STRING_DATA = 20
ASCII_SIZE = 24  # of each row of the table of the empty string and those of one ASCII character

LIST_LEN = 8
LIST_CAP = 12
LIST_DATA = 16

MAP_LEN = 8
MAP_CAP = 12  # entries of room; the index has twice as many slots
MAP_ENTRIES = 16
MAP_INDEX = 20
MAP_SIZE = 24
MAP_SMALL = 8  # up to this room there is no index: entries are searched linearly
ENTRY_SIZE = 16
ENTRY_HASH = 0  # with string keys; an int key takes both words
ENTRY_KEY = 4
ENTRY_INT_KEY = 0
ENTRY_VALUE = 8

BOX_VALUE = 8
BIG_COUNT = 8
BIG_ROOM = 12  # limbs of room
BIG_LIMBS = 16
BIG_BASE = 1_000_000_000
BIG_NEGATIVE = 16  # in the meta word
CELL_VALUE = 8
CLOSURE_CODE = 8
CLOSURE_CAPTURES = 16

# A descriptor of a struct or closure: size in bytes, number of fields, name, role, where in an
# object its references begin and end, then the fields.
# The role of a group is the offset of its items, that of a row ROLE_ROW, that of other structs 0;
# that of a closure is the number of its parameters and, above ROLE_PARAMS bits, of its signature.
DESCRIPTOR_SIZE = 0
DESCRIPTOR_COUNT = 4
DESCRIPTOR_NAME = 8
DESCRIPTOR_ROLE = 12
DESCRIPTOR_REFS = 16
DESCRIPTOR_REFS_END = 20  # 0 where there are none
DESCRIPTOR_FIELDS = 24
FIELD_NAME = 0
FIELD_OFFSET = 4
FIELD_SLOT = 8
FIELD_SIZE = 12
ROLE_ROW = 1
ROLE_PARAMS = 16

IMMORTAL = 0x4000_0000  # the reference count of static objects: never reaches 0
NULL_WORD = 0
FALSE_WORD = 2
TRUE_WORD = 6

# Of the runtime library alone.
MAX_NESTING = 10_000  # how deep printing and comparing go into nested lists
VISITED = 0x8000_0000  # a bit of the reference count: the object is being printed
MEMBER_NAME = 0  # a row of members.mochi
MEMBER_AT = 4
MEMBER_SLOT = 8
MEMBER_SIZE = 12
CLASS_NUMBER = 1  # of values that compare with each other
CLASS_STRING = 2
CLASS_BOOL = 4
CLASS_LIST = 8
RECORD_RANK = 0  # what sort.mochi sorts
RECORD_WORD = 8
RECORD_NUMBER = 12
RECORD_SIZE = 16
COMPACT = 0xFFFF_FFFF  # an indent of JSON: no lines
INPUT_SIZE = 65_536  # bytes read at once
CHARACTER_DEVICE = 2  # a type of files in WASI

SCRATCH = 16  # 64 bytes for the arguments of host calls
FREE_LISTS = 128  # a word for each size class: its first free block
ANCHOR = 96  # 8 bytes that are never read
ZERO = 104  # 8 bytes that are never written
WRONG_PLACE = 112  # of an element, when a check fails: 8 bytes
WRONG_LENGTH = 120  # and the length that it is beyond
# Where a host finds what is printed and not written yet, when it ends a program by force. The mark
# is there once there is a buffer. While texts are made, their number is not 0, and the bytes in use
# are those kept.
OUTPUT = 992
OUTPUT_BUFFER = OUTPUT + 8
OUTPUT_USED = OUTPUT + 12
OUTPUT_KEPT = OUTPUT + 16
OUTPUT_CAPTURES = OUTPUT + 20
OUTPUT_MARK = int.from_bytes(b"mochiout", "little")
STATIC_BASE = 1024  # below: nothing, so that a null address is never an object
PAGE = 65536

# What the runtime library may name; see runtime/library.py.
CONSTANTS: dict[str, int] = {
    name: value for name, value in globals().items() if name.isupper() and isinstance(value, int)
}

_CONTINUATION = bytes(range(0x80, 0xC0))


def count_code_points(text: bytes) -> int:
    """Return the number of code points: of bytes that are not continuation bytes."""
    return len(text.translate(None, _CONTINUATION))


def machine_type(type_: Type) -> str:
    """Return the wasm value type that holds values of a type."""
    return "i64" if type_ is INT else "f64" if type_ is FLOAT else "i32"


def signature_of(type_: FunType) -> tuple[str, ...]:
    """Return the wasm signature of functions of a type: their parameters and results."""
    return (*map(machine_type, type_.params), "->", *results_of(type_.result))


def results_of(type_: Type) -> tuple[str, ...]:
    """Return the wasm results of a function that returns a type."""
    return () if type_ is VOID else (machine_type(type_),)


def slot_of(type_: Type) -> int:
    """Return how a value of a type lies in a container."""
    return {INT: SLOT_INT, FLOAT: SLOT_FLOAT, BOOL: SLOT_BOOL}.get(type_, SLOT_REF)


def list_element_size(slot: int) -> int:
    """Return the bytes of a list's element."""
    return (8, 8, 1, 4)[slot]


def slot_size(slot: int) -> int:
    """Return the bytes of a field, a cell or a capture."""
    return (8, 8, 4, 4)[slot]


def list_meta(element: Type) -> int:
    """Return the meta word of lists of an element type."""
    return KIND_LIST | slot_of(element) << 4


def map_meta(key: Type, value: Type) -> int:
    """Return the meta word of maps."""
    return KIND_MAP | slot_of(key) << 4 | slot_of(value) << 8


def cell_meta(content: Type) -> int:
    """Return the meta word of cells."""
    return KIND_CELL | slot_of(content) << 4


def expected_meta(type_: Type) -> int:
    """Return the kind of the objects of a type; for a list or a map, their whole meta word."""
    match type_:
        case ListType():
            return list_meta(type_.element)
        case MapType():
            return map_meta(type_.key, type_.value)
        case StructType() | UnionType():
            return KIND_STRUCT
        case FunType():
            return KIND_CLOSURE
        case _:
            assert type_.name == "string", type_
            return KIND_STRING


def is_plain_reference(type_: Type) -> bool:
    """Whether values are never null and never immediate, so reference counting needs no test."""
    return type_.is_counted and not is_boxed(type_) and not isinstance(type_, OptionalType)


def field_offsets(types: tuple[Type, ...], base: int) -> tuple[list[int], int]:
    """Lay out fields: those of 8 bytes first, so that there is no padding, then the references.

    Also return the size.
    """
    offsets = [0] * len(types)
    position = base
    for slots in ((SLOT_INT, SLOT_FLOAT), (SLOT_REF,), (SLOT_BOOL,)):
        for number, type_ in enumerate(types):
            slot = slot_of(type_)
            if slot in slots:
                offsets[number] = position
                position += slot_size(slot)
    return offsets, -(-position // 8) * 8


@cache
def struct_shape(types: tuple[Type, ...]) -> tuple[list[int], int]:
    """Return the offsets of a struct's fields, and its size."""
    return field_offsets(types, HEADER)


@cache
def closure_shape(types: tuple[Type, ...]) -> tuple[list[int], int]:
    """Return the offsets of a closure's captures, and its size."""
    return field_offsets(types, CLOSURE_CAPTURES)


def small_int(value: int) -> int | None:
    """Return the tagged word of an integer as an immediate, or None where it needs a box."""
    if -(2**30) <= value < 2**30:
        return (value << 1 | 1) & 0xFFFF_FFFF
    return None
