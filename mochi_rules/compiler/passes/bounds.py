"""Proves bounds of ints on demand: `a ≤ b + c`, where b may be absent, at a place in a function.

Facts are conditions of dominating branches and checks that have passed; definitions give others.
A loop's parameter is proven by induction: its initial value and the value of the next iteration
both keep the bound, the latter on the assumption that this iteration's does. Only a b that does
not change in the loop may be used in such a proof. After Bodík, Gupta, Sarkar: "ABCD: Eliminating
Array Bounds Checks on Demand" (PLDI 2000).

Everything exists once for both directions: with sign -1, a claim is `-a ≤ -b + c`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.counter import counter_of, guard_of
from mochi_rules.compiler.passes.known import BELOW, END
from mochi_rules.compiler.passes.proofs import Proofs

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Value
    from mochi_rules.compiler.passes.counter import Counter, Guard
    from mochi_rules.compiler.passes.known import Place

LEAST, MOST = -(2**63), 2**63 - 1
LIMIT = {1: MOST, -1: -LEAST}  # of an int, by sign
_WORDS = (0, 2**32 - 1)
_RANGES = {
    "list.len": _WORDS, "string.len": _WORDS, "map.len": _WORDS, "int.of_word": _WORDS,
    "int.of_word_s": (-(2**31), 2**31 - 1), "clz": (0, 64), "ctz": (0, 64),
    "list.shortest": _WORDS, "check.index": _WORDS, "check.upper": _WORDS, "index.known": _WORDS,
    "natural.known": (0, MOST),
}  # fmt: skip
# Operations whose result is their first argument; and those whose result is below the second.
_SAME = frozenset({"check.upper", "index.known", "check.nonzero", "nonzero.known", "natural.known"})
_DIVISIONS = frozenset({"div", "div.checked", "div_u", "rem", "rem_u"})
_UNKNOWN = 1 << 80  # a growth: with the bounds of ints that are added to it, still above all ints
_LENGTHS = 8  # of one list that are tried, the latest


class Bounds(Proofs):
    """What is known about the ints of a function; it must not change but for equal values."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.counters: dict[Block, Counter | None] = {}

    def most(self, value: Value, place: Place, sign: int = 1) -> int:
        """Return the largest that `sign * value` can be at a place."""
        self.ask()
        found = self._most(sign, value, place)
        if self.rests:
            self.found[sign, value, place[0]] = place[1], found, 0
        return found

    def least(self, value: Value, place: Place) -> int:
        """Return the least that a value can be at a place."""
        return -self.most(value, place, -1)

    def is_below(self, a: Value, b: Value, place: Place) -> bool:
        """Return whether a < b is certain at a place."""
        self.ask()
        return self._holds(1, a, b, -1, place)

    def is_nonzero(self, value: Value, place: Place) -> bool:
        """Return whether a value is certainly not 0 at a place."""
        if self._is_never_0(value, place):
            return True
        return self.least(value, place) > 0 or self.most(value, place) < 0

    def _is_never_0(self, value: Value, place: Place) -> bool:
        return any(self.reaches(*fact, place) for fact in self.nonzero.get(value, ()))

    # Numbers

    def _most(self, sign: int, value: Value, place: Place) -> int:
        if value.op == "const":
            return sign * int(value.attr)
        block, position = place
        known = self.found.get((sign, value, block))
        if known is not None and known[0] <= position:
            since, most, guards = known
            if not self.learns(sign, value, block, since, position):
                self.rests |= guards
                return most
        if self.must_stop():
            return min([LIMIT[sign], *self._constants(sign, value, place)])
        outer = self.begin()
        found = self._by_definition(sign, value, place)
        for fact in self.facts(sign, value, place):
            other = self._most(sign, fact.other, place) if fact.other else 0
            found = min(found, other + fact.change)
        return self.end(outer, (sign, value, block), position, found)

    def _constants(self, sign: int, value: Value, place: Place) -> list[int]:
        """Return the numbers that a value is compared with, which need no further steps."""
        return [fact.change for fact in self.facts(sign, value, place) if fact.other is None]

    def _by_definition(self, sign: int, value: Value, place: Place) -> int:
        limit = LIMIT[sign]
        if value.op in _RANGES:
            low, high = _RANGES[value.op]
            limit = high if sign > 0 else -low
        match value.op:
            case "param":
                return self._guess(sign, value)
            case "list.len" if value.args[0].op == "list.new":
                return sign * len(value.args[0].args)
            case "add" | "add.checked" | "sub" | "sub.checked" if self._is_exact(value):
                limit = min(limit, self._of_sum(sign, value, place))
            case "mul" | "mul.checked" if self._is_exact(value):
                limit = min(limit, max(sign * corner for corner in self._corners(value, place)))
            case "div" | "div.checked" | "div_u" | "rem" | "rem_u" | "and" | "shr_u":
                limit = min(limit, self._of_natural(sign, value, place))
            case "select":
                limit = max(self._most(sign, arg, place) for arg in value.args[1:])
            case op if op in _SAME:
                limit = min(limit, self._most(sign, value.args[0], place))
            case _:
                pass
        return limit

    def _of_sum(self, sign: int, value: Value, place: Place) -> int:
        a, b = value.args
        if value.op.startswith("add"):
            return self._most(sign, a, place) + self._most(sign, b, place)
        found = self._most(sign, a, place) + self._most(-sign, b, place)
        more, less = (a, b) if sign > 0 else (b, a)
        return 0 if found > 0 and self._holds(1, more, less, 0, place) else found

    def corners(self, value: Value, place: Place) -> list[int]:
        """Return the products of the bounds of the operands: all products are between them."""
        self.ask()
        return self._corners(value, place)

    def _corners(self, value: Value, place: Place) -> list[int]:
        (a, b), (c, d) = (
            (-self._most(-1, arg, place), self._most(1, arg, place)) for arg in value.args
        )  # fmt: skip
        return [a * c, a * d, b * c, b * d]

    def _of_natural(self, sign: int, value: Value, place: Place) -> int:
        """Return a bound of a division, a remainder or a part of the bits, by a constant."""
        a, b = value.args
        b = b.args[0] if b.op in _SAME else b
        if b.op != "const" or b.attr <= 0:
            return LIMIT[sign]
        if value.op in ("div_u", "rem_u"):
            is_natural = self._most(-1, a, place) <= 0
            if sign < 0 or not is_natural:
                return 0 if is_natural else LIMIT[sign]
        match value.op:
            case "and":
                return int(b.attr) if sign > 0 else 0
            case "rem" | "rem_u":
                return max(0, min(int(b.attr) - 1, self._most(sign, a, place)))
            case "div" | "div.checked" | "div_u":
                most = self._most(sign, a, place)
                return most // int(b.attr) if most >= 0 else -(-most // int(b.attr))
            case _:
                return 2 ** (64 - min(int(b.attr), 63)) - 1 if sign > 0 else 0

    def _guess(self, sign: int, param: Value) -> int:
        """Return a bound of a parameter: that of its initial value, where iterations keep it."""
        guess = sign, param
        if param not in self.args or self.is_open(guess):
            return LIMIT[sign]
        known = self.found.get(guess)
        if known is not None:
            self.rests |= known[2]
            return known[1]
        outer = self.begin()
        home = self.homes[param]
        found = max(
            self._most(sign, arg, (block, END)) for arg, block in self.args[param]
            if not self.flow.is_back_edge(block, home)
        )  # fmt: skip
        for bound in dict.fromkeys((found, max(found, 0))):
            if self._holds(sign, param, None, bound, (home, -1)):
                found = bound
                break
        else:
            self.take(guess)
            found = min(found + self._growth_of_loop(sign, param), LIMIT[sign])
            if found == LIMIT[sign]:
                sources = self.sources(param)
                found = max(self._most(sign, arg, (block, END)) for arg, block in sources)
            self.close(guess)
        return self.end(outer, guess, 0, found)

    def _growth_of_loop(self, sign: int, param: Value) -> int:
        """Return by how much a parameter of a loop may ever be above its initial value."""
        header = self.homes[param]
        counter = self.counter(header)
        if counter is None:
            return _UNKNOWN
        upwards = 1 if counter.step > 0 else -1
        place = (header, 0)
        span = self._most(upwards, counter.limit, place) + self._most(
            -upwards, counter.first, place
        )
        iterations = (span + counter.is_inclusive) // abs(counter.step) + 1
        growth = max(
            self._growth(sign, arg, param, block) for arg, block in self.args[param]
            if self.flow.is_back_edge(block, header)
        )  # fmt: skip
        return max(0, iterations) * max(0, growth)

    def counter(self, header: Block) -> Counter | None:
        """Return what counts the iterations of a loop."""
        if header not in self.counters:
            guard, body = self.guard(header), self.flow.loops.get(header, set())
            found = counter_of(header, guard, body, self.flow) if guard else None
            self.counters[header] = found
        return self.counters[header]

    def guard(self, header: Block) -> Guard | None:
        """Return what a loop goes on for."""
        body = self.flow.loops.get(header)
        return guard_of(header, body, self.homes) if body else None

    def _growth(self, sign: int, value: Value, since: Value, block: Block) -> int:
        """Return by how much a value may be above an earlier one, at the end of a block."""
        if value is since:
            return 0
        if self.must_stop():
            return _UNKNOWN
        place = (block, END)
        match value.op:
            case "add" | "add.checked" if self._is_exact(value):
                a, b = value.args
                found = self._growth(sign, a, since, block) + self._most(sign, b, place)
                if found >= LIMIT[sign]:
                    found = self._growth(sign, b, since, block) + self._most(sign, a, place)
            case "sub" | "sub.checked" if self._is_exact(value):
                a, b = value.args
                found = self._growth(sign, a, since, block) + self._most(-sign, b, place)
            case "select":
                found = max(self._growth(sign, arg, since, block) for arg in value.args[1:])
            case "param" if value in self.args:
                found = self._growth_of_param(sign, value, since)
            case _:
                found = _UNKNOWN
        return found

    def _growth_of_param(self, sign: int, param: Value, since: Value) -> int:
        growth = param, sign
        if self.is_open(growth):
            return _UNKNOWN
        self.take(growth)
        header = self.homes[param]
        found = max(
            self._growth(sign, arg, since, block) for arg, block in self.args[param]
            if not self.flow.is_back_edge(block, header)
        )  # fmt: skip
        if header in self.flow.headers:
            found += self._growth_of_loop(sign, param)
        self.close(growth)
        return found

    # Claims

    def _holds(self, sign: int, a: Value, b: Value | None, c: int, place: Place) -> bool:
        """Return whether sign * a ≤ sign * b + c at a place."""
        if a is b:
            return c >= 0
        if b is None and c >= LIMIT[sign]:
            return True
        if a.op == "const":
            if b is None:
                return sign * int(a.attr) <= c
            return self._holds(-sign, b, None, c - sign * int(a.attr), place)
        if b is not None and b.op == "const":
            return self._holds(sign, a, None, c + sign * int(b.attr), place)
        block, position = place
        held = self.found.get((sign, a, b, block, True))
        if held is not None and held[0] <= position and held[1] <= c:
            self.rests |= held[2]
            return True
        failed = self.found.get((sign, a, b, block, False))
        if failed is not None and position <= failed[0] and c <= failed[1]:
            self.rests |= failed[2]
            return False
        if self.must_stop():
            return False
        outer = self.begin()
        found = (
            self._holds_by_facts(sign, a, b, c, place)
            or self._holds_by_definition(sign, a, b, c, place)
            or (b is not None and self._holds_by_other(sign, a, b, c, place))
        )
        self.end(outer, (sign, a, b, block, found), position, c)
        return found

    def _holds_by_facts(
        self, sign: int, a: Value, b: Value | None, c: int, place: Place
    ) -> bool:  # fmt: skip
        for fact in self.facts(sign, a, place):
            if fact.other is None:
                if b is None and fact.change <= c:
                    return True
            elif self._holds(sign, fact.other, b, c - fact.change, place):
                return True
        is_nonzero = b is None and c == -1 and self._is_never_0(a, place)
        return is_nonzero and self._holds(sign, a, None, 0, place)

    def _holds_by_definition(
        self, sign: int, a: Value, b: Value | None, c: int, place: Place
    ) -> bool:  # fmt: skip
        if b is None and a.op in _RANGES and self._by_definition(sign, a, place) <= c:
            return True
        match a.op:
            case "param":
                return self._holds_by_induction(sign, a, b, c)
            case "add" | "add.checked" if self._is_exact(a):
                return self._sum_holds(sign, a.args, b, c, place)
            case "sub" | "sub.checked" if self._is_exact(a):
                x, y = a.args
                more, less = (x, y) if sign > 0 else (y, x)
                if b is None and self._holds(1, more, less, c, place):
                    return True
                return self._holds(sign, x, b, c - self._most(-sign, y, place), place)
            case "select":
                return all(self._holds(sign, arg, b, c, place) for arg in a.args[1:])
            case op if op in _SAME and self._holds(sign, a.args[0], b, c, place):
                return True
            case op if op in BELOW and sign > 0:
                return self._holds(1, a.args[1], b, c + 1, place)
            case op if op in _DIVISIONS or op in ("and", "shr_u", "mul", "mul.checked"):
                return self._holds_by_number(sign, a, b, c, place)
            case _:
                return False

    def _sum_holds(
        self, sign: int, parts: tuple[Value, ...], b: Value | None, c: int, place: Place
    ) -> bool:  # fmt: skip
        for x, y in (parts, parts[::-1]):
            most = LIMIT[sign] if x.op == "const" else self._most(sign, y, place)
            if most < LIMIT[sign] and self._holds(sign, x, b, c - most, place):
                return True
        return False

    def _holds_by_number(
        self, sign: int, a: Value, b: Value | None, c: int, place: Place
    ) -> bool:  # fmt: skip
        if b is None:
            return self._by_definition(sign, a, place) <= c
        x, y = a.args
        if sign < 0 or self._most(-1, x, place) > 0:
            return False
        if (
            a.op in ("rem", "rem_u")
            and self._most(-1, y, place) < 0
            and self._holds(1, y, b, c + 1, place)
        ):
            return True  # below a positive divisor
        divisor = y.args[0] if y.op in _SAME else y
        if a.op not in _DIVISIONS:
            return False
        if a.op.startswith("div") and divisor.op == "const" and divisor.attr > 1:
            # The middle of two that are both below.
            parts = x.args if self._is_sum(x) else (x,)
            return all(self._holds(1, part, b, c, place) for part in parts)
        return self._holds(1, x, b, c, place)

    def _is_sum(self, value: Value) -> bool:
        return value.op in ("add", "add.checked") and self._is_exact(value)

    def _holds_by_other(self, sign: int, a: Value, b: Value, c: int, place: Place) -> bool:
        """Replace the other side by what it is not below."""
        if b.op == "list.len" and b.args[0].op == "list.new":
            # Nobody lengthens a list that is held.
            return self._holds(sign, a, None, c + sign * len(b.args[0].args), place)
        if b.op == "list.len" and sign > 0:
            earlier = self.earlier_lengths(b)
            xs = b.args[0]
            is_element = xs.op == "list.load" and xs.args[0] in a.args
            if a in earlier or (a.op == "list.shortest" and is_element):
                return c >= 0
            if self._holds_by_length(a, earlier, c, place) or (
                b.args[0].op == "param" and self._holds_by_appends(a, b, c, place)
            ):
                return True
        for fact in self.facts(-sign, b, place):
            if fact.other is not None and self._holds(sign, a, fact.other, c - fact.change, place):
                return True
            if fact.other is None and self._holds(sign, a, None, c - fact.change, place):
                return True
        if b.op in ("add", "add.checked", "sub", "sub.checked") and self._is_exact(b):
            x, y = b.args
            if y.op == "const":
                change = -y.attr if b.op.startswith("sub") else y.attr
                return self._holds(sign, a, x, c + sign * change, place)
        return b.op in _SAME and self._holds(sign, a, b.args[0], c, place)

    def _holds_by_length(self, a: Value, lengths: list[Value], c: int, place: Place) -> bool:
        if not lengths or self.is_open("lengths"):
            return False
        self.take("lengths")
        found = any(self._holds(1, a, length, c, place) for length in lengths[-_LENGTHS:])
        self.close("lengths")
        return found

    def _holds_by_appends(self, a: Value, length: Value, c: int, place: Place) -> bool:
        """Look whether a list was made by a loop that appends to it as often as it counts."""
        [xs] = length.args
        header = self.homes[xs]
        counter = self.counter(header)
        if counter is None or (counter.step, counter.first.op) != (1, "const"):
            return False
        body = self.flow.loops[header]
        is_behind = any(
            target not in body and self.flow.dominates(target, self.homes[length])
            for target in header.targets
        )
        [*again] = (arg for arg, block in self.args.get(xs, ()) if block in body)
        if not is_behind or len(again) != 1 or again[0].op != "list.append":
            return False
        if again[0].args[0] is not xs:
            return False
        off = counter.is_inclusive - int(counter.first.attr)
        return self._holds(1, a, counter.limit, c + off, place)

    def _holds_by_induction(self, sign: int, a: Value, b: Value | None, c: int) -> bool:
        sources, home = self.args.get(a), self.homes[a]
        if not sources:
            return False
        if b is not None and (
            self.homes[b] is home or not self.flow.dominates(self.homes[b], home)
        ):
            return False
        claim = (sign, a, b)
        if self.is_open(claim):
            return c >= self.open[claim][1]
        self.take(claim, c)
        found = all(self._holds(sign, arg, b, c, (block, END)) for arg, block in sources)
        self.close(claim)
        return found

    def _is_exact(self, value: Value) -> bool:
        """Return whether an operation does not wrap around."""
        if value.op.endswith(".checked"):
            return True
        if value.type is not INT:
            return False
        known = self.found.get(value)
        if known is not None:
            self.rests |= known[2]
            return bool(known[1])
        if self.is_open(value):
            return False
        outer = self.begin()
        self.take(value)
        found = self._never_wraps(value)
        self.close(value)
        return bool(self.end(outer, value, 0, found))

    def _never_wraps(self, value: Value) -> bool:
        """Return whether a result is in range where it is computed: by a test, or a constant."""
        a, b = value.args
        place = (self.homes[value], self.positions[value])
        fitting = self.fitting.get((value.op, frozenset(value.args)), ())
        if any(self.reaches(*fact, place) for fact in fitting):
            return True
        if value.op == "mul":
            corners = self._corners(value, place)
            return min(corners) >= LEAST and max(corners) <= MOST
        other = 1 if value.op == "add" else -1
        if b.op != "const":
            ends = [self._most(s, a, place) + self._most(s * other, b, place) for s in (1, -1)]
            return ends[0] <= LIMIT[1] and ends[1] <= LIMIT[-1]
        change = other * int(b.attr)
        sign = 1 if change >= 0 else -1
        return self._holds(sign, a, None, LIMIT[sign] - abs(change), place)
