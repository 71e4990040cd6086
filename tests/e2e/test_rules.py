"""Tests of the rules in a build: libraries, imports, tests, foreign artifacts, SCons' own ways."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.platforms.platform import host_platform

from .project import HELLO, SCONSTRUCT, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILD = f"build/{host_platform().name}-release"
WASM = bytes(wasmtime.wat2wasm('(module (func (export "_start")))'))
LIBRARY: Mapping[str, str] = {
    "lib/SConscript": 'mochi_library(name="text", srcs=["text.mochi", "unused.mochi"])\n',
    "lib/text.mochi": 'export fun shout(s: string): string { return s + "!" }\n',
    "lib/unused.mochi": "let x = 1\n",
    "one/SConscript": 'mochi_binary(name="one", srcs=["one.mochi"], deps=["//lib:text"])\n',
    "one/one.mochi": 'import "../lib/text"\nprint(text.shout("one"))\n',
    "two/SConscript": (
        'mochi_binary(name="two", srcs=["two.mochi", "part.mochi"], deps=["//lib:text"])\n'
    ),
    "two/two.mochi": 'import "part"\nprint(part.two())\n',
    "two/part.mochi": (
        'import "../lib/text"\nexport fun two(): string { return text.shout("two") }\n'
    ),
}


@pytest.mark.slow
def test_library_is_shared_by_programs(quick: Project) -> None:
    """A change of it reaches both, a change of what nobody imports only its own check."""
    quick.write(LIBRARY)
    assert quick.scons().summary.startswith("built ")
    assert quick.cli("run", f"{BUILD}/one/one.cwasm").out == "one!\n"
    assert quick.cli("run", f"{BUILD}/two/two.cwasm").out == "two!\n"

    quick.write({"lib/unused.mochi": "let x = 2\n"})
    assert quick.scons().steps == [("check", "//lib:text", "2 modules")]

    quick.write({"lib/text.mochi": 'export fun shout(s: string): string { return s + "?" }\n'})
    verbs = [verb for verb, _, _ in quick.scons().steps]
    assert verbs.count("mochi") == 2
    assert quick.cli("run", f"{BUILD}/two/two.cwasm").out == "two?\n"


def test_library_is_checked_once_for_all_platforms(project: Project) -> None:
    """A step like any other: selected by label, restored, explained, and then up to date."""
    project.write({name: text for name, text in LIBRARY.items() if name.startswith("lib/")})
    words = ("//lib:text", "target=all")
    assert project.scons(*words).steps == [("check", "//lib:text", "2 modules")]
    [(path, report)] = project.outputs().items()
    assert (Path(path).name, b'"lib/unused.mochi"' in report) == ("text.mochi.json", True)
    assert project.scons(*words).summary == "built 0 of 1 · 1 up to date · 0 failed"
    (project.root / path).unlink()
    assert project.scons(*words).steps == [("check", "//lib:text", "cached")]
    assert (
        project.scons("explain", "//lib:text").out.count(f"{path}: restored from the cache\n") == 1
    )


@pytest.mark.slow
def test_labels_name_targets(quick: Project) -> None:
    """By full and by short label, all below a folder, and relative to where one stands."""
    quick.write(LIBRARY)
    assert {target for _, target, _ in quick.scons("//one:one").steps} == {
        "one/one.wasm", "one/one.cwasm", "one/one.o",
    }  # fmt: skip
    assert {target for _, target, _ in quick.scons("//two").steps} == {
        "two/two.wasm", "two/two.cwasm", "two/two.o",
    }  # fmt: skip
    assert [target for _, target, _ in quick.scons("//...").steps] == ["//lib:text"]
    assert quick.scons("-u", ":one", folder="one").status == 0
    assert quick.scons("one").summary == "built 0 of 4 · 4 up to date · 0 failed"
    assert quick.scons(f"{BUILD}/one/one.wasm").summary == "built 0 of 1 · 1 up to date · 0 failed"


@pytest.mark.slow
def test_tests_run_once(quick: Project) -> None:
    """What passed is remembered, also after the build directory is gone."""
    quick.write({
        "app/SConscript": (
            'mochi_binary(name="a", srcs=["a.mochi"])\n'
            'mochi_test(name="a_test", program=":a", expected="a.txt")\n'
            'mochi_test(name="b_test", srcs=["b.mochi"])\n'
        ),
        "app/a.mochi": "print(1)\n", "app/a.txt": "1\n", "app/b.mochi": "print(2)\n",
    })  # fmt: skip
    first = quick.scons("test")
    assert first.summary.endswith(" · 2 tests passed")
    second = quick.scons("test")
    assert [remark for verb, _, remark in second.steps if verb == "test"] == ["passed (cached)"] * 2
    assert second.summary.endswith(" · 2 tests passed (2 cached)")
    quick.run(["rm", "-rf", "build"])
    assert quick.scons("test").summary.endswith(" · 2 tests passed (2 cached)")
    assert [verb for verb, _, _ in quick.scons().steps] == ["object"]  # a build runs no tests


def test_test_writes_no_file(quick: Project) -> None:
    """A label is not a path: nothing appears in the file system's root, where root may write."""
    rule = 'mochi_test(name="writes_no_file", srcs=["t.mochi"])\n'
    quick.write({"app/SConscript": rule, "app/t.mochi": "print(1)\n"})
    done = quick.scons("test")
    stray = Path("//app:writes_no_file")
    try:
        assert done.summary.endswith(" · 1 test passed"), done.err
        assert not stray.exists()
    finally:
        stray.unlink(missing_ok=True)


