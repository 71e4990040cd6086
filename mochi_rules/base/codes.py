"""The registry of diagnostic codes: what each means, what causes it, and what to do about it.

`python -m mochi_rules.base.codes` prints docs/errors.md.
"""

from __future__ import annotations

import re
import sys
import textwrap
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

# The letter that a code begins with, and what its diagnostics are about.
GROUPS = {
    "A": "WebAssembly, artifacts and executables",
    "B": "Builds, targets and the command line",
    "C": "Platforms and tools",
    "K": "The cache",
    "P": "Syntax",
    "R": "Releases",
    "T": "Names and types",
    "X": "Errors in mochi_rules itself",
}
_WIDTH = 80  # columns
_CODE = re.compile(r"[A-Z][0-9]{3}")
_INTRODUCTION = """\
# Diagnostic codes

Every diagnostic has a code, such as `B022` in `error[B022]`. `mochi-rules explain B022` prints
its entry on this page.

<!-- From mochi_rules/base/codes.toml, by `python -m mochi_rules.base.codes > docs/errors.md` -->
"""


class Entry(NamedTuple):
    """A code: a phrase that names it, sentences on its cause, and sentences on what to do."""

    title: str
    cause: str
    help: str


def is_code(text: str) -> bool:
    """Return whether a string has the form of a code: a capital letter and three digits."""
    return _CODE.fullmatch(text) is not None


@cache
def registry() -> Mapping[str, Entry]:
    """Return the entries by code, in the order of the codes."""
    import tomllib  # noqa: PLC0415 - with the next it takes 15 ms, and most runs explain no code

    text = Path(__file__).with_name("codes.toml").read_text(encoding="utf-8")
    return {code: Entry(**entry) for code, entry in sorted(tomllib.loads(text).items())}


def explanation(code: str) -> str:
    """Return what a code means, as lines of at most 80 columns.

    Emits: B067 (no such code).

    Raises:
        MochiError: No diagnostic has the code.
    """
    entry = registry().get(code)
    if entry is None:
        help_ = did_you_mean(code, registry())
        raise fail("B067", f"no diagnostic has the code `{code}`", help=help_)
    paragraphs = (f"{code}: {entry.title}", entry.cause, f"help: {entry.help}")
    return "\n".join(
        textwrap.fill(part, _WIDTH, break_on_hyphens=False) + "\n" for part in paragraphs
    )


def reference() -> str:
    """Return docs/errors.md."""
    parts = [_INTRODUCTION]
    for letter, codes in groupby(registry(), lambda code: code[0]):
        parts.append(f"## {GROUPS[letter]}\n")
        for code in codes:
            title, cause, help_ = registry()[code]
            parts.append(f"### {code}: {title}\n\n{cause}\n\n{help_}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(reference())
