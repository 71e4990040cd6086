"""What was proven about the ints of a function, and how long it holds.

A proof by induction takes for granted what it proves, one iteration before; a proof that comes back
to itself in another way gives up there. Either opens a guard, which is a bit. What is found while
guards are open is kept until the last of those that it rests on is closed, and what rests on none
is kept for good: nothing is proven twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.passes.known import Known

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.passes.known import Place

STEPS = 1000  # proofs for an answer
DEEPEST = 40  # proofs in a proof
_CUT = 1  # the guard of what a proof did not look at, which is always open


class Proofs(Known):
    """What was proven from what is known."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        # By what was proven: from which position of a block on, the result, and its guards.
        self.found: dict[Hashable, tuple[int, int, int]] = {}
        self.rests = 0  # the guards that the proof in progress rests on
        self.open: dict[Hashable, tuple[int, int]] = {}  # guards, and what they take for granted
        self._resting: list[list[Hashable]] = [[]]  # by guard: what goes when it is closed
        self._certain: list[dict[Hashable, tuple[int, int, int]]] = []  # as `found`
        self._steps = 0
        self._depth = 0

    def suppose(self, place: Place, a: Value, b: Value, change: int) -> None:
        """Take it from now on that a ≤ b + change from a place on."""
        super().suppose(place, a, b, change)
        self._certain.append(self.found)
        self.found = {}

    def withdraw(self, a: Value, b: Value) -> None:
        """Forget what was supposed last, which was about these."""
        super().withdraw(a, b)
        self.found = self._certain.pop()

    def ask(self) -> None:
        """Begin to look for an answer."""
        self._steps, self.rests = STEPS, 0

    def must_stop(self) -> bool:
        """Return whether a proof must do without another one in it."""
        self._steps -= 1
        if self._steps >= 0 and self._depth <= DEEPEST:
            return False
        self.rests |= _CUT
        return True

    def begin(self) -> int:
        """Begin a proof; return what the one around it rests on."""
        outer, self.rests = self.rests, 0
        self._depth += 1
        return outer

    def end(self, outer: int, proven: Hashable, position: int, result: int) -> int:
        """End a proof, and go on with the one around it; return the result."""
        guards = self.rests
        if not guards & _CUT:
            self.found[proven] = position, result, guards
            if guards:
                self._resting[guards.bit_length() - 1].append(proven)
        self.rests = outer | guards
        self._depth -= 1
        return result

    def take(self, key: Hashable, granted: int = 0) -> None:
        """Open a guard, for what is taken for granted or not looked at again."""
        self.open[key] = 1 << len(self._resting), granted
        self._resting.append([])

    def close(self, key: Hashable) -> None:
        """Close the guard that was opened last."""
        guard, _ = self.open.pop(key)
        for proven in self._resting.pop():
            self.found.pop(proven, None)
        self.rests &= ~guard

    def is_open(self, key: Hashable) -> bool:
        """Return whether a guard is open; if so, the proof in progress rests on it."""
        found = self.open.get(key)
        if found is None:
            return False
        self.rests |= found[0]
        return True
