"""Tests of the variables of the command line."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.platforms.platform import PLATFORMS, host_platform
from mochi_rules.project.configuration import (
    MODES,
    VARIABLES,
    check_arguments,
    find_configurations,
    find_mode,
    variant_of,
)


def fault(call: object) -> Diagnostic:
    """Return the one diagnostic that a call raises."""
    with pytest.raises(MochiError) as caught:
        call()  # type: ignore[operator]
    [found] = caught.value.diagnostics
    return found


def test_default_is_this_machine_in_release_mode() -> None:
    """Without variables there is one configuration."""
    [found] = find_configurations()
    assert found.name == f"{host_platform().name}-release"
    assert found.cpu == host_platform().architecture.default_cpu_level


def test_several_targets_are_several_configurations() -> None:
    """Each is there once, in the order given."""
    found = find_configurations("s390x-linux, x86_64-linux,s390x-linux", "release")
    assert [item.name for item in found] == ["s390x-linux-release", "x86_64-linux-release"]


@pytest.mark.parametrize(
    ("cpu", "optimize", "engine", "link", "want"),
    [
        ("", "", "", "auto", "x86_64-linux-release"),
        ("x86-64-v2", "2", "", "none", "x86_64-linux-release"),
        ("x86-64-v3", "", "", "launcher", "x86_64-linux-release-v3"),
        ("", "", "", "bundle", "x86_64-linux-release-bundle"),
        ("", "", "v3", "auto", "x86_64-linux-release+v3"),
        ("", "1", "", "auto", "x86_64-linux-release-O1"),
        ("x86-64-v3", "0", "a /b", "bundle", "x86_64-linux-release-v3-O0-bundle+a%20%2Fb"),
    ],
)
def test_output_directory_names_what_is_not_default(
    cpu: str, optimize: str, engine: str, link: str, want: str
) -> None:
    """What has other bytes lies elsewhere; no two choices have the same directory."""
    variant = variant_of(engine, link)
    [found] = find_configurations("x86_64-linux", "", cpu, {}, variant, optimize)
    assert found.name == want


@pytest.mark.parametrize(("mode", "level"), [("release", 2), ("debug", 0)])
def test_mode_has_a_level_of_optimization(mode: str, level: int) -> None:
    """A debugger wants the code as it is written; the name of the default says nothing of it."""
    [found] = find_configurations("x86_64-linux", mode)
    assert (found.optimize, found.name) == (level, f"x86_64-linux-{mode}")


def test_cpu_level_of_another_architecture_is_named_in_full() -> None:
    """Only those of x86_64 repeat the name of the architecture."""
    [found] = find_configurations("aarch64-linux", "debug", "armv8.2")
    assert found.name == "aarch64-linux-debug-armv8.2"


def test_all_targets_are_all_platforms() -> None:
    """`all` stands for the table."""
    assert len(find_configurations("all")) == len(PLATFORMS)


def test_triple_is_a_target() -> None:
    """Who thinks in triples writes triples."""
    [found] = find_configurations("aarch64-apple-darwin")
    assert found.platform.name == "aarch64-macos"


@pytest.mark.parametrize(
    ("arguments", "code", "message", "help_"),
    [
        (("aarch64-linx",), "C010", "no platform is named `aarch64-linx`",
         "did you mean `aarch64-linux`?"),
        (("", "relase"), "B004", "no mode is named `relase`", "did you mean `release`?"),
        (("", "", "", {}, "", "3"), "B004", "`optimize` cannot be `3`", None),
        (("x86_64-linux", "", "x86-64"), "C012", None, "write `cpu=x86-64-v1`"),
        (("x86_64-linux", "", "x86-64-v9"), "C012", None, "did you mean `x86-64-v4`?"),
        (("s390x-linux", "", "x86-64-v3"), "C013", None, "write `cpu=z14`"),
        (("x86_64-linux,,s390x",), "C010", "no platform is named `s390x`", None),
    ],
)  # fmt: skip
def test_wrong_value_is_refused(
    arguments: tuple[str, ...], code: str, message: str | None, help_: str | None
) -> None:
    """The error has the nearest name, or a value that would do."""
    found = fault(lambda: find_configurations(*arguments))
    assert found.code == code
    assert message in (None, found.message)
    assert help_ in (None, found.help)


def test_unknown_variable_gets_the_nearest_name() -> None:
    """A typing error must not build the default."""
    found = fault(lambda: check_arguments({"mode": "debug", "tarhet": "x"}))
    assert (found.code, found.message) == ("B003", "unknown variable `tarhet`")
    assert found.help == "did you mean `target`?"


def test_unknown_variable_of_the_user_can_be_declared() -> None:
    """The help says how, and what it says works."""
    found = fault(lambda: check_arguments({"prefix": "x"}))
    assert found.help == 'declare one of your own: `tools=[("mochi", {"variables": ["prefix"]})]`'
    check_arguments({"prefix": ""}, declared=["prefix"])


def test_variable_without_a_value_is_refused() -> None:
    """`mode=$MODE` with an unset `MODE` must not build the default."""
    found = fault(lambda: check_arguments({"mode": ""}))
    assert (found.code, found.message) == ("B004", "`mode` needs a value")
    assert found.help == "write `mode=VALUE`, or leave it out"


def test_every_mode_makes_a_valid_engine() -> None:
    """The settings of a mode are settings of the engine."""
    for mode in MODES:
        [found] = find_configurations("", mode.name)
        assert found.engine().opt_level == mode.engine["opt_level"]


def test_setting_of_a_rule_goes_before_the_mode() -> None:
    """What a rule says of the engine counts more."""
    [found] = find_configurations()
    assert found.engine({"opt_level": "speed_and_size"}).opt_level == "speed_and_size"


def test_loader_leaves_the_mode_out() -> None:
    """What was compiled elsewhere does not follow our modes."""
    [found] = find_configurations()
    assert found.loader({}).opt_level == "speed"


def test_default_mode_loads_in_a_default_engine() -> None:
    """It changes nothing that a loader compares."""
    engine = find_configurations()[0].engine()
    compared = (engine.debug_info, engine.consume_fuel, engine.epoch_interruption)
    assert not any(compared)


def test_debug_mode_is_for_debuggers() -> None:
    """Its code is as it is written, with debug information."""
    engine = find_configurations("", "debug")[0].engine()
    assert (engine.debug_info, engine.opt_level) == (True, "none")


def test_winch_in_debug_mode_has_no_debug_information() -> None:
    """Winch has none; who asks for it has asked for speed."""
    assert not find_configurations("", "debug")[0].engine({"compiler": "winch"}).debug_info


def test_each_variable_tells_its_values() -> None:
    """The help lists what is allowed."""
    assert all(row.doc and list(row.values()) for row in VARIABLES)
    assert find_mode("debug") in MODES
