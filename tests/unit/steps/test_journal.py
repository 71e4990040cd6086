"""Tests of what builds note, and of the reasons told from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.events import Outcome
from mochi_rules.cache.explain import KeyRecord, key_record
from mochi_rules.cache.key import ActionSpec, prepare
from mochi_rules.steps.journal import Entry, Journal, explain, select

if TYPE_CHECKING:
    from pathlib import Path

WASM = "build/x86_64-linux-debug/app/hello.wasm"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return a build directory."""
    folder = tmp_path / "build"
    folder.mkdir()
    return folder


OUTPUT = "0" * 64


def key(content: bytes, compiler: str = "0.1") -> KeyRecord:
    """Return the key of a step."""
    spec = ActionSpec(
        "mochi", ("--opt=yes",), {"hello.mochi": content}, {"mochi": compiler}, ("o",)
    )
    return key_record(WASM, prepare(spec))


def told(build: Path) -> list[str]:
    """Return what there is to say of the step."""
    return explain(Journal(build).entries()[WASM])


def test_first_build_has_nothing_to_compare_with(build: Path) -> None:
    """The step was built, and that is all."""
    Journal(build).record(WASM, Outcome.BUILT, 0.25, key(b"1"), OUTPUT)
    assert told(build) == [f"{WASM}: built in 0.25s", "  it was not built here before"]


def test_changed_input_and_tool_are_reported(build: Path) -> None:
    """Old and new, most telling first."""
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"1"), OUTPUT)
    Journal(build).record(WASM, Outcome.RESTORED, 0.0, key(b"2", "0.2"), OUTPUT)
    lines = told(build)
    assert lines[0] == f"{WASM}: restored from the cache"
    assert lines[1] == "  tool mochi 0.1 → 0.2"
    assert lines[2].startswith("  input hello.mochi 6b86b273 → d4735e3a")


def test_step_of_an_earlier_build_is_up_to_date(build: Path) -> None:
    """A build that says nothing of a step did nothing with it."""
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"1"), OUTPUT)
    Journal(build).begin()
    assert told(build) == [f"{WASM}: up to date"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.INTERRUPTED])
def test_step_without_a_result_stays_so(build: Path, outcome: Outcome) -> None:
    """A build of something else does not make a broken step good."""
    Journal(build).ended(WASM, outcome)
    Journal(build).begin()
    assert told(build) == [f"{WASM}: {outcome.value}"]
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"1"), OUTPUT)
    assert told(build)[0] == f"{WASM}: built in 0.20s"


def test_same_key_again_means_that_the_file_was_gone(build: Path) -> None:
    """Nothing changed, and yet it was made."""
    for _ in range(2):
        Journal(build).record(WASM, Outcome.RESTORED, 0, key(b"1"), OUTPUT)
    assert told(build)[1] == "  its key is unchanged: its file was missing"


def test_failure_keeps_the_key_of_the_last_success(build: Path) -> None:
    """After a failure, the next success is compared with the last one."""
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"1"), OUTPUT)
    Journal(build).ended(WASM, Outcome.FAILED)
    assert told(build) == [f"{WASM}: failed"]
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"3"), OUTPUT)
    assert told(build)[1].startswith("  input hello.mochi 6b86b273 → ")


@pytest.mark.parametrize("damage", [b"\xff\xfe\n", b"{}\n[]\n", b'{"path": 3}\n', b'{"path": "a'])
def test_damaged_journal_explains_less(build: Path, damage: bytes) -> None:
    """Lines that are no lines of a journal are passed over."""
    journal = Journal(build)
    journal.record(WASM, Outcome.BUILT, 0.2, key(b"1"), OUTPUT)
    with journal.path.open("ab") as file:
        file.write(damage)
    assert WASM in Journal(build).entries()


def test_digests_of_outputs_are_those_made_last(build: Path) -> None:
    """An output is compared with what its step made, however many builds ago."""
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"1"), "1" * 64)
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"2"), "2" * 64)
    Journal(build).begin()
    Journal(build).ended(WASM, Outcome.FAILED)
    assert Journal(build).outputs() == {WASM: "2" * 64}


def test_journal_without_a_build_directory_makes_none(tmp_path: Path) -> None:
    """A build that makes nothing leaves nothing."""
    Journal(tmp_path / "build").begin()
    assert not (tmp_path / "build").exists()
    assert Journal(tmp_path / "build").entries() == {}


def test_long_journal_is_shortened(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last two keys of each step stay, so that the reasons do."""
    monkeypatch.setattr("mochi_rules.steps.journal._MAX_SIZE", 4000)
    journal = Journal(build)
    for number in range(40):
        journal.record(WASM, Outcome.BUILT, 0.2, key(str(number).encode()), OUTPUT)
    Journal(build).begin()
    assert journal.path.stat().st_size < 4000
    Journal(build).record(WASM, Outcome.BUILT, 0.2, key(b"40"), OUTPUT)
    assert "input hello.mochi" in told(build)[1]


def test_journal_of_many_steps_is_not_shortened_again_and_again(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has to double first: else each build would read what all steps ever did."""
    monkeypatch.setattr("mochi_rules.steps.journal._MAX_SIZE", 4000)
    writes: list[Path] = []
    monkeypatch.setattr(
        "mochi_rules.steps.journal.write_atomic",
        lambda path, data: (writes.append(path), path.write_bytes(data)),
    )
    for step in range(40):
        Journal(build).record(f"{step}.wasm", Outcome.BUILT, 0.2, key(b"1"), OUTPUT)
    writes.clear()
    for number in range(10):
        Journal(build).record("0.wasm", Outcome.BUILT, 0.2, key(str(number).encode()), OUTPUT)
    assert not writes
    assert len(Journal(build).outputs()) == 40


ENTRIES = {
    path: Entry(path, Outcome.UP_TO_DATE, None, 0)
    for path in (WASM, "build/x86_64-linux-debug/lib/text.o", "//app:hello_test")
}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (WASM, [WASM]),
        ("hello.wasm", [WASM]),
        ("app/hello.wasm", [WASM]),
        ("//app:hello", [WASM]),
        ("app", [WASM]),
        ("lib", ["build/x86_64-linux-debug/lib/text.o"]),
        ("//app:hello_test", ["//app:hello_test"]),
    ],
)
def test_targets_are_found_by_what_people_type(text: str, want: list[str]) -> None:
    """A path, its end, a label or a folder."""
    assert select(ENTRIES, text) == want


def test_unknown_target_gets_the_nearest_path() -> None:
    """The name of a file is enough for a suggestion."""
    with pytest.raises(MochiError) as caught:
        select(ENTRIES, "helo.wasm")
    [found] = caught.value.diagnostics
    assert (found.code, found.help) == ("B001", f"did you mean `{WASM}`?")


@pytest.mark.parametrize("outcome", [Outcome.BUILT, Outcome.RESTORED, Outcome.FETCHED])
def test_output_of_either_cache_counts_as_restored(build: Path, outcome: Outcome) -> None:
    """A release that trusts no cache must see both of them."""
    Journal(build).record(WASM, outcome, 0.0, key(b"1"), OUTPUT)
    assert Journal(build).records()[WASM].is_restored is outcome.is_cached
