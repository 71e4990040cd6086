"""Templates: instructions in the text format, with holes for operands; each text is read once.

    local.get $xs  i32.load offset=8  i32.const $n  i32.lt_u  if (result i32) … call list_make …

A hole is `$` and a name. Operands, which are integers, fill the holes in the order in which these
first appear. What an instruction `call` names is a function.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mochi_rules.wasm.instruction import UNBOUND
from mochi_rules.wasm.opcodes import OPCODES, Immediate, natural_alignment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.wasm.module import Piece

    # Bytes with `%b` for each operand in its place, which operand that is, and what encodes it.
    Stretch = tuple[bytes, list[tuple[int, Callable[[Any], bytes]]]]
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
        _, callees = self._parts
        return dict.fromkeys(callees)

    def fill(self, operands: tuple[int, ...]) -> Filled:
        """Return the instructions with these operands, and keep them in `known`."""
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        stretches, callees = self._parts
        first, *others = [_fill(*stretch, operands) for stretch in stretches]
        pieces: list[Piece] = []
        last = b""
        for callee, stretch in zip(callees, others, strict=True):
            pieces += [last, ("call", callee)]
            last = stretch
        filled = self.known[operands] = first, pieces[1:], last
        return filled

    @cached_property
    def _parts(self) -> tuple[list[Stretch], list[str]]:
        """What lies around the calls, and the functions that these call."""
        stretches: list[Stretch] = [(b"", [])]
        callees: list[str] = []
        holes: dict[str, int] = {}
        for mnemonic, words in _split(self.text):
            if mnemonic == "call":
                callees += words
                stretches.append((b"", []))
                continue
            text, places = stretches[-1]
            opcode = OPCODES[mnemonic]
            text += _escape(opcode.code)
            for kind, word in zip(opcode.immediates, _operands(mnemonic, words), strict=True):
                if word.startswith("$"):
                    places.append((holes.setdefault(word, len(holes)), UNBOUND[kind]))
                    text += b"%b"
                else:
                    text += _escape(UNBOUND[kind](_literal(kind, word)))
            stretches[-1] = (text + opcode.zeros, places)
        return stretches, callees


def _fill(
    text: bytes, places: list[tuple[int, Callable[[Any], bytes]]], operands: tuple[int, ...]
) -> bytes:
    return text % tuple([encode(operands[hole]) for hole, encode in places])


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
