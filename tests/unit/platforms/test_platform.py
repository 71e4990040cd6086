"""The table of platforms."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.platforms.platform import PLATFORMS, find_platform, host_platform


def test_table_holds_the_promised_platforms():
    """The eight platforms of the documentation are there, in its order."""
    assert [row.name for row in PLATFORMS] == [
        "x86_64-linux", "aarch64-linux", "x86_64-macos", "aarch64-macos",
        "x86_64-windows", "aarch64-windows", "riscv64-linux", "s390x-linux",
    ]  # fmt: skip


@pytest.mark.parametrize("row", PLATFORMS, ids=lambda row: row.name)
def test_row_is_consistent(row):
    """The columns of a row agree with each other."""
    architecture, _, system, *_ = row.triple.split("-")
    assert architecture == row.architecture.triple_names[0]
    assert system.startswith(row.system.triple_names)
    assert row.page_size in {4096, 16384, 65536}
    assert (row.oldest_system > (0, 0)) == (row.os == "macos")


@pytest.mark.parametrize("row", PLATFORMS, ids=lambda row: row.name)
def test_find_platform_accepts_name_and_triple(row):
    """A platform is found by its name and by its full triple."""
    assert find_platform(row.name) is row
    assert find_platform(row.triple) is row


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("aarch64-linus", "did you mean `aarch64-linux`?"),
        ("AARCH64-LINUX", "did you mean `aarch64-linux`?"),
        ("x86_64-unknown-linux-musl", "did you mean `x86_64-unknown-linux-gnu`?"),
    ],
)
def test_unknown_platform_suggests_the_nearest(text, suggestion):
    """A misspelt platform is C010 with the nearest name."""
    with pytest.raises(MochiError) as caught:
        find_platform(text)
    [diagnostic] = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.help) == ("C010", suggestion)
    assert "`s390x-linux`" in diagnostic.notes[0]


@pytest.mark.parametrize("text", ["", " ", "quux", "\0", "a" * 10_000])
def test_nonsense_platform_still_says_what_to_type(text):
    """A name near nothing is C010 with an example."""
    with pytest.raises(MochiError) as caught:
        find_platform(text)
    assert "target=x86_64-linux" in caught.value.diagnostics[0].help


@pytest.mark.parametrize(
    ("machine", "system", "name"),
    [
        ("AMD64", "Windows", "x86_64-windows"),
        ("ARM64", "Windows", "aarch64-windows"),
        ("arm64", "Darwin", "aarch64-macos"),
        ("x86_64", "Darwin", "x86_64-macos"),
        ("x86_64", "Linux", "x86_64-linux"),
        ("aarch64", "Linux", "aarch64-linux"),
        ("riscv64", "Linux", "riscv64-linux"),
        ("s390x", "Linux", "s390x-linux"),
    ],
)
def test_host_platform_knows_the_words_of_python(machine, system, name):
    """What `platform.machine()` and `platform.system()` say is translated."""
    assert host_platform(machine, system).name == name


def test_host_platform_is_one_of_the_table():
    """The machine that runs the tests is a platform."""
    assert host_platform() in PLATFORMS


def test_unknown_host_is_an_environment_error():
    """A machine outside the table is C011, the machine's fault and not the user's."""
    with pytest.raises(MochiError) as caught:
        host_platform("armv7l", "Linux")
    [diagnostic] = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.fault) == ("C011", Fault.ENVIRONMENT)
    assert "armv7l" in diagnostic.message
