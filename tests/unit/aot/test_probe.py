"""The engine probe, and what Wasmtime makes of every configuration."""

from __future__ import annotations

import itertools

import pytest
import wasmtime

from mochi_rules.aot.client import compile_wasm
from mochi_rules.aot.config import (
    canonical,
    engine_config,
    expected_shared_flags,
    expected_tunables,
    missing_features,
)
from mochi_rules.aot.engine import make_loader
from mochi_rules.aot.engine_options import BY_NAME
from mochi_rules.aot.probe import EMPTY_MODULE, engine_section
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.engine_section import decode_engine, schema_of

# One value besides the default for every option, and more where more can go wrong.
OTHERS = {
    "opt_level": ("none", "speed_and_size"),
    "compiler": ("winch",),
    "debug_info": (True,),
    "consume_fuel": (True,),
    "epoch_interruption": (True,),
    "memory_reservation": (0, 65536, 4 << 30, 1 << 40),
    "memory_guard_size": (0, 65536, 1 << 40),
    "nan_canonicalization": (True,),
    "signals_based_traps": (False,),
}
SINGLE = [{}, *({name: value} for name, values in OTHERS.items() for value in values)]

# Touches memory, floats, calls and traps, so that every option has something to change.
PROGRAM = """(module (import "a" "b" (func)) (memory 1) (table 1 funcref)
  (func (export "f") (param i32 f64) (result f64)
    call 0
    (drop (i32.load offset=65536 (local.get 0)))
    (drop (i32.div_s (local.get 0) (local.get 0)))
    (f64.add (f64.floor (local.get 1)) (local.get 1))))"""


def probe(worker, config):
    """Return the engine section of a module without content."""
    return engine_section(compile_wasm(worker, config, EMPTY_MODULE))


def decoded(worker, config):
    """Return the decoded engine section of a configuration."""
    return decode_engine(probe(worker, config))


def test_probe_is_the_section(worker, host):
    """The probe holds the version and the target."""
    section = probe(worker, engine_config(host))
    assert section.startswith(b"\0\x0248")
    assert host.triple.encode() in section


@pytest.mark.parametrize("settings", SINGLE, ids=str)
def test_artifact_carries_what_is_expected(worker, host, settings):
    """The decoded section has the tunables, flags and features that the configuration expects."""
    config = engine_config(host, "", settings)
    engine = decoded(worker, config)
    schema = schema_of(engine.version)
    defaults = {item.name: item.default for item in schema.tunables}
    assert engine.tunables == defaults | expected_tunables(config)
    assert engine.shared_flags == schema.shared_flags | expected_shared_flags(config)
    assert engine.features == schema.default_features - missing_features(config)
    assert engine.enabled_isa_flags == set(config.cpu.flags)
    assert engine.target == host.triple


def test_every_option_changes_the_probe(worker, host):
    """Every value that is not the default changes what the loader compares, or the flags."""
    default = probe(worker, engine_config(host))
    for settings in SINGLE[1:]:
        [(name, value)] = settings.items()
        is_default = BY_NAME[name].kind is int and value == BY_NAME[name].default_size
        changed = probe(worker, engine_config(host, "", settings))
        assert (changed == default) == is_default, settings


def test_every_level_of_the_host_compiles(worker, host):
    """Each CPU level gives exactly its own flags, and no two levels the same probe."""
    levels = host.architecture.cpu_levels
    digests = set()
    for level in levels:
        config = engine_config(host, level.name)
        assert decoded(worker, config).enabled_isa_flags == set(level.flags)
        digests.add(probe(worker, config))
    assert len(digests) == len(levels)


@pytest.mark.slow
def test_every_accepted_configuration_compiles_and_loads(worker, host, wasm):
    """No combination that validation accepts aborts or is refused, in compiling or in loading.

    Each of the 3840 combinations that is valid compiles a module with every kind of code.
    """
    program = wasm(PROGRAM)
    worker.greeting()
    running = worker._running  # a request with debug information would start another process
    choices = [(BY_NAME[name].default, *values) for name, values in OTHERS.items()]
    accepted, codes = 0, set()
    for values in itertools.product(*choices):
        try:
            config = engine_config(host, "", dict(zip(OTHERS, values, strict=True)))
        except MochiError as error:
            codes |= {item.code for item in error.diagnostics}
            continue
        error, artifact = running.ask(
            {"kind": "module", **canonical(config)}, program, 60, lambda: None
        )
        assert error is None
        engine = make_loader(canonical(config), 1 << 20)
        wasmtime.Module.deserialize(engine, artifact).close()
        accepted += 1
    assert running.process.poll() is None
    assert codes == {"A053"}
    assert accepted > 1000


@pytest.mark.parametrize(
    "fields",
    [
        {"compiler": "winch", "debug_info": True},
        {"compiler": "winch", "signals_based_traps": False},
        {"flags": [["has_lse_of_another_machine", None]]},
        {"flags": [["opt_level", "fastest"]]},
    ],
    ids=str,
)
def test_what_validation_refuses_would_abort(worker, host, fields):
    """Sent past validation, these end the worker: the refusals have a reason."""
    request = {"kind": "module", **canonical(engine_config(host)), **fields}
    with pytest.raises(MochiError, match="A062: the compiler was killed by SIGABRT"):
        worker.request(request, EMPTY_MODULE)
    assert probe(worker, engine_config(host))


@pytest.mark.parametrize("fields", [{"target": None}, {"kind": 7, "compiler": "?"}, {"flags": 3}])
def test_malformed_request_is_answered(worker, host, fields):
    """A worker answers a request of another shape with an error, and lives on."""
    worker.greeting()
    process = worker._running.process
    request = {"kind": "module", **canonical(engine_config(host)), **fields}
    error, artifact = worker.request(request, EMPTY_MODULE)
    assert error
    assert artifact == b""
    assert worker._running.process is process


def test_damaged_artifact_is_an_error_or_harmless(worker, host):
    """A truncated artifact, or one with any byte of its header altered, raises A064 at worst."""
    artifact = compile_wasm(worker, engine_config(host), EMPTY_MODULE)
    section = engine_section(artifact)
    damaged = [artifact[:size] for size in (0, 4, 5, 63, 64, 4096, len(artifact) - 1)]
    damaged += [artifact[:at] + b"\xff" + artifact[at + 1 :] for at in range(64)]
    codes = set()
    for data in damaged:
        try:
            assert engine_section(data) == section
        except MochiError as error:
            codes |= {item.code for item in error.diagnostics}
    assert codes == {"A064"}
