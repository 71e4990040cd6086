"""Engine sections as Wasmtime writes them: what tests change, and what they feed to the decoder."""

from __future__ import annotations

from mochi_rules.elf.engine_section import LAYOUT_VERSION, Engine, schema_of
from mochi_rules.elf.schema import COLLECTORS, INLININGS, FlagValue, Form, TunableValue
from mochi_rules.wasm.leb128 import encode_unsigned

_ENUM, _NUMBER, _SWITCH = 0, 1, 2  # the variants of a flag's value
_COST_KINDS = ("table", "default")
CHOICES = {Form.COLLECTOR: COLLECTORS, Form.INLINING: INLININGS, Form.COSTS: _COST_KINDS}


def encode_engine(engine: Engine) -> bytes:
    """Encode an engine section as Wasmtime does; the inverse of decode_engine.

    Raises:
        KeyError: A tunable is missing.
        ValueError: A feature or a choice is unknown.
    """
    version = engine.version.encode("utf-8")
    parts = [bytes([LAYOUT_VERSION, len(version)]), version, _encode_text(engine.target)]
    for flags in (engine.shared_flags, engine.isa_flags):
        parts.append(encode_unsigned(len(flags)))
        parts += [_encode_text(name) + _encode_flag(value) for name, value in flags.items()]
    schema = schema_of(engine.version)
    if schema is None or engine.tunables is None or engine.features is None:
        return b"".join([*parts, engine.opaque])
    for tunable in schema.tunables:
        parts.append(_encode_tunable(engine.tunables[tunable.name], tunable.form))
    bits = {name: bit for bit, name in schema.features.items()}
    numbers = (bits[name] if name in bits else int(name[4:]) for name in engine.features)
    parts.append(encode_unsigned(sum(1 << number for number in numbers)))
    return b"".join(parts)


def _encode_flag(value: FlagValue) -> bytes:
    if isinstance(value, bool):
        return bytes([_SWITCH, value])
    if isinstance(value, int):
        return bytes([_NUMBER, value])
    return bytes([_ENUM]) + _encode_text(value)


def _encode_tunable(value: TunableValue, form: Form) -> bytes:
    match value:
        case bool():
            return bytes([value])
        case bytes():
            return encode_unsigned(_COST_KINDS.index("table")) + value
        case None:
            return b"\0"
        case int():
            return b"\1" * (form is Form.OPTIONAL_U32) + encode_unsigned(value)
        case str():
            return b"\1" * (form is Form.COLLECTOR) + encode_unsigned(CHOICES[form].index(value))


def _encode_text(text: str) -> bytes:
    """Return a string as its size in bytes and UTF-8."""
    data = text.encode("utf-8")
    return encode_unsigned(len(data)) + data
