"""Test that an identity covers all code that decides what its tool makes."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mochi_rules
from mochi_rules.steps.identity import SOURCES, source_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGE = Path(mochi_rules.__file__).parent
# Where the work of each tool begins: modules, or a function of `steps.step`.
ENTRIES = {
    "mochi": (
        "steps.step:mochi_step",
        "steps.step:library_step",
        "steps.engines.compiler_worker",
        "compiler.driver",
    ),
    "import": ("steps.step:import_step",),
    "aot": (
        "steps.step:aot_step",
        "aot.probe",
        "aot.worker",
        "aot.tools.command_line",
        "aot.tools.emulated",
    ),
    "elf": ("steps.step:check_step", "steps.artifact_check"),
    "object": ("steps.step:object_step",),
    "executable": ("steps.step:executable_step",),
    "test": ("steps.test_case", "steps.away.guest"),
    "stamp": ("steps.stamp",),
    "bundle": ("steps.native.bundle",),
    "native": ("steps.native.native_program", "steps.native.c_library"),
    "cargo": ("steps.step:recipe_step",),
}
STEPS = "steps.step"  # of every tool: what its functions import counts for their own tool
# It hands requests to all engines: its code counts, but not what it imports.
ENGINES = "steps.engines.engines"
# They choose a tool, and the choice is an argument of the step.
CHOOSERS = ("steps.tools.tool_choice", "aot.tools.c_compilers")


@pytest.mark.parametrize("tool", SOURCES)
def test_identity_covers_the_import_closure(tool: str) -> None:
    """Whatever a step may load decides its bytes, and an edit of it changes the key."""
    assert closure(ENTRIES[tool]) <= set(source_files(tool))


def test_every_step_belongs_to_an_entry() -> None:
    """A new kind of step names its tool here."""
    steps = [name for name in functions(STEPS) if name.endswith("_step")]
    named = {entry.partition(":")[2] for entries in ENTRIES.values() for entry in entries}
    assert set(steps) <= named


def test_step_is_within_the_identity_of_its_tools() -> None:
    """An edit of a function that makes a step changes the step's key, wherever it stands."""
    found = 0
    for path in sorted((PACKAGE / "steps").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Step"), args=[_, _, ast.Tuple(elts=tools), *_]):
                    names = {tool.value for tool in tools if isinstance(tool, ast.Constant)}
                    found += 1
                    for name in names & set(SOURCES):
                        assert str(path.relative_to(PACKAGE)) in source_files(name), (path, name)
    assert found > 10


def closure(entries: Iterable[str]) -> set[str]:
    """Return the files of ours that run when some entries do, from the package."""
    found: set[str] = set()
    pending = list(entries)
    while pending:
        name = pending.pop()
        module, _, function = name.partition(":")
        path = file_of(module)
        if module in CHOOSERS or path is None or (path in found and not function):
            continue
        if holds_code(path):
            found.add(path)
        parts = module.split(".")
        pending += [".".join(parts[:end]) for end in range(1, len(parts))]
        if function:
            pending += imports(functions(module)[function])
        if module == STEPS:
            pending += [name for item in shared(path) for name in imports(item)]
        elif module != ENGINES:
            pending += imports(tree_of(path))
    return found


def file_of(module: str) -> str | None:
    """Return the file of a module, or None where a name is something else."""
    base = module.replace(".", "/")
    paths = (f"{base}.py", f"{base}/__init__.py")
    return next((path for path in paths if (PACKAGE / path).is_file()), None)


@cache
def tree_of(path: str) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse((PACKAGE / path).read_text("utf-8"))


def functions(module: str) -> dict[str, ast.AST]:
    """Return the functions of a module, by name."""
    path = file_of(module)
    assert path is not None
    return {item.name: item for item in tree_of(path).body if isinstance(item, ast.FunctionDef)}


def shared(path: str) -> list[ast.stmt]:
    """Return what of a module is not a function: it runs for all of them."""
    return [item for item in tree_of(path).body if not isinstance(item, ast.FunctionDef)]


def holds_code(path: str) -> bool:
    """Return whether a file has more than a docstring."""
    return any(not isinstance(item, ast.Expr) for item in tree_of(path).body)


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield what some code imports of ours when it runs: modules, and names that may be modules."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        pending += ast.iter_child_nodes(node)
        names = [alias.name for alias in getattr(node, "names", ()) if isinstance(alias, ast.alias)]
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{name}" for name in names)]
        ours = f"{mochi_rules.__name__}."
        yield from (name.removeprefix(ours) for name in names if name.startswith(ours))
