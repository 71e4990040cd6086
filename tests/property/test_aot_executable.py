"""Executables: what is attached is found again, and no bytes cause more than a diagnostic."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mochi_rules.aot.config import engine_config
from mochi_rules.aot.executable.payload import find_payload, make_payload
from mochi_rules.aot.executable.settings import (
    ACCESSES,
    NUMBERS,
    Directory,
    RunSettings,
    launcher_settings,
    read_settings,
)
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS
from tests.unit.aot.executable.files import LINUX, MACOS, make_artifact, make_launcher

OPTIONS = {
    "debug_info": st.booleans(),
    "consume_fuel": st.just(value=True),
    "epoch_interruption": st.just(value=True),
    "memory_reservation": st.sampled_from([None, 0, 65536, 4 << 30, 1 << 40]),
    "memory_guard_size": st.sampled_from([None, 0, 65536, 32 << 20]),
}
CONFIGS = st.fixed_dictionaries(OPTIONS).map(lambda chosen: engine_config(LINUX, settings=chosen))
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
DIRECTORIES = st.lists(
    st.builds(Directory, NAMES, NAMES, st.sampled_from(ACCESSES)),
    max_size=3,
    unique_by=lambda item: item.guest,
).map(tuple)
# A launcher that is no Mach-O file: in those, the payload is a section.
LAUNCHERS = st.binary(max_size=300).map(b"\x7fELF".__add__)
RUNS = st.builds(
    RunSettings,
    *(st.integers(number.smallest, number.largest) for number in NUMBERS),
    directories=DIRECTORIES,
)


@given(CONFIGS, RUNS)
def test_settings_are_read_as_they_were_written(config, run):
    """Limits and directories come back, and every option that is not at its default."""
    found = read_settings(launcher_settings(config, run))
    assert found.run == run
    for name, value in found.engine.items():
        assert getattr(config, name) == value
    missing = {"debug_info", "memory_reservation", "memory_guard_size"} - set(found.engine)
    defaults = {"debug_info": (False,), "memory_reservation": (None, 4 << 30),
                "memory_guard_size": (None, 32 << 20)}  # fmt: skip
    assert all(getattr(config, name) in defaults[name] for name in missing)


@given(LAUNCHERS, st.binary(max_size=300), CONFIGS, RUNS)
def test_payload_is_found_as_it_was_attached(before, artifact, config, run):
    """Whatever stands before it, a payload at the end comes out as it went in."""
    lines = launcher_settings(config, run)
    found = find_payload(before + make_payload(artifact, lines))
    assert found.artifact == artifact
    assert found.settings == read_settings(lines)


@given(st.binary(max_size=300), st.data())
def test_changed_byte_is_refused(artifact, data):
    """No byte of a payload can take another value."""
    payload = bytearray(make_payload(artifact, b"stack\t1000000\n"))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MochiError):
        find_payload(bytes(payload))


CHANGES = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=6)
CUTS = st.integers(0, 300)


@settings(max_examples=400)
@given(st.sampled_from(PLATFORMS), CHANGES, CUTS, st.booleans())
def test_damaged_launcher_causes_no_more_than_a_diagnostic(platform, changes, cut, signed):
    """A launcher of any bytes becomes an executable, or is refused."""
    options = {"signed": signed} if platform.system.object_format == "macho" else {}
    launcher = damage(make_launcher(platform, **options), changes, cut)
    with contextlib.suppress(MochiError):
        write_executable(platform, launcher, make_artifact(platform), b"")


@settings(max_examples=300)
@given(st.sampled_from([LINUX, MACOS]), CHANGES, CUTS, st.booleans())
def test_damaged_executable_causes_no_more_than_a_diagnostic(platform, changes, cut, at_end):
    """An executable of any bytes has a payload, or is refused."""
    launcher, artifact = make_launcher(platform), make_artifact(platform)
    data = write_executable(platform, launcher, artifact, b"fuel\t5\n")
    if at_end:
        changes = [(-1 - place, value) for place, value in changes]
    with contextlib.suppress(MochiError):
        assert find_payload(damage(data, changes, cut)).artifact == artifact


@settings(max_examples=300)
@given(CHANGES)
def test_damaged_artifact_causes_no_more_than_a_diagnostic(changes):
    """An artifact of any first bytes is attached, or is refused."""
    artifact = damage(make_artifact(LINUX), [(place % 110, value) for place, value in changes], 0)
    with contextlib.suppress(MochiError):
        write_executable(LINUX, make_launcher(LINUX), artifact, b"")


def damage(data, changes, cut):
    """Return bytes with some set to other values, and some missing at the end."""
    changed = bytearray(data)
    for place, value in changes:
        if -len(changed) <= place < len(changed):
            changed[place] = value
    return bytes(changed[: len(changed) - cut])
