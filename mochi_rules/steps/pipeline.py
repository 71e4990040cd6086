"""The data flow: a step becomes an action, the cache answers, or the engine runs.

This is the one place where the engines meet. Inputs, tools and arguments make a key; what the
cache holds is taken; otherwise the step runs, checks what it made, and all of it is stored.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from mochi_rules.aot.config import canonical
from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.events import Outcome
from mochi_rules.base.trace import span
from mochi_rules.cache.key import ActionSpec, PreparedAction, prepare
from mochi_rules.steps.identity import WASMTIME
from mochi_rules.steps.step import Made, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.cache.cache import Hit
    from mochi_rules.cache.tiers import Tier
    from mochi_rules.steps.engines.engines import Engines
    from mochi_rules.steps.identity import Identities

_PARENT = ".../"  # stands for `../` in a key, where no path may leave the tree


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step, and how long it took here."""

    action: PreparedAction
    outcome: Outcome
    made: Made
    seconds: float


class Pipeline:
    """Runs steps through a cache; safe for threads. The `namespace` is part of every key."""

    def __init__(
        self, cache: Tier, engines: Engines, identities: Identities, namespace: str = ""
    ) -> None:
        self.cache = cache
        self.engines = engines
        self.identities = identities
        self._namespace = namespace
        self._prepared: dict[Hashable, PreparedAction] = {}
        self._found: dict[Digest, Hit] = {}  # results that will be asked for again, by key
        self._probes: dict[EngineConfig, str] = {}
        self._probing = Lock()

    def run(self, step: Step, inputs: Mapping[str, bytes], target: str = "") -> StepResult:
        """Return the output of a step, from the cache or made now; `target` as in `ActionSpec`.

        Raises:
            MochiError: The step failed; nothing is stored.
        """
        start = time.monotonic()
        action = self.prepare(step, inputs, target)
        outcome, made = self._fetch(step, inputs, action)
        return StepResult(action, outcome, made, time.monotonic() - start)

    def restore(
        self,
        step: Step,
        inputs: Mapping[str, bytes | Digest],
        read: Callable[[], Mapping[str, bytes]],
        target: str = "",
    ) -> StepResult | None:
        """Return as `run` what the cache has at hand, the outcome of a check too; else None.

        What is not stored is made. `read` returns the content of all inputs, which hardly any
        result needs.

        Raises:
            MochiError: As `run`.
        """
        if not step.is_stored:
            return self.run(step, read(), target)
        start = time.monotonic()
        action = self.prepare(step, inputs, target)
        hit = self._found.pop(action.key, None) or self.cache.at_hand(action)
        if hit is None:
            return None
        if step.check is not None:
            check = self.prepare(step.check, {**inputs, step.output: _digest(hit)})
            checked = self.cache.at_hand(check)
            if checked is None:
                self._found[action.key] = hit
                return None
            self._found[check.key] = checked  # which its own step asks for soon
        outcome, made = self._restored(step, hit, read)
        return StepResult(action, outcome, made, time.monotonic() - start)

    def prepare(
        self, step: Step, inputs: Mapping[str, bytes | Digest], target: str = ""
    ) -> PreparedAction:
        """Return the action of a step: its key, and everything that the key is made of.

        For the key, the digest of an input is as good as its content.

        Raises:
            MochiError: As `Engines.compile_wasm`, for the probe of the engine.
        """
        digests = {
            _key_path(name): content if isinstance(content, Digest) else digest_bytes(content)
            for name, content in inputs.items()
        }
        # Most steps are prepared twice: to fetch their results early, or as the check of another.
        settings = (step.verb, step.arguments, step.tools, step.engine, step.output)
        about = (settings, *sorted(digests.items()))
        known = self._prepared.get(about)
        if known is None:
            known = prepare(self._describe(step, digests))
        if known.spec.target != target:
            known = replace(known, spec=replace(known.spec, target=target))
        self._prepared[about] = known
        return known

    def _describe(self, step: Step, inputs: Mapping[str, Digest]) -> ActionSpec:
        tools = {name: self._identity(name, step.engine) for name in step.tools}
        if step.engine is not None:
            tools["engine"] = self.probe(step.engine)
        return ActionSpec(
            mnemonic=step.verb,
            arguments=step.arguments,
            inputs=inputs,
            tools=tools,
            output_paths=(step.output,),
            namespace=self._namespace,
        )

    def signature(self, step: Step) -> bytes:
        """Return what SCons compares: all of the key that does not depend on the inputs.

        The probe is left out, which follows from the rest.
        """
        tools = (f"{name} {self._identity(name, step.engine)}" for name in step.tools)
        return "\n".join((step.verb, *step.arguments, *tools)).encode()

    def _identity(self, tool: str, config: EngineConfig | None) -> str:
        """Return what stands for a tool in a key: each platform may have its own Wasmtime."""
        if tool == WASMTIME and config is not None:
            other = self.engines.wasmtime(config.platform)
            if other is not None:
                return other
        return self.identities.of(tool)

    def _fetch(
        self, step: Step, inputs: Mapping[str, bytes], action: PreparedAction
    ) -> tuple[Outcome, Made]:
        if not step.is_stored:
            return Outcome.BUILT, step.make(self.engines, inputs)
        if found := self._restore(step, inputs, action):
            return found
        with self.cache.single_flight(action.key):
            if found := self._restore(step, inputs, action, again=True):
                return found
            start = time.monotonic()
            with span("make", step.verb):
                made = step.make(self.engines, inputs)
            seconds = time.monotonic() - start
            outputs = {step.output: made.data}
            self.cache.store(action, outputs, stderr=_dump(made), seconds=seconds)
        return Outcome.BUILT, made

    def _restore(
        self,
        step: Step,
        inputs: Mapping[str, bytes],
        action: PreparedAction,
        *,
        again: bool = False,
    ) -> tuple[Outcome, Made] | None:
        """Return the output that the cache has, unless its check fails: then it is made again."""
        with span("cache", f"look up {step.verb}"):
            hit = self._found.pop(action.key, None) or self.cache.lookup(action, again=again)
        if hit is None:
            return None
        if step.check is not None:
            try:
                self._verify(step.check, {**inputs, **hit.outputs})
            except MochiError as error:
                self.cache.distrust(step.verb, error)
                return None
        return self._restored(step, hit, lambda: inputs)

    @staticmethod
    def _restored(
        step: Step, hit: Hit, read: Callable[[], Mapping[str, bytes]]
    ) -> tuple[Outcome, Made]:
        outcome = Outcome.FETCHED if hit.is_remote else Outcome.RESTORED
        warnings = _load(hit.result.stderr_raw, read) if hit.result.stderr_raw else ()
        return outcome, Made(hit.outputs[step.output], warnings=warnings, digest=_digest(hit))

    def _verify(self, check: Step, inputs: Mapping[str, bytes]) -> None:
        """Run a check, unless the cache has its outcome: mostly its own step has run before."""
        if self.cache.lookup(self.prepare(check, inputs)) is None:
            check.make(self.engines, inputs)

    def probe(self, config: EngineConfig) -> str:
        """Return the digest of what the loader will compare, itself an output of a step.

        Raises:
            MochiError: As `Engines.compile_wasm`.
        """
        with self._probing:
            if config not in self._probes:
                self._probes[config] = self._find_probe(config)
            return self._probes[config]

    def _find_probe(self, config: EngineConfig) -> str:
        action = prepare(
            ActionSpec(
                mnemonic="probe",
                arguments=tuple(f"--{name}={value}" for name, value in canonical(config).items()),
                inputs={},
                tools={tool: self._identity(tool, config) for tool in ("aot", WASMTIME)},
                output_paths=("engine",),
                namespace=self._namespace,
            )
        )
        if hit := self.cache.lookup(action):
            return digest_bytes(hit.outputs["engine"]).hash
        # On a hit, nothing is needed that starts processes.
        from mochi_rules.aot.probe import EMPTY_MODULE, engine_section  # noqa: PLC0415

        section = engine_section(self.engines.compile_wasm(config, EMPTY_MODULE))
        self.cache.store(action, {"engine": section})
        return digest_bytes(section).hash


def _key_path(name: str) -> str:
    """Return the path of a source in a key: no path may leave the tree."""
    return name.replace("../", _PARENT)


def _digest(hit: Hit) -> Digest:
    """Return the digest of a step's one output."""
    return hit.result.output_files[0].digest


def _dump(made: Made) -> bytes:
    """Return what to keep beside an output: a restored step shows the same warnings."""
    if not made.warnings:
        return b""
    import json  # noqa: PLC0415 - most steps have no warnings

    from mochi_rules.steps.diagnostic_json import dump_diagnostics  # noqa: PLC0415

    return json.dumps(dump_diagnostics(made.warnings)).encode()


def _load(stored: bytes, read: Callable[[], Mapping[str, bytes]]) -> tuple[Diagnostic, ...]:
    import json  # noqa: PLC0415 - most steps have no warnings

    from mochi_rules.steps.diagnostic_json import load_diagnostics  # noqa: PLC0415

    texts = {name: data.decode("utf-8", "replace") for name, data in read().items()}
    return load_diagnostics(json.loads(stored), texts)
