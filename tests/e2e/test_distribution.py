"""Tests of our own wheel and source distribution."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from .distributions import git, make_distribution, make_source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.needs("git")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with our sources."""
    return make_source(tmp_path_factory.mktemp("source"))


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_distribution_is_reproducible(kind: str, source: Path, tmp_path: Path) -> None:
    """Neither the folder nor the umask nor the time of the checkout matter."""
    pytest.importorskip("setuptools", minversion="77")
    one = make_distribution(source, tmp_path / "one", kind, 0o022)
    two = make_distribution(source, tmp_path / "another place", kind, 0o077)
    assert one.read_bytes() == two.read_bytes()


def test_distributions_name_their_commit(source: Path, tmp_path: Path) -> None:
    """Where there is no git any more, `--version` still knows it."""
    pytest.importorskip("setuptools", minversion="77")
    commit = git(source, "rev-parse", "HEAD")
    wheel = make_distribution(source, tmp_path / "wheel", "wheel")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("mochi_rules/commit.txt").decode().split()[0] == commit
    sdist = make_distribution(source, tmp_path / "sdist", "sdist")
    with tarfile.open(sdist) as packed:
        [name] = [name for name in packed.getnames() if name.endswith("/commit.txt")]
        member = packed.extractfile(name)
        assert member is not None
        assert member.read().decode().split()[0] == commit
