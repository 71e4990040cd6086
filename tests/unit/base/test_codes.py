"""The registry of diagnostic codes: complete, exact, and documented as it is."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.codes import GROUPS, is_code, reference, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "mochi_rules").rglob("*.py"))
parse = cache(lambda path: ast.parse(path.read_text(encoding="utf-8")))
# A code within a docstring; of a range, its ends.
_MENTION = re.compile(rf"\b[{''.join(GROUPS)}][0-9]{{3}}\b")


def _emitted(path: Path) -> Iterator[str]:
    """Return the codes that a module may emit: its literals, except what it compares with."""
    tree = parse(path)
    compared = {
        part for node in ast.walk(tree) if isinstance(node, ast.Compare) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and is_code(node.value) and node not in compared:
            yield node.value


def test_registry_has_every_code_that_is_emitted_and_no_other() -> None:
    """Whoever adds a code writes its entry; whoever removes the last use removes it."""
    emitted = {code for path in SOURCES for code in _emitted(path)}
    assert sorted(emitted) == list(registry())


def test_codes_that_docstrings_name_are_registered() -> None:
    """`Emits: B016 (no such target)` is about a code that there is."""
    for path in SOURCES:
        for node in ast.walk(parse(path)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                named = _MENTION.findall(ast.get_docstring(node) or "")
                assert set(named) <= set(registry()), f"{path}: {node}"


def test_entries_are_worded_alike() -> None:
    """A title is a phrase, of which no two are the same; cause and help are sentences."""
    titles = [entry.title for entry in registry().values()]
    assert len(set(titles)) == len(titles)
    for code, entry in registry().items():
        assert not entry.title.endswith("."), code
        assert entry.cause.endswith("."), code
        assert entry.help.endswith("."), code
        assert all(part == part.strip() for part in entry), code


def test_reference_is_up_to_date() -> None:
    """`python -m mochi_rules.base.codes > docs/errors.md` writes it."""
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == reference()
