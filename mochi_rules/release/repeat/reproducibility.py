"""Builds a workspace again and again under variations, and compares every output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.printable import output_notes
from mochi_rules.release.repeat.memory_cache import memory_cache
from mochi_rules.release.repeat.variations import FILE_ORDER, VARIATIONS, Variation, possible
from mochi_rules.release.revision import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# However a remote cache is used here: what it gets is complete when a build ends.
_REMOTE = {"MOCHI_RULES_REMOTE_MODE": "both", "MOCHI_RULES_REMOTE_UPLOAD": "wait"}
_NOTES = ".mochi"  # the folder of the journal, which has times
_OTHER = "another place/with a longer path"


@dataclass(frozen=True, slots=True)
class Findings:
    """What became of each output by path, with what differs; `lacking` is what was not varied.

    An output that differs has the names of the variations that change it alone, or of all where
    only together they do.
    """

    equal: tuple[str, ...]
    different: Mapping[str, tuple[str, ...]]
    varied: tuple[str, ...]
    lacking: Mapping[str, str]


class _Builder:
    """Builds copies of a workspace; `words` are what SCons is asked for."""

    def __init__(self, workspace: Path, build: str, words: Sequence[str], folder: Path) -> None:
        self._workspace, self._build, self._words, self._folder = workspace, build, words, folder

    def outputs(
        self,
        name: str,
        variations: Iterable[Variation] = (),
        *,
        cache: str = "off",
        remote: str = "off",
    ) -> dict[str, str]:
        """Return the digests of all outputs of a build in a folder of a name, by path.

        Emits: R035 (the build failed).
        """
        place = self._folder / name
        if not place.exists():
            _copy(self._workspace, self._build, place)
        shutil.rmtree(place / self._build, ignore_errors=True)
        wrappers: list[str] = []
        words, variables = [f"cache={cache}", f"remote={remote}"], {**os.environ}
        # Tools that are installed for this user are found in whatever home.
        variables["XDG_DATA_HOME"] = str(user_data_path())
        variables |= _REMOTE
        umask = -1
        for item in variations:
            wrappers += item.wrapper
            words += item.words
            variables |= dict(item.variables)
            umask = umask if item.umask is None else item.umask
        done = subprocess.run(
            [*wrappers, sys.executable, "-m", "SCons", "-Q", *self._words, *words],
            cwd=place,
            env=variables,
            umask=umask,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise _failed(name, done.stderr or done.stdout)
        return _digests(place / self._build)


def check_reproducible(
    workspace: Path,
    build: str,
    words: Sequence[str],
    tools: tuple[Sequence[Variation], Mapping[str, str]],
    note: Callable[[str], object],
) -> Findings:
    """Compare builds of a workspace whose outputs lie in `build`; `note` hears how far it is.

    `tools` is what `other_tools` returns.

    Emits: R035 (a build failed).
    """
    variations, missing = possible(VARIATIONS)
    apart, unordered = possible([FILE_ORDER])
    lacking = {**missing, **unordered, **tools[1]}
    different: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="mochi-reproducible-") as folder, memory_cache() as far:
        builder = _Builder(workspace, build, words, Path(folder))
        near, empty = f"{folder}/cache", f"{folder}/empty"
        note("building as it is")
        first = builder.outputs("plain")
        note("building under all variations")
        second = builder.outputs(_OTHER, variations, cache=near, remote=far.url)
        note("restoring from the cache that this build filled")
        others = {"cache": builder.outputs("restored", cache=near)}
        far.found = 0
        fetched = builder.outputs("restored", cache=empty, remote=far.url)
        if far.found:
            others["remote cache"] = fetched
        else:
            lacking["remote cache"] = "nothing could be restored from it"
        for item in (*apart, *tools[0]):
            note(f"building apart: {item.name}")
            others[item.name] = builder.outputs("plain", [item])
            if item.platforms:  # the others are as they were
                others[item.name] = _outside(item.platforms, first) | others[item.name]
        for name, outputs in others.items():
            for path in _unequal(first, outputs):
                different.setdefault(path, []).append(name)
        if wrong := _unequal(first, second):
            for item in (Variation("folder"), *variations):
                note(f"building under another {item.name}")
                place = _OTHER if item.name == "folder" else "plain"
                for path in _unequal(first, builder.outputs(place, [item])):
                    different.setdefault(path, []).append(item.name)
            for path in wrong:
                different.setdefault(path, ["all of them together"])
    varied = ("folder", *others, *(item.name for item in variations))
    equal = tuple(path for path in sorted(first) if path not in different)
    found = {path: tuple(different[path]) for path in sorted(different)}
    return Findings(equal, found, varied, lacking)


def report(findings: Findings) -> list[str]:
    """Return a line for each output, and what was varied."""
    lines = [f"{path}: equal" for path in findings.equal]
    lines += [f"{path}: differs by {', '.join(by)}" for path, by in findings.different.items()]
    lines.append(f"varied: {', '.join(findings.varied)}")
    if findings.lacking:
        why = ", ".join(f"{name} ({reason})" for name, reason in findings.lacking.items())
        lines.append(f"not varied: {why}")
    count = len(findings.equal) + len(findings.different)
    lines.append(f"{len(findings.equal)} of {count} outputs are reproducible")
    return lines


def _unequal(one: Mapping[str, str], two: Mapping[str, str]) -> list[str]:
    return [path for path in sorted({*one, *two}) if one.get(path) != two.get(path)]


def _outside(platforms: Iterable[str], outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the outputs that are of none of some platforms, whose names begin their paths."""
    beginnings = tuple(f"{name}-" for name in platforms)
    return {path: digest for path, digest in outputs.items() if not path.startswith(beginnings)}


def _digests(build: Path) -> dict[str, str]:
    paths = (path for path in build.rglob("*") if path.is_file())
    found = {path.relative_to(build).as_posix(): path for path in paths}
    return {
        name: digest_bytes(path.read_bytes()).hash
        for name, path in found.items()
        if not name.startswith(f"{_NOTES}/")
    }


def _copy(workspace: Path, build: str, place: Path) -> None:
    """Copy the sources: what git knows or would add, or else all but outputs."""
    listed = git(workspace, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is None:
        ignored = shutil.ignore_patterns(build, "dist", ".git", ".sconsign*", "__pycache__")
        shutil.copytree(workspace, place, ignore=ignored, symlinks=True)
        return
    for name in sorted(set(filter(None, os.fsdecode(listed).split("\0")))):
        if (workspace / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(workspace / name, place / name)


def _failed(name: str, output: bytes) -> Exception:
    notes = output_notes("scons", output.decode("utf-8", "replace"))
    message = f"the build in the folder `{name}` failed"
    help_ = "run `scons` in a copy of the workspace: it may need files that git does not know"
    return environment_error("R035", message, notes=notes, help=help_)
