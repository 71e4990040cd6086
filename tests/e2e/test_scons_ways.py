"""Tests of what users of SCons expect of rules, and of a tool that is not alone in a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.platforms.platform import host_platform

from .project import SCONSTRUCT

if TYPE_CHECKING:
    from .project import Project

pytestmark = pytest.mark.slow

BUILD = f"build/{host_platform().name}-release"
ENV = SCONSTRUCT.splitlines()[0] + '\nExport("env")\n'
APP = {"a.mochi": "print(7)\n"}
BINARY = 'mochi_binary(name="a", srcs=["a.mochi"])\n'


def test_rule_returns_nodes(quick: Project) -> None:
    """For everything in SCons that takes nodes; the library of a program may have none."""
    quick.write({**APP, "SConstruct": ENV + f"""
a = {BINARY}
env.Install("dist", a)
sizes = env.Command("sizes.txt", a, "wc -c $SOURCES > $TARGET")
env.Depends(env.Command("stamp", [], Touch("$TARGET")), a)
Alias("all", a)
Default(a, "dist", sizes)
"""})  # fmt: skip
    assert quick.scons().status == 0
    assert quick.outputs("dist/*")["dist/a.o"] == quick.outputs()[f"{BUILD}/a.o"]
    assert (quick.root / "sizes.txt").read_text().count("a.cwasm") == 2
    assert quick.scons("-n", "all").steps == []
    assert quick.scons("stamp").status == 0


def test_label_is_the_files_of_its_target(quick: Project) -> None:
    """For what takes files by name; of a target that is declared later, they are not known."""
    install = 'env.Install("dist", "//:a")\n'
    command = 'env.Command("sizes.txt", "//:a", "wc -c $SOURCES > $TARGET")\n'
    quick.write({**APP, "SConstruct": ENV + BINARY + install + command})
    assert quick.scons().status == 0
    assert quick.outputs("dist/*")["dist/a.o"] == quick.outputs()[f"{BUILD}/a.o"]
    assert (quick.root / "sizes.txt").read_text().count("a.cwasm") == 2
    quick.write({**APP, "SConstruct": ENV + install + BINARY})
    done = quick.scons("dist")
    assert "`//:a` is used as a file before it is declared: move its rule" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("text", ["//:a", ":a", "//...", "//:*"])
def test_label_is_a_target_in_a_build_file(quick: Project, text: str) -> None:
    """Also before it is declared."""
    quick.write({**APP, "SConstruct": ENV + f'Default("{text}")\n{BINARY}'})
    assert quick.scons().summary.startswith("built ")
    assert (quick.root / BUILD / "a.o").exists()


def test_label_of_a_build_file_that_means_nothing(quick: Project) -> None:
    """The place is where it is written, and the nearest label is suggested."""
    quick.write({**APP, "SConstruct": ENV + f'{BINARY}Alias("all", "//:aa")\n'})
    done = quick.scons()
    assert done.status == 2
    assert "error[B001]: no target named `//:aa`\n  --> SConstruct:4:1" in done.err
    assert "did you mean `//:a`?" in done.err


def test_path_with_two_slashes_stays_a_path(quick: Project) -> None:
    """`prefix + "/bin"` with a prefix of `/` is not a label."""
    quick.write({**APP, "SConstruct": ENV + BINARY + 'print(env.arg2nodes("//nowhere/bin")[0])\n'})
    assert "/nowhere/bin\n" in quick.scons("-n").out


def test_source_is_what_a_builder_returns(quick: Project) -> None:
    """A list of one node."""
    module = bytes(wasmtime.wat2wasm('(module (func (export "_start")))'))
    quick.write({"in.wasm": module, "SConstruct": ENV + """
made = env.Command("w.wasm", "in.wasm", Copy("$TARGET", "$SOURCE"))
wasm_import(name="w", src=made)
"""})  # fmt: skip
    assert quick.scons("//:w").status == 0
    assert (quick.root / BUILD / "w.o").exists()


def test_rule_reads_the_settings_of_its_environment(quick: Project) -> None:
    """`engine` of the call goes before."""
    quick.write({**APP, "SConstruct": ENV + """
fuel = env.Clone(MOCHI_ENGINE={"consume_fuel": True})
for name, each, engine in (("a", env, {}), ("b", fuel, {}), ("c", fuel, {"consume_fuel": False})):
    each.mochi_binary(name=name, srcs=["a.mochi"], main="a.mochi", engine=engine)
