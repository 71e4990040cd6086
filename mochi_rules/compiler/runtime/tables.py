"""Static tables of the runtime library, computed rather than copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES: dict[str, Callable[[], bytes]] = {}
