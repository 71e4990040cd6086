"""What changed between two keys, in words."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.explain import KeyRecord, difference, key_record, read_record
from mochi_rules.cache.key import ActionSpec, prepare
from mochi_rules.cache.stored_key import stored_keys

SPEC = ActionSpec(
    mnemonic="aot",
    arguments=("--opt", "speed", "--debug", "--cpu=x86-64-v3", "first", "second"),
    inputs={"lib/a.mochi": b"a", "b.mochi": b"b"},
    tools={"wasmtime": "48.0.0"},
    output_paths=("app.cwasm",),
    properties={"target": "x86_64-linux"},
    environment={"SOURCE_DATE_EPOCH": "0"},
)


def record(**change: Any) -> KeyRecord:
    """Return the record of SPEC, changed."""
    return key_record("app.cwasm", prepare(dataclasses.replace(SPEC, **change)))


def short(data: bytes) -> str:
    """Return the digits of a digest that people are shown."""
    return digest_bytes(data).hash[:8]


ORDER = "--opt speed --debug --cpu x86-64-v3 first second"
CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "tool": ({"tools": {"wasmtime": "48.0.8"}}, ["tool wasmtime 48.0.0 → 48.0.8"]),
    "tool more": (
        {"tools": {"wasmtime": "48.0.0", "llvm": "19"}},
        ["tool llvm 19 added"],
    ),
    "option of two words": (
        {"arguments": ("--opt", "none", "--debug", "--cpu=x86-64-v3", "first", "second")},
        ["argument --opt speed → none"],
    ),
    "option of one word": (
        {"arguments": ("--opt", "speed", "--debug", "--cpu=x86-64-v4", "first", "second")},
        ["argument --cpu x86-64-v3 → x86-64-v4"],
    ),
    "flag less": (
        {"arguments": ("--opt", "speed", "--cpu=x86-64-v3", "first", "second")},
        ["argument --debug removed"],
    ),
    "value less": (
        {"arguments": ("--opt", "speed", "--debug", "--cpu=", "first", "second")},
        ["argument --cpu x86-64-v3 → (empty)"],
    ),
    "first of several arguments less": (
        {"arguments": ("--opt", "speed", "--debug", "--cpu=x86-64-v3", "second")},
        ["argument first removed"],
    ),
    "order of arguments": (
        {"arguments": ("--debug", "--opt", "speed", "--cpu=x86-64-v3", "first", "second")},
        ["order of arguments " + ORDER + " → --debug --opt speed " + ORDER[20:]],
    ),
    "input": (
        {"inputs": {"lib/a.mochi": b"A", "b.mochi": b"b"}},
        [f"input lib/a.mochi {short(b'a')} → {short(b'A')}"],
    ),
    "input more and less": (
        {"inputs": {"lib/c.mochi": b"a", "b.mochi": b"b"}},
        ["input lib/a.mochi removed", "input lib/c.mochi added"],
    ),
    "property": (
        {"properties": {"target": "aarch64-linux"}},
        ["property target x86_64-linux → aarch64-linux"],
    ),
    "environment": ({"environment": {}}, ["environment SOURCE_DATE_EPOCH 0 removed"]),
    "output": ({"output_paths": ("app.cwasm", "app.map")}, ["output app.map added"]),
    "step": ({"mnemonic": "wrap"}, ["step aot → wrap"]),
    "several, most telling first": (
        {
            "properties": {"target": "aarch64-linux"},
            "inputs": {"b.mochi": b"b"},
            "tools": {"wasmtime": "49.0.0"},
        },
        [
            "tool wasmtime 48.0.0 → 49.0.0",
            "input lib/a.mochi removed",
            "property target x86_64-linux → aarch64-linux",
        ],
    ),
}


@pytest.mark.parametrize(("change", "want"), CHANGES.values(), ids=CHANGES)
def test_change_is_named(change: dict[str, Any], want: list[str]) -> None:
    """Each kind of change is shown with its old and new values."""
    assert [str(item) for item in difference(record(), record(**change))] == want


def test_equal_keys_have_no_difference() -> None:
    """A step that did not change has no changes to show."""
    assert difference(record(), record()) == []


def test_new_form_of_the_key_is_named() -> None:
    """Where all parts are equal and the key is not, the key itself is the change."""
    old = dataclasses.replace(record(), action="0" * 64)
    assert str(difference(old, record())[0]) == f"key 00000000 → {record().action[:8]}"


@pytest.mark.parametrize("change", [{}, {"inputs": {"größe.mochi": b""}}], ids=["plain", "umlaut"])
def test_record_survives_json(change: dict[str, Any]) -> None:
    """What is written is read."""
    assert read_record(json.loads(json.dumps(record(**change).document()))) == record(**change)


def test_record_with_any_target_is_text() -> None:
    """A file name that is not UTF-8 does not stop the record from being written."""
    kept = dataclasses.replace(record(), target="\udcff.cwasm")
    assert read_record(json.loads(json.dumps(kept.document()).encode())) == kept


def test_document_is_canonical() -> None:
    """Equal records are equal documents, whatever the order of the maps they came from."""
    again = record(inputs=dict(reversed(SPEC.inputs.items())))
    assert again.document() == record().document()


GOOD = record().document()
BROKEN = {
    "nothing": None,
    "a text": "",
    "a list": [],
    "cut off": {"action": GOOD["action"], "parts": GOOD["parts"]},
    "no parts": {**GOOD, "parts": None},
    "part of two": {**GOOD, "parts": [["tool", "wasmtime"]]},
    "part of a text": {**GOOD, "parts": ["abc"]},
    "part of numbers": {**GOOD, "parts": [["tool", 1, 2]]},
    "unknown kind": {**GOOD, "parts": [["moon", "phase", "full"]]},
    "kind not a text": {**GOOD, "parts": [[[], "", ""]]},
    "target not a text": {**GOOD, "target": 3},
}


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN)
def test_broken_record_is_none(document: object) -> None:
    """A record that was damaged counts as absent."""
    assert read_record(document) is None


def test_key_is_read_back_from_its_messages() -> None:
    """What a store keeps of a step has all parts of its key, also inputs in folders."""
    action = prepare(dataclasses.replace(SPEC, namespace="release"))
    found = stored_keys([action.key], lambda _digests: action.messages)
    assert found == {action.key: key_record("", action)}


@pytest.mark.parametrize("number", range(len(prepare(SPEC).messages)))
def test_key_with_a_message_missing_is_not_read_back(number: int) -> None:
    """Nothing is said of a key that is only known in part."""
    action = prepare(SPEC)
    lost = list(action.messages)[number]
    messages = {digest: data for digest, data in action.messages.items() if digest != lost}
    assert stored_keys([action.key], lambda _digests: messages) == {}
