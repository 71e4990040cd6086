"""Tests of the steps with the real engines: every output is checked, every refusal is reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.elf.checks.table import CHECKS, verify
from mochi_rules.elf.read import read_artifact
from mochi_rules.platforms.platform import find_platform, host_platform
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.engines.local_engines import LocalEngines
from mochi_rules.steps.expectations import settings_of
from mochi_rules.steps.step import (
    CWASM,
    WASM,
    WAT,
    aot_step,
    check_step,
    import_step,
    library_step,
    mochi_step,
    object_step,
    symbol_of,
)
from mochi_rules.steps.test_case import EXPECTED, STDIN, Case, case_step
from mochi_rules.steps.tools.tool_choice import Toolchains

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.steps.step import Made, Step

MODES = {mode: find_configurations("", mode)[0].engine() for mode in ("debug", "release")}
DEBUG = MODES["debug"]
ECHO = """
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\00\\04\\00\\00")
  (func (export "_start")
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.load8_u (i32.const 16)))))
"""
WIDE = """
(module (func (param i64 i64 i64 i64) (result i64 i64)
  local.get 0 local.get 1 local.get 2 local.get 3 i64.add128))
"""


@pytest.fixture(scope="module")
def engines() -> Iterator[LocalEngines]:
    """Return engines whose worker serves all tests."""
    engines = LocalEngines(Toolchains())
    yield engines
    engines.close()


def wat(text: str) -> bytes:
    """Return the binary of a module."""
    return bytes(wasmtime.wat2wasm(text))


def make(engines: LocalEngines, step: Step, inputs: Mapping[str, bytes]) -> Made:
    """Run a step."""
    return step.make(engines, inputs)


def fault(engines: LocalEngines, step: Step, inputs: Mapping[str, bytes]) -> Diagnostic:
    """Return why a step fails."""
    with pytest.raises(MochiError) as caught:
        step.make(engines, inputs)
    return caught.value.diagnostics[0]


@pytest.fixture(scope="module")
def wasm() -> bytes:
    """Return a module with two functions."""
    return wat('(module (func (export "_start")) (func (export "f") (result i32) i32.const 1))')


@pytest.fixture(scope="module")
def artifact(engines: LocalEngines, wasm: bytes) -> bytes:
    """Return its artifact."""
    return make(engines, aot_step(DEBUG), {WASM: wasm}).data


@pytest.mark.parametrize("mode", MODES)
def test_program_goes_all_the_way(engines: LocalEngines, mode: str) -> None:
    """Source, wasm, artifact, report and object, in each mode."""
    is_debug = mode == "debug"
    step = mochi_step("a.mochi", debug_names=is_debug, debug_info=is_debug)
    wasm = make(engines, step, {"a.mochi": b"print(1)\n"}).data
    artifact = make(engines, aot_step(MODES[mode]), {WASM: wasm}).data
    report = make(engines, check_step(MODES[mode], "a.cwasm"), {CWASM: artifact, WASM: wasm})
    wrapped = make(engines, object_step(host_platform(), "a"), {CWASM: artifact}).data
    assert not verify(read_artifact(artifact))
    assert json.loads(report.data)["platform"] == host_platform().name
    assert artifact in wrapped


def test_report_tells_what_was_checked(engines: LocalEngines, wasm: bytes, artifact: bytes) -> None:
    """Digests, settings and the names of the checks, and no path and no time."""
    made = make(engines, check_step(DEBUG, "a.cwasm"), {CWASM: artifact, WASM: wasm})
    facts = json.loads(made.data)
    assert made.remark == f"2 functions, {len(CHECKS)} checks"
    assert facts["checks"] == [check.name for check in CHECKS]
    assert facts["artifact"]["size"] == len(artifact)
    assert facts["engine"]["opt_level"] == "none"


def test_library_is_checked_with_what_it_imports(engines: LocalEngines) -> None:
    """The report lists each module with its digest, whatever the order."""
    texts = {"b.mochi": b'import "a"\nprint(a.n())\n',
             "a.mochi": b"export fun n(): int { return 1 }\n"}  # fmt: skip
    made = make(engines, library_step(("b.mochi",)), texts)
    modules = json.loads(made.data)["modules"]
    assert made.remark == "2 modules"
    assert list(modules) == ["a.mochi", "b.mochi"]
    assert modules["a.mochi"] == {"sha256": digest_bytes(texts["a.mochi"]).hash, "size": 33}
    assert make(engines, library_step(("b.mochi",)), dict(reversed(texts.items()))) == made


def test_library_without_sources_is_sound(engines: LocalEngines) -> None:
    """There is nothing to compile."""
    made = make(engines, library_step(()), {})
    assert (json.loads(made.data), made.remark) == ({"modules": {}}, "0 modules")


def test_artifact_of_another_module_is_refused(engines: LocalEngines, artifact: bytes) -> None:
    """The functions are counted."""
    other = wat("(module (func) (func) (func))")
    found = fault(engines, check_step(DEBUG, "a.cwasm"), {CWASM: artifact, WASM: other})
    assert (found.code, found.message) == (
        "A023", "a.cwasm is not the expected artifact: 1 check fails",
    )  # fmt: skip
    assert found.notes[0].startswith("function-count: ")


def test_artifact_of_another_mode_is_refused_where_its_wasm_is_known(
    engines: LocalEngines, wasm: bytes, artifact: bytes
) -> None:
    """The settings of the compiler are those that were asked for."""
    found = fault(engines, check_step(MODES["release"], "a"), {CWASM: artifact, WASM: wasm})
    assert "shared-flags: expected `opt_level` = 'speed', got 'none'" in found.notes


def test_artifact_from_elsewhere_may_be_optimized_or_not(
    engines: LocalEngines, artifact: bytes
) -> None:
    """Without its wasm, only what decides whether it loads is compared."""
    other = find_configurations()[0].engine({"debug_info": True})
    assert make(engines, check_step(other, "a"), {CWASM: artifact})


@pytest.mark.parametrize(
    ("settings", "check"),
    [
        ({"consume_fuel": True}, "tunables"),
        ({"epoch_interruption": True}, "tunables"),
        ({"memory_reservation": 1 << 30}, "tunables"),
    ],
)
def test_artifact_of_another_configuration_is_refused(
    engines: LocalEngines, wasm: bytes, settings: dict[str, object], check: str
) -> None:
    """What would not load is reported before anything loads it."""
    other = find_configurations()[0].engine(settings)
    artifact = make(engines, aot_step(other), {WASM: wasm}).data
    found = fault(engines, check_step(DEBUG, "a.cwasm"), {CWASM: artifact})
    assert any(note.startswith(f"{check}: ") for note in found.notes)
    assert settings_of(read_artifact(artifact)).items() >= settings.items()


def test_artifact_of_another_target_is_refused(engines: LocalEngines, artifact: bytes) -> None:
    """The machine is not the one asked for."""
    target = "s390x-linux" if host_platform().name != "s390x-linux" else "x86_64-linux"
    config = find_configurations(target)[0].engine()
    found = fault(engines, check_step(config, "a.cwasm"), {CWASM: artifact})
    assert any(note.startswith("target: ") for note in found.notes)


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", "A010", "`a.wasm`: not WebAssembly: the file is empty"),
        (
            b"not wasm",
            "A010",
            "`a.wasm`: not WebAssembly: the file begins with `6e 6f 74 20 77 61 73 6d`",
        ),
        (b"(module)", "A010", "`a.wasm`: not a WebAssembly binary, but WebAssembly text"),
        (b"\0asm\1\0\0\0\1\x05", "A011", None),
    ],
    ids=["empty", "garbage", "text", "truncated"],
)
def test_what_is_no_wasm_is_refused(
    engines: LocalEngines, data: bytes, code: str, message: str | None
) -> None:
    """Before anything is compiled."""
    found = fault(engines, import_step("a.wasm"), {WASM: data})
    assert found.code == code
    assert message in (None, found.message)


def test_text_is_assembled(engines: LocalEngines) -> None:
    """By the end of its name; what is wrong in it has its place."""
    text = b'(module (func (export "_start")))'
    assert make(engines, import_step("a.wat"), {WAT: text}).data == wat(text.decode())
    found = fault(engines, import_step("a.wat"), {WAT: b"(module\n  (func (call $x)))"})
    assert (found.code, str(found.span)) == ("A012", "a.wat:2:15")
    assert "unknown func" in found.message


def test_wasm_with_a_feature_that_is_off_is_refused(engines: LocalEngines) -> None:
    """The message names the feature."""
    found = fault(engines, aot_step(DEBUG), {WASM: wat(WIDE)})
    assert found.code == "A067"
    assert "wide arithmetic" in found.message


def test_error_of_the_compiler_keeps_its_place(engines: LocalEngines) -> None:
    """The diagnostics are those of the compiler."""
    step = mochi_step("app/a.mochi", debug_names=True)
    found = fault(engines, step, {"app/a.mochi": b"print(nothing)\n"})
    assert str(found.span) == "app/a.mochi:1:7"


def test_foreign_wasm_passes_as_it_is(engines: LocalEngines, wasm: bytes) -> None:
    """The step only looks."""
    made = make(engines, import_step("a.wasm"), {WASM: wasm})
    assert (made.data, made.remark) == (wasm, "2 functions")


def test_component_goes_the_same_way(engines: LocalEngines) -> None:
    """Whatever it imports; and its artifact is checked with its wasm, and without."""
    component = wat('(component (import "a:b/c" (instance)) (core module (func) (func)))')
    assert make(engines, import_step("c.wasm"), {WASM: component}).remark == "component"
    artifact = make(engines, aot_step(DEBUG), {WASM: component}).data
    for inputs in ({CWASM: artifact}, {CWASM: artifact, WASM: component}):
        assert make(engines, check_step(DEBUG, "c.cwasm"), inputs)


def test_artifact_of_another_digest_is_refused(engines: LocalEngines, artifact: bytes) -> None:
    """It finds what no structure shows, such as a byte of the code."""
    step = check_step(DEBUG, "a.cwasm", digest_bytes(artifact).hash)
    assert make(engines, step, {CWASM: artifact})
    found = fault(engines, step, {CWASM: artifact[:-1] + b"?"})
    assert found.code == "A028"
    assert found.help.startswith("if you trust it, write `sha256 = ")


def test_artifact_of_another_kind_is_refused(engines: LocalEngines, artifact: bytes) -> None:
    """Where the wasm is known: a component is not a module."""
    found = fault(engines, check_step(DEBUG, "a"), {CWASM: artifact, WASM: wat("(component)")})
    assert "kind: expected a component, got a module" in found.notes


@pytest.mark.parametrize("target", ["aarch64-macos", "x86_64-windows", "s390x-linux"])
def test_object_is_of_the_platform(engines: LocalEngines, target: str) -> None:
    """Mach-O, COFF and ELF are written and checked here, whatever this machine is."""
    made = make(engines, object_step(find_platform(target), "app"), {CWASM: b"some bytes"})
    assert b"some bytes" in made.data


def test_symbol_that_is_none_is_refused(engines: LocalEngines) -> None:
    """The help has one that would do."""
    found = fault(engines, object_step(host_platform(), "my app"), {CWASM: b""})
    assert (found.code, found.help) == ("A090", "write `my_app`")


@pytest.mark.parametrize(
    ("name", "want"), [("app", "app"), ("my-app.o", "my_app"), ("9to5", "_9to5"), ("é", "_")]
)
def test_symbol_follows_from_a_name(name: str, want: str) -> None:
    """What C cannot say becomes an underscore."""
    assert symbol_of(name) == want


@pytest.fixture(scope="module")
def echo(engines: LocalEngines) -> bytes:
    """Return a program that prints what it reads, and ends with its first byte."""
    return make(engines, aot_step(DEBUG), {WASM: wat(ECHO)}).data


def test_test_reads_its_input_and_passes(engines: LocalEngines, echo: bytes) -> None:
    """A program that ends with 0 and prints what is expected has passed."""
    inputs = {CWASM: echo, STDIN: b"\0 rest", EXPECTED: b"\0 rest"}
    assert make(engines, case_step(Case("t"), DEBUG), inputs).remark == "passed"


def test_test_that_ends_with_another_status_fails(engines: LocalEngines, echo: bytes) -> None:
    """The status is in the message."""
    found = fault(engines, case_step(Case("t"), DEBUG), {CWASM: echo, STDIN: b"\7"})
    assert found.message == "test `t` failed: it exited with status 7"


def test_test_that_traps_tells_why(engines: LocalEngines) -> None:
    """The trap is among the notes."""
    program = wat('(module (func (export "_start") unreachable))')
    artifact = make(engines, aot_step(DEBUG), {WASM: program}).data
    found = fault(engines, case_step(Case("t"), DEBUG), {CWASM: artifact})
    assert any("wasm `unreachable` instruction executed" in note for note in found.notes)


def test_test_that_never_ends_is_ended(engines: LocalEngines) -> None:
    """A test has a limit."""
    program = wat('(module (func (export "_start") (loop $l br $l)))')
    artifact = make(engines, aot_step(DEBUG), {WASM: program}).data
    found = fault(engines, case_step(Case("t", timeout=0.3), DEBUG), {CWASM: artifact})
    assert found.message == "test `t` failed: it ran longer than 0.3 s"