@pytest.mark.slow
def test_failed_test_shows_the_difference(quick: Project) -> None:
    """And runs again until it passes."""
    quick.write({
        "app/SConscript": 'mochi_test(name="t", srcs=["t.mochi"], expected="t.txt")\n',
        "app/t.mochi": "print(1)\n", "app/t.txt": "2\n",
    })  # fmt: skip
    for _ in range(2):
        done = quick.scons("test")
        assert done.status == 2
        assert "error[B040]: test `//app:t` failed: its output differs" in done.err
        assert "    -2\n    +1\n" in done.err
        assert "1 of 1 test failed" in done.summary
    quick.write({"app/t.txt": "1\n"})
    assert quick.scons("//app:t").summary.endswith(" · 1 test passed")


@pytest.mark.slow
def test_test_runs_under_the_limits_of_its_program(quick: Project) -> None:
    """What an executable would not finish, a test does not either; the limits are in the key."""
    script = (
        'mochi_binary(name="a", srcs=["a.mochi"], engine={{"fuel": {}}})\n'
        'mochi_test(name="t", program=":a")\n'
    )
    quick.write({"app/SConscript": script.format(10), "app/a.mochi": "print(1)\n"})
    done = quick.scons("test")
    assert done.status == 2
    assert "out of fuel, which was 10" in done.err
    quick.write({"app/SConscript": script.format(10_000)})
    assert quick.scons("test").summary.endswith(" · 1 test passed")


def test_foreign_wasm_goes_the_same_way(quick: Project) -> None:
    """Checked, compiled, checked, wrapped."""
    quick.write({"app/SConscript": 'wasm_import(name="w", src="w.wasm")\n', "app/w.wasm": WASM})
    assert [verb for verb, _, _ in quick.scons().steps] == ["import", "aot", "check", "object"]


def test_prebuilt_artifact_is_wrapped(quick: Project) -> None:
    """After its check; in every mode, for it was compiled elsewhere."""
    quick.write({**HELLO, "pre/SConscript": 'cwasm(name="pre", src="pre.cwasm")\n'})
    quick.cli("build", "app/hello.mochi", "-o", "pre/pre.cwasm")
    for mode in ("debug", "release"):
        done = quick.scons("//pre", f"mode={mode}")
        assert [verb for verb, _, _ in done.steps] == ["check", "object"]


def test_prebuilt_artifact_has_the_digest_of_its_rule(quick: Project) -> None:
    """A file that was exchanged is neither wrapped nor run."""
    rule = f'cwasm(name="pre", src="pre.cwasm", sha256="{"0" * 64}")\n'
    quick.write({**HELLO, "pre/SConscript": rule})
    quick.cli("build", "app/hello.mochi", "-o", "pre/pre.cwasm")
    done = quick.scons("//pre")
    assert done.status == 2
    assert "error[A028]: `pre/pre.cwasm` is not the expected file" in done.err


def test_object_holds_the_artifact(quick: Project) -> None:
    """Between symbols that are named after the target."""
    quick.write(HELLO)
    quick.scons()
    outputs = quick.outputs()
    assert outputs[f"{BUILD}/app/hello.cwasm"] in outputs[f"{BUILD}/app/hello.o"]
    assert b"hello_start" in outputs[f"{BUILD}/app/hello.o"]


