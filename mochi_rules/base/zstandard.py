"""Zstandard, of Python 3.14 or of its backport."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any


@cache
def load_zstd() -> Any:
    """Return the module `zstd`, or None where it is not installed."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 - takes 10 ms
        else:
            from backports import zstd  # noqa: PLC0415 - as above, and needs an extra
    except ImportError:
        return None
    return zstd
