"""The wheel as a toolchain."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from mochi_rules.aot import wheel
from mochi_rules.aot.tools import python_package
from mochi_rules.aot.tools.python_package import wheel_toolchain
from mochi_rules.aot.wheel import wheel_version, worker_command
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS
from mochi_rules.platforms.toolchain import ToolchainType, resolution_error, resolve


def test_wheel_compiles_for_its_own_host_only():
    """On each platform the wheel is chosen for that platform, and rejected for all others."""
    for host in PLATFORMS:
        registered = [wheel_toolchain(host)]
        for target in PLATFORMS:
            found = resolve(registered, ToolchainType.AOT, target, host)
            assert (found.chosen is not None) == (target is host)


@pytest.mark.parametrize(
    ("version", "words"),
    [("", "is not installed"), ("47.0.1", "is 47.0.1"), ("50.0.1", "is 50.0.1")],
)
def test_wheel_of_another_version_is_rejected_with_the_command(host, monkeypatch, version, words):
    """A missing wheel, and one of another major version, say what to install."""
    monkeypatch.setattr(python_package, "wheel_version", lambda: version)
    toolchain = wheel_toolchain(host)
    assert words in toolchain.missing
    diagnostic = resolution_error(resolve([toolchain], ToolchainType.AOT, host, host))
    assert "pip install 'wasmtime>=48,<49'" in diagnostic.notes[0]


def test_version_is_that_of_the_metadata():
    """The name of the wheel's metadata says the version that its contents say."""
    assert wheel_version() == version("wasmtime")


def test_identity_is_the_exact_version(host, worker):
    """The key of an artifact holds the patch version: a patch may fix the compiler."""
    assert wheel_toolchain(host).identity == f"wasmtime {worker.greeting().wasmtime}"


def test_command_without_a_wheel_is_an_error(monkeypatch):
    """Asking for a worker where no wheel is installed is C035 with the command."""
    monkeypatch.setattr(wheel, "find_spec", lambda _: None)
    with pytest.raises(MochiError, match="C035") as caught:
        worker_command()
    assert "pip install" in caught.value.diagnostics[0].help
