"""Sources and spans: positions in a source."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from mochi_rules.base.dataclass import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A named text. Offsets into it count code points; lines and columns start at 1."""

    name: str
    text: str
    _line_starts: list[int] = field(default_factory=list, repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset; the end of the text has one too."""
        if not self._line_starts:
            rows = self.text.split("\n")
            self._line_starts.extend(accumulate((len(row) + 1 for row in rows[:-1]), initial=0))
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a line, without its line break."""
        self.position(0)
        start = self._line_starts[number - 1]
        is_last = number == len(self._line_starts)
        end = len(self.text) if is_last else self._line_starts[number] - 1
        return self.text[start:end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range [start, end) of a source; never empty when shown."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters of the range."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        """Return `file:line:column` of the start."""
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
