"""Listings as text: functions, their source lines, addresses, bytes and instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.printable import printable
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mochi_rules.elf.listing.listing import CodeFunction, CodeRow, Listing
    from mochi_rules.wasm.debug.line_table import Place

_HEADING, _COMMENT, _MNEMONIC, _RESET = "\x1b[1m", "\x1b[36m", "\x1b[33m", "\x1b[0m"
_SIZES = {name: row.instruction_size for row in ARCHITECTURES for name in row.triple_names}
_PULLEY_SIZE = 4
_ADDRESS_WIDTH = 8


def render_listing(
    listing: Listing,
    functions: Iterable[CodeFunction],
    texts: Mapping[str, Sequence[str]],
    *,
    color: bool = False,
) -> Iterator[str]:
    """Yield the lines of functions of a listing; `texts` has the lines of the sources.

    A function has a heading, and before the code of another line a comment with that line.
    """
    printer = _Printer(listing, texts, color=color)
    for number, function in enumerate(functions):
        if number:
            yield "\n"
        yield from (f"{line}\n" for line in printer.lines(function))


class _Printer:
    def __init__(
        self,
        listing: Listing,
        texts: Mapping[str, Sequence[str]],
        *,
        color: bool,
    ) -> None:
        self._files = [printable(name) for name in listing.files]
        self._texts = [texts.get(name, ()) for name in listing.files]
        self._width = 3 * _SIZES.get(listing.target.partition("-")[0], _PULLEY_SIZE) - 1
        self._color = color

    def lines(self, function: CodeFunction) -> Iterator[str]:
        place = function.place
        where = f" ({self._place(place)})" if place else ""
        yield self._paint(_HEADING, function.name + where)
        previous: Place | None = None
        for row in function.rows():
            if row.place != previous:
                yield self._paint(_COMMENT, f"  ; {self._comment(row.place)}")
                previous = row.place
            yield self._row(row)

    def _row(self, row: CodeRow) -> str:
        address, data, mnemonic, operands = row.instruction
        start = f"{address:{_ADDRESS_WIDTH}x}  {data.hex(' '):<{self._width}}"
        shown = self._paint(_MNEMONIC, mnemonic)
        gap = " " * (8 - len(mnemonic)) or " "
        return f"{start}  {shown}{gap}{operands}" if operands else f"{start}  {shown}"

    def _place(self, place: Place) -> str:
        return f"{self._files[place.file]}:{place.line}"

    def _comment(self, place: Place | None) -> str:
        if place is None:
            return "no line"
        lines = self._texts[place.file]
        known = place.line <= len(lines)
        text = printable(lines[place.line - 1].strip()) if known else ""
        return f"{self._place(place)}: {text}" if text else self._place(place)

    def _paint(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._color else text
