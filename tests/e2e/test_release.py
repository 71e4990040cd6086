"""Tests of releases as their users make and check them."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.platforms.platform import host_platform

from .project import HELLO, Project
from .tools import install_launcher, install_made_up_launcher

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.needs("git")]

HOST = host_platform().name
STEM = f"hello-1.4.0-{HOST}"
ARCHIVE, PROVENANCE = f"dist/{STEM}.tar.gz", "dist/hello-1.4.0.intoto.jsonl"
RELEASE = """\
mochi_release(name="hello", targets=["//app:hello"], files=["#LICENSE", "NOTES"],
              formats=["tar.gz", "zip"])
"""
SCONSTRUCT = """\
env = Environment(tools=["mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])
SConscript(["app/SConscript", "release/SConscript"])
"""
MADE = """\
def write(target, source, env):
    with open(str(target[0]), "w") as file:
        file.write(env["TEXT"])


env = Environment()
main = env.Command("hello.mochi", [], write, TEXT='import "text"\\nprint(text.a())')
text = env.Command("text.mochi", [], write, TEXT='export fun a(): string { return "hi" }')
mochi_library(name="text", srcs=[text])
mochi_binary(name="hello", srcs=[main], deps=[":text"])
"""
FILES = {**HELLO, "SConstruct": SCONSTRUCT, "release/SConscript": RELEASE, "LICENSE": "MIT\n",
         "release/NOTES": "the first\n"}  # fmt: skip
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@x.org")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory that has a launcher."""
    data = tmp_path_factory.mktemp("data")
    install_made_up_launcher(data, HOST)
    return data


@pytest.fixture
def repository(tmp_path: Path, tools: Path, shared_cache: Path) -> Project:
    """Return a committed project with a release, in a folder whose name has a space."""
    root = tmp_path / "my project"
    root.mkdir()
    project = Project(root, shared_cache, {"XDG_DATA_HOME": str(tools)})
    project.write(FILES)
    git(project, "init", "-q")
    commit(project)
    return project


def git(project: Project, *words: str) -> str:
    """Run git in a project."""
    done = project.run(["git", *IDENTITY, *words])
    assert done.status == 0, done.err
    return done.out.strip()


def commit(project: Project) -> None:
    """Commit all files."""
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "x")


def release(project: Project, *words: str) -> None:
    """Make the release."""
    done = project.scons("release", "version=1.4.0", *words)
    assert done.status == 0, done.out + done.err


def statement(project: Project) -> dict[str, Any]:
    """Return the statement of the release."""
    envelope = json.loads((project.root / PROVENANCE).read_bytes())
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return found


def dist(project: Project) -> dict[str, bytes]:
    """Return what is in `dist/`."""
    return {path.name: path.read_bytes() for path in (project.root / "dist").glob("*")}


def test_release_is_made_and_verified(repository: Project) -> None:
    """One command writes all files, the other checks an archive against the commit."""
    release(repository)
    suffixes = (".cdx.json", ".spdx.json", ".intoto.jsonl", f"-{HOST}.tar.gz", f"-{HOST}.zip")
    names = {f"hello-1.4.0{suffix}" for suffix in suffixes}
    assert dist(repository).keys() == names | {"SHA256SUMS", "SHA512SUMS"}
    words = ["verify", "--provenance", PROVENANCE, "--source", ".", ARCHIVE]
    done = repository.cli(*words)
    assert done.status == 0, done.err
    assert f"sources    1 file as in commit {git(repository, 'rev-parse', 'HEAD')[:12]}" in done.out


@pytest.mark.needs("sha256sum", "sha512sum")
def test_sums_are_those_that_coreutils_check(repository: Project) -> None:
    """Whoever has no mochi-rules checks the files with what every system has."""
    release(repository)
    for name in ("sha256", "sha512"):
        command = [f"{name}sum", "--check", "--strict", f"{name.upper()}SUMS"]
        assert repository.run(command, "dist").status == 0


@pytest.mark.needs("cargo")
def test_program_of_an_archive_runs(repository: Project, tmp_path: Path) -> None:
    """It is executable, and needs nothing besides itself."""
    install_launcher(tmp_path / "data", HOST)
    repository.environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    release(repository)
    with tarfile.open(fileobj=io.BytesIO((repository.root / ARCHIVE).read_bytes())) as archive:
        archive.extractall(tmp_path, filter="data")
    done = subprocess.run([tmp_path / STEM / "hello"], capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"
    assert (tmp_path / STEM / "LICENSE").read_text() == "MIT\n"
    assert (tmp_path / STEM / "release" / "NOTES").read_text() == "the first\n"
    assert "wasmtime 48" in (tmp_path / STEM / "THIRD-PARTY-LICENSES.txt").read_text()


def test_release_elsewhere_has_the_same_bytes(repository: Project, tmp_path: Path) -> None:
    """Another folder, an empty cache, another locale, time zone and hash seed change nothing."""
    release(repository)
    copy = tmp_path / "elsewhere"
    git(repository, "clone", "-q", ".", str(copy))
    variables = {**repository.environment, "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    other = replace(repository, root=copy, cache=tmp_path / "cache", environment=variables)
    release(other, "-j3")
    one, two = dist(repository), dist(other)
    assert one == two


def test_nothing_of_a_cache_is_in_a_release(repository: Project) -> None:
    """What a build has restored before, the release makes again."""
    assert repository.scons().status == 0
    shutil.rmtree(repository.root / "build")
    restored = repository.scons()
    assert "restored" in restored.summary or restored.steps
    release(repository)
    internal = statement(repository)["predicate"]["buildDefinition"]["internalParameters"]
    assert internal["cache"] == "off"
    assert not any(step["restored"] for step in internal["steps"])


def test_changed_work_tree_is_refused(repository: Project) -> None:
    """The provenance would name a commit that it is not of."""
    repository.write({**FILES, "app/hello.mochi": 'print("changed")\n'})
    done = repository.scons("release", "version=1.4.0")
    assert done.status == 2
    assert "error[R002]: the work tree differs from its commit" in done.err
    assert "`app/hello.mochi`" in done.err
    assert not (repository.root / "dist").exists()


def test_changed_work_tree_is_recorded_where_it_is_allowed(repository: Project) -> None:
    """Such a release says so, and a policy refuses it."""
    repository.write(
        {**FILES, "app/hello.mochi": 'print("changed")\n', "policy.toml": "clean=true"}
    )
    release(repository, "allow_dirty=yes")
    words = ("verify", "--provenance", PROVENANCE, "--policy", "policy.toml", ARCHIVE)
    done = repository.cli(*words)
    assert done.status == 2
    assert "error[R021]" in done.err
    assert "app/hello.mochi" in done.err


def test_source_that_git_ignores_is_refused(repository: Project) -> None:
    """The commit does not have it, so nobody could build the release again."""
    repository.write({**FILES, ".gitignore": "/app/hello.mochi\n"})
    git(repository, "rm", "-q", "--cached", "app/hello.mochi")
    commit(repository)
    done = repository.scons("release", "version=1.4.0")
    assert done.status == 2
    assert "error[R002]: the commit does not have all that the release is made of" in done.err
    assert "note: `app/hello.mochi`" in done.err
    assert not (repository.root / "dist").exists()


def test_source_that_git_ignores_is_recorded_where_it_is_allowed(repository: Project) -> None:
    """It is read from the work tree when the archive is verified here."""
    repository.write({**FILES, ".gitignore": "/app/hello.mochi\n"})
    git(repository, "rm", "-q", "--cached", "app/hello.mochi")
    commit(repository)
    release(repository, "allow_dirty=yes")
    done = repository.cli("verify", "--provenance", PROVENANCE, "--source", ".", ARCHIVE)
    assert done.status == 0, done.err
    assert "where `app/hello.mochi` differed from commit" in done.out


@pytest.mark.parametrize("variant", ["", ', variant_dir="variant"'])
def test_source_that_a_builder_makes_need_not_be_in_the_commit(
    variant: str, repository: Project
) -> None:
    """What makes it is; what a program imports may be made too, also in a `variant_dir`."""
    scripts = f'SConscript("app/SConscript"{variant})\nSConscript("release/SConscript")\n'
    files = {
        "SConstruct": SCONSTRUCT.splitlines(keepends=True)[0] + scripts,
        "app/SConscript": MADE,
        ".gitignore": "*.mochi\n/variant/\n",
    }
    repository.write({**FILES, **files})
    git(repository, "rm", "-q", "app/hello.mochi", "--cached")
    (repository.root / "app" / "hello.mochi").unlink()
    commit(repository)
    release(repository)
    done = repository.cli("verify", "--provenance", PROVENANCE, "--source", ".", ARCHIVE)
    assert done.status == 0, done.err
    assert "sources    0 files as in commit" in done.out


def test_missing_version_is_refused(repository: Project) -> None:
    """The message names the command."""
    done = repository.scons("release")
    assert done.status == 2
    assert "error[R001]: the release has no version" in done.err
    assert "scons release version=1.0.0" in done.err
    assert done.steps == []
    assert not (repository.root / "dist").exists()


def test_version_that_a_format_does_not_allow_is_refused_before_the_build(
    repository: Project,
) -> None:
    """With the place of the formats."""
    repository.write({**FILES, "release/SConscript": RELEASE.replace('"zip"', '"npm"')})
    commit(repository)
    done = repository.scons("release", "version=1.4")
    assert done.status == 2
    assert "error[R006]: `1.4` cannot be the version of a package for npm" in done.err
    assert "--> release/SConscript:2" in done.err
    assert done.steps == []


def test_time_that_is_none_is_refused_before_the_build(repository: Project) -> None:
    """A build of many minutes would be for nothing."""
    repository.environment["SOURCE_DATE_EPOCH"] = "yesterday"
    done = repository.scons("release", "version=1.4.0")
    assert done.status == 2
    assert "error[R005]" in done.err
    assert done.steps == []


def test_source_without_a_commit_is_refused(repository: Project) -> None:
    """Provenance without a commit leads nowhere."""
    shutil.rmtree(repository.root / ".git")
    done = repository.scons("release", "version=1.4.0")
    assert done.status == 2
    assert "error[R003]" in done.err


def test_signed_release_is_checked_by_its_key(repository: Project) -> None:
    """The key is made by one command, signs in another, and checks in a third.

    Where it lies in the workspace, it is not a change that would have to be committed.
    """
    key = "release.key"
    assert repository.cli("key", key).status == 0
    release(repository, f"sign={key}")
    assert f"{STEM}.tar.gz.minisig" in dist(repository)
    words = ["verify", "--provenance", PROVENANCE, "--key", f"{key}.pub", ARCHIVE]
    done = repository.cli(*words)
    assert done.status == 0, done.err
    assert "signature  by" in done.out
    assert "warning" not in done.err


def test_key_that_others_may_read_is_refused(repository: Project, tmp_path: Path) -> None:
    """Nothing is signed with a key that is not secret."""
    key = tmp_path / "release.key"
    assert repository.cli("key", str(key)).status == 0
    key.chmod(0o644)
    done = repository.scons("release", "version=1.4.0", f"sign={key}")
    assert done.status == 2
    assert done.err.startswith("error[R008]: other users may read the key")
    assert "release/SConscript" not in done.err, "no build file is the cause"
    assert "chmod 600" in done.err
    assert not (repository.root / "dist").exists()


def test_commit_that_is_not_there_is_reported(repository: Project, tmp_path: Path) -> None:
    """The repository is another one, or was not fetched."""
    release(repository)
    (tmp_path / "empty").mkdir()
    git(repository, "init", "-q", str(tmp_path / "empty"))
    words = ("verify", "--provenance", PROVENANCE, "--source", str(tmp_path / "empty"), ARCHIVE)
    done = repository.cli(*words)
    assert done.status == 2
    assert "error[R026]" in done.err


def test_release_of_no_program_is_refused(repository: Project) -> None:
    """A misspelt label gets a suggestion, with its place."""
    text = 'mochi_release(name="hello", targets=["//app:helo"])\n'
    repository.write({**FILES, "release/SConscript": text})
    done = repository.scons()
    assert done.status == 2
    assert "error[B016]: `//release:hello` releases `//app:helo`" in done.err
    assert "did you mean `//app:hello`" in done.err


def test_release_is_rebuilt_from_its_provenance(repository: Project, tmp_path: Path) -> None:
    """Neither changes since, nor outputs that are there, nor the name of its file matter."""
    release(repository)
    repository.write({**FILES, "app/hello.mochi": 'print("later")\n'})
    commit(repository)
    shutil.rmtree(repository.root / "build")
    downloaded = tmp_path / "provenance (1).jsonl"
    shutil.copy(repository.root / PROVENANCE, downloaded)
    done = repository.cli("rebuild", str(downloaded))
    assert done.status == 0, done.err
    assert done.out.splitlines() == [f"{STEM}.tar.gz: equal", f"{STEM}.zip: equal"]


def test_rebuild_shows_where_a_program_differs(repository: Project, tmp_path: Path) -> None:
    """A build that depends on a variable of the machine is found, down to the function.

    Where `diffoscope` is installed, it is asked too.
    """
    build_file = (
        'import os\nmochi_binary(name="hello", srcs=["hello.mochi"],'
        ' optimize=int(os.environ.get("LEVEL", "2")))\n'
    )
    source = "fun f(n: int): int {\n  return n * n\n}\nprint(f(len(input())))\n"
    repository.write({**FILES, "app/SConscript": build_file, "app/hello.mochi": source})
    commit(repository)
    release(repository)
    repository.environment["LEVEL"] = "0"
    tool = tmp_path / "bin" / "diffoscope"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho "see $6, $7"\nexit 1\n')
    tool.chmod(0o755)
    repository.environment["PATH"] = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    done = repository.cli("rebuild", PROVENANCE)
    assert done.status == 1
    assert f"{STEM}.tar.gz: differs" in done.out
    assert "app/hello.wasm: the arguments differ: " in done.out
    assert "--optimize=2 → " in done.out
    assert "hello: section .text differs at 0x" in done.out
    assert "app/hello.mochi:" in done.out
    assert f"  diffoscope:\n    see {ARCHIVE}, " in done.out


def test_release_of_a_changed_work_tree_cannot_be_rebuilt(repository: Project) -> None:
    """Nobody else has that source."""
    repository.write({**FILES, "app/hello.mochi": 'print("changed")\n'})
    release(repository, "allow_dirty=yes")
    done = repository.cli("rebuild", PROVENANCE)
    assert done.status == 2
    assert "error[R033]" in done.err


def test_rebuild_with_other_tools_is_refused(repository: Project) -> None:
    """The message names the command that installs those of the release."""
    release(repository)
    path = repository.root / PROVENANCE
    envelope = json.loads(path.read_bytes())
    text = base64.b64decode(envelope["payload"]).decode()
    changed = re.sub(r"pkg:pypi/wasmtime@[0-9.]+", "pkg:pypi/wasmtime@47.0.0", text)
    envelope["payload"] = base64.b64encode(changed.encode()).decode()
    path.write_text(json.dumps(envelope))
    done = repository.cli("rebuild", PROVENANCE)
    assert done.status == 3
    assert "error[R027]" in done.err
    assert "pip install wasmtime==47.0.0" in done.err


def test_cache_that_anybody_may_write_to_is_refused(repository: Project) -> None:
    """A release reads signed entries of listed writers, or none."""
    done = repository.scons("release", "version=1.4.0", "remote=grpc://localhost:1")
    assert done.status == 2
    assert "error[R037]" in done.err
    assert "trusted_writers" in done.err


def test_cache_of_this_machine_is_recorded_where_it_is_asked_for(repository: Project) -> None:
    """With the steps that came from it; a policy can refuse them."""
    assert repository.scons("cache=cache").status == 0
    shutil.rmtree(repository.root / "build")
    (repository.root / ".gitignore").write_text("/cache/\n")
    commit(repository)
    release(repository, "cache=cache")
    internal = statement(repository)["predicate"]["buildDefinition"]["internalParameters"]
    assert internal["cache"] == "of this machine"
    assert any(step["restored"] for step in internal["steps"])
