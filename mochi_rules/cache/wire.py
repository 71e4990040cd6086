"""The protobuf wire format, as far as the Remote Execution API needs it; knows no message.

A table of field numbers drives both directions. Encoding is canonical: fields in ascending order
of number, scalars at their default value left out, varints in their shortest form.

Source: protobuf.dev, "Encoding"; proto3 rules for presence and for merging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from mochi_rules.base.dataclass import dataclass

_T = TypeVar("_T")

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_FIXED_SIZES = {_I64: 8, _I32: 4}
_MASK_64 = (1 << 64) - 1
_MAX_VARINT_BYTES = 10
_MAX_TAG_BYTES = 5  # of a length too
_MAX_TAG = (1 << 32) - 1
_MAX_VALUES = 1 << 17  # of a repeated field: an empty message takes two bytes here, and 64 decoded


class WireError(Exception):
    """Bytes are not the message they should be."""


class Kind(Enum):
    """How the value of a field stands on the wire: (wire type, default, bits of an integer)."""

    BOOL = (_VARINT, False, 0)
    INT32 = (_VARINT, 0, 32)
    INT64 = (_VARINT, 0, 64)
    STRING = (_LEN, "", 0)
    BYTES = (_LEN, b"", 0)
    MESSAGE = (_LEN, None, 0)

    def __init__(self, wire_type: int, default: object, bits: int) -> None:
        self.wire_type = wire_type
        self.default = default
        self.bits = bits


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table: field number, attribute of the dataclass, kind.

    `message` is the class of a MESSAGE. A `repeated` field is a tuple. A `required` message must
    be there, though proto3 lets it be absent.
    """

    number: int
    name: str
    kind: Kind
    message: type | None = None
    repeated: bool = False
    required: bool = False


# Class of a message → its fields by number, in ascending order.
Schema = Mapping[type, Mapping[int, Field]]


def table(*fields: Field) -> dict[int, Field]:
    """Return the fields of a message by number, in ascending order."""
    return {field.number: field for field in sorted(fields, key=lambda field: field.number)}


def encode(message: object, schema: Schema) -> bytes:
    """Return the canonical bytes of a message.

    Raises:
        ValueError: An integer is out of its range, or a string has lone surrogates.
    """
    out = bytearray()
    for field in schema[type(message)].values():
        value = getattr(message, field.name)
        if field.repeated:
            for item in value:
                _encode_field(out, field, item, schema)
        elif value:
            _encode_field(out, field, value, schema)
    return bytes(out)


def decode(message: type[_T], data: bytes, schema: Schema) -> _T:
    """Return the message that some bytes stand for; unknown fields are dropped.

    Raises:
        WireError: The bytes are malformed or cut off, a string is not UTF-8, a required message is
            absent, or the class of a message refuses its values.
    """
    fields = schema[message]
    values: dict[str, Any] = {}
    for number, wire_type, payload in _records(data):
        field = fields.get(number)
        # A known number with another wire type counts as unknown, as in every implementation.
        if field is None or field.kind.wire_type != wire_type:
            continue
        if field.repeated:
            items = values.setdefault(field.name, [])
            if len(items) == _MAX_VALUES:
                raise WireError(f"`{field.name}` has more than {_MAX_VALUES} values")
            items.append(_decode_value(field, payload, schema))
        elif field.kind is Kind.MESSAGE:
            # Parts of one message that come twice are merged, which is to join their bytes.
            values.setdefault(field.name, bytearray()).extend(payload)
        else:
            values[field.name] = _decode_value(field, payload, schema)
    arguments = {field.name: _complete(field, values, schema) for field in fields.values()}
    try:
        return message(**arguments)
    except ValueError as error:
        raise WireError(str(error)) from None


def _complete(field: Field, values: Mapping[str, Any], schema: Schema) -> object:
    """Return what the constructor of a message gets for a field."""
    if field.repeated:
        return tuple(values.get(field.name, ()))
    if field.name not in values:
        if field.required:
            raise WireError(f"`{field.name}` is absent")
        return field.kind.default
    if field.kind is Kind.MESSAGE:
        return _decode_value(field, bytes(values[field.name]), schema)
    return values[field.name]


def _encode_field(out: bytearray, field: Field, value: Any, schema: Schema) -> None:
    kind = field.kind
    _encode_varint(out, field.number << 3 | kind.wire_type)
    if kind.wire_type == _VARINT:
        if kind.bits and not -(1 << kind.bits - 1) <= value < 1 << kind.bits - 1:
            raise ValueError(f"`{field.name}` does not fit in {kind.bits} bits: {value}")
        _encode_varint(out, value & _MASK_64)
        return
    if kind is Kind.MESSAGE:
        value = encode(value, schema)
    elif kind is Kind.STRING:
        value = value.encode()
    _encode_varint(out, len(value))
    out += value


def _encode_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _decode_value(field: Field, payload: Any, schema: Schema) -> object:
    match field.kind:
        case Kind.MESSAGE:
            assert field.message is not None
            return decode(field.message, payload, schema)
        case Kind.STRING:
            try:
                return payload.decode()
            except UnicodeDecodeError:
                raise WireError(f"`{field.name}` is not UTF-8") from None
        case Kind.BOOL:
            return payload != 0
        case Kind.BYTES:
            return payload
    sign = 1 << field.kind.bits - 1  # two's complement, of the lower bits only
    return (payload & (sign - 1)) - (payload & sign)


class Codec:
    """Encodes and decodes the messages of a schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def encode(self, message: object) -> bytes:
        """Return the bytes of a message, as `encode`."""
        return encode(message, self._schema)

    def decode(self, message: type[_T], data: bytes) -> _T:
        """Return the message that some bytes stand for, as `decode`."""
        return decode(message, data, self._schema)


def _records(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield (field number, wire type, payload); the payload is an int or bytes."""
    at = 0
    while at < len(data):
        tag, at = _decode_varint(data, at, _MAX_TAG_BYTES)
        number, wire_type = tag >> 3, tag & 7
        if not number or tag > _MAX_TAG:
            raise WireError(f"field number {number} is out of range")
        if wire_type == _VARINT:
            value, at = _decode_varint(data, at, _MAX_VARINT_BYTES)
            yield number, wire_type, value
            continue
        if wire_type == _LEN:
            size, at = _decode_varint(data, at, _MAX_TAG_BYTES)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise WireError(f"wire type {wire_type} has no meaning here")
        end = at + size
        if end > len(data):
            raise WireError("the bytes end within a field")
        yield number, wire_type, data[at:end]
        at = end


def _decode_varint(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """Return a varint of at most `limit` bytes, modulo 2**64, and the offset after it."""
    value = 0
    for index, byte in enumerate(data[at : at + limit]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & _MASK_64, at + index + 1
    raise WireError("a varint has no end")
