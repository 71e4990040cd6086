"""Builds a release again, from its provenance and the source at its commit, and compares it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import read_input
from mochi_rules.base.printable import output_notes
from mochi_rules.release.archives.reader import read_archive
from mochi_rules.release.build_record import chain
from mochi_rules.release.circumstances import package_versions
from mochi_rules.release.envelope import malformed
from mochi_rules.release.provenance import provenance_name
from mochi_rules.release.repeat.difference import (
    changed,
    executable_difference,
    packing_difference,
    step_difference,
)
from mochi_rules.release.repeat.diffoscope import diffoscope
from mochi_rules.release.repeat.requirements_lock import environment_variables, make_environment
from mochi_rules.release.source import check_commit, check_out
from mochi_rules.release.verify import read_provenance
from mochi_rules.steps.step import WASM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mochi_rules.release.provenance import Provenance

# The packages that decide bytes; of the others it does not matter which version there is.
_DECIDING = ("mochi-rules", "wasmtime")


@dataclass(frozen=True, slots=True)
class Comparison:
    """An archive, and in what the one that was built again differs; empty where it is equal."""

    name: str
    differences: tuple[str, ...]


def rebuild(path: Path, source: Path, *, is_fresh: bool = False) -> list[Comparison]:
    """Build again what a provenance file describes, and compare every archive.

    `source` is a repository that has the commit. Archives beside the file are compared in detail.
    The tools are those of the lock of the release, where it `is_fresh`, or where others are
    installed.

    Emits: B010, R003, R010, R026, R027 (other tools), R033 (cannot be built again), R034 (the
    build failed), R041 (no lock), R042 (what the lock lists is not available).
    """
    statements = _statements(path)
    for provenance in statements:
        is_fresh |= _needs_environment(provenance)
        check_commit(source, provenance)
    with tempfile.TemporaryDirectory(prefix="mochi-rebuild-") as folder:
        check_out(source, statements[0].commit, Path(folder) / "source")
        workspace = _workspace(path, statements[0], Path(folder) / "source")
        python = Path(sys.executable)
        if is_fresh:
            lock = _lock(workspace, statements[0])
            python = make_environment(lock, Path(folder) / "environment")
        _build(workspace, statements, python)
        again = _made(workspace, statements)
        return [
            comparison
            for old in statements
            for comparison in _compare(path.parent, workspace, old, again[old.platform])
        ]


def _statements(path: Path) -> list[Provenance]:
    """Return the statements of a release, one for each platform.

    Emits: B010, R010 (of several releases).
    """
    statements = [item for _, item in read_provenance(str(path), read_input(path))]
    first = statements[0]
    for item in statements:
        if (item.name, item.version, item.commit) != (first.name, first.version, first.commit):
            why = f"it describes `{first.name}` {first.version} and `{item.name}` {item.version}"
            raise malformed(str(path), why)
    return statements


def _needs_environment(provenance: Provenance) -> bool:
    """Return whether other tools than those of the release are installed, and it has a lock.

    Emits: R027 (other tools, and no lock), R033 (the source is not in a commit).
    """
    if provenance.changed or not provenance.commit:
        notes = tuple(f"`{name}` differed" for name in provenance.changed)
        message = "the release was made from changes that were not committed"
        raise fail("R033", message, notes=notes, help="release a commit, without `allow_dirty`")
    here = package_versions()
    wrong = [
        name for name in _DECIDING if name in provenance.tools
        and provenance.tools[name] != here.get(name)
    ]  # fmt: skip
    if wrong and not provenance.lock:
        notes = tuple(
            f"{name} is {here.get(name, 'missing')} here, and was {provenance.tools[name]}"
            for name in wrong
        )
        packages = " ".join(f"{name}=={provenance.tools[name]}" for name in wrong)
        message = "the release was made with other tools than are installed here"
        raise environment_error("R027", message, notes=notes, help=f"run `pip install {packages}`")
    return bool(wrong)


def _workspace(path: Path, provenance: Provenance, clone: Path) -> Path:
    """Return the workspace of a release in a clone.

    Emits: R010 (it is not there).
    """
    workspace = clone / provenance.folder
    if workspace.is_dir() and workspace.resolve().is_relative_to(clone.resolve()):
        return workspace
    raise malformed(str(path), f"its commit has no folder `{provenance.folder}`")


def _lock(workspace: Path, provenance: Provenance) -> Path:
    """Return the lock of a release, as it was.

    Emits: R041 (there is none).
    """
    path, digest = provenance.lock or ("", "")
    lock = workspace / path
    if not lock.resolve().is_relative_to(workspace.resolve()) or not lock.is_file():
        help_ = "leave out `--fresh`, or ask the publisher to release with `lock`"
        raise fail("R041", "the provenance has no lock of the tools", help=help_)
    if digest_bytes(lock.read_bytes()).hash != digest:
        help_ = "name the repository that the release was made from"
        raise fail("R041", f"`{path}` is not the lock that the provenance names", help=help_)
    return lock


def _build(workspace: Path, statements: Sequence[Provenance], python: Path) -> None:
    """Make the release, without a cache.

    Emits: R034.
    """
    first = statements[0]
    variables = {name: value for name, value in first.variables.items() if value}
    variables |= {"version": first.version, "cache": "off", "remote": "off",
                  "target": ",".join(item.platform for item in statements)}  # fmt: skip
    words = [f"{name}={value}" for name, value in sorted(variables.items())]
    is_ours = python == Path(sys.executable)
    environment = dict(os.environ) if is_ours else environment_variables()
    environment["SOURCE_DATE_EPOCH"] = str(first.time)
    done = subprocess.run(
        [str(python), "-m", "SCons", "-Q", "release", *words],
        cwd=workspace,
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise _failed(done.stderr.decode("utf-8", "replace") or done.stdout.decode())


def _made(workspace: Path, statements: Sequence[Provenance]) -> dict[str, Provenance]:
    """Return what the build says it made of the same release, by platform.

    Emits: R034 (another release).
    """
    name = provenance_name(statements[0].name, statements[0].version)
    made = workspace / "dist" / name
    if not made.is_file():
        raise _failed(f"the build did not make `{name}`")
    found = {item.platform: item for _, item in read_provenance(name, made.read_bytes())}
    for item in statements:
        if item.platform not in found:
            raise _failed(f"the build made no release for `{item.platform}`")
    return found


def _failed(output: str) -> Exception:
    notes = output_notes("scons", output)
    help_ = "run `mochi-rules doctor` to see which tools are missing"
    return environment_error("R034", "the release cannot be built here", notes=notes, help=help_)


def _compare(
    folder: Path, workspace: Path, old: Provenance, new: Provenance
) -> Iterator[Comparison]:
    """Compare the archives of a platform; `folder` may have the published ones."""
    steps = tuple(step_difference(old.steps, new.steps))
    for name, digests in old.subjects.items():
        if new.subjects.get(name) == digests:
            yield Comparison(name, ())
            continue
        if name not in new.subjects:
            yield Comparison(name, (*steps, "it was not made"))
            continue
        files = changed(old.contents.get(name, {}), new.contents.get(name, {}))
        found = [*steps, *(f"{path} differs" for path in files)]
        details = _details(folder / name, workspace, old, new)
        yield Comparison(
            name, (*(found or [packing_difference(old.runtime, new.runtime)]), *details)
        )


def _details(published: Path, workspace: Path, old: Provenance, new: Provenance) -> Iterator[str]:
    """Give where two archives and their programs differ, or why this cannot be seen."""
    name, made = published.name, workspace / "dist" / published.name
    is_there = published.is_file()
    data = published.read_bytes() if is_there else b""
    if hashlib.sha256(data).hexdigest() != old.subjects[name][0]:
        why = (
            "beside the provenance is another file" if is_there else "is not beside the provenance"
        )
        yield f"the archives were not compared: `{name}` {why}"
        return
    if old.programs != new.programs:
        yield from _program_details(name, (data, made.read_bytes()), workspace, (old, new))
    yield from diffoscope(published, made)


def _program_details(
    name: str, archives: tuple[bytes, bytes], workspace: Path, sides: tuple[Provenance, Provenance]
) -> Iterator[str]:
    """Give where the programs of two archives differ."""
    old, new = sides
    by_digest, other = (
        {digest_bytes(file.data).hash: file.data for file in read_archive(name, data).values()}
        for data in archives
    )
    for program, digest in old.programs.items():
        again = new.programs.get(program, "")
        if digest == again or digest not in by_digest or again not in other:
            continue
        wasm = _wasm(workspace, new, again)
        for text in executable_difference(by_digest[digest], other[again], wasm):
            yield f"{program}: {text}"


def _wasm(workspace: Path, provenance: Provenance, program: str) -> bytes:
    """Return the WebAssembly that a program was built from; empty where it is not there."""
    steps = {step.verb: step for step in chain(provenance.steps, program)}
    digest = steps["aot"].inputs.get(WASM, "") if "aot" in steps else ""
    for path in workspace.rglob("*.wasm"):
        data = path.read_bytes()
        if digest_bytes(data).hash == digest:
            return data
    return b""
