"""JSON as files of a release have it: equal values are equal bytes."""

from __future__ import annotations

import json


def document(value: object) -> bytes:
    """Return a value as indented JSON, ending in a newline."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def line(value: object) -> bytes:
    """Return a value as JSON in one line, without a newline."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
