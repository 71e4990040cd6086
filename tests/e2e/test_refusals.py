"""What does not fit is refused by whoever meets it, in a sentence that names both sides.

Artifacts for another platform, of another Wasmtime and of another configuration meet the rule, the
command, what writes executables, and the launcher. `tests/native` has more for the launchers.
"""

from __future__ import annotations

import gzip
import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.executable.append import attach
from mochi_rules.aot.executable.payload import make_payload
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.aot.objects.writer import write_object
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import find_platform, host_platform
from tests.native.building import cc_build, wheel_library

from .project import REPOSITORY, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HOST = host_platform()
OTHER = find_platform("riscv64-linux")  # for which there is no wheel, so it is never this machine
GOLDEN = REPOSITORY / "tests" / "golden" / "cwasm" / f"{OTHER.triple}.cwasm.gz"

Artifacts = dict[str, bytes]

# What the checks say, and what a launcher says.
CHECKED: Mapping[str, str] = {
    "platform": f"target: expected the target `{HOST.triple}`, got `{OTHER.triple}`",
    "wasmtime": "engine-section: expected Wasmtime 48, got 47",
    "configuration": "tunables: expected `consume_fuel` = False, got True",
}
LAUNCHED: Mapping[str, str] = {
    "platform": f"the program is for `{OTHER.triple}` and Wasmtime 48, "
    f"this launcher for `{HOST.name}` and Wasmtime 48",
    "wasmtime": f"the program is for `{HOST.triple}` and Wasmtime 47, "
    f"this launcher for `{HOST.name}` and Wasmtime 48",
    "configuration": "was compiled with fuel support but it is not enabled for the host",
}
WRITTEN = {
    "platform": f"the artifact is for `{OTHER.triple}` and Wasmtime 48, "
    f"the launcher for `{HOST.name}` and Wasmtime 48",
    "wasmtime": f"the artifact is for `{HOST.triple}` and Wasmtime 47, "
    f"the launcher for `{HOST.name}` and Wasmtime 48",
}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """Return an artifact that fits, and those that do not."""
    folder = tmp_path_factory.mktemp("artifacts")
    project = Project(folder, folder / "cache")
    project.write(
        {"a.mochi": 'print("hello")\n', "mochi.toml": "[engine.m]\nconsume_fuel = true\n"}
    )
    assert project.cli("build", "a.mochi", "-o", "fitting.cwasm").status == 0
    assert project.cli("build", "a.mochi", "-o", "metered.cwasm", "--engine", "m").status == 0
    fitting = (folder / "fitting.cwasm").read_bytes()
    assert fitting.count(b"\0\x0248") == 1
    return {
        "fitting": fitting,
        "platform": gzip.decompress(GOLDEN.read_bytes()),
        "wasmtime": fitting.replace(b"\0\x0248", b"\0\x0247"),
        "configuration": (folder / "metered.cwasm").read_bytes(),
    }


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a launcher, for which a C compiler is enough."""
    directory = tmp_path_factory.mktemp("bundle")
    (directory / "libwasmtime.so").symlink_to(wheel_library())
    cc_build("gcc", directory)
    return directory


def executable(bundle: Path, artifact: bytes) -> Path:
    """Attach whatever it is, as `write_executable` would not."""
    path = bundle / "app"
    path.write_bytes(attach((bundle / "launcher").read_bytes(), make_payload(artifact, b"")))
    path.chmod(0o755)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("fault", CHECKED)
def test_rule_wraps_nothing_that_does_not_fit(
    quick: Project, artifacts: Artifacts, fault: str
) -> None:
    """The check fails, and there is neither a report nor an object."""
    rule = 'cwasm(name="pre", src="a.cwasm")\n'
    quick.write({"pre/SConscript": rule, "pre/a.cwasm": artifacts[fault]})
    done = quick.scons()
    assert done.status == 2
    assert [verb for verb, _, _ in done.steps] == ["check"]
    assert done.err.startswith("error[A023]: pre/a.cwasm is not the expected artifact: ")
    assert CHECKED[fault] in done.err
    assert quick.outputs() == {}


@pytest.mark.parametrize("fault", ["platform", "wasmtime"])
@pytest.mark.parametrize("form", ["artifact", "object"])
def test_verify_refuses_what_is_not_of_a_platform(
    quick: Project, artifacts: Artifacts, fault: str, form: str
) -> None:
    """An artifact by itself, and in an object."""
    data = artifacts[fault]
    quick.write({"a": data if form == "artifact" else write_object(HOST, "a", data)})
    done = quick.cli("verify", "a", "--target", HOST.name)
    assert done.status == 1
    assert f"a: {CHECKED[fault]}\n" in done.out


def test_verify_refuses_an_object_for_another_platform(
    quick: Project, artifacts: Artifacts
) -> None:
    """Of another machine, and of another format."""
    machine = write_object(OTHER, "a", artifacts["platform"])
    format_ = write_object(find_platform(f"{HOST.cpu}-windows"), "a", artifacts["fitting"])
    quick.write({"machine.o": machine, "format.o": format_})
    out = quick.cli("verify", "machine.o", "--target", HOST.name).out
    assert f"machine.o: machine: expected an object for {HOST.cpu}, got {OTHER.cpu}\n" in out
    out = quick.cli("verify", "format.o", "--target", HOST.name).out
    assert "format.o: relocatable: expected an object of the format `elf`, got `coff`\n" in out


@pytest.mark.slow
@pytest.mark.parametrize("fault", CHECKED)
def test_verify_refuses_an_executable_that_would_not_start(
    quick: Project, artifacts: Artifacts, bundle: Path, fault: str
) -> None:
    """The artifact is compared with launcher and settings; nobody has to name the platform."""
    quick.write({"app": executable(bundle, artifacts[fault]).read_bytes()})
    done = quick.cli("verify", "app")
    assert done.status == 1
    assert f"app: {CHECKED[fault]}\n" in done.out
    quick.write({"app": executable(bundle, artifacts["fitting"]).read_bytes()})
    assert quick.cli("verify", "app").out.startswith("app: sound, ")


@pytest.mark.slow
def test_verify_refuses_an_executable_of_another_platform(
    quick: Project, artifacts: Artifacts, bundle: Path
) -> None:
    """Its launcher is named, and the one that is needed."""
    quick.write({"app": executable(bundle, artifacts["fitting"]).read_bytes()})
    done = quick.cli("verify", "app", "--target", OTHER.name)
    assert done.status == 2
    assert done.err.startswith(
        f"error[A107]: the launcher is an ELF executable for `{HOST.cpu}`, "
        f"and `{OTHER.name}` needs an ELF executable for `{OTHER.cpu}`\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "error[A103]: no program is attached to this executable\n"),
        (
            lambda data: data[:-5000] + bytes([data[-5000] ^ 1]) + data[-4999:],
            "error[A105]: the executable is damaged: it does not have the recorded SHA-256\n",
        ),
    ],
    ids=["cut", "flipped"],
)
def test_verify_finds_what_a_launcher_finds(
    quick: Project,
    artifacts: Artifacts,
    bundle: Path,
    damage: Callable[[bytes], bytes],
    message: str,
) -> None:
    """A file that was cut off, and one with a flipped bit."""
    quick.write({"app": damage(executable(bundle, artifacts["fitting"]).read_bytes())})
    done = quick.cli("verify", "app")
    assert done.status == 2
    assert done.err.startswith(message)


@pytest.mark.slow
@pytest.mark.parametrize("fault", WRITTEN)
def test_no_executable_is_written(artifacts: Artifacts, bundle: Path, fault: str) -> None:
    """What can be seen without decoding is seen when an executable is made."""
    launcher = (bundle / "launcher").read_bytes()
    with pytest.raises(MochiError) as caught:
        write_executable(HOST, launcher, artifacts[fault], b"")
    assert [item.message for item in caught.value.diagnostics] == [WRITTEN[fault]]


@pytest.mark.slow
@pytest.mark.parametrize("fault", LAUNCHED)
def test_launcher_starts_nothing_that_does_not_fit(
    artifacts: Artifacts, bundle: Path, fault: str
) -> None:
    """One line, and the status of what cannot be executed."""
    done = subprocess.run(
        [executable(bundle, artifacts[fault])], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr.count("\n") == 1
    assert LAUNCHED[fault].lower() in done.stderr.lower()


@pytest.mark.slow
def test_what_fits_starts(artifacts: Artifacts, bundle: Path) -> None:
    """The same way, with nothing wrong."""
    assert subprocess.check_output([executable(bundle, artifacts["fitting"])]) == b"hello\n"
