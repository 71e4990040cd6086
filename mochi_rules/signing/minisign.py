"""Signature files that `minisign` checks: https://jedisct1.github.io/minisign/#signature-format."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mochi_rules.signing.keys import PublicKey, SigningKey

_ALGORITHM, _PREHASHED = b"Ed", b"ED"  # of a key, and of a signature of a BLAKE2b digest
_ID = 8  # bytes


def public_key_line(key: PublicKey) -> str:
    """Return a key as `minisign -V -P` takes it."""
    return _base64(_ALGORITHM + _key_id(key) + key.raw)


def signature_file(key: SigningKey, name: str, data: bytes, time: int) -> bytes:
    """Return the signature file of a file; `time` is in seconds since 1970, in UTC."""
    signature = key.sign(hashlib.blake2b(data).digest())
    trusted = f"timestamp:{time}\tfile:{name}\thashed"
    lines = (
        f"untrusted comment: signature of {name}",
        _base64(_PREHASHED + _key_id(key.public) + signature),
        f"trusted comment: {trusted}",
        _base64(key.sign(signature + trusted.encode())),
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _key_id(key: PublicKey) -> bytes:
    return bytes.fromhex(key.key_id)[:_ID]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
