"""A worker process that compiles wasm with Wasmtime's wheel, and checks artifacts.

So artifacts are checked beside the process that SCons keeps busy, or that compiles the program. The
protocol is that of `workers.protocol`. A request whose kind
is `check` comes with an artifact and its wasm, one behind the other; the answer is the report, or
diagnostics as JSON.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.aot import worker as aot_worker
from mochi_rules.aot.engine_options import OPTIONS
from mochi_rules.aot.wheel import WHEEL, wheel_packages, wheel_version
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.isolation import isolated_main
from mochi_rules.workers.protocol import Greeting
from mochi_rules.workers.serve import serve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.workers.process import Worker

_CHECK = "check"


def command(*, ahead: bool = False) -> tuple[str, ...]:
    """Return the command of this worker; one that starts `ahead` loads what checks at once.

    Emits: C035.
    """
    packages = dict.fromkeys([wheel_packages(), *_elf_packages()])
    return isolated_main(__name__, *(["ahead"] if ahead else []), packages=packages)


def check_artifact(
    worker: Worker, config: EngineConfig, name: str, artifact: bytes, wasm: bytes | None
) -> bytes:
    """Return as `steps.artifact_check.check_artifact`, from a worker of this kind.

    Emits: as that; A060 to A063, A080, A081 as WorkerProcess.request.
    """
    request = {
        "kind": _CHECK,
        "platform": config.platform.name,
        "cpu": config.cpu.name,
        "settings": {option.name: getattr(config, option.name) for option in OPTIONS},
        "name": name,
        "size": len(artifact),
        "has_wasm": wasm is not None,
    }
    error, report = worker.request(request, artifact + (wasm or b""))
    if error is not None:
        from mochi_rules.steps.diagnostic_json import load_diagnostics  # noqa: PLC0415 - of errors

        raise MochiError(*load_diagnostics(json.loads(error), {}))
    return report


def main(*words: str) -> None:
    """Compile and check until stdin ends."""
    serve(Greeting(WHEEL, wheel_version()), _answer, *([_load_checks] if words else []))


def _load_checks() -> None:
    from mochi_rules.steps import artifact_check  # noqa: F401, PLC0415 - after the greeting


def _answer(fields: Mapping[str, Any], data: bytes) -> tuple[str | None, bytes]:
    return (_check if fields["kind"] == _CHECK else aot_worker.answer)(fields, data)


def _check(fields: Mapping[str, Any], data: bytes) -> tuple[str | None, bytes]:
    from mochi_rules.aot.config import engine_config  # noqa: PLC0415 - 30 ms, as below
    from mochi_rules.platforms.platform import find_platform  # noqa: PLC0415
    from mochi_rules.steps.artifact_check import check_artifact  # noqa: PLC0415

    config = engine_config(find_platform(fields["platform"]), fields["cpu"], fields["settings"])
    size = fields["size"]
    wasm = data[size:] if fields["has_wasm"] else None
    try:
        return None, check_artifact(config, fields["name"], data[:size], wasm)
    except MochiError as error:
        from mochi_rules.steps.diagnostic_json import dump_diagnostics  # noqa: PLC0415 - of errors

        return json.dumps(dump_diagnostics(error.diagnostics)), b""


def _elf_packages() -> list[str]:
    spec = find_spec("elftools")
    return [str(Path(spec.origin).parents[1])] if spec and spec.origin else []
