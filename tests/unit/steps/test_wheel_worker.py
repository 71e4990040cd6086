"""Test that workers of the wheel check artifacts as this process does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import host_platform
from mochi_rules.steps.artifact_check import check_artifact
from mochi_rules.steps.engines import wheel_worker
from mochi_rules.steps.engines.engines import PooledEngines
from mochi_rules.steps.tools.tool_choice import Toolchains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.aot.config import EngineConfig

SIZES = {"memory_reservation": 1 << 20, "memory_guard_size": 0}
ONE, TWO = map(wasmtime.wat2wasm, ("(module (func))", "(module (func) (func))"))


@pytest.fixture(scope="module")
def worker() -> Iterator[AotWorker]:
    """Return a worker that serves all tests."""
    with AotWorker(wheel_worker.command()) as worker:
        yield worker


@pytest.fixture(scope="module", params=({}, SIZES), ids=("default", "sizes"))
def config(request: pytest.FixtureRequest) -> EngineConfig:
    """Return a configuration."""
    return engine_config(host_platform(), "", request.param)


@pytest.fixture
def artifact(worker: AotWorker, config: EngineConfig) -> bytes:
    """Return the artifact of a module with one function."""
    return compile_wasm(worker, config, ONE)


@pytest.mark.parametrize("wasm", [ONE, None], ids=("with wasm", "alone"))
def test_report_is_the_same(
    worker: AotWorker, config: EngineConfig, artifact: bytes, wasm: bytes | None
) -> None:
    """The settings arrive, and both files."""
    there = wheel_worker.check_artifact(worker, config, "a.cwasm", artifact, wasm)
    assert there == check_artifact(config, "a.cwasm", artifact, wasm)


@pytest.mark.parametrize("damage", ["another module", "no artifact"])
def test_refusal_is_the_same(
    worker: AotWorker, config: EngineConfig, artifact: bytes, damage: str
) -> None:
    """A failed check has its notes there too."""
    data = artifact if damage == "another module" else b"hello"
    with pytest.raises(MochiError) as there:
        wheel_worker.check_artifact(worker, config, "a.cwasm", data, TWO)
    with pytest.raises(MochiError) as here:
        check_artifact(config, "a.cwasm", data, TWO)
    assert there.value.diagnostics == here.value.diagnostics


def test_builds_check_in_the_workers_that_compile(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process of a build, which all steps share, checks only where there is no such worker."""
    monkeypatch.setattr("mochi_rules.steps.artifact_check.check_artifact", lambda *_: b"here")
    engines = PooledEngines(Toolchains())
    try:
        assert engines.check_artifact(config, "a.cwasm", b"", None) == b"here"
        artifact = engines.compile_wasm(config, ONE)
        assert engines.check_artifact(config, "a.cwasm", artifact, ONE).startswith(b"{")
    finally:
        engines.close()
