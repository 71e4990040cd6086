"""What a cache may take: bytes, and days since an entry was last used.

The cache belongs to a user, and not to a workspace: its limits are variables of the environment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE, DAYS = "MOCHI_RULES_CACHE_SIZE", "MOCHI_RULES_CACHE_DAYS"
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?([kmgt])b?", re.IGNORECASE)
_DAYS = re.compile(r"\d{1,5}")
_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
DAY = 86_400 * 10**9  # nanoseconds


@dataclass(frozen=True, slots=True)
class Limits:
    """What a cache may take: `size` in bytes, `age` in nanoseconds since an entry's last use.

    An `age` of 0 is no limit.
    """

    size: int = 5 << 30
    age: int = 0


def find_limits(environment: Mapping[str, str]) -> Limits:
    """Return the limits that the environment sets.

    Emits: K009.

    Raises:
        MochiError: One of them is not a limit.
    """
    size, days = environment.get(SIZE), environment.get(DAYS)
    default = Limits()
    return Limits(
        parse_size(SIZE, size) if size else default.size,
        parse_days(DAYS, days) if days else default.age,
    )


def parse_size(name: str, text: str) -> int:
    """Return the bytes that a string such as `20GB` stands for; `name` is what it sets.

    Emits: K009.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise fail("K009", f"`{name}` cannot be `{text}`", help="write a size such as `20GB`")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def parse_days(name: str, text: str) -> int:
    """Return the nanoseconds of a number of days; `name` is what it sets.

    Emits: K009.
    """
    if not _DAYS.fullmatch(text):
        raise fail("K009", f"`{name}` cannot be `{text}`", help="write a number such as `30`")
    return int(text) * DAY