def test_generated_source_is_a_source(quick: Project) -> None:
    """A builder of the user makes it; what it imports is found when it is there."""
    quick.write({
        "SConstruct": SCONSTRUCT.replace("SConscript(", 'Export("env")\nSConscript('),
        "app/SConscript": (
            'Import("env")\n'
            'made = env.Command("made.mochi", "in.txt", Copy("$TARGET", "$SOURCE"))\n'
            'mochi_binary(name="made", srcs=[made[0], "part.mochi"], main="made.mochi")\n'
        ),
        "app/in.txt": 'import "part"\nprint(part.n())\n',
        "app/part.mochi": "export fun n(): int { return 7 }\n",
    })  # fmt: skip
    assert quick.scons().status == 0
    assert quick.cli("run", f"{BUILD}/app/made.cwasm").out == "7\n"


@pytest.mark.slow
def test_builders_work_without_rules(quick: Project) -> None:
    """For people who think in SCons."""
    sconstruct = (
        SCONSTRUCT.splitlines()[0]
        + """
wasm = env.MochiWasm("out/a.wasm", "a.mochi")
cwasm = env.Cwasm("out/a.cwasm", wasm)
env.CwasmObject("out/a.o", cwasm[0], MOCHI_SYMBOL="mine")
env.MochiProgram("out/b", "a.mochi", MOCHI_ENGINE={"opt_level": "speed"})
"""
    )
    quick.write({"SConstruct": sconstruct, "a.mochi": "print(3)\n"})
    done = quick.scons()
    assert done.status == 0, done.err
    assert sorted(quick.outputs("out/*")) == [
        f"out/{name}{suffix}"
        for name in "ab"
        for suffix in (".cwasm", ".cwasm.json", ".o", ".wasm")
    ]
    assert b"mine_start" in quick.outputs("out/*")["out/a.o"]
    assert quick.cli("run", "out/a.cwasm").out == "3\n"
    assert quick.scons().steps == []


@pytest.mark.slow
def test_object_waits_for_a_check_that_is_declared_after_it(quick: Project) -> None:
    """To build the object alone checks the artifact first, in whatever order they are declared."""
    sconstruct = (
        SCONSTRUCT.splitlines()[0]
        + """
env.CwasmObject("out/a.o", "out/a.cwasm")
env.Cwasm("out/a.cwasm", "out/a.wasm")
env.MochiWasm("out/a.wasm", "a.mochi")
"""
    )
    quick.write({"SConstruct": sconstruct, "a.mochi": "print(3)\n"})
    verbs = [verb for verb, _, _ in quick.scons("out/a.o").steps]
    assert verbs == ["mochi", "aot", "check", "object"]


def test_setting_of_the_engine_is_passed_on(quick: Project) -> None:
    """And its change is the reason of a rebuild."""
    quick.write(HELLO)
    quick.scons()
    rule = 'mochi_binary(name="hello", srcs=["hello.mochi"], engine={"consume_fuel": True})\n'
    quick.write({"app/SConscript": rule})
    assert [verb for verb, _, _ in quick.scons().steps] == ["aot", "check", "object"]
    explained = quick.scons("explain", "hello.cwasm").out
    assert "  argument --consume-fuel false → true\n" in explained


def test_level_of_optimization_is_of_a_program(quick: Project) -> None:
    """It goes before that of the configuration, and its change is the reason of a rebuild."""
    quick.write(HELLO)
    quick.scons()
    rule = 'mochi_binary(name="hello", srcs=["hello.mochi"], optimize=0)\n'
    quick.write({"app/SConscript": rule})
    quick.scons()
    assert "  argument --optimize 2 → 0\n" in quick.scons("explain", "hello.wasm").out


def test_explain_target_explains_codes(project: Project) -> None:
    """`scons explain B022` says of a code what `mochi-rules explain B022` does."""
    project.write(HELLO)
    said = project.cli("explain", "B022").out
    assert said.rstrip("\n") in project.scons("explain", "B022").out
    unknown = project.scons("explain", "B999")
    assert unknown.status == 2
    assert "error[B067]: no diagnostic has the code `B999`" in unknown.err


