"""What holds for the objects of every format."""

from __future__ import annotations

import hashlib

import pytest

from mochi_rules.aot.objects.writer import ALIGNMENTS, write_object
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS, find_platform

X86 = find_platform("x86_64-linux")
PAYLOAD = bytes(range(256)) * 20


def failure(*arguments):
    """Return the diagnostic of an object that cannot be made."""
    with pytest.raises(MochiError) as caught:
        write_object(*arguments)
    [diagnostic] = caught.value.diagnostics
    return diagnostic


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda row: row.name)
def test_payload_is_in_the_file_at_its_alignment(platform, alignment):
    """The payload is in the object once, at an offset of its alignment."""
    data = write_object(platform, "app", PAYLOAD, alignment)
    assert data.count(PAYLOAD) == 1
    assert data.index(PAYLOAD) % alignment == 0


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda row: row.name)
def test_same_arguments_give_the_same_bytes(platform):
    """An object has no time, path or other accident in it."""
    digests = {hashlib.sha256(write_object(platform, "app", PAYLOAD)).digest() for _ in range(3)}
    assert len(digests) == 1


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda row: row.name)
def test_symbols_are_named_after_the_base(platform):
    """Both symbols are in the object, with an underscore before them on macOS alone."""
    data = write_object(platform, "my_App9", PAYLOAD)
    for name in (b"my_App9_start\0", b"my_App9_end\0"):
        assert data.count(name) == 1
        assert (b"_" + name in data) == (platform.os == "macos")


@pytest.mark.parametrize(
    ("base", "suggestion"),
    [("my-app", "my_app"), ("9lives", "_9lives"), ("", "app"), ("a b.c", "a_b_c"), ("ü", "_")],
)
def test_base_that_is_no_identifier_is_refused(base, suggestion):
    """A symbol base that C cannot name is A090 with one that it can."""
    diagnostic = failure(X86, base, PAYLOAD)
    assert diagnostic.code == "A090"
    assert diagnostic.help == f"write `{suggestion}`"
    assert write_object(X86, suggestion, PAYLOAD)


@pytest.mark.parametrize("alignment", [0, 1, 8, 17, 24, 8192, -16])
def test_alignment_out_of_range_is_refused(alignment):
    """An alignment that is not a power of two from 16 to 4096 is A091."""
    assert failure(X86, "app", PAYLOAD, alignment).code == "A091"


def test_odd_size_is_refused_on_s390x():
    """An end at an odd address cannot be named on s390x: A092, and no padding behind our back."""
    assert failure(find_platform("s390x-linux"), "app", b"abc").code == "A092"
    assert write_object(X86, "app", b"abc")


def test_size_of_four_gigabytes_is_refused():
    """A payload whose size does not fit in a COFF header is A092."""

    class Huge(bytes):
        __slots__ = ()

        def __len__(self):
            return 1 << 32

    assert failure(find_platform("x86_64-windows"), "app", Huge()).code == "A092"
