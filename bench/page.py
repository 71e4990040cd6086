"""The sections of docs/performance.md that commands write: what is between their marks."""

from __future__ import annotations

import re
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def write_section(name: str, lines: Iterable[str]) -> None:
    """Replace a section of the page."""
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    pattern = re.compile(f"(?<={begin}).*?(?={end})", re.DOTALL)
    text = PAGE.read_text(encoding="utf-8")
    assert pattern.search(text), f"{PAGE} has no section `{name}`"
    PAGE.write_text(pattern.sub(lambda _: "\n".join(lines), text), encoding="utf-8")


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    logarithms = [log(ratio) for ratio in ratios]
    return exp(sum(logarithms) / len(logarithms))
