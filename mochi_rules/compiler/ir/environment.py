"""Environments: which value each variable has, in versions that share what they have in common.

A version is a tree of tuples with the variables' numbers as paths; a change copies one path. So
a copy costs nothing, and where versions meet, only the parts that differ are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mochi_rules.compiler.ir.function import Value

_BITS = 5
_WIDTH = 1 << _BITS
_MASK = _WIDTH - 1
_EMPTY = (None,) * _WIDTH


class Environment:
    """A map from variables, which are any objects, to values.

    One that is made like another is a version of its own; all versions share `numbers`.
    """

    __slots__ = ("_root", "keys", "numbers", "shift")

    def __init__(self, like: Environment | None = None) -> None:
        self.keys: list[Any] = like.keys if like else []  # by number
        self.numbers: dict[Any, int] = like.numbers if like else {}
        self.shift: int = like.shift if like else 0  # bits of a number below the root's
        self._root: tuple[Any, ...] = like.root(like.shift) if like else _EMPTY

    def get(self, key: Any) -> Value | None:
        """Return the value of a variable, or None."""
        number = self.numbers.get(key)
        shift = self.shift
        if number is None or number >> shift + _BITS:
            return None
        node: Any = self._root
        while shift and node is not None:
            node = node[number >> shift & _MASK]
            shift -= _BITS
        return None if node is None else node[number & _MASK]

    def __getitem__(self, key: Any) -> Value:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: Any) -> bool:
        return self.get(key) is not None

    def __setitem__(self, key: Any, value: Value) -> None:
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.keys)
            self.keys.append(key)
        self._put(number, value)

    def pop(self, key: Any) -> Value:
        """Forget a variable; return its value."""
        value = self[key]
        self._put(self.numbers[key], None)
        return value

    def differences(self, others: list[Environment]) -> Iterator[Any]:
        """Return the variables that others know otherwise, or not at all, in order of number."""
        shift = max(self.shift, *(other.shift for other in others))
        roots = [version.root(shift) for version in (self, *others)]
        for number in _differing(roots, shift, 0):
            yield self.keys[number]

    def _put(self, number: int, value: Value | None) -> None:
        while number >> self.shift + _BITS:
            self._root = self.root(self.shift + _BITS)
            self.shift += _BITS
        self._root = _replaced(self._root, self.shift, number, value)

    def root(self, shift: int) -> tuple[Any, ...]:
        """Return the root of the tree as of one that is at least as high."""
        root = self._root
        for _ in range(self.shift, shift, _BITS):
            root = (root, *_EMPTY[1:])
        return root


def _replaced(node: Any, shift: int, number: int, value: Value | None) -> tuple[Any, ...]:
    children = _EMPTY if node is None else node
    at = number >> shift & _MASK
    item = _replaced(children[at], shift - _BITS, number, value) if shift else value
    return (*children[:at], item, *children[at + 1 :])


def _differing(nodes: Iterable[Any], shift: int, first: int) -> Iterator[int]:
    """Return the numbers that nodes at one place of several trees have different values for."""
    columns = zip(*(_EMPTY if node is None else node for node in nodes), strict=True)
    for at, items in enumerate(columns):
        if len(set(map(id, items))) == 1:
            continue
        number = first + (at << shift)
        if shift:
            yield from _differing(items, shift - _BITS, number)
        else:
            yield number
