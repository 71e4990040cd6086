"""Diagnostics: errors as data, through every layer."""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.base.span import Span


class Severity(Enum):
    """How bad it is; only errors stop a step."""

    ERROR = "error"
    WARNING = "warning"


class Fault(Enum):
    """Who can fix it; the value is the exit status of the command line."""

    INPUT = 2
    ENVIRONMENT = 3
    INTERNAL = 70


@dataclass(frozen=True, slots=True)
class Label:
    """A second place to show, with a text beside it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong.

    `message` is a phrase in lower case without a full stop, names in backquotes. `label` is
    shown beside the carets. Each of `notes` names a second cause; `help` is one thing to type.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR
    fault: Fault = Fault.INPUT


class MochiError(Exception):
    """Ends a step with one or more diagnostics; never empty."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        """Return the messages without places."""
        return "; ".join(f"{item.code}: {item.message}" for item in self.diagnostics)

    @property
    def exit_status(self) -> int:
        """The worst of the faults, as an exit status."""
        return max(item.fault.value for item in self.diagnostics)


def fail(code: str, message: str, *, help: str = "", notes: tuple[str, ...] = ()) -> MochiError:
    """Make the error of a user's input that has no place in a source."""
    return MochiError(Diagnostic(code, message, notes=notes, help=help))


def environment_error(
    code: str, message: str, *, help: str = "", notes: tuple[str, ...] = ()
) -> MochiError:
    """Make the error of a machine that lacks something."""
    return MochiError(Diagnostic(code, message, notes=notes, help=help, fault=Fault.ENVIRONMENT))


@contextmanager
def about(name: str) -> Iterator[None]:
    """Begin the message of every error in a file with its name, unless it has a place."""
    try:
        yield
    except MochiError as error:
        raise MochiError(
            *(
                replace(item, message=f"`{name}`: {item.message}")
                if item.fault is Fault.INPUT and item.span is None
                else item
                for item in error.diagnostics
            )
        ) from None


@contextmanager
def placed(locate: Callable[[], Span | None]) -> Iterator[None]:
    """Give every error without a place the one that `locate` returns."""
    try:
        yield
    except MochiError as error:
        raise MochiError(
            *(item if item.span else replace(item, span=locate()) for item in error.diagnostics)
        ) from None


@dataclass(slots=True)
class Diagnostics:
    """Collects what is found in one run, in the order of discovery."""

    items: list[Diagnostic] = field(default_factory=list)
    _known: set[tuple[str, Span]] = field(default_factory=set)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic; the same code at the same place is kept once."""
        if diagnostic.span:
            place = diagnostic.code, diagnostic.span
            if place in self._known:
                return
            self._known.add(place)
        self.items.append(diagnostic)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors, in the user's order: by file, then by place."""
        found = [item for item in self.items if item.severity is Severity.ERROR]
        return tuple(sorted(found, key=_place))

    def raise_errors(self) -> None:
        """Raise MochiError when there is an error."""
        if errors := self.errors:
            raise MochiError(*errors)


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.span
    return (span.source.name, span.start) if span else ("", 0)
