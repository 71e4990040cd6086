"""Why a step ran again: the parts of its key, then and now."""

from __future__ import annotations

from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mochi_rules.cache.key import PreparedAction

# The kinds of parts, most telling first: a new tool also changes arguments, a new argument inputs.
KINDS = ("tool", "argument", "input", "property", "environment", "output", "step")
_SHOWN_DIGITS = 8  # of an input's digest


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One thing that decides the outputs of a step.

    `kind` is one of KINDS. The value is the digest of an input, the version of a tool, the value
    of an option; it is empty for a flag and for an output.
    """

    kind: str
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """The key of a step, with what it is made of; arguments keep their order."""

    target: str
    action: str  # hexadecimal sha256 of the Action
    parts: tuple[Part, ...]

    def document(self) -> dict[str, object]:
        """Return the record as JSON has it; equal records are equal documents."""
        parts = [[part.kind, part.name, part.value] for part in self.parts]
        return {"action": self.action, "parts": parts, "target": self.target}


@dataclass(frozen=True, slots=True)
class Change:
    """A part that differs; `old` or `new` is None where it is not there."""

    kind: str
    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """Return such as `argument --opt speed → none`, or `input lib/a.mochi added`."""
        label = f"{self.kind} {self.name}" if self.name else self.kind
        if self.old is None or self.new is None:
            value = self.new if self.old is None else self.old
            shown = f" {value}" if value and self.kind != "input" else ""
            return f"{label}{shown} {'added' if self.old is None else 'removed'}"
        return f"{label} {self._shown(self.old)} → {self._shown(self.new)}"

    def _shown(self, value: str) -> str:
        return value[:_SHOWN_DIGITS] if self.kind == "input" else value or "(empty)"


def key_record(target: str, action: PreparedAction) -> KeyRecord:
    """Return what to keep of a step's key; `target` names the step, such as its first output."""
    spec = action.spec
    hashes = {path: digest.hash for path, digest in action.inputs.items()}
    parts = [
        *_parts("tool", spec.tools),
        *(Part("argument", name, value) for name, value in _options(spec.arguments)),
        *_parts("input", hashes),
        *_parts("property", spec.properties),
        *_parts("environment", spec.environment),
        *(Part("output", path) for path in action.output_paths),
        Part("step", "", spec.mnemonic),
        *([Part("property", "namespace", spec.namespace)] if spec.namespace else []),
    ]
    return KeyRecord(target, action.key.hash, tuple(parts))


def read_record(document: Any) -> KeyRecord | None:
    """Return the record that a value out of JSON stands for; None where it stands for none."""
    try:
        parts = tuple(_part(*fields) for fields in document["parts"])
        return KeyRecord(_text(document["target"]), _text(document["action"]), parts)
    except (ValueError, TypeError, KeyError):
        return None


def difference(old: KeyRecord, new: KeyRecord) -> list[Change]:
    """Return what changed between two keys of a step, most telling first; empty for equal keys."""
    if old.action == new.action:
        return []
    before, after = _grouped(old.parts), _grouped(new.parts)
    labels = sorted({*before, *after}, key=lambda label: (KINDS.index(label[0]), label[1]))
    changes = [
        Change(kind, name, was, now)
        for kind, name in labels
        for was, now in _unequal(before.get((kind, name), []), after.get((kind, name), []))
    ]
    return changes or [_change_of_order(old, new)]


def _unequal(old: list[str], new: list[str]) -> Iterator[tuple[str | None, str | None]]:
    """Pair the values between the longest common beginning and the longest common end."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return zip_longest(old[start : len(old) - end], new[start : len(new) - end])


def _common(old: list[str], new: list[str]) -> int:
    """Return how many values at the beginning are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _change_of_order(old: KeyRecord, new: KeyRecord) -> Change:
    lines = [
        " ".join(f"{part.name} {part.value}".strip() for part in record.parts
                 if part.kind == "argument")
        for record in (old, new)
    ]  # fmt: skip
    if lines[0] != lines[1]:
        return Change("order of arguments", "", lines[0], lines[1])
    # Equal parts and another key: the form of the key itself is new.
    return Change("key", "", old.action[:_SHOWN_DIGITS], new.action[:_SHOWN_DIGITS])


def _options(arguments: Iterable[str]) -> list[tuple[str, str]]:
    """Return (option, value) pairs; a flag has an empty value, any other argument an empty name.

    `--name=value` is a pair, and so is `--name value`.
    """
    pairs: list[tuple[str, str]] = []
    takes_value = False
    for argument in arguments:
        if argument.startswith("-"):
            name, has_value, value = argument.partition("=")
            pairs.append((name, value))
            takes_value = not has_value
        elif takes_value:
            pairs[-1] = (pairs[-1][0], argument)
            takes_value = False
        else:
            pairs.append(("", argument))
    return pairs


def _parts(kind: str, values: Mapping[str, str]) -> list[Part]:
    return [Part(kind, name, values[name]) for name in sorted(values)]


def _grouped(parts: Iterable[Part]) -> dict[tuple[str, str], list[str]]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        grouped.setdefault((part.kind, part.name), []).append(part.value)
    return grouped


def _part(kind: object, name: object, value: object) -> Part:
    if kind not in KINDS:
        raise ValueError(f"not a kind of part: {kind!r}")
    return Part(_text(kind), _text(name), _text(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value
