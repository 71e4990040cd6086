"""Ed25519 keys in PEM files, as `openssl genpkey -algorithm ed25519` writes them."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.files import read_input, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

_MAKE = "`mochi-rules key FILE` makes a pair of keys"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SECRET_MODE = 0o600
# What a public key begins with, before its 32 bytes (RFC 8410): `cryptography` takes 40 ms to load.
_PUBLIC, _PUBLIC_SIZE = bytes.fromhex("302a300506032b6570032100"), 44
_BEGIN, _END = b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----"
_PEM = re.compile(_BEGIN + rb"([\sA-Za-z0-9+/=]*)" + _END)


class PublicKey:
    """What checks signatures; `raw` has 32 bytes."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @property
    def key_id(self) -> str:
        """The SHA-256 of the raw key in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Return whether the holder of the secret key has signed the data.

        Emits: R009.
        """
        _require()
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def pem(self) -> bytes:
        """Return the key as a PEM file."""
        return b"\n".join([_BEGIN, base64.b64encode(_PUBLIC + self.raw), _END, b""])


class SigningKey:
    """What signs."""

    def __init__(self, secret: Any) -> None:
        self._secret = secret

    @property
    def public(self) -> PublicKey:
        """The key that checks the signatures of this one."""
        return PublicKey(self._secret.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """Return the signature of some bytes, 64 bytes; equal data give equal signatures."""
        signature: bytes = self._secret.sign(data)
        return signature


def write_key_pair(path: Path) -> PublicKey:
    """Make a key, and write it to `path` and its public part to `path` with `.pub` added.

    Emits: R007 (there is a file already), R009.
    """
    _require()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    if os.path.lexists(path):
        raise fail("R007", f"`{path}` exists", help="name another file, or move this one away")
    secret = Ed25519PrivateKey.generate()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    data = secret.private_bytes(encoding, form, serialization.NoEncryption())
    write_atomic(path, data, _SECRET_MODE)
    public = SigningKey(secret).public
    write_atomic(public_path(path), public.pem())
    return public


def public_path(path: Path) -> Path:
    """Return the file of a public key from that of its secret key."""
    return path.with_name(f"{path.name}.pub")


def load_signing_key(path: Path) -> SigningKey:
    """Read a secret key.

    Emits: B010, R008 (not such a key, or others may read it), R009.
    """
    data = read_input(path)
    if os.name == "posix" and (mode := path.stat().st_mode) & _OTHERS:
        message = f"other users may read the key `{path}`: its mode is {stat.S_IMODE(mode):o}"
        raise fail("R008", message, help=f"run `chmod 600 '{path}'`")
    _require()
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    try:
        found = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if isinstance(found, ed25519.Ed25519PrivateKey):
        return SigningKey(found)
    message = f"`{path}` is not a secret Ed25519 key in PEM format, without a password"
    raise fail("R008", message, help=_MAKE)


def load_public_key(path: Path) -> PublicKey:
    """Read a public key.

    Emits: B010, R008 (not such a key).
    """
    data = read_input(path)
    found = _PEM.search(data)
    key = _decoded(found[1]) if found else b""
    if key.startswith(_PUBLIC) and len(key) == _PUBLIC_SIZE:
        return PublicKey(key.removeprefix(_PUBLIC))
    help_ = f"name its public key: `{public_path(path)}`" if b"PRIVATE KEY" in data else _MAKE
    raise fail("R008", f"`{path}` is not a public Ed25519 key in PEM format", help=help_)


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


def _require() -> None:
    """Refuse to go on without `cryptography`.

    Emits: R009.
    """
    try:
        import cryptography  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise environment_error(
            "R009",
            "signatures need the Python package `cryptography`",
            help="run `pip install 'mochi-rules[release]'`",
        ) from None
