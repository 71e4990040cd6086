"""Whether a build would refuse what the cache has of a step: the checks of its restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.config import EngineConfig
from mochi_rules.aot.engine_options import OPTIONS
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS
from mochi_rules.steps.engines.lazy_engines import LazyEngines
from mochi_rules.steps.step import CWASM, WASM, aot_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.aot.engine_options import Option
    from mochi_rules.cache.stored_step import StoredStep


def refusal(stored: StoredStep) -> MochiError | None:
    """Return why a build would not take the outputs of a step, or None where it would.

    Only artifacts are checked when they are restored. One whose WebAssembly is not in the cache is
    checked for what decides whether it can be loaded.
    """
    if stored.verb != "aot":
        return None
    config = _engine_of(stored.arguments)
    if config is None:  # of another version, which no build of this one asks for
        return None
    step = aot_step(config)
    assert step.check is not None
    digests = {**stored.inputs, **stored.outputs}
    contents = {name: stored.read(digests[name]) for name in (CWASM, WASM) if name in digests}
    inputs = {name: data for name, data in contents.items() if data is not None}
    if CWASM not in inputs:
        return None
    try:
        step.check.make(LazyEngines(), inputs)
    except MochiError as error:
        return error
    return None


def _engine_of(arguments: Sequence[str]) -> EngineConfig | None:
    """Return the configuration whose step has these arguments, or None where there is none."""
    given = dict(argument.removeprefix("--").partition("=")[::2] for argument in arguments)
    values = {
        option.name: _value(option, given[word])
        for option in OPTIONS
        if (word := option.name.replace("_", "-")) in given
    }
    wanted = given.get("target"), given.get("flags")
    rows = ((row, level) for row in PLATFORMS for level in row.architecture.cpu_levels)
    found = next(
        ((row, level) for row, level in rows if (row.triple, ",".join(level.flags)) == wanted), None
    )
    if found is None:
        return None
    try:
        config = EngineConfig(*found, **values)  # type: ignore[arg-type] # it checks them itself
    except MochiError:
        return None
    return config if aot_step(config).arguments == tuple(arguments) else None


def _value(option: Option, word: str) -> object:
    if option.kind is int:
        return int(word) if word.isdecimal() else word
    return word == "true" if option.kind is bool else word
