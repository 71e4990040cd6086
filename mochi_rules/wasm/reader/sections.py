"""Where the sections of a binary are in its file; what is in them is not looked at."""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.reader.cursor import Cursor
from mochi_rules.wasm.reader.preamble import read_layer
from mochi_rules.wasm.types import Section

MAX_SECTIONS = 1 << 16  # custom ones, practically: compilers write some twenty


@dataclass(frozen=True, slots=True)
class SectionPlace:
    """A section; `start` and `end` are the offsets of its contents in the file.

    `name` is that of a custom section, whose contents begin after it; empty for all others.
    """

    number: int
    name: str
    start: int
    end: int


def find_sections(data: bytes) -> list[SectionPlace]:
    """Return the sections of a module in their order; of a component, its own custom sections.

    Emits: A010, A011.

    Raises:
        MochiError: The bytes are not WebAssembly, or a section leaves the file.
    """
    cursor = Cursor(data, "preamble")
    is_module = read_layer(data, cursor) == 0
    cursor.place = "sections"
    places: list[SectionPlace] = []
    while cursor.remaining:
        number = cursor.byte()
        contents = cursor.part(cursor.unsigned())
        name = contents.name() if number == Section.CUSTOM else ""
        if is_module or number == Section.CUSTOM:
            if len(places) == MAX_SECTIONS:
                raise contents.malformed(f"more than {MAX_SECTIONS} sections")
            end = contents.offset + contents.remaining
            places.append(SectionPlace(number, name, contents.offset, end))
    return places


def custom_section(data: bytes, places: list[SectionPlace], name: str) -> bytes:
    """Return the contents of the first custom section of a name; empty where there is none."""
    return next((data[place.start : place.end] for place in places if place.name == name), b"")