@pytest.mark.slow
def test_explain_tells_outcome_and_reason(project: Project) -> None:
    """Built, restored or up to date; and which part of the key was new."""
    project.write(HELLO)
    project.scons()
    assert f"{BUILD}/app/hello.wasm: built in " in project.scons("explain").out
    project.write({"app/hello.mochi": 'print("hallo")\n'})
    project.scons()
    done = project.scons("explain", f"{BUILD}/app/hello.wasm")
    assert "  input app/hello.mochi " in done.out
    assert " → " in done.out
    project.scons()
    assert project.cli("explain", "//app:hello").out.count(": up to date\n") == 4
    unknown = project.scons("explain", "hello.wsm")
    assert unknown.status == 2
    assert f"help: did you mean `{BUILD}/app/hello.wasm`?" in unknown.err


def test_doctor_and_help_need_no_build(quick: Project) -> None:
    """Also for a platform that cannot be built for."""
    other = "s390x-linux" if host_platform().name != "s390x-linux" else "x86_64-linux"
    quick.write(HELLO)
    done = quick.scons("doctor", f"target={other}", "toolchain=off")
    assert done.status == 2
    assert f"compiler for {other}" in done.out
    screen = quick.scons("-h").out
    assert all(word in screen for word in ("//app:hello", "explain", "target=", "--ui="))
    assert len(screen.splitlines()) <= 70
    assert max(map(len, screen.splitlines())) <= 100


def test_rules_of_two_environments_do_not_mix(quick: Project) -> None:
    """Each environment has the tool, and a rule is a method too."""
    quick.write({
        "SConstruct": (
            SCONSTRUCT.splitlines()[0] + "\n"
            'other = env.Clone()\nother.mochi_binary(name="a", srcs=["a.mochi"])\n'
            'env.mochi_binary(name="b", srcs=["a.mochi"])\n'
        ),
        "a.mochi": "print(1)\n",
    })  # fmt: skip
    done = quick.scons()
    assert done.status == 0, done.err
    assert {target for verb, target, _ in done.steps if verb == "object"} == {"a.o", "b.o"}


def test_variables_of_the_user_can_be_declared(quick: Project) -> None:
    """A monorepo has its own."""
    quick.write({
        **HELLO,
        "SConstruct": SCONSTRUCT.replace('tools=["mochi"]',
                                         'tools=[("mochi", {"variables": ["prefix"]})]'),
    })  # fmt: skip
    assert quick.scons("prefix=/usr").status == 0
    assert quick.scons("prefx=/usr").err.startswith("error[B003]: unknown variable `prefx`")


@pytest.mark.slow
def test_parameter_of_the_tool_is_a_default(quick: Project) -> None:
    """The command line goes before."""
    quick.write({
        **HELLO,
        "SConstruct": SCONSTRUCT.replace('tools=["mochi"]',
                                         'tools=[("mochi", {"mode": "debug", "build": "out"})]'),
    })  # fmt: skip
    quick.scons()
    assert not (quick.root / f"out/{host_platform().name}-release").exists()
    assert (quick.root / f"out/{host_platform().name}-debug/app/hello.o").exists()
    quick.scons("mode=release")
    assert (quick.root / f"out/{host_platform().name}-release/app/hello.o").exists()


@pytest.mark.parametrize("name", ["zwei wörter/SConscript", "a b/SConscript"])
def test_folder_with_spaces_and_signs_is_fine(quick: Project, name: str) -> None:
    """Names of folders are the user's."""
    folder = name.split("/", maxsplit=1)[0]
    quick.write({
        name: 'mochi_binary(name="p", srcs=["mein programm.mochi", "größe.mochi"], '
              'main="mein programm.mochi")\n',
        f"{folder}/mein programm.mochi": 'import "größe"\nprint(größe.n())\n',
        f"{folder}/größe.mochi": "export fun n(): int { return 1 }\n",
    })  # fmt: skip
    done = quick.scons()
    assert done.status == 0, done.err
    assert quick.cli("run", f"{BUILD}/{folder}/p.cwasm").out == "1\n"


def test_folder_with_a_prebuilt_artifact_is_a_target(quick: Project) -> None:
    """What stands beside an artifact of somebody else is looked for by nobody."""
    quick.write({"app/SConscript": 'wasm_import(name="w", src="w.wasm")\n', "app/w.wasm": WASM})
    quick.scons()
    artifact = (quick.root / f"{BUILD}/app/w.cwasm").read_bytes()
    quick.write({"app/SConscript": "", "vend/v.cwasm": artifact,
                 "vend/SConscript": 'cwasm(name="v", src="v.cwasm")\n'})  # fmt: skip
    done = quick.scons("vend")
    assert (done.status, [verb for verb, _, _ in done.steps]) == (0, ["check", "object"])
