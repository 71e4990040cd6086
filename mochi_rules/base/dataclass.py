"""`dataclass` as of the standard library, for the two hundred classes that a cold start defines.

The standard library generates and compiles up to seven methods for a class, which takes 0.35 ms.
Here only `__init__` is generated, when the first object is made, and most classes never have one;
the other methods are shared functions. What it does not do is to refuse assignments to a `frozen`
object at run time: the type checker, which sees the standard decorator, refuses them.
"""

from __future__ import annotations

import dataclasses
import operator
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(*, slots, frozen=False, eq=True, order=False):  # noqa: ANN001, ANN201
        """Return the decorator; the arguments mean what they do in the standard library."""

        def decorate(cls: type) -> type:
            own = vars(cls)
            made = dataclasses.dataclass(init=False, slots=slots, eq=False, repr=False)(cls)
            methods = {"__repr__": _repr, "__init__": _first_init(made)}
            if eq:
                values = _values(made)
                methods["__eq__"] = _comparison(operator.eq, values)
                methods["__hash__"] = (lambda self: hash(values(self))) if frozen else None
                if order:
                    methods |= {f"__{name}__": _comparison(getattr(operator, name), values)
                                for name in ("lt", "le", "gt", "ge")}  # fmt: skip
            for name, method in methods.items():
                if name not in own:
                    setattr(made, name, method)
            return made

        return decorate


def _first_init(cls: Any) -> Callable[..., None]:
    """Return an `__init__` that makes the real one of a class, which takes its place."""

    def first(self: Any, *args: Any, **named: Any) -> None:
        cls.__init__ = _make_init(cls)
        cls.__init__(self, *args, **named)

    return first


def _make_init(cls: Any) -> Callable[..., None]:
    known: dict[str, Any] = {"_missing": object()}
    parameters, lines = ["self"], ["pass"]
    for field in dataclasses.fields(cls):
        name, default = field.name, f"_of_{field.name}"
        value = name
        if field.default_factory is not dataclasses.MISSING:
            known[default] = field.default_factory
            parameters += [f"{name}=_missing"] * field.init
            value = f"{name} if {name} is not _missing else " * field.init + f"{default}()"
        elif field.default is not dataclasses.MISSING:
            known[default] = field.default
            parameters += [f"{name}={default}"] * field.init
            value = name if field.init else default
        elif field.init:
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
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    if len(names) > 1:
        return operator.attrgetter(*names)  # which makes a tuple of several values only
    return lambda item: tuple(getattr(item, name) for name in names)


def _comparison(
    compare: Callable[[Any, Any], Any], values: Callable[[Any], tuple[Any, ...]]
) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return compare(values(self), values(other))

    return method


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (field.name for field in dataclasses.fields(self) if field.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{self.__class__.__qualname__}({values})"
