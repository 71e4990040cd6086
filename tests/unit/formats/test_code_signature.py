"""Ad-hoc signatures: made as linkers make them, and checked whoever made them."""

from __future__ import annotations

import hashlib
import struct

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.formats.code_signature import Signer, check_signature

CODE = bytes(range(256)) * 50  # three pages and a bit
SIGNATURE = Signer(b"program", len(CODE), 4096).sign(CODE)


def refusal(signature, code=CODE):
    """Return the message of a refusal."""
    with pytest.raises(MochiError) as caught:
        check_signature(code, signature)
    return str(caught.value)


def test_signature_is_what_linkers_write():
    """The bytes are those of Go's linker for the same code, here written out by hand."""
    digests = [hashlib.sha256(CODE[at : at + 4096]).digest() for at in range(0, len(CODE), 4096)]
    head = struct.pack(">5I", 0xFADE0CC0, 12 + 8 + 96 + 4 * 32, 1, 0, 20)
    directory = struct.pack(">4I", 0xFADE0C02, 96 + 4 * 32, 0x20400, 0x20002)
    directory += struct.pack(">5I4BI", 96, 88, 0, 4, len(CODE), 32, 2, 0, 12, 0)
    directory += struct.pack(">3I4Q", 0, 0, 0, 0, 0, 4096, 1)
    assert head + directory + b"program\0" + b"".join(digests) == SIGNATURE
    assert Signer(b"program", len(CODE), 4096).size == len(SIGNATURE)
    check_signature(CODE, SIGNATURE)


@pytest.mark.parametrize("size", [0, 1, 11, 19, 20, 63, 107, 116, 200])
def test_cut_off_signature_is_refused(size):
    """A signature that ends too early is not a signature."""
    assert refusal(SIGNATURE[:size]).startswith("A111")


@pytest.mark.parametrize("size", [len(CODE) - 1, len(CODE) + 1])
def test_signature_of_other_code_is_refused(size):
    """It must cover all that stands before it, and nothing else."""
    assert f"it covers {len(CODE)} bytes, and {size} are before it" in refusal(
        SIGNATURE, CODE.ljust(size, b"x")[:size]
    )


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, 0, "no header"),
        (8, 1, "no header"),
        (20, 0, "no SHA-256 page hashes"),
        (20 + 37, 1, "no SHA-256 page hashes"),
        (20 + 39, 40, r"pages of 2^40 bytes"),
        (20 + 31, 9, "it has 9 pages instead of 4"),
        (20 + 96, 0, "the page at 0 has another"),
    ],
)
def test_changed_field_is_refused(place, value, words):
    """Every field that decides what is covered is looked at."""
    changed = bytearray(SIGNATURE)
    changed[place] = value if changed[place] != value else value ^ 1
    assert words in refusal(bytes(changed))
