"""Tests of building for every platform from this one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mochi_rules.platforms.platform import PLATFORMS

from .project import HELLO, Done, Project
from .tools import install_launcher, install_worker

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden"
PROGRAMS = {
    **HELLO,
    "lib/SConscript": 'mochi_library(name="text", srcs=["text.mochi"])\n'
    'mochi_binary(name="shout", srcs=["shout.mochi"], deps=[":text"])\n',
    "lib/text.mochi": 'export fun loud(s: string): string { return upper(s) + "!" }\n',
    "lib/shout.mochi": 'import "text"\nprint(text.loud("hello"))\n',
}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with a compiler for every platform, and two launchers."""
    data = tmp_path_factory.mktemp("data")
    install_worker(data)
    install_launcher(data, "x86_64-linux")
    install_launcher(data, "aarch64-linux")
    return data


def project_in(folder: Path, cache: Path, tools: Path) -> Project:
    """Return the programs as a project that has the tools."""
    folder.mkdir(parents=True)
    project = Project(folder, cache, {"XDG_DATA_HOME": str(tools)})
    project.write(PROGRAMS)
    return project


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, tools: Path) -> tuple[Project, Done]:
    """Return the programs, built for all platforms, and how."""
    folder = tmp_path_factory.mktemp("all")
    project = project_in(folder / "one", folder / "cache", tools)
    return project, project.scons("target=all", "-j2")


def test_all_platforms_are_built_at_once(built: tuple[Project, Done]) -> None:
    """Each has its directory, and one row at the end."""
    project, done = built
    assert (done.status, done.err) == (0, "")
    rows = dict(line.split("  ", 1) for line in done.out.splitlines() if "checked, " in line)
    for platform in PLATFORMS:
        has_launcher = platform.name in ("x86_64-linux", "aarch64-linux")
        last = "2 executables" if has_launcher else "no executables"
        assert rows[platform.name].strip() == f"2 artifacts checked, 2 objects, {last}"
        assert (project.root / f"build/{platform.name}-release/lib/shout.o").is_file()


def test_every_artifact_is_of_its_platform(built: tuple[Project, Done]) -> None:
    """`verify` agrees for the platform it was built for, and names both sides for another."""
    project, _ = built
    for platform in PLATFORMS:
        path = f"build/{platform.name}-release/app/hello"
        for suffix in (".cwasm", ".o"):
            done = project.cli("verify", path + suffix, "--target", platform.name)
            assert done.status == 0, done.err
    wrong = project.cli(
        "verify", "build/s390x-linux-release/app/hello.cwasm", "--target", "aarch64-linux"
    )
    assert wrong.status == 1
    assert "expected the target `aarch64-unknown-linux-gnu`" in wrong.out
    assert "got `s390x-unknown-linux-gnu`" in wrong.out


def test_second_build_does_nothing(built: tuple[Project, Done]) -> None:
    """Everything is up to date, for every platform."""
    project, _ = built
    done = project.scons("target=all")
    assert done.steps == []
    assert "built 0 of" in done.summary


def test_second_checkout_gets_everything_from_the_cache(
    built: tuple[Project, Done], tools: Path
) -> None:
    """Elsewhere, with other jobs: only executables are attached again; every byte is equal."""
    project, _ = built
    other = project_in(project.root.parent / "zwei wörter", project.cache, tools)
    done = other.scons("target=all", "-j1")
    assert {verb for verb, _, remark in done.steps if remark != "cached"} == {"exe"}
    assert other.outputs("build/**/*") == project.outputs("build/**/*")


def test_bytes_do_not_depend_on_where_and_how_they_are_built(
    built: tuple[Project, Done], tools: Path
) -> None:
    """With an empty cache, in another folder, under another hash seed and locale: equal bytes."""
    project, first = built
    again = project_in(project.root.parent / "b" / "again", project.root.parent / "empty", tools)
    again.environment |= {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    done = again.scons("target=all", "-j1")
    assert done.summary == first.summary
    assert again.outputs("build/**/*") == project.outputs("build/**/*")


def test_programs_run_where_they_are_for(built: tuple[Project, Done]) -> None:
    """Natively, and under qemu."""
    project, _ = built
    for platform, emulator in (("x86_64-linux", []), ("aarch64-linux", [_qemu()])):
        path = project.root / f"build/{platform}-release/lib/shout"
        assert subprocess.check_output([*emulator, path]) == b"HELLO!\n"


def test_golden_programs_do_the_same_on_aarch64(tmp_path: Path, tools: Path) -> None:
    """Every program of `golden/run` and `golden/fail`: output, messages and status."""
    sources = sorted(path for kind in ("run", "fail") for path in (GOLDEN / kind).glob("*.mochi"))
    project = Project(tmp_path / "golden", tmp_path / "cache", {"XDG_DATA_HOME": str(tools)})
    calls = [f'mochi_binary(name="{path.stem}", srcs=["{path.name}"])\n' for path in sources]
    project.root.mkdir()
    project.write(
        {
            "run/SConscript": "".join(calls),
            **{f"run/{path.name}": path.read_bytes() for path in sources},
        }
    )
    done = project.scons("target=aarch64-linux", "-j2")
    assert done.status == 0, done.err
    for path in sources:
        program = project.root / "build/aarch64-linux-release/run" / path.stem
        _check_golden(program, path)


def _check_golden(program: Path, source: Path) -> None:
    stdin = source.with_suffix(".in")
    given = stdin.read_bytes() if stdin.exists() else b""
    ran = subprocess.run([_qemu(), program], input=given, capture_output=True, check=False)
    errors = source.with_suffix(".err")
    assert ran.stdout == source.with_suffix(".out").read_bytes(), source.name
    assert ran.returncode == (1 if errors.exists() else 0), source.name
    if errors.exists():
        said = ran.stderr.decode().replace("run/", "")
        assert said == errors.read_text(encoding="utf-8"), source.name


def _qemu() -> str:
    emulator = shutil.which("qemu-aarch64-static")
    if emulator is None:
        pytest.skip("qemu-aarch64-static is missing")
    return emulator
