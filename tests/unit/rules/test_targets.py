"""Tests of what words of the command line stand for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import SCons.Node.Alias
import SCons.Script
from SCons.Environment import Environment

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.project.label import Label
from mochi_rules.rules import targets
from mochi_rules.rules.claims import Target
from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.rules.scons.place import Place

if TYPE_CHECKING:
    from SCons.Node.FS import FS

CONFIGURATION = "linux"


class Words:
    """A workspace with `//app:app`, `//app/sub:sub`, and their tests `..._test`."""

    def __init__(self, fs: FS, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SCons.Node.Alias, "default_ans", SCons.Node.Alias.AliasNameSpace())
        self._patch, root = monkeypatch, Path(fs.Top.get_abspath())
        self.space: Any = SimpleNamespace(
            env=Environment(tools=[]), fs=fs, root=root, targets={}, tasks={}
        )
        for package, name in (("app", "app"), ("app/sub", "sub")):
            (root / package).mkdir(exist_ok=True)
            self._declare(package, name)
            self._declare(package, f"{name}_test", is_test=True)

    def _declare(self, package: str, name: str, *, is_test: bool = False) -> None:
        label = Label(package, name)
        test = self.space.env.Alias(str(label))[0] if is_test else None
        target = Target(label, "", Place("SConstruct", 1, self.space.root), test=test)
        nodes = {suffix: self.space.fs.File(f"build/{package}/{name}{suffix}")
                 for suffix in (".wasm", ".cwasm")}  # fmt: skip
        target.outputs[CONFIGURATION] = nodes
        self.space.targets[label] = target
        self.space.tasks |= dict.fromkeys(nodes.values())

    def node(self, *words: str, folder: str = "") -> Any:
        """Return the node of the first word of a command line that is typed in a folder."""
        self._patch.setattr(SCons.Script, "COMMAND_LINE_TARGETS", list(words))
        return targets.find_node(self.space, words[0], str(self.space.root / folder))

    def found(self, *words: str, folder: str = "") -> list[str]:
        """Return what a word stands for: the paths and names behind its alias."""
        alias = self.node(*words, folder=folder)
        return [] if alias is None else sorted(map(node_path, alias.sources))

    def error(self, *words: str) -> tuple[str, str]:
        """Return the message and the help of the error of a word."""
        with pytest.raises(MochiError) as caught:
            self.node(*words)
        [diagnostic] = caught.value.diagnostics
        return diagnostic.message, diagnostic.help

    def tested(self, *words: str) -> list[str]:
        """Return what `scons test` is restricted to."""
        self._patch.setattr(SCons.Script, "COMMAND_LINE_TARGETS", list(words))
        return list(map(str, targets.test_scope(self.space)))


@pytest.fixture(name="words")
def _words(fs: FS, monkeypatch: pytest.MonkeyPatch) -> Words:
    return Words(fs, monkeypatch)


APP = ["build/app/app.cwasm", "build/app/app.wasm"]
APP_TEST = ["build/app/app_test.cwasm", "build/app/app_test.wasm"]
SUB = [
    "build/app/sub/sub.cwasm",
    "build/app/sub/sub.wasm",
    "build/app/sub/sub_test.cwasm",
    "build/app/sub/sub_test.wasm",
]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("//app:app", APP),
        ("//app", APP),
        ("//app:*", APP + APP_TEST),
        ("//app:*_test", APP_TEST),
        ("//app/sub/...", SUB),
        ("//...", APP + APP_TEST + SUB),
        ("...", APP + APP_TEST + SUB),
    ],
)
def test_label_or_pattern_stands_for_outputs(words: Words, word: str, expected: list[str]) -> None:
    """Those of all targets that it matches; to build a test does not run it."""
    assert words.found(word) == expected


def test_label_of_a_test_runs_it(words: Words) -> None:
    """Its run is an alias of the same name."""
    run = words.space.targets[Label("app", "app_test")].test
    assert words.node("//app:app_test") is run


def test_label_is_relative_to_the_folder_it_is_typed_in(words: Words) -> None:
    """As a path is."""
    assert words.found(":app", folder="app") == APP
    assert words.found("...", folder="app/sub") == SUB


def test_folder_stands_for_the_targets_below_it_and_itself(words: Words) -> None:
    """SCons' own meaning of a folder stays."""
    assert words.found("app/sub") == ["app/sub", *SUB]
    assert words.found("sub", folder="app") == ["app/sub", *SUB]


@pytest.mark.parametrize("word", ["app/main.mochi", "."])
def test_what_scons_finds_is_left_to_it(words: Words, word: str) -> None:
    """A file that exists, and the workspace itself."""
    assert words.node(word) is None


def test_file_that_a_builder_makes_is_left_to_scons(words: Words) -> None:
    """And a folder with one in it."""
    words.space.env.Command("out/made", [], "true")
    assert words.node("out/made") is None
    assert words.node("out") is None


def test_tests_in_a_pattern_are_the_alias_of_all(words: Words) -> None:
    """The scope chooses among them."""
    assert str(words.node("test", "app")) == "test"
    assert str(words.node("app/sub", "test")) == "test"
    assert words.tested("test", "app/sub", "//app:app_test", "nothing") == [
        "//app/sub/...",
        "//app:app_test",
    ]


def test_words_of_explain_are_not_targets(words: Words) -> None:
    """They are codes, or files of the last build."""
    assert str(words.node("B001", "explain")) == "explain"


@pytest.mark.parametrize(
    ("typed", "message", "help_"),
    [
        (["//app:ap"], "no target named `//app:ap`", "did you mean `//app:app`?"),
        (["app/sab"], "no target named `app/sab`", "did you mean `app/sub`?"),
        (["sub_tes"], "no target named `sub_tes`", "did you mean `//app/sub:sub_test`?"),
        (["doctr"], "no target named `doctr`", "did you mean `doctor`?"),
        (["build/app/app.wsm"], "no target named `build/app/app.wsm`",
         "did you mean `build/app/app.wasm`?"),
        (["quite_different"], "no target named `quite_different`",
         "`scons -h` lists the targets"),
        (["//app:app", "test"], "there are no tests in `//app:app`",
         "did you mean `//app:app_test`?"),
    ],
)  # fmt: skip
def test_word_that_means_nothing_is_an_error_with_what_is_near(
    words: Words, typed: list[str], message: str, help_: str
) -> None:
    """Among labels, packages, verbs and outputs."""
    assert words.error(*typed) == (message, help_)


def test_without_tests_the_verb_says_how_to_declare_one(words: Words) -> None:
    """It is the only target that a workspace need not have."""
    words.space.targets.clear()
    assert words.error("test") == ("there are no tests", "declare one with `mochi_test`")
