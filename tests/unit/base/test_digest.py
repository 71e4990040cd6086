"""Digests, the names of everything in the cache."""

from __future__ import annotations

import hashlib

import pytest

from mochi_rules.base.digest import Digest, SharedBytes, digest_bytes


def test_digest_of_bytes() -> None:
    """SHA-256 and the size."""
    found = digest_bytes(b"abc")
    assert (found.hash, found.size) == (hashlib.sha256(b"abc").hexdigest(), 3)
    assert found.short == "ba7816bf8f01"


@pytest.mark.parametrize(
    ("hash_", "size"),
    [("", 0), ("a" * 63, 0), ("a" * 65, 0), ("A" * 64, 0), ("../" + "a" * 61, 0), ("a" * 64, -1)],
)
def test_anything_else_is_not_a_digest(hash_, size) -> None:
    """A digest becomes the name of a file, so it is nothing but lower-case digits."""
    with pytest.raises(ValueError, match="not a digest"):
        Digest(hash_, size)


@pytest.mark.parametrize("data", [b"launcher and more", b"launcher", b"lau", b"else", b""])
def test_digest_is_the_same_whatever_is_in_front(data: bytes) -> None:
    """Bytes that begin as shared ones do are hashed from there on."""
    assert digest_bytes(data, SharedBytes(b"launcher")) == digest_bytes(data)


def test_shared_bytes_are_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many keys they are in, and with the digest that any bytes would have."""
    data = SharedBytes(b"launcher")
    assert digest_bytes(data) == digest_bytes(b"launcher")
    monkeypatch.setattr(hashlib, "sha256", None)
    assert digest_bytes(data).size == len(b"launcher")
