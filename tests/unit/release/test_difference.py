"""Tests of what is said of two builds that should be equal."""

from __future__ import annotations

from dataclasses import replace

from mochi_rules.aot.executable.append import attach
from mochi_rules.aot.executable.payload import make_payload
from mochi_rules.project.configuration import find_configurations
from mochi_rules.release.repeat.difference import (
    executable_difference,
    packing_difference,
    step_difference,
)

from .samples import ARTIFACT, LAUNCHER_BYTES, build, program

STEPS = build().steps


def changed(index: int, **changes: object) -> list[str]:
    """Return what is said where one step of the second build is another."""
    steps = list(STEPS)
    steps[index] = replace(steps[index], **changes)
    return list(step_difference(STEPS, steps))


def test_equal_builds_do_not_differ() -> None:
    """There is nothing to say."""
    assert list(step_difference(STEPS, STEPS)) == []


def test_other_tool_is_named() -> None:
    """With both of its versions."""
    said = changed(1, tools={"aot": "0.1.0 abc", "wasmtime": "49.0.0"})
    assert said == ["app.cwasm: tool wasmtime 48.0.0 → 49.0.0"]


def test_step_that_makes_other_bytes_of_the_same_inputs_is_named() -> None:
    """It is the step that is not deterministic."""
    assert changed(2, sha256="0") == ["app.wasm: mochi made other bytes from the same inputs"]


def test_step_that_only_got_other_inputs_is_not_named() -> None:
    """The cause is in a step before it."""
    assert changed(1, key="0", sha256="0", inputs={}) == []


def test_compression_of_another_library_is_named() -> None:
    """Where the files of an archive are equal, its bytes depend on what compresses them."""
    said = packing_difference({"python": "3.11.7", "zlib": "1.3"}, {"python": "3.11.7"})
    assert said.endswith("but not their order, times or compression, zlib 1.3 → missing")


def test_missing_and_new_steps_are_named() -> None:
    """A build that made other things is of something else."""
    other = [replace(STEPS[0], output="b"), *STEPS[1:]]
    assert list(step_difference(STEPS, other)) == ["app: was not made", "b: was not made before"]


def test_parts_of_an_executable_are_distinguished() -> None:
    """Launcher, settings and artifact come from different steps."""
    debug = find_configurations("x86_64-linux", mode="debug")[0].launch()
    settings = find_configurations("x86_64-linux")[0].launch()
    launcher = attach(LAUNCHER_BYTES + b"!", make_payload(ARTIFACT, settings))
    other = attach(LAUNCHER_BYTES, make_payload(ARTIFACT, debug))
    assert executable_difference(program(), launcher, b"") == ["the launcher differs"]
    assert executable_difference(program(), other, b"") == ["the settings of the launcher differ"]
    damaged = program(ARTIFACT[:-1] + b"!")
    assert executable_difference(program(), damaged, b"") == ["they differ at byte 0x7, of 8 and 8"]
