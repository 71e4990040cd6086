"""The reports that steps write, as JSON."""

from __future__ import annotations

import json

from mochi_rules.base.digest import digest_bytes


def facts(data: bytes) -> dict[str, object]:
    """Return what identifies a file in a report."""
    digest = digest_bytes(data)
    return {"sha256": digest.hash, "size": digest.size}


def report_text(value: object) -> bytes:
    """Return the text of a report: equal values have equal texts."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
