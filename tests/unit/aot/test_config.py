"""The engine configuration: what is refused, and the arguments of each tool."""

from __future__ import annotations

import dataclasses

import pytest

from mochi_rules.aot.config import EngineConfig, canonical, cli_arguments, engine_config
from mochi_rules.aot.engine_options import BY_NAME, MEMORY_LIMIT, OPTIONS
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.architecture import X86_64
from mochi_rules.platforms.platform import PLATFORMS, find_platform

X86 = find_platform("x86_64-linux")


def refused(settings, platform=X86, cpu=""):
    """Return the diagnostics of settings that are refused."""
    with pytest.raises(MochiError) as caught:
        engine_config(platform, cpu, settings)
    return caught.value.diagnostics


def test_table_and_class_agree():
    """Every field of EngineConfig is a row of the table with the same default, and no row more."""
    fields = {item.name: item.default for item in dataclasses.fields(EngineConfig)}
    del fields["platform"], fields["cpu"]
    assert fields == {option.name: option.default for option in OPTIONS}


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda row: row.name)
def test_default_is_valid_everywhere(platform):
    """The default configuration of every platform at every CPU level is accepted."""
    for level in platform.architecture.cpu_levels:
        assert engine_config(platform, level.name).cpu is level


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"opt_levle": "speed"}, "A050", "did you mean `opt_level`?"),
        ({"wasm_simd": False}, "A050", "leave it out"),
        ({"has_lse": True}, "A050", "leave it out"),
        ({"opt_level": "fast"}, "A051", "the default is `speed`"),
        ({"opt_level": "Speed"}, "A051", "did you mean `speed`?"),
        ({"opt_level": 2}, "A051", "`speed_and_size`"),
        ({"opt_level": None}, "A051", "`speed_and_size`"),
        ({"opt_level": ["speed"]}, "A051", "`speed_and_size`"),
        ({"compiler": "winchh"}, "A051", "did you mean `winch`?"),
        ({"compiler": "auto"}, "A051", "`winch`"),
        ({"debug_info": "yes"}, "A051", "`true` or `false`"),
        ({"consume_fuel": 1}, "A051", "`true` or `false`"),
        ({"signals_based_traps": None}, "A051", "`true` or `false`"),
        ({"memory_reservation": "4GiB"}, "A051", "a whole number of bytes"),
        ({"memory_reservation": True}, "A051", "a whole number of bytes"),
        ({"memory_guard_size": 65536.0}, "A051", "a whole number of bytes"),
        ({"memory_reservation": 1}, "A052", "memory_reservation = 65536"),
        ({"memory_reservation": 65535}, "A052", "memory_reservation = 65536"),
        ({"memory_guard_size": 65537}, "A052", "memory_guard_size = 131072"),
        ({"memory_reservation": -65536}, "A052", "memory_reservation = 0"),
        ({"memory_reservation": 1 << 64}, "A052", f"memory_reservation = {MEMORY_LIMIT}"),
        ({"memory_guard_size": MEMORY_LIMIT + 65536}, "A052", "out of range"),
        ({"compiler": "winch", "debug_info": True}, "A053", 'leave out `compiler = "winch"`'),
        (
            {"compiler": "winch", "signals_based_traps": False},
            "A053",
            "signals_based_traps = false",
        ),
        (
            {"signals_based_traps": False, "memory_guard_size": 65536},
            "A053",
            "leave out `memory_guard_size = 65536`",
        ),
    ],
)
def test_invalid_settings_are_refused_with_help(settings, code, words):
    """A wrong name, value or combination is an error that says what to write instead."""
    [diagnostic] = refused(settings)
    assert diagnostic.code == code
    assert words in f"{diagnostic.message} {diagnostic.help}"
    assert diagnostic.help


@pytest.mark.parametrize("name", ["riscv64-linux", "s390x-linux"])
def test_winch_is_refused_where_it_has_no_backend(name):
    """Winch for an architecture it lacks is A054; Wasmtime would abort."""
    [diagnostic] = refused({"compiler": "winch"}, find_platform(name))
    assert diagnostic.code == "A054"


