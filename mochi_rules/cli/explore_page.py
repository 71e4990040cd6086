"""A program beside its WebAssembly and its machine code, as a page."""

from __future__ import annotations

from itertools import chain, starmap
from typing import TYPE_CHECKING

from mochi_rules.ui.columns import Block, Column, Row, render_columns
from mochi_rules.wasm.reader.read_code import read_functions
from mochi_rules.wasm.wat import print_body, print_head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mochi_rules.elf.listing.listing import CodeFunction, Listing
    from mochi_rules.wasm.debug.line_table import LineTable, Place
    from mochi_rules.wasm.reader.read_code import ReadFunction


def explore_page(
    title: str, listing: Listing, wasm: bytes, texts: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield the parts of the page of a program, as HTML.

    Args:
        title: What the page is called.
        listing: The machine code, with lines if the columns shall have something in common.
        wasm: What it was compiled from; empty for a native program, which has no such column.
        texts: The lines of the sources by name; one that is not there is left out.

    Emits: A010, A011.
    """
    links = _Links(listing.lines)
    machine = listing.target.partition("-")[0]
    columns = [Column("Source", starmap(links.source, texts.items()))]
    if wasm:
        columns.append(Column("WebAssembly", map(links.function, read_functions(wasm))))
    columns.append(Column(f"{machine} machine code", map(links.code, listing.functions())))
    return render_columns(title, columns)


class _Links:
    """Numbers for what belongs together: a line is a group, an instruction of wasm a part."""

    def __init__(self, lines: LineTable) -> None:
        self._lines = lines
        places = {place for _, place in self._lines.rows() if place}
        self._groups = {place: number for number, place in enumerate(sorted(places), 1)}

    def source(self, name: str, lines: Sequence[str]) -> Block:
        """Return a source with its lines."""
        numbers = {
            place.line: group
            for place, group in self._groups.items()
            if self._lines.files[place.file] == name
        }
        rows = (Row(text, str(n), numbers.get(n, 0)) for n, text in enumerate(lines, 1))
        return Block(name, rows)

    def function(self, item: ReadFunction) -> Block:
        """Return a function of the WebAssembly; closed where it comes from no source."""
        head, *declarations = print_head(item.function)
        is_open = any(self._group(self._lines.find(offset)) for offset in item.offsets)
        return Block(head, chain(map(Row, declarations), self._body(item)), is_open)

    def _body(self, item: ReadFunction) -> Iterator[Row]:
        ending = f"  ;; not shown: {item.rest}" if item.rest else ")"
        texts = chain(print_body(item.function), [ending])
        for text, offset in zip(texts, item.offsets, strict=True):
            yield Row(text, f"{offset:x}", self._group(self._lines.find(offset)), offset)

    def code(self, function: CodeFunction) -> Block:
        """Return the machine code of a function; closed where it comes from no source."""
        rows = (
            Row(
                f"{row.instruction.mnemonic:<7} {row.instruction.operands}".rstrip(),
                f"{row.instruction.address:x}",
                self._group(row.place),
                row.origin or 0,
            )
            for row in function.rows()
        )
        return Block(function.name, rows, is_open=self._group(function.place) > 0)

    def _group(self, place: Place | None) -> int:
        return self._groups.get(place, 0) if place else 0
