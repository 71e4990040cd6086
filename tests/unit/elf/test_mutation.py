"""What the structural checks catch of single damaged bytes, measured, and what a digest catches."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.elf.checks.expectation import Expectation, Kind
from mochi_rules.elf.checks.table import CHECKS, verify
from mochi_rules.elf.engine_section import decode_engine
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.schema import SCHEMAS

from .image import Image
from .making import CROSS_TRIPLES, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parents[3] / "docs" / "verification.md"
FLIPS = 25  # of each region of each artifact

# Regions of the file, and the share of damaged bytes there that must be caught with a request.
REGIONS: dict[str, tuple[tuple[str, ...], float]] = {
    "ELF header": (("header",), 1.0),
    "section table": (("table",), 1.0),
    "engine section": ((".wasmtime.engine", ".wasmtime.bti"), 1.0),
    "code": ((".text",), 0.0),
    "unwind information": ((".eh_frame", ".xdata", ".pdata"), 0.2),
    "code maps": ((".wasmtime.addrmap", ".wasmtime.traps", ".wasmtime.exceptions"), 0.4),
    "data": ((".rodata.wasm",), 0.0),
    "module information": ((".wasmtime.info",), 0.0),
    "symbol table": ((".symtab",), 1.0),
    "names": ((".name.wasm", ".strtab", ".shstrtab"), 0.3),
    "padding": (("padding",), 1.0),
}


def request(data: bytes, triple: str) -> Expectation:
    """Return the full request that an artifact answers."""
    engine = decode_engine(Image(data)[".wasmtime.engine"].data)
    schema, is_pulley = SCHEMAS[48], triple.startswith("pulley")
    flags = dict(engine.shared_flags) if is_pulley else schema.shared_flags
    return Expectation(
        kind=Kind.MODULE,
        triple=triple,
        isa_flags=frozenset(),
        shared_flags=flags,
        tunables=schema.default_tunables(is_pulley=is_pulley),
        features=schema.default_features - ({"threads"} if is_pulley else set()),
        functions=3,
        debug_info=False,
        major=48,
    )


def region_bytes(data: bytes) -> dict[str, list[int]]:
    """Return the offsets of each region. The code is that of the functions."""
    image = Image(data)
    spans = {"header": [(0, 64)], "table": [(image.header["shoff"], len(data))]}
    for part in image.parts[1:]:
        spans[part.name] = [(part.offset, part.offset + part.size)]
    code = image[".text"].offset
    functions = [s for s in read_artifact(data).symbols if s.type == 2]
    spans[".text"] = [(code + s.value, code + s.value + s.size) for s in functions]
    covered = {i for ranges in spans.values() for start, end in ranges for i in range(start, end)}
    padding = [i for i in range(len(data)) if i not in covered]
    found = {"padding": padding}
    for region, (names, _) in REGIONS.items():
        if region != "padding":
            ranges = [span for name in names for span in spans.get(name, [])]
            found[region] = [i for start, end in ranges for i in range(start, end)]
    return found


def damaged(data: bytes, offsets: list[int], chance: random.Random) -> Iterator[bytes]:
    """Return the artifact with one byte changed, FLIPS times."""
    for _ in range(FLIPS):
        raw = bytearray(data)
        raw[chance.choice(offsets)] ^= chance.randrange(1, 256)
        yield bytes(raw)


def is_caught(data: bytes, expectation: Expectation | None) -> bool:
    """Tell whether reading or a check refuses the bytes."""
    try:
        return bool(verify(read_artifact(data), expectation))
    except MochiError:
        return True


def measure() -> dict[str, tuple[int, int, int, int]]:
    """Return for each region: bytes damaged, caught alone, caught with a request, by digest."""
    chance = random.Random(48)
    rows = dict.fromkeys(REGIONS, (0, 0, 0, 0))
    for triple in CROSS_TRIPLES:
        data = stored(triple)
        expectation, digest = request(data, triple), digest_bytes(data)
        assert not is_caught(data, expectation)
        for region, offsets in region_bytes(data).items():
            for raw in damaged(data, offsets, chance) if offsets else ():
                found = (1, is_caught(raw, None), is_caught(raw, expectation),
                         digest_bytes(raw) != digest)  # fmt: skip
                rows[region] = tuple(map(sum, zip(rows[region], found, strict=True)))
    return rows


def table(rows: dict[str, tuple[int, int, int, int]]) -> str:
    """Return the measurement as a table."""
    lines = ["| region | bytes damaged | structure alone | structure and request | digest |",
             "|---|--:|--:|--:|--:|"]  # fmt: skip
    for region, (count, *caught) in rows.items():
        shares = " | ".join(f"{100 * share / count:.0f} %" for share in caught)
        lines.append(f"| {region} | {count} | {shares} |")
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_share_of_damage_caught(request: pytest.FixtureRequest) -> None:
    """Structure catches what it describes, only a digest catches all; the document has the table.

    `--bless` writes the table.
    """
    rows = measure()
    print(table(rows))  # noqa: T201 - the measurement is the point

    for region, (count, _, caught, by_digest) in rows.items():
        assert by_digest == count
        assert caught >= REGIONS[region][1] * count, region
    in_document("measured", table(rows), bless=request.config.getoption("--bless"))


def test_document_lists_the_checks(request: pytest.FixtureRequest) -> None:
    """The document has a row for each check, in order; `--bless` writes them."""
    rows = ["| number | check | finds |\n|---|---|---|\n"]
    rows += [f"| {check.number} | `{check.name}` | {check.finds} |\n" for check in CHECKS]

    in_document("checks", "".join(rows), bless=request.config.getoption("--bless"))


def in_document(block: str, wanted: str, *, bless: bool) -> None:
    """Compare a block of the document with what it should be, or write it."""
    begin, end = f"<!-- {block}: begin -->\n", f"<!-- {block}: end -->\n"
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(begin)
    found, _, after = rest.partition(end)
    if bless:
        DOCUMENT.write_text(before + begin + wanted + end + after, encoding="utf-8")
    else:
        assert wanted == found
