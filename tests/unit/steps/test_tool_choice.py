"""Tests of which tool is asked, and which is taken."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.tools import native_tools
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.platforms import native_files
from mochi_rules.platforms.platform import Platform, find_platform, host_platform
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType
from mochi_rules.steps.tools.tool_choice import Toolchains, is_built, pending

if TYPE_CHECKING:
    from pathlib import Path

HOST = host_platform()
OTHER = find_platform("s390x-linux" if HOST.name != "s390x-linux" else "x86_64-linux")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Be a machine with nothing on PATH and nothing installed; return the folder of its tools."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for function in (native_tools.rust_version, native_tools._has_rust_target):
        function.cache_clear()
    return native_files.tools_directory()


def pretend_cargo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be Rust with every target, and every program but `wasmtime`."""
    monkeypatch.setattr(native_tools, "rust_version", lambda: "rustc 1\nhost: x-y-z")
    monkeypatch.setattr(native_tools, "_has_rust_target", lambda _triple: True)
    monkeypatch.setattr(
        native_tools.shutil, "which", lambda name: None if name == "wasmtime" else f"/bin/{name}"
    )


def install(platform: Platform, program: str) -> Path:
    """Put a file where an installed tool would be."""
    path = native_files.find_tool(native_files.tool_name(program, platform.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    native_files.digest_path(path).write_text(digest_bytes(b"").hash)
    return path


@pytest.mark.parametrize("program", ["aot-worker", "launcher"])
def test_damaged_tool_is_not_used(machine: Path, program: str) -> None:
    """Executables made with it would crash, and code compiled by it might be wrong."""
    install(HOST, program).write_bytes(b"x")
    toolchain = {
        "aot-worker": native_tools.installed_worker,
        "launcher": native_tools.installed_launcher,
    }[program](HOST)
    assert toolchain.missing == "its file is damaged"


def test_damaged_tool_is_built_again(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is there, but it is not what was built."""
    pretend_cargo(monkeypatch)
    path = install(HOST, "launcher")
    assert pending(Toolchains().launcher(HOST, may_build=True)) is None
    path.write_bytes(b"x")
    recipe = pending(Toolchains().launcher(HOST, may_build=True))
    assert recipe is not None
    assert recipe.path == path


def test_host_needs_nothing_but_the_wheel() -> None:
    """No other module is loaded to find that out."""
    sys.modules.pop("mochi_rules.aot.tools.command_line", None)
    assert Toolchains().aot_tool(HOST).name == "wheel"
    assert "mochi_rules.aot.tools.command_line" not in sys.modules


def test_bare_machine_has_none_for_others() -> None:
    """Each tool is tried, in order, and the help is one thing to do."""
    with pytest.raises(MochiError) as caught:
        Toolchains().aot_tool(OTHER)
    [found] = caught.value.diagnostics
    assert found.code == "C002"
    assert [note.partition(" (")[0] for note in found.notes] == [
        "wheel", "aot-worker", "wasmtime", "aot-worker", "emulated wheel",
    ]  # fmt: skip
    assert found.help == "install Rust from https://rustup.rs"


def test_installed_worker_is_taken() -> None:
    """It is ready: nothing has to be built."""
    path = install(HOST, "aot-worker")
    resolution = Toolchains().aot(OTHER)
    assert pending(resolution) is None
    assert Toolchains().aot_tool(OTHER).command == (str(path),)


def test_worker_is_built_where_cargo_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe says how, until it is there."""
    pretend_cargo(monkeypatch)
    toolchains = Toolchains()
    recipe = pending(toolchains.aot(OTHER))
    assert recipe is not None
    assert (recipe.program, recipe.triple) == ("aot-worker", "x-y-z")
    install(HOST, "aot-worker")
    assert pending(toolchains.aot(OTHER)) is None


@pytest.mark.parametrize(
    ("policy", "tools"),
    [
        ("auto", ["wheel", "aot-worker", "wasmtime", "aot-worker", "emulated wheel"]),
        ("system", ["wheel", "aot-worker", "wasmtime", "emulated wheel"]),
        ("off", ["wheel"]),
    ],
)
def test_policy_says_what_may_be_used(policy: str, tools: list[str]) -> None:
    """What is built, what is installed, or nothing besides the Python packages."""
    assert [item.name for item in Toolchains(policy=policy).all()] == tools


def test_named_command_is_taken_or_reported_about() -> None:
    """Whoever names a tool does not get another."""
    with pytest.raises(MochiError) as caught:
        Toolchains(aot_path="/nowhere/wasmtime").aot_tool(HOST)
    assert "`/nowhere/wasmtime` is not a program" in caught.value.diagnostics[0].notes[0]


def test_tool_of_the_user_goes_before_ours() -> None:
    """And its version is in keys."""
    mine = Toolchain(ToolchainType.AOT, "mine", "here", identity="wasmtime 48.9.9", command=("m",))
    toolchains = Toolchains((mine,))
    assert toolchains.aot_tool(HOST) == mine
    assert toolchains.wasmtime(HOST) == "48.9.9"


def test_wheel_has_no_identity_of_its_own() -> None:
    """A warm start need not ask for it."""
    assert Toolchains().wasmtime(HOST) is None


def test_launcher_is_taken_where_it_is_installed() -> None:
    """Without one, there are no executables, and the reason says what to do."""
    toolchains = Toolchains()
    assert toolchains.launcher(OTHER, may_build=False).chosen is None
    path = install(OTHER, "launcher")
    chosen = Toolchains().launcher(OTHER, may_build=False).chosen
    assert chosen is not None
    assert chosen.command == (str(path),)


def test_launcher_is_built_for_the_first_target_that_rust_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That of musl needs no library; that of the system is there more often."""
    pretend_cargo(monkeypatch)
    platform = find_platform("x86_64-linux")
    first = pending(Toolchains().launcher(platform, may_build=True))
    assert first is not None
    assert first.triple == "x86_64-unknown-linux-musl"
    monkeypatch.setattr(native_tools, "_has_rust_target", lambda triple: "musl" not in triple)
    second = pending(Toolchains().launcher(platform, may_build=True))
    assert second is not None
    assert second.triple == "x86_64-unknown-linux-gnu"


@pytest.mark.parametrize(
    ("lacks", "help_"),
    [
        ("rust", "install Rust from https://rustup.rs"),
        ("target", "run `rustup target add aarch64-unknown-linux-musl`"),
        ("linker", "run `apt-get install gcc-aarch64-linux-gnu`"),
    ],
)
def test_what_a_launcher_lacks(monkeypatch: pytest.MonkeyPatch, lacks: str, help_: str) -> None:
    """The help is the one command that goes further."""
    if lacks != "rust":
        pretend_cargo(monkeypatch)
    if lacks == "target":
        monkeypatch.setattr(native_tools, "_has_rust_target", lambda _triple: False)
    if lacks == "linker":
        monkeypatch.setattr(
            native_tools.shutil, "which", lambda name: None if "gcc" in name else name
        )
    resolution = Toolchains().launcher(find_platform("aarch64-linux"), may_build=True)
    with pytest.raises(MochiError) as caught:
        pending(resolution)
    assert caught.value.diagnostics[0].help == help_


def test_nothing_is_built_where_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `toolchain=system`, cargo is not even looked for."""
    pretend_cargo(monkeypatch)
    resolution = Toolchains(policy="system").launcher(OTHER, may_build=True)
    assert resolution.chosen is None
    assert len(resolution.rejected) == 1


@pytest.mark.parametrize("policy", ["worker", "command", "emulated"])
def test_named_tool_compiles_alone(policy: str) -> None:
    """`scons check-reproducible` compares what each of them makes, so no other may step in."""
    resolution = Toolchains(policy=policy).aot(HOST)
    assert resolution.chosen is None
    assert not any(item.toolchain.name == "wheel" for item in resolution.rejected)


def test_recipe_is_no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cargo can build is chosen, and is built when it is there."""
    pretend_cargo(monkeypatch)
    tool = native_tools.cargo_worker(HOST)
    assert not tool.missing
    assert not is_built(tool)
    install(HOST, "aot-worker")
    assert is_built(tool)
