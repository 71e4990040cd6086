"""The settings of an executable: what is written, what is refused, what is read."""

from __future__ import annotations

import pytest

from mochi_rules.aot.config import engine_config
from mochi_rules.aot.executable.settings import (
    NUMBERS,
    Directory,
    RunSettings,
    launcher_settings,
    lines_setting,
    read_settings,
)
from mochi_rules.base.diagnostic import MochiError

from .files import LINUX

PLAIN = engine_config(LINUX)


def codes_of(run, **options):
    """Return the codes of a refusal."""
    with pytest.raises(MochiError) as caught:
        launcher_settings(engine_config(LINUX, settings=options), run)
    return [item.code for item in caught.value.diagnostics]


def test_defaults_are_not_written():
    """A program without wishes has no settings."""
    assert launcher_settings(PLAIN, RunSettings()) == b""


def test_every_setting_is_a_line():
    """The lines are those of the launcher's table, in a fixed order."""
    config = engine_config(
        LINUX,
        settings={
            "compiler": "winch",
            "consume_fuel": True,
            "epoch_interruption": True,
            "memory_reservation": 65536,
            "memory_guard_size": 0,
        },
    )
    directories = (Directory("data", "/data"), Directory("out", "/out", "rw"))
    run = RunSettings(5, 60, 1 << 20, 1 << 16, directories)
    assert launcher_settings(config, run).decode().splitlines() == [
        "compiler\twinch",
        "memory_reservation\t65536",
        "memory_guard_size\t0",
        "fuel\t5",
        "deadline_ms\t60",
        "memory_limit\t1048576",
        "stack\t65536",
        "dir\tr\tdata\t/data",
        "dir\trw\tout\t/out",
    ]


def test_switches_are_numbers():
    """A switch that is not at its default is written as 0 or 1."""
    config = engine_config(LINUX, settings={"debug_info": True})
    assert launcher_settings(config, RunSettings()) == b"debug_info\t1\n"
    config = engine_config(LINUX, settings={"signals_based_traps": False})
    assert launcher_settings(config, RunSettings()) == b"signals_based_traps\t0\n"


def test_compiled_for_a_limit_that_nobody_sets():
    """The launcher gets fuel and deadline whenever the code has them."""
    config = engine_config(LINUX, settings={"consume_fuel": True, "epoch_interruption": True})
    lines = launcher_settings(config, RunSettings())
    assert lines == b"fuel\t18446744073709551615\ndeadline_ms\t0\n"


@pytest.mark.parametrize("number", NUMBERS, ids=lambda row: row.name)
def test_number_out_of_its_range_is_refused(number):
    """One below the smallest, one above the largest, and what is not a number."""
    options = {number.option: True} if number.option else {}
    for value in (number.smallest - 1, number.largest + 1, True, "5"):
        assert codes_of(RunSettings(**{number.name: value}), **options) == ["A100"]


def test_limit_without_its_option_is_refused():
    """Code without fuel cannot be given any."""
    assert codes_of(RunSettings(fuel=5, deadline_ms=5)) == ["A101", "A101"]


@pytest.mark.parametrize(
    "directories",
    [
        (Directory("a", "b", "w"),),
        (Directory("", "b"),),
        (Directory("a", "b\tc"),),
        (Directory("a\nb", "c"),),
        (Directory("a", "\0"),),
        (Directory("a", "\x7f"),),
        (Directory("\udcff", "a"),),
        (Directory("a", "x"), Directory("b", "x")),
    ],
)
def test_directory_that_cannot_be_written_is_refused(directories):
    """Neither a name that would break a line nor two of one name come through."""
    assert codes_of(RunSettings(directories=directories)) == ["A102"]


@pytest.mark.parametrize(
    "line",
    [
        b"bogus\t1",
        b"fuel",
        b"fuel\t-1",
        b"fuel\t+1",
        b"fuel\t1_0",
        b"fuel\t",
        b"fuel\t18446744073709551616",
        b"fuel\t" + b"9" * 5000,
        "fuel\t\u0665".encode(),
        b"debug_info\tyes",
        b"compiler\tgcc",
        b"dir\tx\ta\tb",
        b"dir\tr\ta",
        b"",
        b"\xff",
    ],
)
def test_line_that_no_launcher_reads_is_refused(line):
    """The same lines are refused here as by the launcher."""
    with pytest.raises(MochiError, match="A110"):
        read_settings(line + b"\nstack\t1000000")


def test_lines_come_back():
    """Without any, nothing is written."""
    assert read_settings(b"stack\t1\n" + lines_setting(b"\0\xff")).lines == "AP8="
    assert lines_setting(b"") == b""


def test_last_line_wins_and_may_lack_its_end():
    """Reading is as the launcher's."""
    assert read_settings(b"stack\t1\nstack\t2").run.stack == 2
