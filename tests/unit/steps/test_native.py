"""The steps of the native backend: settings that it does not have, and linkers that fail."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import find_platform
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.native.native_program import (
    HOST,
    clif_step,
    host_step,
    link_step,
    native_config,
    native_object_step,
)
from mochi_rules.steps.processes.subprocesses import Subprocesses
from mochi_rules.steps.step import OBJECT
from tests.unit.aot.executable.files import make_launcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LINUX = find_platform("x86_64-linux")


@pytest.fixture
def engines() -> Iterator[Any]:
    """Give engines that only run programs."""
    subprocesses = Subprocesses()
    yield SimpleNamespace(subprocesses=subprocesses)
    subprocesses.close()


def _config(settings: Mapping[str, object] | None = None, **options: str) -> Any:
    (configuration,) = find_configurations("x86_64-linux", **options)
    return native_config(configuration, settings or {})


def _compiler(script: str) -> Toolchain:
    """Return a C compiler that is a program in Python; its arguments are in `sys.argv`."""
    command = (sys.executable, "-c", f"import sys; {script}")
    return Toolchain(ToolchainType.C, "tiny-cc", "here", identity="tiny 1", command=command)


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"fuel": 1000}, "fuel"), ({"deadline_ms": 5}, "deadline_ms"), ({"dirs": ["data"]}, "dirs")],
)
def test_limit_is_refused(settings: Mapping[str, object], name: str) -> None:
    """Nobody would enforce it."""
    with pytest.raises(MochiError, match=f"A120.*no `{name}`") as caught:
        _config(settings)
    assert "link=launcher" in caught.value.diagnostics[0].help


def test_limit_of_a_library_is_refused() -> None:
    """It is told apart from a program: no launcher could enforce its limits."""
    (configuration,) = find_configurations("x86_64-linux")
    with pytest.raises(MochiError, match="A120: a library for C has no `fuel`") as caught:
        native_config(configuration, {"fuel": 9}, is_library=True)
    assert caught.value.diagnostics[0].help == "leave out `fuel`"


def test_mode_decides_how_far_cranelift_optimizes() -> None:
    """And whether there is DWARF."""
    release, debug = _config(), _config(mode="debug")
    assert (release.opt_level, release.debug_info) == ("speed", False)
    assert (debug.opt_level, debug.debug_info) == ("none", True)


def test_key_of_an_object_has_target_flags_and_worker() -> None:
    """Each decides bytes."""
    arguments = native_object_step(_config(cpu="x86-64-v3"), "a.mochi").arguments
    assert "--target=x86_64-unknown-linux-gnu" in arguments
    assert any(item.startswith("--flags=") and "has_avx2" in item for item in arguments)
    assert any(item.startswith("--worker=") for item in arguments)


def test_clif_is_the_same_for_every_platform() -> None:
    """It is compiled once for all of them."""
    assert not any("platform" in item or "target" in item for item in clif_step("a").arguments)


@pytest.mark.parametrize(
    ("platform", "stripped"),
    [("x86_64-linux", set()), ("x86_64-macos", {"-Wl,-S"}), ("x86_64-windows", {"-Wl,-S"})],
)
def test_linker_strips_a_release(platform: str, stripped: set[str]) -> None:
    """For Linux there is nothing to strip, and Zig would strip the names of functions too."""
    modes = {}
    for mode in ("release", "debug"):
        (configuration,) = find_configurations(platform, mode=mode)
        config = native_config(configuration, {})
        modes[mode] = link_step(config, _compiler("")).arguments
    assert set(modes["release"]) - set(modes["debug"]) == stripped


def test_linker_gets_the_objects(engines: Any) -> None:
    """They lie in its directory, and so will the program."""
    script = "open(sys.argv[4], 'wb').write(b''.join(open(n, 'rb').read() for n in sys.argv[1:3]))"
    whole = make_launcher(LINUX)
    inputs = {HOST: whole[:100], OBJECT: whole[100:]}
    assert link_step(_config(), _compiler(script)).make(engines, inputs).data == whole


def test_linker_for_another_platform_is_refused(engines: Any) -> None:
    """What it made would not start there."""
    script = "import shutil; shutil.copy('program.o', sys.argv[4])"
    inputs = {OBJECT: make_launcher(find_platform("s390x-linux")), HOST: b""}
    with pytest.raises(MochiError, match=r"A122.*for `s390x`, expected an ELF executable"):
        link_step(_config(), _compiler(script)).make(engines, inputs)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_linker_that_fails_is_shown_with_its_command(engines: Any, temporary: Path) -> None:
    """Whoever reads it can repeat it: the inputs are still there."""
    script = "sys.exit(open('program.o').read() + ': undefined symbol')"
    with pytest.raises(MochiError, match=r"C036.*`tiny-cc` could not link") as caught:
        link_step(_config(), _compiler(script)).make(engines, {OBJECT: b"a.o", HOST: b""})
    command, printed = caught.value.diagnostics[0].notes
    assert printed == "output of tiny-cc:\n    a.o: undefined symbol"
    words = command.removeprefix("the command was `").removesuffix("`")
    repeated = subprocess.run(["sh", "-c", words], capture_output=True, check=False)
    assert (repeated.returncode, repeated.stderr) == (1, b"a.o: undefined symbol\n")


def test_failure_removes_what_earlier_days_left(engines: Any, temporary: Path) -> None:
    """A folder of today stays: somebody may be reading it."""
    for name, age in (("mochi-cc-old", 2), ("mochi-cc-new", 0), ("other", 2)):
        (temporary / name).mkdir()
        (temporary / name / "program.o").touch()
        time = (temporary / name).stat().st_mtime - age * 86400
        os.utime(temporary / name, (time, time))
    with pytest.raises(MochiError, match="C036"):
        link_step(_config(), _compiler("sys.exit(1)")).make(engines, {OBJECT: b"", HOST: b""})
    left = {path.name for path in temporary.iterdir()}
    assert len(left) == 3
    assert left > {"mochi-cc-new", "other"}


def test_linker_leaves_nothing(engines: Any, temporary: Path) -> None:
    """The folder of its inputs is removed."""
    compiler = _compiler("import shutil; shutil.copy('program.o', sys.argv[4])")
    inputs = {OBJECT: make_launcher(LINUX), HOST: b""}
    link_step(_config(), compiler).make(engines, inputs)
    assert not list(temporary.iterdir())


def test_compiler_without_a_c_library_is_shown(engines: Any, temporary: Path) -> None:
    """It cannot even build what programs import."""
    compiler = _compiler("sys.exit('string.h: no such file')")
    with pytest.raises(MochiError, match=r"C034.*could not compile `all\.c`"):
        host_step(LINUX, compiler).make(engines, {"all.c": b""})


def test_linker_is_in_the_key() -> None:
    """Another one makes other bytes."""
    assert "--compiler=tiny 1" in link_step(_config(), _compiler("")).arguments
