"""The cheaper `dataclass` does what that of the standard library does."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from typing import ClassVar

import pytest

from mochi_rules.base import dataclass

OPTIONS = [
    {"slots": True},
    {"slots": True, "eq": False},
    {"slots": True, "frozen": True},
    {"slots": True, "frozen": True, "order": True},
]
COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


def objects(library, options):
    """Return objects of classes with fields of all sorts, with one field, and with none."""

    class Pair:
        """A class."""

        first: int
        second: str = "b"
        note: str = library.field(default="", compare=False)
        hidden: list = library.field(default_factory=list, repr=False, compare=False)
        late: int = library.field(init=False, default=3)
        made: list = library.field(init=False, default_factory=tuple)

    class Single:
        """A class."""

        first: int

    class Empty:
        """A class."""

    pair, single, empty = (library.dataclass(**options)(cls) for cls in (Pair, Single, Empty))
    return [pair(1), pair(1, "b", "note", [2]), pair(1, "c"), pair(2), single(1), single(1),
            single(2), empty(), empty()]  # fmt: skip


def answer(function, *items):
    """Return what a function says, or the kind of its error."""
    try:
        return function(*items)
    except TypeError:
        return TypeError


@pytest.mark.parametrize("options", OPTIONS)
def test_comparisons_are_those_of_the_standard_library(options):
    """Every pair of objects, of one class and of several, compares as there."""
    ours, theirs = objects(dataclass, options), objects(dataclasses, options)
    indices = range(len(ours))
    for compare, left, right in itertools.product(COMPARISONS, indices, indices):
        expected = answer(compare, theirs[left], theirs[right])
        assert answer(compare, ours[left], ours[right]) == expected, (compare, left, right)


@pytest.mark.parametrize("options", OPTIONS)
def test_objects_are_shown_and_hashed_as_by_the_standard_library(options):
    """The strings are equal; equal objects have one hash, or none where they can change."""
    ours, theirs = objects(dataclass, options), objects(dataclasses, options)
    assert list(map(repr, ours)) == list(map(repr, theirs))
    for left, right in itertools.product(range(len(ours)), repeat=2):
        expected = answer(lambda a, b: hash(a) == hash(b), theirs[left], theirs[right])
        assert answer(lambda a, b: hash(a) == hash(b), ours[left], ours[right]) == expected


@pytest.mark.parametrize("options", OPTIONS)
def test_fields_are_those_of_the_standard_library(options):
    """Names, order, patterns, slots and copies with changes are the same, with inherited ones."""

    def described(library):
        @library.dataclass(**options)
        class Base:
            """A class."""

            kind: ClassVar[str] = "base"
            first: int
            second: str = library.field(init=False, default="b")

        @library.dataclass(**options)
        class Derived(Base):
            """A class."""

            third: int = 3
            first: int = 1

        derived = library.replace(Derived(5), third=6)
        return (
            [(field.name, field.type, field.init) for field in library.fields(Derived)],
            (Base.__slots__, Derived.__slots__, Base.__match_args__, Derived.__match_args__),
            (Derived.kind, repr(derived), hasattr(derived, "__dict__")),
        )

    assert described(dataclass) == described(dataclasses)


@pytest.mark.parametrize("options", OPTIONS)
def test_standard_library_knows_the_fields(options):
    """Its functions take our objects: a tool that knows data classes knows ours."""
    ours, theirs = objects(dataclass, options)[0], objects(dataclasses, options)[0]
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert dataclasses.replace(ours, first=7).first == 7
    assert [field.name for field in dataclasses.fields(ours)] == list(dataclasses.asdict(theirs))


def test_own_methods_of_a_class_stay():
    """What a class defines by itself is not replaced."""

    @dataclass.dataclass(slots=True)
    class Named:
        """A class."""

        name: str

        def __repr__(self) -> str:
            """Return the name."""
            return self.name

    assert repr(Named("x")) == "x"


def test_object_that_holds_itself_is_shown():
    """A cycle ends in `...`, as everywhere."""

    @dataclass.dataclass(slots=True)
    class Node:
        """A class."""

        next: object = None

    node = Node()
    node.next = node
    assert repr(node).endswith("Node(next=...)")
