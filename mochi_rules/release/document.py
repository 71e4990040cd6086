"""JSON as files of a release have it: equal values are equal bytes."""

from __future__ import annotations

import json
import time


def document(value: object) -> bytes:
    """Return a value as indented JSON, ending in a newline."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def line(value: object) -> bytes:
    """Return a value as JSON in one line, without a newline."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def timestamp(seconds: int) -> str:
    """Return a time since 1970 in the format of RFC 3339, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