def test_all_wrong_values_are_reported_at_once():
    """Two wrong values are two diagnostics, so that a user fixes both."""
    codes = [item.code for item in refused({"opt_level": "x", "memory_guard_size": 3})]
    assert codes == ["A051", "A052"]


def test_level_of_another_architecture_is_refused():
    """An x86 level cannot get into a configuration for Arm, not even directly."""
    arm = find_platform("aarch64-linux")
    [diagnostic] = refused({}, arm, "x86-64-v3")
    assert diagnostic.code == "C013"
    level = X86_64.cpu_levels[-1]
    with pytest.raises(MochiError, match="C013"):
        EngineConfig(arm, level)


def test_changed_config_is_checked():
    """A copy with another value cannot be invalid, either."""
    config = engine_config(X86)
    with pytest.raises(MochiError, match="A051"):
        dataclasses.replace(config, compiler="x")


def test_canonical_is_the_request():
    """The canonical form is what a worker is asked, explicit flags and all, and nothing more."""
    assert canonical(engine_config(X86, "x86-64-v2")) == {
        "target": "x86_64-unknown-linux-gnu",
        "flags": [
            ["has_sse3", None],
            ["has_ssse3", None],
            ["has_cmpxchg16b", None],
            ["has_sse41", None],
            ["has_sse42", None],
            ["has_popcnt", None],
        ],
        "opt_level": "speed",
        "compiler": "cranelift",
        "debug_info": False,
        "consume_fuel": False,
        "epoch_interruption": False,
        "memory_reservation": None,
        "memory_guard_size": None,
        "nan_canonicalization": False,
        "signals_based_traps": True,
    }


@pytest.mark.parametrize("name", ["memory_reservation", "memory_guard_size"])
def test_explicit_default_size_is_the_default(name):
    """A size that is written out but is the default makes the same key."""
    size = BY_NAME[name].default_size
    assert canonical(engine_config(X86, "", {name: size})) == canonical(engine_config(X86))


def test_every_option_changes_the_canonical_form():
    """No option is forgotten by the key."""
    default = canonical(engine_config(X86))
    others = {
        "opt_level": "none",
        "compiler": "winch",
        "debug_info": True,
        "consume_fuel": True,
        "epoch_interruption": True,
        "memory_reservation": 65536,
        "memory_guard_size": 65536,
        "nan_canonicalization": True,
        "signals_based_traps": False,
    }
    assert set(others) == set(BY_NAME)
    for name, value in others.items():
        changed = canonical(engine_config(X86, "", {name: value}))
        assert {key for key in default if default[key] != changed[key]} == {name}


def test_cli_arguments_pin_what_the_wheel_does():
    """The command line sets the collector and the cache that differ from the wheel's."""
    arm = find_platform("aarch64-linux")
    assert cli_arguments(engine_config(arm, "armv8.1")) == (
        *("compile", "--target", "aarch64-unknown-linux-gnu"),
        *("-C", "collector=drc", "-C", "cache=n", "-C", "inlining=n"),
        *("-W", "concurrency-support=y", "-D", "symbols=y"),
        *("-C", "cranelift-has_lse"),
        *("-O", "opt-level=2", "-C", "compiler=cranelift", "-D", "debug-info=n"),
        *("-W", "epoch-interruption=n"),
        *("-O", "memory-reservation=4294967296", "-O", "memory-guard-size=33554432"),
        *("-W", "nan-canonicalization=n", "-O", "signals-based-traps=y"),
    )


def test_cli_arguments_follow_the_settings():
    """Every option that is not the default is on the command line."""
    settings = {
        "opt_level": "speed_and_size",
        "debug_info": True,
        "consume_fuel": True,
        "epoch_interruption": True,
        "memory_reservation": 0,
        "memory_guard_size": 0,
        "nan_canonicalization": True,
        "signals_based_traps": False,
    }
    line = " ".join(cli_arguments(engine_config(X86, "x86-64-v1", settings)))
    for words in (
        *("-O opt-level=s", "-D debug-info=y", "-W fuel=1", "-W epoch-interruption=y"),
        *("-O memory-reservation=0", "-O memory-guard-size=0"),
        *("-W nan-canonicalization=y", "-O signals-based-traps=n"),
    ):
        assert words in line
