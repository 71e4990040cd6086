"""The house rules that a program can check: sizes of files and functions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "mochi_rules").rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 500, 60


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_and_its_functions_are_short(path) -> None:
    """A file has at most 500 lines, a function at most 60."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < MAX_FUNCTION, node.name


def test_architecture_shows_the_packages_on_disk() -> None:
    """The tree in ARCHITECTURE.md has every package, and no other."""
    tree = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("```")[1]
    shown, parents = set(), []
    for indent, name in re.findall(r"^( *)(\w+)/(?= |$)", tree, re.MULTILINE):
        parents = [*parents[: len(indent) // 2], name]
        shown.add("/".join(parents))
    packages = {path.parent for path in SOURCES if path.name == "__init__.py"}
    on_disk = {str(path.relative_to(ROOT)) for path in packages}
    assert {name for name in shown if name.startswith("mochi_rules")} == on_disk


def test_architecture_names_functions_that_exist() -> None:
    """The way of a program through the house leads along functions that are there."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = re.findall(r"^\| .*?`([a-z_]+(?:\.\w+){2,})` ", text, re.MULTILINE)
    assert len(rows) > 5
    for row in rows:
        path = ROOT / "mochi_rules"
        names = row.split(".")
        while (path / names[0]).is_dir():
            path /= names.pop(0)
        defined = (path / f"{names.pop(0)}.py").read_text("utf-8")
        assert all(re.search(rf"(def|class) {name}\b", defined) for name in names), row
