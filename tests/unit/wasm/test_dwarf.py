"""DWARF sections, judged by pyelftools."""

from __future__ import annotations

from io import BytesIO

from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from mochi_rules.wasm.debug.dwarf import dwarf_sections
from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.module import Function, Module

FILES = ["lib/text.mochi", "app.mochi"]


def _module() -> Module:
    helper = Function("helper", results=["i32"], body=[("i32.const", 1)])
    first = [("loc", 1, 3), ("i32.const", 7), ("drop",), ("loc", 1, 4), ("i32.const", 8)]
    second = [("loc", 0, 12), ("call", "first"), ("loc", 0, 11), ("i32.const", 0), ("i32.add",)]
    return Module(
        functions=[
            helper,
            Function("first", results=["i32"], body=first),
            Function("second", results=["i32"], body=second),
        ]
    )


def _parse(encoded) -> DWARFInfo:
    sections = {
        section.name: DebugSectionDescriptor(
            BytesIO(section.data), section.name, 0, len(section.data), 0
        )
        for section in dwarf_sections(encoded, FILES, "mochi_rules")
    }
    names = [field for field in DWARFInfo.__init__.__code__.co_varnames if field.endswith("_sec")]
    by_field = {field: sections.get("." + field.removesuffix("_sec")) for field in names}
    return DWARFInfo(
        config=DwarfConfig(little_endian=True, default_address_size=4, machine_arch="x86"),
        **by_field,
    )


def _rows(info: DWARFInfo) -> list[tuple[int, str, int]]:
    [unit] = info.iter_CUs()
    program = info.line_program_for_CU(unit)
    files = [entry.name.decode() for entry in program["file_entry"]]
    states = [entry.state for entry in program.get_entries() if entry.state]
    return [(s.address, files[s.file - 1], s.line) for s in states if not s.end_sequence]


def test_lines_are_those_of_the_locations() -> None:
    """Every location is a row; the first of a function also covers its beginning."""
    encoded = encode_module(_module())
    starts = {function.name: function.start for function in encoded.functions}
    offsets = {line: offset for offset, _, line in encoded.locations}
    assert _rows(_parse(encoded)) == [
        (starts["first"], "app.mochi", 3),
        (offsets[4], "app.mochi", 4),
        (starts["second"], "lib/text.mochi", 12),
        (offsets[11], "lib/text.mochi", 11),
    ]


def test_functions_have_entries() -> None:
    """A subprogram has its name and its range, and where it starts if it comes from a source."""
    encoded = encode_module(_module())
    [unit] = _parse(encoded).iter_CUs()
    names = ("DW_AT_name", "DW_AT_low_pc", "DW_AT_high_pc", "DW_AT_decl_file", "DW_AT_decl_line")
    found = {}
    for die in unit.iter_DIEs():
        if die.tag == "DW_TAG_subprogram":
            name, *rest = (die.attributes[at].value for at in names if at in die.attributes)
            found[name.decode()] = tuple(rest)
    ranges = {f.name: (f.start, f.end - f.start) for f in encoded.functions}
    assert found == {
        **ranges,
        "first": (*ranges["first"], 2, 3),
        "second": (*ranges["second"], 1, 12),
    }


def test_unit_names_its_producer_and_spans_the_code() -> None:
    """The compile unit covers all functions."""
    encoded = encode_module(_module())
    [unit] = _parse(encoded).iter_CUs()
    top = unit.get_top_DIE().attributes
    assert top["DW_AT_producer"].value == b"mochi_rules"
    assert top["DW_AT_name"].value == b"lib/text.mochi"
    assert top["DW_AT_high_pc"].value == encoded.functions[-1].end
