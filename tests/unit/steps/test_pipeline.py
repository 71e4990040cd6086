"""Tests of the way of the data: keys, hits, misses, failures, and what is kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.events import Outcome
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.explain import difference, key_record
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.identity import Identities
from mochi_rules.steps.pipeline import Pipeline
from mochi_rules.steps.step import CWASM, WASM, Made, Step, aot_step, executable_step, mochi_step

from .engines import WARNING, CountingEngines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = find_configurations("x86_64-linux")[0].engine()
STEP = mochi_step("a.mochi", debug_names=True)
SOURCES = {"a.mochi": b"print(1)"}


@pytest.fixture
def engines() -> CountingEngines:
    """Return engines that count."""
    return CountingEngines()


@pytest.fixture
def pipeline(tmp_path: Path, engines: CountingEngines) -> Pipeline:
    """Return a pipeline with an empty cache."""
    return Pipeline(Cache(tmp_path / "cache"), engines, Identities(None))


def test_step_runs_once(pipeline: Pipeline, engines: CountingEngines) -> None:
    """The second time its output comes from the cache, and is the same."""
    first, second = pipeline.run(STEP, SOURCES), pipeline.run(STEP, SOURCES)
    assert (first.outcome, second.outcome) == (Outcome.BUILT, Outcome.RESTORED)
    assert first.made.data == second.made.data
    assert engines.calls == ["mochi"]


def test_pipeline_without_a_cache_always_runs(engines: CountingEngines) -> None:
    """A cache that is off keeps nothing."""
    pipeline = Pipeline(Cache(None), engines, Identities(None))
    assert [pipeline.run(STEP, SOURCES).outcome for _ in range(2)] == [Outcome.BUILT] * 2


@pytest.mark.parametrize(
    ("step", "sources", "want"),
    [
        (STEP, {"a.mochi": b"print(2)"}, "input a.mochi"),
        (STEP, {**SOURCES, "b.mochi": b""}, "input b.mochi added"),
        (STEP, {**SOURCES, "../b.mochi": b""}, "input .../b.mochi added"),
        (mochi_step("b.mochi", debug_names=True), SOURCES, "argument --main a.mochi → b.mochi"),
        (mochi_step("a.mochi", debug_names=False), SOURCES, "argument --debug-names true → false"),
        (
            mochi_step("a.mochi", debug_names=True, optimize=1),
            SOURCES,
            "argument --optimize 2 → 1",
        ),
        (
            mochi_step("a.mochi", debug_names=True, debug_info=True),
            SOURCES,
            "argument --debug-info false → true",
        ),
    ],
)
def test_what_decides_the_bytes_is_in_the_key(
    pipeline: Pipeline, step: object, sources: dict[str, bytes], want: str
) -> None:
    """Each is a part of the key with a name, and a change of it is reported."""
    records = [
        key_record("a.wasm", pipeline.prepare(one, inputs))  # type: ignore[arg-type]
        for one, inputs in ((STEP, SOURCES), (step, sources))
    ]
    [change] = difference(*records)
    assert str(change).startswith(want)


@pytest.mark.parametrize(
    "other",
    [
        find_configurations("x86_64-linux", "debug")[0].engine(),
        find_configurations("x86_64-linux", "", "x86-64-v3")[0].engine(),
        find_configurations("aarch64-linux")[0].engine(),
        find_configurations("x86_64-linux")[0].engine({"consume_fuel": True}),
    ],
    ids=["mode", "cpu", "target", "setting"],
)
def test_engine_configuration_is_in_the_key(pipeline: Pipeline, other: object) -> None:
    """Platform, CPU level and settings, and what the engine itself says of them."""
    steps = [aot_step(config) for config in (CONFIG, other)]  # type: ignore[arg-type]
    records = [key_record("a", pipeline.prepare(step, {WASM: b"w"})) for step in steps]
    changes = {change.kind for change in difference(*records)}
    assert changes == {"tool", "argument"}


def test_probe_of_an_engine_is_made_once(
    pipeline: Pipeline, engines: CountingEngines, tmp_path: Path
) -> None:
    """It is an entry of the cache too: the next process asks no worker."""
    step = replace(aot_step(CONFIG), check=None)
    pipeline.run(step, {WASM: b"one"})
    pipeline.run(step, {WASM: b"two"})
    assert engines.calls == ["aot"] * 3
    again = Pipeline(Cache(tmp_path / "cache"), engines, Identities(None))
    assert again.run(step, {WASM: b"two"}).outcome is Outcome.RESTORED
    assert engines.calls == ["aot"] * 3


def checked_step(calls: list[str]) -> Step:
    """Return a step that makes `right`, and whose check refuses anything else."""

    def make(_engines: object, _inputs: object) -> Made:
        calls.append("make")
        return Made(b"right")

    def check(_engines: object, inputs: Mapping[str, bytes]) -> Made:
        calls.append("check")
        if inputs["out"] != b"right":
            raise fail("A023", "not the expected artifact")
        return Made(b"report")

    return Step("aot", (), (), "out", make, check=Step("check", (), (), "report", check))


def test_wrong_result_in_the_cache_is_made_again(pipeline: Pipeline) -> None:
    """It fails no build: one warning names the cache, and the right one takes its place."""
    calls: list[str] = []
    step = checked_step(calls)
    pipeline.cache.store(pipeline.prepare(step, {}), {"out": b"wrong"})
    assert pipeline.run(step, {}).made.data == b"right"
    [warning] = pipeline.cache.warnings
    assert warning.code == "K008"
    assert str(pipeline.cache.root) in warning.message
    assert pipeline.run(step, {}).outcome is Outcome.RESTORED
    assert calls.count("make") == 1


def test_right_result_in_the_cache_is_not_checked_again(pipeline: Pipeline) -> None:
    """Once the step of the check has run, its outcome is an entry of the cache."""
    calls: list[str] = []
    step = checked_step(calls)
    assert step.check is not None
    pipeline.run(step.check, {"out": pipeline.run(step, {}).made.data})
    assert pipeline.run(step, {}).outcome is Outcome.RESTORED
    assert calls == ["make", "check"]


def test_result_at_hand_needs_no_inputs(pipeline: Pipeline) -> None:
    """Their digests make the key; the content of none is read."""
    made = pipeline.run(STEP, SOURCES).made
    digests = {name: digest_bytes(data) for name, data in SOURCES.items()}
    found = pipeline.restore(STEP, digests, unreadable)
    assert found is not None
    assert (found.outcome, found.made.data) == (Outcome.RESTORED, made.data)
    assert found.made.digest == digest_bytes(made.data)


def test_what_is_not_stored_is_made_at_hand(pipeline: Pipeline) -> None:
    """It takes no longer than to restore it."""
    step = replace(STEP, is_stored=False)
    found = pipeline.restore(step, {}, lambda: SOURCES)
    assert found is not None
    assert found.outcome is Outcome.BUILT


def test_result_without_a_checked_outcome_is_not_at_hand(pipeline: Pipeline) -> None:
    """To check it takes longer; once the check has run, the result is taken."""
    calls: list[str] = []
    step = checked_step(calls)
    assert step.check is not None
    made = pipeline.run(step, {}).made
    assert pipeline.restore(step, {}, unreadable) is None
    pipeline.run(step.check, {"out": made.data})
    assert pipeline.restore(step, {}, unreadable) is not None
    assert calls == ["make", "check"]


def unreadable() -> Mapping[str, bytes]:
    """Be no inputs."""
    raise AssertionError("inputs are read")


def test_step_that_is_not_stored_is_always_made(
    pipeline: Pipeline, engines: CountingEngines
) -> None:
    """It takes less than the cache would, and its output takes no room there."""
    step = replace(STEP, is_stored=False)
    assert [pipeline.run(step, SOURCES).outcome for _ in range(2)] == [Outcome.BUILT] * 2
    assert engines.calls == ["mochi"] * 2
    assert pipeline.cache.report().usage.size == 0


def test_executable_is_not_stored() -> None:
    """Each is its launcher once more: a cache of executables would be full of launchers."""
    assert not executable_step(CONFIG.platform, b"").is_stored


def test_failed_step_is_not_stored(pipeline: Pipeline, engines: CountingEngines) -> None:
    """An error is found again each time."""
    for _ in range(2):
        with pytest.raises(MochiError, match="T001"):
            pipeline.run(STEP, {"a.mochi": b"wrong"})
    assert engines.calls == ["mochi"] * 2


def test_warnings_are_restored(pipeline: Pipeline) -> None:
    """A program that was compiled before warns as it did then."""
    results = [pipeline.run(STEP, {"a.mochi": b"warn"}) for _ in range(2)]
    assert [result.made.warnings for result in results] == [(WARNING,)] * 2


def test_same_step_of_two_threads_runs_once(pipeline: Pipeline, engines: CountingEngines) -> None:
    """Who comes second waits, and takes what the first has stored."""
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        pipeline.run(STEP, SOURCES)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engines.calls == ["mochi"]


def test_signature_is_the_key_without_inputs(pipeline: Pipeline) -> None:
    """SCons compares the inputs itself; arguments and tools are in the signature."""
    text = pipeline.signature(STEP).decode()
    assert text.splitlines()[:2] == ["mochi", "--main=a.mochi"]
    assert pipeline.identities.of("mochi") in text


def test_key_of_a_step_is_made_once(pipeline: Pipeline) -> None:
    """As the check of another, and as a step of its own, whatever comes first among its inputs."""
    inputs = {"b.mochi": b"", **SOURCES}
    first = pipeline.prepare(STEP, inputs)
    digests = {name: digest_bytes(data) for name, data in reversed(inputs.items())}
    second = pipeline.prepare(STEP, digests, "app.wasm")
    assert second.messages is first.messages
    assert (first.spec.target, second.spec.target) == ("", "app.wasm")


def test_no_path_of_this_machine_is_in_a_key(pipeline: Pipeline, tmp_path: Path) -> None:
    """Two checkouts share their entries."""
    for step, inputs in ((STEP, SOURCES), (aot_step(CONFIG), {WASM: b"w"})):
        messages = pipeline.prepare(step, inputs).messages.values()
        assert not any(str(tmp_path).encode() in message for message in messages)
        assert not any(b"/work" in message or b"/home" in message for message in messages)


def test_names_inside_a_key_are_the_same_for_every_file() -> None:
    """An artifact is an artifact, whatever its file is called."""
    assert (STEP.output, aot_step(CONFIG).output) == (WASM, CWASM)
