"""What a test is: a program that must end with status 0, and print what is expected."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.rules.steps import CWASM, Made, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.rules.engines import Engines
    from mochi_rules.rules.guest import Ran

STDIN, EXPECTED = "stdin", "expected"
RESULT = "result.json"
_SHOWN_LINES = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A test: what messages call it, its arguments, its time in seconds, the program's limits."""

    name: str
    args: tuple[str, ...] = ()
    timeout: float = 60
    limits: tuple[tuple[str, int], ...] = ()


def case_step(case: Case, config: EngineConfig) -> Step:
    """Run a test. The inputs are the artifact, and EXPECTED and STDIN where there are any.

    Emits: B040 (failed).
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.rules.guest import Program  # noqa: PLC0415 - loads processes

        argv = (case.name, *case.args)
        stdin = inputs.get(STDIN, b"")
        program = Program(inputs[CWASM], config, argv, dict(case.limits))
        ran = engines.guests.run(program, stdin, case.timeout)
        check(case, ran, inputs.get(EXPECTED))
        facts = {"status": ran.status, "stdout": digest_bytes(ran.stdout).hash}
        return Made((json.dumps(facts, sort_keys=True) + "\n").encode(), "passed")

    arguments = (f"--name={case.name}", f"--timeout={case.timeout:g}",
                 *(f"--{name}={value}" for name, value in case.limits),
                 *(f"--argument={text}" for text in case.args))  # fmt: skip
    return Step("test", arguments, ("test", "wasmtime"), RESULT, make)


def check(case: Case, ran: Ran, expected: bytes | None) -> None:
    """Raise what is wrong with the way a test ended.

    Emits: B040.
    """
    if ran.status != 0:
        reason = (
            f"it ran longer than {case.timeout:g} s"
            if ran.status is None
            else f"it ended with status {ran.status}"
        )
        notes = [_excerpt("it printed", ran.stdout), _excerpt("it said", ran.stderr)]
    elif expected is not None and ran.stdout != expected:
        reason = "it printed something else than expected"
        notes = [_difference(expected, ran.stdout)]
    else:
        return
    message = f"test `{case.name}` failed: {reason}"
    raise MochiError(Diagnostic("B040", message, notes=tuple(filter(None, notes))))


def _excerpt(intro: str, data: bytes) -> str:
    """Return the end of what a program printed, for that is where it failed."""
    lines = data.decode("utf-8", "replace").splitlines()
    if not lines:
        return ""
    hidden = len(lines) - _SHOWN_LINES
    shown = [f"... {hidden} lines before", *lines[-_SHOWN_LINES:]] if hidden > 0 else lines
    return "\n".join([intro, *(f"    {line}" for line in shown)])


def _difference(expected: bytes, got: bytes) -> str:
    before, after = (data.decode("utf-8", "replace").splitlines() for data in (expected, got))
    lines = list(difflib.unified_diff(before, after, "expected", "printed", lineterm="", n=2))
    if not lines:
        return "the two differ in their line ends only"
    shown = lines[: _SHOWN_LINES + 3]
    if len(lines) > len(shown):
        shown.append(f"... {len(lines) - len(shown)} lines more")
    return "\n".join(["the difference is", *(f"    {line}" for line in shown)])
