"""`dataclass` as of the standard library, for the two hundred classes that a cold start defines.

The standard library loads `inspect` and what that needs, describes the fields of a class, and
compiles up to seven methods for it, which takes 10 ms and 0.35 ms. Here a class gets its slots, and
methods that make way for the real ones when they are first called: most classes never need them.
What it does not do is to refuse assignments to a `frozen` object at run time: the type checker,
which sees the standard decorator, refuses them. The functions of the standard library take objects
of these classes, too.
"""

from __future__ import annotations

import operator
from functools import cache
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field", "fields", "replace"]

_STANDARD = "__dataclass_fields__"
_DECLARED = "__declared_fields__"  # by a class itself, without those of its bases
_MISSING: Any = object()


class _Field:
    """One field; what it has no value for is `_MISSING`."""

    __slots__ = ("compare", "default", "default_factory", "init", "name", "repr", "type")

    def __init__(
        self, *, default: Any = _MISSING, default_factory: Any = _MISSING, init: bool = True,
        repr: bool = True, compare: bool = True,
    ) -> None:  # fmt: skip
        self.name = self.type = ""
        self.default, self.default_factory = default, default_factory
        self.init, self.repr, self.compare = init, repr, compare


if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, fields, replace
else:

    def dataclass(*, slots, frozen=False, eq=True, order=False):  # noqa: ANN001, ANN201
        """Return the decorator; the arguments mean what they do in the standard library."""
        if not slots:
            raise TypeError("a class without slots needs the decorator of the standard library")
        makers = {"__init__": _make_init}
        if eq:
            compared = ("eq", "lt", "le", "gt", "ge") if order else ("eq",)
            makers |= {f"__{name}__": _COMPARISONS[name] for name in compared}
            if frozen:
                makers["__hash__"] = _make_hash

        def decorate(cls: type) -> type:
            made, own = _with_slots(cls), vars(cls)
            methods = {name: _first_call(made, name, make) for name, make in makers.items()}
            methods["__repr__"] = _repr
            if eq and not frozen:
                methods["__hash__"] = None
            for name, method in methods.items():
                if name not in own:
                    setattr(made, name, method)
            return made

        return decorate

    field = _Field

    def fields(item):  # noqa: ANN001, ANN201
        """Return the fields of a class or of an object, those of bases first."""
        return _all_fields(item if isinstance(item, type) else item.__class__)

    def replace(item, **changes):  # noqa: ANN001, ANN003, ANN201
        """Return a copy of an object with other values of some fields."""
        for one in fields(item):
            if one.init and one.name not in changes:
                changes[one.name] = getattr(item, one.name)
        return item.__class__(**changes)


@cache
def _all_fields(cls: type) -> tuple[_Field, ...]:
    found: dict[str, _Field] = {}
    for base in reversed(cls.__mro__):
        found |= vars(base).get(_DECLARED, {})
    return tuple(found.values())


def _with_slots(cls: Any) -> type:
    """Return a class with a slot for each field that no base has."""
    own = vars(cls)
    declared = {}
    for name, type_ in cls.__annotations__.items():
        if "ClassVar" not in str(type_):
            default = own.get(name, _MISSING)
            one = default if isinstance(default, _Field) else _Field(default=default)
            one.name, one.type, declared[name] = name, type_, one
    inherited = {name for base in cls.__mro__[1:-1] for name in vars(base).get("__slots__", ())}
    left_out = {*declared, "__dict__", "__weakref__"}
    space = {name: value for name, value in own.items() if name not in left_out}
    space["__slots__"] = tuple(name for name in declared if name not in inherited)
    given = (name for name, one in declared.items() if one.init)
    space["__match_args__"] = tuple(dict.fromkeys((*getattr(cls, "__match_args__", ()), *given)))
    space[_DECLARED] = declared
    space[_STANDARD] = standard = _StandardFields(cls)
    standard.made = type(cls)(cls.__name__, cls.__bases__, space)
    standard.made.__qualname__ = cls.__qualname__
    return standard.made


class _StandardFields:
    """What the standard library knows of a class, made when it asks."""

    def __init__(self, plain: type) -> None:
        self._plain, self.made = plain, plain

    def __get__(self, instance: object, owner: type) -> Any:
        import dataclasses  # noqa: PLC0415 - hardly ever

        for name, one in vars(self.made)[_DECLARED].items():
            words = ("default", "default_factory", "init", "repr", "compare")
            values = {word: getattr(one, word) for word in words}
            known = {word: value for word, value in values.items() if value is not _MISSING}
            setattr(self._plain, name, dataclasses.field(**known))
        described: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(self._plain)
        for name in (_STANDARD, "__dataclass_params__"):
            setattr(self.made, name, vars(described)[name])
        return described.__dataclass_fields__


def _first_call(cls: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> Any:
    """Return a method that makes the real one, which takes its place."""

    def first(*args: Any, **named: Any) -> Any:
        method = make(cls)
        setattr(cls, name, method)
        return method(*args, **named)

    return first


def _make_init(cls: Any) -> Callable[..., None]:
    known: dict[str, Any] = {"_missing": _MISSING}
    parameters, lines = ["self"], ["pass"]
    for one in fields(cls):
        name, default = one.name, f"_of_{one.name}"
        value = name
        if one.default_factory is not _MISSING:
            known[default] = one.default_factory
            parameters += [f"{name}=_missing"] * one.init
            value = f"{name} if {name} is not _missing else " * one.init + f"{default}()"
        elif one.default is not _MISSING:
            known[default] = one.default
            parameters += [f"{name}={default}"] * one.init
            value = name if one.init else default
        elif one.init:
            parameters.append(name)
        else:
            continue
        lines.append(f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(text, known)  # noqa: S102 - as the standard library does
    return known["__init__"]  # type: ignore[no-any-return]


def _values(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that gets what objects of a class are compared by."""
    names = [one.name for one in fields(cls) if one.compare]
    if len(names) > 1:
        return operator.attrgetter(*names)  # which makes a tuple of several values only
    return lambda item: tuple(getattr(item, name) for name in names)


def _make_hash(cls: Any) -> Callable[[Any], int]:
    values = _values(cls)
    return lambda self: hash(values(self))


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Any], Callable[[Any, Any], Any]]:
    """Return what makes a method for a class."""

    def make(cls: Any) -> Callable[[Any, Any], Any]:
        values = _values(cls)

        def method(self: Any, other: Any) -> Any:
            if other.__class__ is not self.__class__:
                return NotImplemented
            return compare(values(self), values(other))

        return method

    return make


_COMPARISONS = {
    name: _comparison(getattr(operator, name)) for name in ("eq", "lt", "le", "gt", "ge")
}


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (one.name for one in fields(self) if one.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{self.__class__.__qualname__}({values})"
