"""Keys of steps: what changes them, what does not, and what they are made of."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.key import ActionSpec, prepare
from mochi_rules.cache.messages import Action, Command, Directory, decode

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parents[2] / "golden" / "action"
SPEC = ActionSpec(
    mnemonic="aot",
    arguments=("--opt", "speed"),
    inputs={"lib/a.wasm": b"a", "b.wasm": b"b", "lib.d/c": b"c"},
    tools={"wasmtime": "48.0.0"},
    output_paths=("out/b.cwasm", "out/a.cwasm"),
    properties={"target": "x86_64-linux"},
    environment={"SOURCE_DATE_EPOCH": "0"},
)

CHANGES: dict[str, dict[str, Any]] = {
    "mnemonic": {"mnemonic": "wrap"},
    "argument": {"arguments": ("--opt", "none")},
    "order of arguments": {"arguments": ("speed", "--opt")},
    "split of arguments": {"arguments": ("--opt speed",)},
    "content of an input": {"inputs": {**SPEC.inputs, "b.wasm": b"B"}},
    "path of an input": {"inputs": {"lib/a.wasm": b"a", "c.wasm": b"b", "lib.d/c": b"c"}},
    "input more": {"inputs": {**SPEC.inputs, "d": b""}},
    "version of a tool": {"tools": {"wasmtime": "48.0.8"}},
    "tool to property": {"tools": {}, "properties": {**SPEC.properties, "wasmtime": "48.0.0"}},
    "output path": {"output_paths": ("out/b.cwasm",)},
    "property": {"properties": {"target": "aarch64-linux"}},
    "environment": {"environment": {}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_key_follows_each_part(change: dict[str, Any]) -> None:
    """Whatever may decide the outputs changes the key."""
    assert prepare(dataclasses.replace(SPEC, **change)).key != prepare(SPEC).key


SAME: dict[str, dict[str, Any]] = {
    "order of inputs": {"inputs": dict(reversed(SPEC.inputs.items()))},
    "order of output paths": {"output_paths": ("out/a.cwasm", "out/b.cwasm")},
    "output path twice": {"output_paths": (*SPEC.output_paths, "out/a.cwasm")},
    "digests for contents": {
        "inputs": {path: digest_bytes(data) for path, data in SPEC.inputs.items()}
    },
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_key_ignores_what_decides_nothing(change: dict[str, Any]) -> None:
    """The same step described in another way has the same key."""
    assert prepare(dataclasses.replace(SPEC, **change)).key == prepare(SPEC).key


def test_messages_describe_the_whole_step() -> None:
    """From the key, the Action, its Command and every Directory are found by digest."""
    step = prepare(SPEC)
    action = decode(Action, step.messages[step.key])
    command = decode(Command, step.messages[action.command_digest])
    assert command.arguments == ("aot", "--opt", "speed")
    assert command.output_paths == ("out/a.cwasm", "out/b.cwasm")
    assert command.platform == action.platform
    assert files_of(action.input_root_digest, step.messages) == {
        path: digest_bytes(data) for path, data in SPEC.inputs.items()
    }


def files_of(root: Digest, messages: Any) -> dict[str, Digest]:
    """Return the files of a tree by path."""
    directory = decode(Directory, messages[root])
    files = {node.name: node.digest for node in directory.files}
    for child in directory.directories:
        below = files_of(child.digest, messages)
        files.update((f"{child.name}/{path}", digest) for path, digest in below.items())
    return files


def test_step_without_inputs_has_an_empty_root() -> None:
    """No inputs make the tree whose root is the empty Directory."""
    step = prepare(dataclasses.replace(SPEC, inputs={}))
    assert decode(Action, step.messages[step.key]).input_root_digest == digest_bytes(b"")


def test_tree_may_be_deep() -> None:
    """A path of two thousand directories makes a tree, not a recursion error."""
    deep = "d/" * 2000 + "f"
    assert len(prepare(dataclasses.replace(SPEC, inputs={deep: b""})).messages) == 2003


WRONG: dict[str, dict[str, Any]] = {
    "absolute input": {"inputs": {"/a": b""}},
    "input that climbs": {"inputs": {"a/../b": b""}},
    "input both file and directory": {"inputs": {"a": b"", "a/b": b""}},
    "empty input path": {"inputs": {"": b""}},
    "absolute output": {"output_paths": ("/a",)},
    "property like a tool": {"properties": {"tool:wasmtime": "1"}},
    "lone surrogate": {"inputs": {"\udc80": b""}},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_step_that_cannot_be_keyed_is_refused(change: dict[str, Any]) -> None:
    """A path or a name that the API does not allow raises instead of making a key."""
    with pytest.raises(ValueError, match=r"not a relative path|twice|prefix|surrogates"):
        prepare(dataclasses.replace(SPEC, **change))


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_bytes_of_messages_stay(case: Path, golden: Callable[[Path, str], None]) -> None:
    """Keys of earlier versions stay valid: the bytes behind them never change."""
    fields = json.loads(case.read_text(encoding="utf-8"))
    inputs = {path: text.encode() for path, text in fields.pop("inputs").items()}
    sequences = {name: tuple(fields.pop(name)) for name in ("arguments", "output_paths")}
    step = prepare(ActionSpec(inputs=inputs, **sequences, **fields))
    lines = [f"key {step.key.hash} {step.key.size}"]
    lines += [f"{digest.hash} {data.hex()}" for digest, data in sorted(step.messages.items())]
    golden(case.with_suffix(".txt"), "\n".join(lines) + "\n")


@pytest.mark.slow
def test_key_ignores_the_hash_seed(start: Callable[..., Any], finish: Callable[..., str]) -> None:
    """Processes with different hash seeds make the same key from sets of names."""
    code = """
from cache.test_key import SPEC
from mochi_rules.cache.key import prepare
print(prepare(SPEC).key)
"""
    keys = {finish(start(code, PYTHONHASHSEED=seed)) for seed in ("0", "1", "4711")}
    assert keys == {f"{prepare(SPEC).key}\n"}
