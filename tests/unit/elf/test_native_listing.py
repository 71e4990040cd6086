"""The machine code of native objects with its functions and lines, for four architectures."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cli.explore_page import explore_page
from mochi_rules.elf.listing.listing import read_listing
from mochi_rules.elf.listing.listing_text import render_listing

from .image import Image

GOLDEN = Path(__file__).parents[2] / "golden" / "objdump" / "native"
CPUS = sorted(path.name.removesuffix(".o.gz") for path in GOLDEN.glob("*.o.gz"))
TEXTS = {"fib.mochi": (GOLDEN.parent / "fib.mochi").read_text(encoding="utf-8").splitlines()}


@cache
def stored(cpu: str) -> bytes:
    """Return the object of the program for a CPU."""
    return gzip.decompress((GOLDEN / f"{cpu}.o.gz").read_bytes())


@pytest.mark.parametrize("cpu", CPUS)
def test_listing_of_a_stored_object(cpu, golden) -> None:
    """Mochi's names and lines, and in the code the names that a linker looks for."""
    listing = read_listing(stored(cpu), "fib.o")
    functions = [item for item in listing.functions() if item.name == "fib"]

    assert not listing.damage
    golden(GOLDEN / f"{cpu}.txt", "".join(render_listing(listing, functions, TEXTS)))


@pytest.mark.parametrize("cpu", CPUS)
def test_calls_name_what_they_call(cpu) -> None:
    """Also functions of other objects, and variables: their addresses are not known yet."""
    listing = read_listing(stored(cpu), "fib.o")
    text = "".join(render_listing(listing, listing.functions(), TEXTS))

    for name in ("fib", "mochi_start", "mochi_memory"):
        assert f" <{name}>\n" in text
    assert "<.L" not in text


def test_page_has_no_webassembly() -> None:
    """A native program has none: the source is beside the machine code."""
    page = "".join(explore_page("fib", read_listing(stored("x86_64"), "fib.o"), b"", TEXTS))

    assert "x86_64 machine code" in page
    assert "WebAssembly" not in page


def test_relocation_without_a_symbol_is_damage() -> None:
    """A file is not believed."""
    data = bytearray(stored("x86_64"))
    table = Image(bytes(data))[".rela.text"]
    data[table.offset + 12 : table.offset + 16] = b"\xff" * 4

    with pytest.raises(MochiError, match=r"A021.*x\.o is damaged: a relocation at \d+ of the code"):
        read_listing(bytes(data), "x.o")
