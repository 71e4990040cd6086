"""Tests of what is varied between builds that must be equal."""

from __future__ import annotations

import os
import subprocess

import pytest

from mochi_rules.platforms.platform import Platform, find_platform
from mochi_rules.platforms.toolchain import Rejection, Resolution, Toolchain, ToolchainType
from mochi_rules.release.repeat import variations
from mochi_rules.release.repeat.variations import VARIATIONS, Variation, other_tools
from mochi_rules.steps.tools.tool_choice import Toolchains

HERE, THERE = find_platform("x86_64-linux"), find_platform("aarch64-linux")
FITTING = {
    "auto": (HERE, THERE),
    "off": (HERE,),
    "worker": (HERE, THERE),
    "command": (),
    "emulated": (THERE,),
}


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each policy have one tool, and the platforms of FITTING."""

    def aot(self: Toolchains, platform: Platform) -> Resolution:
        fits = platform in FITTING[self.policy]
        is_usual = self.policy == "auto"
        name = ("off" if platform is HERE else "worker") if is_usual else self.policy
        missing = "it is not installed" if name == "command" and platform is THERE else ""
        tool = Toolchain(ToolchainType.AOT, name, "here", missing=missing)
        rejected = () if fits else (Rejection(tool, missing or f"not for {platform.name}"),)
        chosen = tool if fits else None
        return Resolution(ToolchainType.AOT, platform, HERE, chosen, rejected)

    monkeypatch.setattr(variations.Toolchains, "aot", aot)


def test_tool_is_compared_for_the_platforms_that_it_compiles_for() -> None:
    """The wheel is the usual one here, and makes nothing for the other platform.

    Of the reasons against the command, the one is told that can be mended.
    """
    found, lacking = other_tools(Toolchains(), [HERE, THERE])
    emulated = ("toolchain=emulated", "target=aarch64-linux")
    assert found == [
        Variation("worker", words=("toolchain=worker",)),
        Variation("emulation for aarch64-linux", words=emulated, platforms=("aarch64-linux",)),
    ]
    assert lacking == {"command": "it is not installed"}


def test_tool_that_compiles_for_no_platform_is_named_with_the_reason() -> None:
    """What is not compared is said."""
    _, lacking = other_tools(Toolchains(), [HERE])
    assert lacking == {"command": "not for x86_64-linux", "emulation": "not for x86_64-linux"}


@pytest.mark.needs("unshare", "setpriv", "hostname")
def test_ordinary_user_can_have_another_host_name() -> None:
    """The file that names the host belongs to root, in every namespace."""
    [named] = [item for item in VARIATIONS if item.name == "host name"]
    is_root = os.geteuid() == 0
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if is_root else []
    namespace = [*user, *named.wrapper[: named.wrapper.index("sh")]]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("namespaces of users are not permitted here")
    command = [*user, *named.wrapper, "uname", "-n"]
    assert subprocess.check_output(command, text=True) == "elsewhere\n"
