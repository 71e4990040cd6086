"""What faults and kills build: three programs, a library, and every kind of output."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING

from tests.e2e.project import Project
from tests.faults.command import typed
from tests.faults.harness import Wrong

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

EMITS = ("wasm", "cwasm", "obj")
FILES = {
    "app/SConscript": 'mochi_library(name="text", srcs=["text.mochi"])\n'
    'mochi_binary(name="a", srcs=["a.mochi"], deps=[":text"])\n'
    'mochi_binary(name="b", srcs=["b.mochi"])\n'
    'mochi_binary(name="c", srcs=["c.mochi"])\n'
    'mochi_test(name="b_test", program=":b", expected="b.txt")\n',
    "app/text.mochi": "export fun twice(s: string): string { return s + s }\n",
    "app/a.mochi": 'import "./text" as text\nprint(text.twice("a"))\n',
    "app/b.mochi": "print(6 * 7)\n",
    "app/b.txt": "42\n",
    "app/c.mochi": "let xs = [3, 1, 2]\nprint(from x in xs sort by x select x * x)\n",
}


def make_project(folder: Path, cache: Path) -> Project:
    """Return a project with our files, not built."""
    folder.mkdir(parents=True)
    project = Project(folder, cache)
    project.write(FILES)
    return project


def build_all(project: Project, *words: str) -> dict[str, bytes]:
    """Build everything, and return what was made.

    Raises:
        Wrong: The build fails, or ends with a traceback.
    """
    done = project.scons("-j2", *words)
    if done.status or "Traceback" in done.err + done.out:
        raise Wrong(f"scons ends with status {done.status}: {done.err[-300:]}")
    return project.outputs("build/**/*")


def difference(got: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    """Return the names of outputs that one of two builds has not, or has otherwise."""
    return sorted(name for name in got | wanted if got.get(name) != wanted.get(name))


def build_file(
    source: Path, emit: str, cache: Path, under: AbstractContextManager[None] | None = None
) -> tuple[int, bytes | None]:
    """Build a file by the command line in this process, in a context.

    Returns:
        The status, and the bytes of the output or None.

    Raises:
        Bug: See `typed`.
        Wrong: A file is left behind.
    """
    out = cache.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with under or nullcontext():
        status, _ = typed("build", source, "-o", out / "out", "--emit", emit, "--cache", cache)
    left = {path.name for path in out.iterdir()}
    if left - {"out"}:
        raise Wrong(f"left behind: {sorted(left)}")
    return status, (out / "out").read_bytes() if left else None
