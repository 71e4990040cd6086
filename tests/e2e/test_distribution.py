"""Tests of our own wheel and source distribution."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from .project import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.needs("git")]

PARTS = ("mochi_rules", "toolchains", "setup.py", "pyproject.toml", "README.md", "LICENSE",
         "MANIFEST.in")  # fmt: skip
MAKE = "from setuptools.build_meta import build_{0}; build_{0}({1!r})"
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@x.org")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with our sources."""
    root = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("target", "__pycache__")
    for name in PARTS:
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, root / name, ignore=ignored)
        else:
            shutil.copy(path, root / name)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "x")
    return root


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    command = ["git", *IDENTITY, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def distribution(source: Path, place: Path, kind: str, umask: int) -> bytes:
    """Return the distribution of a clone, made under a umask."""
    place.mkdir()
    command = ["git", "clone", "-q", str(source), "clone"]
    subprocess.run(command, cwd=place, check=True, umask=umask)
    script = MAKE.format(kind, str(place))
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=place / "clone", check=True, capture_output=True, umask=umask)
    [made] = [path for path in place.iterdir() if path.is_file()]
    return made.read_bytes()


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_distribution_is_reproducible(kind: str, source: Path, tmp_path: Path) -> None:
    """Neither the folder nor the umask nor the time of the checkout matter."""
    pytest.importorskip("setuptools", minversion="77")
    one = distribution(source, tmp_path / "one", kind, 0o022)
    two = distribution(source, tmp_path / "another place", kind, 0o077)
    assert one == two


def test_distributions_name_their_commit(source: Path, tmp_path: Path) -> None:
    """Where there is no git any more, `--version` still knows it."""
    pytest.importorskip("setuptools", minversion="77")
    commit = git(source, "rev-parse", "HEAD")
    wheel = distribution(source, tmp_path / "wheel", "wheel", 0o022)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        assert archive.read("mochi_rules/commit.txt").decode().split()[0] == commit
    sdist = distribution(source, tmp_path / "sdist", "sdist", 0o022)
    with tarfile.open(fileobj=io.BytesIO(sdist)) as packed:
        [name] = [name for name in packed.getnames() if name.endswith("/commit.txt")]
        member = packed.extractfile(name)
        assert member is not None
        assert member.read().decode().split()[0] == commit
