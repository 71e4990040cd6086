"""Works on the bytes of strings where all of their characters are ASCII.

Then a character lies where its number says, and two characters are equal where their bytes are.
A loop that looks at characters of strings from outside has a copy: where these strings are ASCII
alone, which their lengths say, one runs that needs no call for other characters; else the loop as
it was. A constant needs no test.

The copied loop is the one of its nest that spares most, or the outermost of these. Requires
comparisons in place, by `number`, and gains most after `hoist`. Characters become `byte.string`,
which lives for ever, so no references to it are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.function import Value, int_constant
from mochi_rules.compiler.ir.types import INT, STRING, WORD
from mochi_rules.compiler.passes.bounds import Bounds
from mochi_rules.compiler.passes.loop_copies import Condition, copy_loops, find_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.known import Place
    from mochi_rules.compiler.passes.loop_copies import Loop

_SIZE = 400  # instructions of a loop
_STRINGS = 4  # that are tested in front of one
_TURNS = 8  # of a loop, for what it spares
_NONE = 2**32 - 1  # the byte of no character


def use_bytes(function: Function, context: Context) -> None:
    """Look at bytes in a function, where strings are known to be ASCII or tested for it."""
    if not any(value.op in _RULES for block in function.blocks for value in block.code):
        return
    facts = context.facts(function)
    loops = list(_Nests(facts).best())
    if loops:
        versions = [(loop, _conditions(loop, strings)) for loop, strings in loops]
        copy_loops(function, facts, versions)
        facts.forget_flow()
    bytes_ = _Bytes(facts)
    for loop, strings in loops:
        bytes_.rewrite(loop.body, strings)
    bytes_.rewrite(facts.flow.blocks, ())
    bytes_.sink()


def _is_ascii(value: Value) -> bool:
    return value.op == "string" and value.type is STRING and value.attr.isascii()


def _strings(value: Value) -> Iterator[Value]:
    """Return the strings in whose bytes an instruction is interested."""
    if value.op in _RULES:
        yield value.args[0]
        if value.op == "string.eq_chars":
            yield value.args[2]


# Which loops have copies


@dataclass(slots=True)
class _Nests:
    """The loops of a function, and what each would spare."""

    facts: Facts
    inner: dict[Block | None, list[Block]] = field(default_factory=dict)

    def best(self) -> Iterator[tuple[Loop, list[Value]]]:
        """Return the loops to copy, which have no block in common, and the strings to test."""
        flow = self.facts.flow
        around: dict[Block, Block] = {}
        for header, body in flow.loops.items():
            self.inner.setdefault(around.get(header), []).append(header)
            around.update(dict.fromkeys(body, header))
        found: dict[Block, tuple[int, list[tuple[Loop, list[Value]]]]] = {}
        for header in reversed(flow.loops):
            parts = [found[part] for part in self.inner.get(header, ())]
            spared = _TURNS * sum(part[0] for part in parts)
            chosen = [loop for part in parts for loop in part[1]]
            strings = self._strings(header)
            own = self._spared(header, set(strings))
            loop = find_loop(self.facts, header) if own >= max(spared, 1) else None
            if loop and loop.entry not in flow.unlikely and len(strings) <= _STRINGS:
                spared, chosen = own, [(loop, strings)]
            found[header] = spared, chosen
        for header in self.inner.get(None, ()):
            yield from found[header][1]

    def _strings(self, header: Block) -> list[Value]:
        """Return the strings from outside that a loop looks into; none where it is too large."""
        flow = self.facts.flow
        body = flow.loops[header]
        if sum(len(block.code) for block in body) > _SIZE:
            return []
        code = [value for block in flow.in_order(body) for value in block.code]
        strings = dict.fromkeys(string for value in code for string in _strings(value))
        return [string for string in strings if self.facts.homes[string] not in body
                and string.op != "string"]  # fmt: skip

    def _spared(self, header: Block, strings: Collection[Value]) -> int:
        """Return how many instructions could do with less, those of inner loops many times."""
        own = self.facts.flow.loops[header]
        for part in self.inner.get(header, ()):
            own = own - self.facts.flow.loops[part]
        within = sum(self._spared(part, strings) for part in self.inner.get(header, ()))
        code = [value for block in own for value in block.code]
        return _TURNS * within + sum(any(s in strings for s in _strings(value)) for value in code)


def _conditions(loop: Loop, strings: list[Value]) -> list[Condition]:
    """Return that each string has as many bytes as characters."""
    found = []
    for string in strings:
        size, count = Value("string.size", (string,), INT), Value("string.len", (string,), INT)
        loop.entry.code += (size, count)
        found.append(Condition(size, count, 0))
    return found


# What becomes of instructions


class _Bytes:
    """Rewrites blocks, where some strings are known to be ASCII."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.strings: Collection[Value] = ()
        self.found: dict[tuple[Value | bytes, Value], list[tuple[Block, Value]]] = {}
        self.characters: list[Value] = []
        self.new: list[Value] = []
        self.block = facts.function.entry
        self.bounds: Bounds | None = None

    def rewrite(self, blocks: Collection[Block], strings: Collection[Value]) -> None:
        """Rewrite all instructions of some blocks that can be."""
        self.strings = strings
        for block in self.facts.flow.in_order(blocks):
            self.block, code = block, block.code
            if not any(value.op in _RULES for value in code):
                continue
            kept: list[Value] = []
            for position, value in enumerate(code):
                if any(map(self._is_known, _strings(value))):
                    self.new = kept
                    _RULES[value.op](self, value, (block, position))
                    continue
                kept.append(value)
            block.code = kept

    def sink(self) -> None:
        """Make a string of a byte again where another block uses it: it may be appended there."""
        self.facts.forget_uses()
        for character in self.characters:
            home = self.facts.homes[character]
            for user in self.facts.uses.get(character, ()):
                block = self.facts.home_of(user)
                if block is not home and isinstance(user, Value):
                    copy = Value(character.op, character.args, character.type)
                    block.code.insert(block.code.index(user), copy)
                    user.args = tuple(copy if arg is character else arg for arg in user.args)
        self.facts.forget_uses()

    def _is_known(self, string: Value) -> bool:
        return string in self.strings or _is_ascii(string)

    def emit(self, op: str, args: tuple[Value, ...], type_: Type, attr: object = None) -> Value:
        """Put an instruction in front of the one that is rewritten."""
        self.new.append(Value(op, args, type_, attr))
        return self.new[-1]

    def word(self, number: int) -> Value:
        """Put a constant there."""
        return self.emit("const", (), WORD, number)

    def load(self, string: Value, at: Value) -> Value:
        """Return the byte at an offset."""
        return self._once(string, at, lambda: self.emit("byte.load", (string, at), WORD))

    def cut(self, string: Value, index: Value, place: Place) -> Value:
        """Return the byte at an index, or -1."""

        def cut() -> Value:
            if not self._is_inside(string, index, place):
                return self.emit("byte.cut", (string, index), WORD)
            at = self.emit("word.of_int", (index,), WORD)
            return self.emit("byte.load", (string, at), WORD)

        return self._once(string, index, cut)

    def _once(self, string: Value, at: Value, find: Callable[[], Value]) -> Value:
        """Find a byte, or return it where it was found: no string changes while it is held."""
        key = string.attr if string.op == "string" else string
        earlier = self.found.setdefault((key, at), [])
        for home, byte in earlier:
            if self.facts.flow.dominates(home, self.block):
                return byte
        byte = find()
        earlier.append((self.block, byte))
        return byte

    def _is_inside(self, string: Value, index: Value, place: Place) -> bool:
        lengths = [
            user for user in self.facts.uses.get(string, ())
            if isinstance(user, Value) and user.op == "string.len"
            and self.facts.flow.dominates(self.facts.homes[user], self.block)
        ]  # fmt: skip
        if string.op == "string":
            lengths.append(int_constant(len(string.attr)))
        self.bounds = bounds = self.bounds or Bounds(self.facts)
        return bounds.least(index, place) >= 0 and any(
            bounds.is_below(index, length, place) for length in lengths
        )

    # The operations

    def become(self, value: Value, op: str, *args: Value) -> None:
        """Put an instruction there that is now another one."""
        value.op, value.args = op, args
        self.new.append(value)

    def offset(self, value: Value, place: Place) -> None:
        """Load the byte at once: it is wanted, and later perhaps in a loop."""
        del place
        string, index = value.args
        self.become(value, "word.of_int", index)
        self.load(string, value)

    def next(self, value: Value, place: Place) -> None:
        """Return the next byte's place."""
        del place
        self.become(value, "add", value.args[1], self.word(1))

    def char(self, value: Value, place: Place) -> None:
        """Return a string of the byte."""
        self.become(value, "byte.string", self._byte(value, place))
        self.characters.append(value)

    def order(self, value: Value, place: Place) -> None:
        """Return twice the byte, which is least for the empty string."""
        byte = self._byte(value, place)
        self.become(value, "shl", byte, self.word(1))

    def equal(self, value: Value, place: Place) -> None:
        """Compare with the byte that another string is, or else with all of it."""
        byte, other = self._byte(value, place), value.args[2]
        if other.op == "byte.string":
            self.become(value, "eq", byte, other.args[0])
        elif other.op == "string" and len(other.attr) <= 1:
            number = self.word(other.attr[0] if other.attr else _NONE)
            self.become(value, "eq", byte, number)
        else:
            character = self.emit("byte.string", (byte,), STRING)
            self.become(value, "string.eq", character, other)

    def equal_chars(self, value: Value, place: Place) -> None:
        """Compare the bytes: no other character than ASCII begins with one of ASCII."""
        del place
        one, at, other, other_at = value.args
        self.become(value, "eq", self.load(one, at), self.load(other, other_at))

    def _byte(self, value: Value, place: Place) -> Value:
        string, at = value.args[:2]
        return self.cut(string, at, place) if value.op in _CUTS else self.load(string, at)


_CUTS = frozenset({"string.cut", "string.order_cut", "string.eq_cut"})
_RULES: dict[str, Callable[[_Bytes, Value, Place], None]] = {
    "string.offset": _Bytes.offset, "string.next": _Bytes.next,
    "string.char": _Bytes.char, "string.cut": _Bytes.char,
    "string.order_at": _Bytes.order, "string.order_cut": _Bytes.order,
    "string.eq_at": _Bytes.equal, "string.eq_cut": _Bytes.equal,
    "string.eq_chars": _Bytes.equal_chars,
}  # fmt: skip
