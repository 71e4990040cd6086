"""Distributions: our own, made from a clone, and those that are installed here, packed again."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from .project import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PARTS = ("mochi_rules", "toolchains", "setup.py", "pyproject.toml", "README.md", "LICENSE",
          "MANIFEST.in")  # fmt: skip
_MAKE = "from setuptools.build_meta import build_{0}; build_{0}({1!r})"
_IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@x.org")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_OF_AN_INSTALLATION = ("INSTALLER", "REQUESTED", "direct_url.json")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    command = ["git", *_IDENTITY, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_source(root: Path) -> Path:
    """Make a repository of our sources in a folder."""
    ignored = shutil.ignore_patterns("target", "__pycache__")
    for name in _PARTS:
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, root / name, ignore=ignored)
        else:
            shutil.copy(path, root / name)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "x")
    return root


def make_distribution(source: Path, place: Path, kind: str, umask: int = 0o022) -> Path:
    """Return the distribution of a clone, made under a umask; `kind` is `sdist` or `wheel`."""
    place.mkdir()
    command = ["git", "clone", "-q", str(source), "clone"]
    subprocess.run(command, cwd=place, check=True, umask=umask)
    command = [sys.executable, "-c", _MAKE.format(kind, str(place))]
    subprocess.run(command, cwd=place / "clone", check=True, capture_output=True, umask=umask)
    [made] = [path for path in place.iterdir() if path.is_file()]
    return made


def pack_installed(names: Iterable[str], folder: Path) -> None:
    """Write wheels of packages that are installed, and of all that they need, into a folder."""
    left, seen = list(names), set[str]()
    while left:
        name = left.pop()
        try:
            found = distribution(name)
        except PackageNotFoundError:  # needed elsewhere
            continue
        if found.name in seen:
            continue
        seen.add(found.name)
        needed = (text for text in found.requires or () if "extra ==" not in text)
        left += [match[0] for text in needed if (match := _NAME.match(text))]
        _pack(found.name, folder)


def _pack(name: str, folder: Path) -> None:
    found = distribution(name)
    tag = re.findall(r"^Tag: (\S+)", found.read_text("WHEEL") or "", re.MULTILINE)[-1]
    stem = re.sub("[-_.]+", "_", name)
    with zipfile.ZipFile(folder / f"{stem}-{found.version}-{tag}.whl", "w") as wheel:
        for path in found.files or ():
            is_own = path.parts[0] != ".." and path.suffix != ".pyc"
            if is_own and path.name not in _OF_AN_INSTALLATION:
                wheel.write(path.locate(), path.as_posix())
