"""Templates: instructions in the text format, with holes for operands; each text is read once.

    local.get $xs  i32.load offset=8  i32.const $n  i32.lt_u  if (result i32) … call list_make …

A hole is `$` and a name. Operands, which are integers, fill the holes in the order in which these
first appear. What an instruction `call` names is a function.
"""

from __future__ import annotations

from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from mochi_rules.wasm.instruction import UNBOUND
from mochi_rules.wasm.opcodes import OPCODES, Immediate, natural_alignment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.wasm.module import Piece

    # Bytes with `%b` for each operand in its place, and what takes these from all the operands.
    Stretch = tuple[bytes, Callable[[list[bytes]], Any]]
    # The bytes up to the first call, the pieces up to the last call, and the bytes behind.
    Filled = tuple[bytes, list[Piece], bytes]

_REMEMBERED = 1 << 10  # fillings of one template
_MEMORY = (Immediate.ALIGN, Immediate.OFFSET)
_FLOATS = (Immediate.F32, Immediate.F64)


class Template:
    """Instructions with holes; the text is read when it is first used: few programs need many."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.known: dict[tuple[int, ...], Filled] = {}  # by their operands

    @cached_property
    def begins_with_get(self) -> bool:
        """Whether the first instruction reads the local that the first operand names."""
        return self.text.split(maxsplit=1)[0] == "local.get"

    @cached_property
    def calls(self) -> dict[str, None]:
        """The functions that it calls."""
        return dict.fromkeys(self._parts.callees)

    def fill(self, operands: tuple[int, ...]) -> Filled:
        """Return the instructions with these operands, and keep them in `known`."""
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        parts = self._parts
        codes = [encode(value) for encode, value in zip(parts.encoders, operands, strict=True)]
        first, *others = [text % take(codes) for text, take in parts.stretches]
        pieces: list[Piece] = []
        last = b""
        for callee, stretch in zip(parts.callees, others, strict=True):
            pieces += [last, ("call", callee)]
            last = stretch
        filled = self.known[operands] = first, pieces[1:], last
        return filled

    @cached_property
    def _parts(self) -> _Parts:
        return _read(self.text)


class _Parts(NamedTuple):
    """What a template is made of: the stretches around its calls, what these call, and holes."""

    stretches: list[Stretch]
    callees: list[str]
    encoders: list[Callable[[Any], bytes]]  # of the operand of each hole


def _read(text: str) -> _Parts:
    stretches: list[Stretch] = []
    callees: list[str] = []
    holes: dict[str, Callable[[Any], bytes]] = {}
    code, places = b"", list[int]()
    for mnemonic, words in _split(text):
        if mnemonic == "call":
            callees += words
            stretches.append((code, _taker(places)))
            code, places = b"", []
            continue
        opcode = OPCODES[mnemonic]
        code += _escape(opcode.code)
        for kind, word in zip(opcode.immediates, _operands(mnemonic, words), strict=True):
            if word.startswith("$"):
                assert holes.setdefault(word, UNBOUND[kind]) is UNBOUND[kind], text
                places.append(list(holes).index(word))
                code += b"%b"
            else:
                code += _escape(UNBOUND[kind](_literal(kind, word)))
        code += opcode.zeros
    stretches.append((code, _taker(places)))
    return _Parts(stretches, callees, list(holes.values()))


def _taker(places: list[int]) -> Callable[[list[bytes]], Any]:
    """Return what gives, of a list, the items at some places."""
    return itemgetter(*places) if places else lambda _: ()


def _escape(code: bytes) -> bytes:
    return code.replace(b"%", b"%%")


def _split(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each instruction with the words behind its mnemonic."""
    words = text.split()
    starts = [at for at, word in enumerate(words) if word in OPCODES]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        yield words[start], words[start + 1 : end]


def _operands(mnemonic: str, words: list[str]) -> list[str]:
    """Return a word for each immediate."""
    match OPCODES[mnemonic].immediates:
        case kinds if kinds == _MEMORY:
            named = dict(word.split("=") for word in words)
            align = named.get("align", str(1 << natural_alignment(mnemonic)))
            return [str(int(align).bit_length() - 1), named.get("offset", "0")]
        case (Immediate.BLOCK_TYPE,):
            return [words[1].removesuffix(")") if words else ""]
        case _:
            return words


def _literal(kind: Immediate, word: str) -> Any:
    if kind is Immediate.BLOCK_TYPE:
        return word or None
    return float(word) if kind in _FLOATS else int(word)