"""})  # fmt: skip
    assert quick.scons().status == 0
    plain, with_fuel, without = (quick.outputs()[f"{BUILD}/{name}.cwasm"] for name in "abc")
    assert plain == without != with_fuel


def test_targets_of_others_are_targets(quick: Project) -> None:
    """Folders that do not exist yet, and paths from where one stands."""
    quick.write({**APP, "sub/readme": "", "SConstruct": ENV + BINARY + """
env.Install("dist/doc", "a.mochi")
env.Command("gen/x", [], Touch("$TARGET"))
"""})  # fmt: skip
    assert quick.scons("dist").status == 0
    assert (quick.root / "dist/doc/a.mochi").exists()
    assert quick.scons("-u", "../gen/x", folder="sub").status == 0
    assert (quick.root / "gen/x").exists()
    unknown = quick.scons("-u", "../gen/y", folder="sub")
    assert "error[B001]: no target named `../gen/y`" in unknown.err


def test_sources_may_be_made_in_a_variant_dir(quick: Project) -> None:
    """A generated source is found by its imports, before it is made, also that of a library."""
    quick.write({
        "SConstruct": ENV + 'SConscript("app/SConscript", variant_dir="out/app")\n',
        "app/SConscript": """
Import("env")
made = env.Command("made.mochi", "made.txt", Copy("$TARGET", "$SOURCE"))
mochi_library(name="lib", srcs=made)
mochi_library(name="user", srcs=["user.mochi"], deps=[":lib"])
mochi_binary(name="a", srcs=["a.mochi"], deps=[":lib"])
mochi_binary(name="b", srcs=["b.mochi", made], main="b.mochi")
env.MochiProgram("c", "a.mochi")
""",
        "app/made.txt": "export fun n(): int { return 7 }\n",
        "app/a.mochi": 'import "made"\nprint(made.n())\n',
        "app/b.mochi": 'import "made"\nprint(made.n() + 1)\n',
        "app/user.mochi": 'import "made"\nlet n: int = made.n()\n',
    })  # fmt: skip
    assert quick.scons().status == 0
    paths = (f"{BUILD}/app/a.cwasm", f"{BUILD}/app/b.cwasm", "out/app/c.cwasm")
    assert [quick.cli("run", path).out for path in paths] == ["7\n", "8\n", "7\n"]
    assert quick.scons().steps == []


def test_folder_may_be_called_like_a_tool_of_scons(quick: Project) -> None:
    """SCons imports its assembler by the name `as`, which a folder must not answer to."""
    quick.write({
        "SConstruct": "DefaultEnvironment(tools=[])\n"
                      + SCONSTRUCT.replace('["mochi"]', '["mochi", "default"]'),
        "as/SConscript": BINARY, "as/a.mochi": "print(7)\n",
    })  # fmt: skip
    assert quick.scons("//as:a").status == 0


def test_order_of_declaration_does_not_matter(quick: Project) -> None:
    """A test before its program, a library after its user."""
    quick.write({
        "SConstruct": ENV + """
mochi_test(name="t", program=":a")
mochi_binary(name="a", srcs=["a.mochi"], deps=[":lib"])
mochi_library(name="lib", srcs=["lib.mochi"])
""",
        "a.mochi": 'import "lib"\nprint(lib.n())\n',
        "lib.mochi": "export fun n(): int { return 7 }\n",
    })  # fmt: skip
    assert quick.scons("test").summary.endswith(" · 1 test passed")


def test_words_beside_test_select_tests(quick: Project) -> None:
    """By folder, by label and by pattern; nothing else is built, and no match is an error."""
    rules = BINARY + 'mochi_test(name="t", program=":a")\n'
    quick.write({name: text for folder in ("go", "rust") for name, text in {
        f"{folder}/SConscript": rules, f"{folder}/a.mochi": "print(7)\n"}.items()}
        | {"doc/SConscript": BINARY, "doc/a.mochi": "print(7)\n"})  # fmt: skip
    for word in ("go", "//go:t", "//go/...", "//go:*"):
        done = quick.scons("test", word)
        assert done.summary.partition("failed · ")[2].startswith("1 test passed"), done.err
        assert not (quick.root / BUILD / "go/a.o").exists()
    assert "there are no tests in `doc`" in quick.scons("test", "doc").err
    assert " · 2 tests passed" in quick.scons("test").summary


def test_pattern_builds_and_runs_no_tests(quick: Project) -> None:
    """Also if there is a single target, which is a test."""
    quick.write({"go/SConscript": 'mochi_test(name="t", srcs=["t.mochi"])\n',
                 "go/t.mochi": "print(7)\n"})  # fmt: skip
    verbs = [verb for verb, _, _ in quick.scons("//go/...").steps]
    assert verbs == ["mochi", "aot", "check"]
    assert quick.scons("//go:t").summary.endswith(" · 1 test passed")
