"""Tests of the tables of attributes: checks, errors and help come from one row."""

from __future__ import annotations

from collections import UserList

import pytest

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.project.attributes import BY_NAME, RULES, Rule, describe

BINARY = BY_NAME["mochi_binary"]


def faults(rule: Rule, given: dict[str, object]) -> list[Diagnostic]:
    """Return what is wrong with a call."""
    with pytest.raises(MochiError) as caught:
        rule.check(given)
    return list(caught.value.diagnostics)


def test_missing_attributes_get_their_defaults() -> None:
    """What is not given is what the table says."""
    values = BINARY.check({"name": "app", "srcs": ["app.mochi"]})
    assert values == {
        "name": "app", "srcs": ["app.mochi"], "deps": (), "main": "", "symbol": "",
        "dirs": (), "optimize": None, "engine": {}, "stamp": False,
    }  # fmt: skip


def test_unknown_attribute_gets_the_nearest_name() -> None:
    """A typing error is named, with what was meant."""
    [found] = faults(BINARY, {"name": "app", "srcs": [], "sorcs": []})
    assert found.code == "B005"
    assert found.message == "`mochi_binary` has no attribute `sorcs`"
    assert found.help == "did you mean `srcs`?"


def test_unknown_attribute_without_a_nearest_name_points_at_the_help() -> None:
    """No suggestion rather than a silly one."""
    [found] = faults(BINARY, {"name": "app", "srcs": [], "visibility": []})
    assert found.help == "`mochi-rules help mochi_binary` shows what each does"


def test_all_faults_of_a_call_are_reported_at_once() -> None:
    """A missing, an unknown and a wrong attribute are three errors."""
    found = faults(BINARY, {"name": 3, "dep": []})
    assert [item.code for item in found] == ["B007", "B005", "B006"]
    assert found[2].message == "`mochi_binary` needs `srcs`, a list of files"
    assert found[2].help == 'write `srcs = ["app.mochi"]`'


@pytest.mark.parametrize(
    ("rule", "given", "want"),
    [
        ("mochi_binary", {"srcs": "a.mochi"}, "must be a list of files, got `'a.mochi'`"),
        ("mochi_binary", {"deps": [3]}, "must be a list of labels, got `[3]`"),
        ("mochi_binary", {"name": ""}, "must be a non-empty UTF-8 string without NUL, got `''`"),
        ("mochi_binary", {"engine": []}, "must be settings of the engine, got `[]`"),
        ("mochi_release", {"summary": "a\nb"}, "must be a string of one line, got `'a\\nb'`"),
        ("mochi_release", {"license": "MIT\n"}, "must be a string of one line, got `'MIT\\n'`"),
        ("mochi_test", {"timeout": 0}, "must be a number of seconds up to 1000000, got `0`"),
        ("mochi_test", {"timeout": True}, "must be a number of seconds up to 1000000, got `True`"),
        ("mochi_test", {"timeout": 10**5000}, "got `a number of thousands of digits`"),
        ("mochi_test", {"timeout": float("inf")}, "seconds up to 1000000, got `inf`"),
        ("mochi_test", {"args": ["\ud800"]}, r"of UTF-8 strings without NUL, got `['\ud800']`"),
        ("mochi_test", {"stdin": "a\0"}, r"must be a file, got `'a\x00'`"),
        (
            "mochi_binary",
            {"srcs": ["a\0.mochi"]},
            r"a list of files, got `['a\x00.mochi']`",
        ),
        ("cwasm", {"sha256": "ABC"}, "must be 64 lowercase hexadecimal digits, got `'ABC'`"),
        ("wasm_import", {"src": ["a.wasm"]}, "must be a file, got `['a.wasm']`"),
    ],
)
def test_value_of_the_wrong_type_is_refused(rule: str, given: dict[str, object], want: str) -> None:
    """The message says what is expected and what was given."""
    base: dict[str, object] = {"name": "app", "srcs": ["a.mochi"], "src": "a.wasm",
                               "targets": [":a"]}  # fmt: skip
    known = {attr.name for attr in BY_NAME[rule].attrs}
    given = {name: value for name, value in base.items() if name in known} | given
    [found] = faults(BY_NAME[rule], given)
    assert found.code == "B007"
    assert found.message.endswith(want)


def test_list_of_nodes_is_a_list_of_files() -> None:
    """What SCons returns can be given on: its lists are no Python lists."""

    class Node:
        def get_internal_path(self) -> str:
            return "/a"

    assert BINARY.check({"name": "app", "srcs": UserList([Node(), "b.mochi"])})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_reference_of_a_rule_names_every_attribute(rule: Rule) -> None:
    """The help is made of the same rows."""
    text = describe(rule)
    words = " ".join(text.split())
    assert all(f"  {attr.name} " in text and attr.doc in words for attr in rule.attrs)
    assert all(output.format("NAME") + "\n" in text for output in rule.outputs)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_example_of_a_rule_is_accepted(rule: Rule) -> None:
    """What the help shows can be typed."""
    call = describe(rule).splitlines()[-1].strip()
    assert eval(call, {rule.name: lambda **given: rule.check(given)})  # noqa: S307 - our own text
