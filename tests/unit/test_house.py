"""The house rules that a program can check: sizes of files and functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "mochi_rules").rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 500, 60

# Files that are tables: one entry after the other, no logic.
LONG_FILES = {"mochi_rules/compiler/syntax/ast.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_and_its_functions_are_short(path) -> None:
    """A file has at most 500 lines, unless it is a table; a function at most 60."""
    text = path.read_text(encoding="utf-8")
    if str(path.relative_to(ROOT)) not in LONG_FILES:
        assert text.count("\n") <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < MAX_FUNCTION, node.name
