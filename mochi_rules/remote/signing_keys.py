"""Private keys of writers, each in a file that only its owner can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason
from mochi_rules.remote.trust import Signer, public_text, raw_public

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_SIZE = 1 << 14  # bytes
_OWNER_ONLY = 0o600
_EXTRA = "run `pip install 'mochi-rules[remote]'`"


def new_key(path: Path) -> str:
    """Write a new private key to a file, and return its public key as `mochi.toml` has it.

    Emits: K025 (a package is missing), K027 (there is a file already, or it cannot be written).

    Raises:
        MochiError: There is no key then.
    """
    ed25519, serialization = _cryptography()
    private = ed25519.Ed25519PrivateKey.generate()
    data: bytes = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(_OWNER_ONLY, exist_ok=False)
        path.write_bytes(data)
    except OSError as error:
        raise environment_error("K027", f"cannot write the key `{path}`: {reason(error)}") from None
    return public_text(raw_public(private))


def public_key(path: Path) -> str:
    """Return the public key of a file with a private one.

    Emits: K025, K027.

    Raises:
        MochiError: It cannot be read.
    """
    return public_text(raw_public(_read(path)))


def load_signer(path: Path, writers: Mapping[str, bytes]) -> Signer:
    """Return what signs with the key of a file, in the name that readers know it by.

    Emits: K025, K027.

    Raises:
        MochiError: It cannot be read.
    """
    private = _read(path)
    public = raw_public(private)
    names = [name for name, key in writers.items() if key == public]
    return Signer(names[0] if names else path.stem, private)


def _read(path: Path) -> Any:
    ed25519, serialization = _cryptography()
    try:
        with path.open("rb") as file:
            found = serialization.load_pem_private_key(file.read(_MAX_SIZE), None)
    except OSError as error:
        raise environment_error("K027", f"cannot read the key `{path}`: {reason(error)}") from None
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, ed25519.Ed25519PrivateKey):
        raise environment_error(
            "K027", f"`{path}` is not a private key for Ed25519",
            help="make one with `mochi-rules cache key new NAME`",
        )  # fmt: skip
    return found


def _cryptography() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - takes 20 ms
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - as above
    except ImportError:
        raise environment_error(
            "K025", "signatures need the package `cryptography`", help=_EXTRA
        ) from None
    return ed25519, serialization
