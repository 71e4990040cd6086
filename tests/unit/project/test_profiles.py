"""Tests of settings of programs, and of `mochi.toml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.executable.settings import Directory, RunSettings
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.project.configuration import find_configurations
from mochi_rules.project.profiles import Profiles, parse_directory, split

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fault(call: Callable[[], object]) -> Diagnostic:
    """Return the one diagnostic that a call raises."""
    with pytest.raises(MochiError) as caught:
        call()
    [found] = caught.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("settings", "engine", "run"),
    [
        ({}, {}, RunSettings()),
        ({"opt_level": "none"}, {"opt_level": "none"}, RunSettings()),
        ({"fuel": 9}, {"consume_fuel": True}, RunSettings(fuel=9)),
        ({"deadline_ms": 9}, {"epoch_interruption": True}, RunSettings(deadline_ms=9)),
        ({"memory_limit": 1 << 20}, {}, RunSettings(memory_limit=1 << 20)),
        ({"fuel": 9, "consume_fuel": False}, {"consume_fuel": False}, RunSettings(fuel=9)),
        ({"dirs": ["a"]}, {}, RunSettings(directories=(Directory("a", "a"),))),
    ],
)
def test_settings_are_the_engines_or_the_runs(
    settings: dict[str, object], engine: dict[str, object], run: RunSettings
) -> None:
    """A limit turns on what it needs, unless that is said otherwise."""
    assert split(settings) == (engine, run)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("data", Directory("data", "data", "r")),
        ("data:rw", Directory("data", "data", "rw")),
        ("../t=tables", Directory("../t", "tables", "r")),
        ("a=b:rw", Directory("a", "b", "rw")),
    ],
)
def test_directory_is_a_text(text: str, want: Directory) -> None:
    """Where it is, what the program calls it, and whether it may write there."""
    assert parse_directory(text) == want


@pytest.mark.parametrize("value", ["data", [1], ["=b"], ["a="], [""], [":rw"]])
def test_what_is_no_directory_is_reported(value: object) -> None:
    """The help has examples."""
    assert fault(lambda: split({"dirs": value})).code == "B027"


def test_contradiction_is_reported() -> None:
    """A limit whose engine was switched off."""
    configuration = find_configurations()[0]
    found = fault(lambda: configuration.launch({"fuel": 9, "consume_fuel": False}))
    assert found.code == "A101"


def test_launcher_gets_the_settings_of_the_engine() -> None:
    """Both parts come from the same settings."""
    lines = find_configurations()[0].launch({"compiler": "winch", "deadline_ms": 50}).decode()
    assert lines.splitlines() == ["compiler\twinch", "deadline_ms\t50"]


def test_profile_is_a_table(tmp_path: Path) -> None:
    """It is found by name; another file than `mochi.toml` is not looked at."""
    (tmp_path / "mochi.toml").write_text("[engine.small]\nmemory_limit = 65536\n[remote]\n")
    profiles = Profiles(tmp_path)
    assert profiles.names == ["small"]
    assert profiles.find("small") == {"memory_limit": 65536}


@pytest.mark.parametrize(
    ("text", "code", "help_"),
    [
        ("[engine.small]\n", "B029", "did you mean `small`?"),
        ("", "B029", "write `[engine.smal]` in `mochi.toml`"),
        ("[engine\n", "B028", ""),
        ("engine = 1\n", "B028", "write `[engine.sandboxed]`, and below it `fuel = 1_000_000`"),
        ("[engine]\nfuel = 1\n", "B028", None),
        ("a = " + "[" * 9999, "B028", None),
        ("a = " + "9" * 9999, "B028", None),
        ("a." * 9999 + "a = 1", "B028", None),
        ("#" * (1 << 17), "B028", None),
    ],
)
def test_what_is_wrong_with_a_profile(
    tmp_path: Path, text: str, code: str, help_: str | None
) -> None:
    """It is not there, or the file cannot be understood."""
    (tmp_path / "mochi.toml").write_text(text)
    found = fault(lambda: Profiles(tmp_path).find("smal"))
    assert found.code == code
    assert help_ is None or found.help == help_


def test_workspace_without_the_file_has_no_profiles(tmp_path: Path) -> None:
    """Nothing has to be there."""
    assert Profiles(tmp_path).names == []


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("[engine.small]\nfuel = 9\nfule = 9\n", "A050", "mochi.toml:3:1"),
        (
            '[engine.other]\nopt_level = 1\n[engine.small]\n  opt_level = "fast"\n',
            "A051",
            "mochi.toml:4:3",
        ),
        ('[engine.small]\ndirs = ["=b"]\n', "B027", "mochi.toml:2:1"),
        ("[engine.small]\nfuel = -1\n", "A100", "mochi.toml:2:1"),
        ("[engine]\nsmall = { fule = 9 }\n", "A050", "mochi.toml:2:1"),
        ("engine.small.fule = 9\n", "A050", "mochi.toml:1:14"),
        ('["engine"."small"]\n"fule" = 9\n', "A050", "mochi.toml:2:1"),
        ("[engine.small]\nfuel = nine\n", "B028", "mochi.toml:2:8"),
        ("[engine.small]\n[engin.big]\n", "B028", "mochi.toml:2:2"),
        ("[engine]\nsmall = 1\n", "B028", "mochi.toml:2:1"),
    ],
)
def test_fault_of_a_profile_is_placed_in_the_file(
    tmp_path: Path, text: str, code: str, place: str
) -> None:
    """Not where the profile is asked for."""
    (tmp_path / "mochi.toml").write_text(text)
    found = fault(lambda: Profiles(tmp_path).find("small"))
    assert (found.code, str(found.span)) == (code, place)
