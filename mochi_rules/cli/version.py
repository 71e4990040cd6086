"""What `mochi-rules --version` prints: the version, its commit, and Wasmtime's."""

from __future__ import annotations

from mochi_rules import __version__
from mochi_rules.release.revision import own_commit
from mochi_rules.steps.identity import PACKAGE, WASMTIME, Identities

_DIGITS = 12  # of a commit


def version_text() -> str:
    """Return the version in one line."""
    commit = own_commit(PACKAGE)[:_DIGITS]
    shown = f"commit {commit}, " if commit else ""
    return f"mochi-rules {__version__} ({shown}Wasmtime {Identities(None).of(WASMTIME)})"
