"""Tests of what makes a test fail, and what is said then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.aot.executable.settings import Directory
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.steps.processes.capture import Ran
from mochi_rules.steps.step import PROGRAM
from mochi_rules.steps.test_case import (
    EXPECTED,
    Case,
    check,
    directory_inputs,
    executable_case_step,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.steps.processes.subprocesses import Executable

CASE = Case("//app:app_test", timeout=2)
ARM = find_platform("aarch64-linux")


def fault(ran: Ran, expected: bytes | None = None) -> Diagnostic:
    """Return why a test failed."""
    with pytest.raises(MochiError) as caught:
        check(CASE, ran, expected)
    [found] = caught.value.diagnostics
    return found


def test_status_0_passes() -> None:
    """Without an expectation, what is printed does not matter."""
    check(CASE, Ran(0, b"anything", b""), None)


def test_expected_output_passes() -> None:
    """The output is compared to the byte."""
    check(CASE, Ran(0, b"1\n", b"a warning"), b"1\n")


def test_status_and_output_of_a_failure_are_shown() -> None:
    """What the program printed and said is the reason."""
    found = fault(Ran(3, b"one\ntwo\n", b"no\n"))
    assert found.message == "test `//app:app_test` failed: it exited with status 3"
    assert found.notes == ("standard output:\n    one\n    two", "standard error:\n    no")


def test_end_of_long_output_is_shown() -> None:
    """A program fails at its end."""
    found = fault(Ran(1, b"x\n" * 50 + b"last\n", b""))
    lines = found.notes[0].splitlines()
    assert (lines[1], lines[-1], len(lines)) == ("    ... 31 lines before", "    last", 22)


def test_difference_to_the_expected_output_is_shown() -> None:
    """As a unified diff."""
    found = fault(Ran(0, b"a\nc\n", b""), b"a\nb\n")
    assert found.message.endswith("failed: its output differs from the expected output")
    assert "    -b\n    +c" in found.notes[0]


def test_difference_in_line_ends_is_reported_in_words() -> None:
    """A diff would show two equal lines."""
    found = fault(Ran(0, b"a\r\n", b""), b"a\n")
    assert found.notes == ("they differ only in line endings",)


def test_time_that_is_up_is_reported() -> None:
    """The limit is in the message."""
    assert fault(Ran(None, b"", b"")).message.endswith("failed: it ran longer than 2 s")


def directory_case(host: str = "data") -> Case:
    """Return a test whose program uses a directory."""
    return Case("//app:app_test", directories=(Directory(host, "tables"),))


def test_files_of_directories_are_inputs(tmp_path: Path) -> None:
    """By the number of their directory and their path in it."""
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/deep/b.txt").write_bytes(b"b")
    (tmp_path / "data/a.txt").write_bytes(b"a")
    found = directory_inputs(directory_case(), tmp_path)
    assert found == {"dirs/0/a.txt": b"a", "dirs/0/deep/b.txt": b"b"}


def test_missing_directory_is_named(tmp_path: Path) -> None:
    """Before anything is run."""
    with pytest.raises(MochiError, match=r"A075.*`data`"):
        directory_inputs(directory_case(), tmp_path)


def test_large_directory_is_refused(tmp_path: Path) -> None:
    """Its files would be copied for each run; it is not even read."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(MochiError, match="B041"):
        directory_inputs(directory_case("."), tmp_path)


class Recorded:
    """Engines that note what they run, and say that it ended well."""

    def __init__(self) -> None:
        self.executables: list[Executable] = []
        self.subprocesses = self

    def execute(self, executable: Executable, *_: object) -> Ran:
        """Note an executable."""
        self.executables.append(executable)
        return Ran(0, b"hello\n", b"")


INPUTS = {PROGRAM: b"elf", "libwasmtime.so": b"so", EXPECTED: b"hello\n", "dirs/0/a/b": b"b"}


def test_executable_has_its_directories_where_it_looks_for_them() -> None:
    """By their names on the host, which are in its settings; what is compared stays here."""
    engines: Any = Recorded()
    step = executable_case_step(directory_case("./data"), ARM, tuple)
    assert step.make(engines, INPUTS).remark == "passed"
    [found] = engines.executables
    assert found.program == {"program": b"elf", "libwasmtime.so": b"so"}
    assert (found.files, found.folders) == ({"data/a/b": b"b"}, ["data"])


@pytest.mark.parametrize("host", ["../data", "/data", "a/../../b"])
def test_directory_elsewhere_is_refused_for_an_executable(host: str) -> None:
    """It would be outside of the folder that is made for the run."""
    engines: Any = Recorded()
    with pytest.raises(MochiError, match="B027"):
        executable_case_step(directory_case(host), ARM, tuple).make(engines, {PROGRAM: b"elf"})


def test_platform_is_part_of_the_key_of_a_test() -> None:
    """Programs may print where they run."""
    steps = [executable_case_step(CASE, platform, tuple) for platform in PLATFORMS[:2]]
    assert steps[0].arguments != steps[1].arguments


def test_flood_is_reported() -> None:
    """And long lines are cut off."""
    found = fault(Ran(None, b"x" * 100_000, b"", is_flood=True))
    assert found.message.endswith("failed: it printed more than 16 MB")
    assert len(found.notes[0]) < 1000
