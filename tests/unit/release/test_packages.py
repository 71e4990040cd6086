"""Tests of packages of other ecosystems, by the tools of these."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.native_files import (
    AOT_WORKER,
    CLIF_WORKER,
    LAUNCHER,
    find_tool,
    tool_name,
)
from mochi_rules.platforms.platform import host_platform
from mochi_rules.release.archives.formats import FORMATS
from mochi_rules.release.archives.reader import read_archive
from mochi_rules.release.contents import Contents, File, Product
from mochi_rules.release.tool_wheels import tool_wheels
from tests.e2e.tools import install_file, install_made_up_launcher

if TYPE_CHECKING:
    from pathlib import Path

HOST = host_platform()
SCRIPT = b"#!/bin/sh\necho hello\n"
CONTENTS = Contents(
    Product("My-App", "1.2.0", 1_700_000_000, "An app", "MIT", "A <a@x.org>"),
    HOST,
    (File("app", SCRIPT, 0o755),),
    (File("LICENSE", b"MIT\n"),),
)


def write(name: str, folder: Path, contents: Contents = CONTENTS) -> Path:
    """Write a package of a format, and return its file."""
    row = next(row for row in FORMATS if row.name == name)
    path = folder / row.file_name(contents)
    path.write_bytes(row.write(contents))
    return path


def pip_install(wheel: Path, prefix: Path) -> None:
    """Install a wheel into a folder, without what it needs."""
    options = [
        "--no-deps",
        "--no-index",
        "--no-warn-script-location",
        "--disable-pip-version-check",
    ]
    command = [sys.executable, "-m", "pip", "install", "-q", *options, "--prefix", prefix, wheel]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.slow
def test_pip_installs_the_program_of_a_wheel(tmp_path: Path) -> None:
    """It is on the path, and executable."""
    wheel = write("wheel", tmp_path)
    pip_install(wheel, tmp_path / "prefix")
    done = subprocess.run([tmp_path / "prefix/bin/app"], capture_output=True, check=True)
    assert done.stdout == b"hello\n"


@pytest.mark.slow
@pytest.mark.needs("dpkg-deb")
def test_dpkg_reads_a_package(tmp_path: Path) -> None:
    """Its fields, and its files with owners and modes."""
    package = write("deb", tmp_path)
    fields = ["dpkg-deb", "--field", package]
    done = subprocess.run(fields, capture_output=True, text=True, check=True)
    assert "Package: my-app\nVersion: 1.2.0\n" in done.stdout
    listing = ["dpkg-deb", "--contents", package]
    done = subprocess.run(listing, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["-rwxr-xr-x", "0/0", str(len(SCRIPT))] in [line[:3] for line in lines]
    assert lines[-1][-1] == "./usr/share/doc/my-app/LICENSE"


@pytest.mark.slow
@pytest.mark.needs("rpm")
def test_rpm_reads_a_package(tmp_path: Path) -> None:
    """Its digests, its fields, and its files with owners and modes."""
    package = write("rpm", tmp_path)
    subprocess.run(["rpm", "--checksig", package], check=True)
    fields = "%{NAME} %{VERSION} %{ARCH} %{LICENSE} %{BUILDTIME}\\n"
    files = "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}\\n]"
    query = ["rpm", "-qp", "--queryformat", fields + files, package]
    done = subprocess.run(query, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"my-app 1.2.0 {HOST.architecture.name} MIT 1700000000",
        "/usr/bin/app -rwxr-xr-x root",
        "/usr/share/doc/my-app/LICENSE -rw-r--r-- root",
    ]


@pytest.mark.parametrize("place", [4, 100, 3000, -1])
def test_damaged_rpm_is_refused(place: int) -> None:
    """Wherever it is cut."""
    data = next(row for row in FORMATS if row.name == "rpm").write(CONTENTS)
    with pytest.raises(MochiError, match="R025"):
        read_archive("app.rpm", data[:place])


@pytest.mark.slow
@pytest.mark.needs("npm", "node")
def test_npm_installs_the_program_of_a_package(tmp_path: Path) -> None:
    """It is among the programs of a project."""
    package = write("npm", tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text("{}")
    command = ["npm", "install", "--offline", "--no-audit", "--no-fund", package]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    program = [project / "node_modules/.bin/app"]
    assert subprocess.run(program, capture_output=True, check=True).stdout == b"hello\n"


def test_image_leads_from_its_index_to_the_program(tmp_path: Path) -> None:
    """Each document names the next by its digest, which is its path."""
    files = read_archive("a", write("oci", tmp_path).read_bytes())

    def blob(descriptor: dict[str, str]) -> bytes:
        return files[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"].data

    [described] = json.loads(files["index.json"].data)["manifests"]
    manifest = json.loads(blob(described))
    config = json.loads(blob(manifest["config"]))
    assert config["config"]["Entrypoint"] == ["/app"]
    [layer] = manifest["layers"]
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    inside = files[f"blobs/sha256/{layer['digest'].removeprefix('sha256:')}/app"]
    assert (inside.data, inside.mode) == (SCRIPT, 0o755)


@pytest.mark.parametrize(("name", "version"), [("npm", "1.2"), ("wheel", "1.2-beta")])
def test_version_that_an_ecosystem_does_not_allow_is_refused(name: str, version: str) -> None:
    """Rather than by whoever installs it."""
    [row] = [row for row in FORMATS if row.name == name]
    assert row.versions
    with pytest.raises(MochiError, match="R006"):
        row.versions.check(version)


@pytest.mark.parametrize(
    ("name", "spelled"), [("wheel", b"1.4.0rc2"), ("deb", b"1.4.0~rc.2"), ("npm", b"1.4.0-rc.2")]
)
def test_candidate_of_a_release_is_spelled_as_its_ecosystem_does(
    name: str, spelled: bytes, tmp_path: Path
) -> None:
    """So each of them takes it for older than the release."""
    product = Product("app", "1.4.0-rc.2", 0)
    package = write(name, tmp_path, Contents(product, HOST, (), ()))
    found = read_archive(package.name, package.read_bytes()).values()
    assert any(spelled in file.data for file in found)


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a launcher for this user, and return its name."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    install_made_up_launcher(tmp_path / "data", HOST.name)
    return tool_name(LAUNCHER, HOST.name)


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is of Linux")
def test_wheel_of_tools_has_launcher_digest_and_licences(launcher: str) -> None:
    """All that a release needs of a launcher."""
    [(name, data)] = tool_wheels(0).items()
    assert name.startswith("mochi_rules_launchers-")
    inside = {path.rpartition("/")[2]: file for path, file in read_archive(name, data).items()}
    assert stat.S_IMODE(inside[launcher].mode) == 0o755
    assert f"{launcher}.sha256" in inside
    assert launcher.replace("launcher", "crates", 1) + ".json" in inside


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is of Linux")
def test_wheel_of_tools_has_the_workers(
    launcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of both Rust workspaces; a damaged one is left out."""
    names = [tool_name(program, HOST.name) for program in (AOT_WORKER, CLIF_WORKER)]
    for name in names:
        install_file(tmp_path / "data", name, b"a worker")
    wheels = [data for name, data in tool_wheels(0).items() if name.startswith("mochi_rules_tools")]
    inside = {path.rpartition("/")[2] for path in read_archive("tools.whl", wheels[0])}
    assert inside.issuperset(names)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is of Linux")
def test_tool_of_an_installed_wheel_is_found(
    launcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the wheel needs no Rust."""
    [(name, data)] = tool_wheels(0).items()
    (tmp_path / name).write_bytes(data)
    pip_install(tmp_path / name, tmp_path / "prefix")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "prefix"))
    assert find_tool(launcher) == tmp_path / "prefix/share/mochi_rules/tools" / launcher
