"""Numbers as people read them."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size_text(size: int) -> str:
    """Return a size in bytes as `214 kB` or `1.4 MB`; a kB has 1000 bytes."""
    value = float(size)
    unit, *larger = _UNITS
    while value >= 999.5 and larger:
        value /= 1000
        unit, *larger = larger
    is_exact = unit == "B" or value >= 9.95
    return f"{value:.0f} {unit}" if is_exact else f"{value:.1f} {unit}"


def seconds_text(seconds: float) -> str:
    """Return a time as `0.04s`, `1.2s` or `2m05s`."""
    if seconds < 0.1:
        return f"{seconds:.2f}s"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s"


def elide_middle(text: str, width: int) -> str:
    """Return a string of at most `width` characters, `...` in the place of its middle."""
    if len(text) <= width:
        return text
    if width <= 3:
        return text[:width]
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"
