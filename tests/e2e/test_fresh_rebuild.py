"""A test of a release that names a lock, and of its rebuild by what the lock lists."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from mochi_rules.platforms.platform import host_platform
from mochi_rules.release.circumstances import package_versions

from .distributions import git, make_distribution, make_source, pack_installed
from .project import HELLO, Project
from .tools import install_made_up_launcher

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.needs("git")]

RELEASE = 'mochi_release(name="hello", targets=["//app:hello"], lock="requirements.lock")\n'
HOST = host_platform().name


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Return a folder with wheels of all packages that a release is made by."""
    pytest.importorskip("setuptools", minversion="77")
    (tmp_path / "source").mkdir()
    source = make_source(tmp_path / "source")
    folder = make_distribution(source, tmp_path / "packages", "wheel").parent
    pack_installed(package_versions().keys() - {"mochi-rules"}, folder)
    return folder


def lock_of(packages: Path) -> str:
    """Return a lock of all wheels in a folder."""
    rows = ((path.name.split("-"), path.read_bytes()) for path in sorted(packages.glob("*.whl")))
    return "".join(
        f"{name}=={version} --hash=sha256:{hashlib.sha256(data).hexdigest()}\n"
        for (name, version, *_), data in rows
    )


def test_release_is_rebuilt_by_the_tools_of_its_lock(
    project: Project, packages: Path, tmp_path: Path
) -> None:
    """From a clean clone, in an environment that has nothing else, and without a network."""
    install_made_up_launcher(tmp_path / "data", HOST)
    project.environment |= {"XDG_DATA_HOME": str(tmp_path / "data"), "PIP_NO_INDEX": "1",
                            "PIP_FIND_LINKS": str(packages)}  # fmt: skip
    lock = {"release/SConscript": RELEASE, "release/requirements.lock": lock_of(packages)}
    project.write({**HELLO, **lock})
    git(project.root, "init", "-q")
    git(project.root, "add", ".")
    git(project.root, "commit", "-q", "-m", "x")
    made = project.scons("release", "version=1.4.0")
    assert made.status == 0, made.out + made.err
    git(tmp_path, "clone", "-q", str(project.root), "clone")
    words = ("--source", str(tmp_path / "clone"), "--fresh")
    done = project.cli("rebuild", "dist/hello-1.4.0.intoto.jsonl", *words)
    assert done.status == 0, done.out + done.err
    assert done.out == f"hello-1.4.0-{HOST}.tar.gz: equal\n"
