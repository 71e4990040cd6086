"""Tests of a build from its first to its last line."""

from __future__ import annotations

import json

import pytest

from mochi_rules.platforms.platform import host_platform

from .project import HELLO, Project

CONFIGURATION = f"{host_platform().name}-release"
STEPS = ["mochi", "aot", "check", "object"]


def test_build_runs_once_and_is_restored(project: Project) -> None:
    """Four steps, then none, then none but from the cache."""
    project.write(HELLO)
    first = project.scons()
    assert [verb for verb, _, _ in first.steps] == STEPS
    assert first.summary == "built 4 of 4 · 0 up to date · 0 failed"
    outputs = project.outputs()
    assert sorted(outputs) == [
        f"build/{CONFIGURATION}/app/hello{suffix}"
        for suffix in (".cwasm", ".cwasm.json", ".o", ".wasm")
    ]

    second = project.scons()
    assert second.steps == []
    assert second.summary == "built 0 of 4 · 4 up to date · 0 failed"

    project.run(["rm", "-rf", "build"])
    third = project.scons()
    assert [remark for _, _, remark in third.steps] == ["cached"] * 4
    assert "built 0 of 4 · 4 cached (" in third.summary
    assert project.outputs() == outputs
    assert (first.err, second.err, third.err) == ("", "", "")


def test_numbers_skip_what_is_up_to_date(quick: Project) -> None:
    """N is all that was asked for, and k what is behind us."""
    quick.write(HELLO)
    quick.scons()
    (quick.root / f"build/{CONFIGURATION}/app/hello.o").unlink()
    done = quick.scons()
    assert done.out.splitlines()[0].startswith("[4/4] object app/hello.o")
    assert done.summary.startswith("built 0 of 4 · 1 cached (")


def test_output_that_is_a_symlink_stays_one(quick: Project) -> None:
    """The build replaces what it points to; SCons alone would remove the link."""
    quick.write(HELLO)
    output = quick.root / f"build/{CONFIGURATION}/app/hello.wasm"
    target = quick.root / "elsewhere.wasm"
    output.parent.mkdir(parents=True)
    output.symlink_to(target)
    assert quick.scons().status == 0
    assert output.is_symlink()
    assert target.read_bytes().startswith(b"\0asm")
    assert quick.scons().steps == []


def test_comment_does_not_reach_beyond_the_compiler(quick: Project) -> None:
    """The wasm is equal to what it was, so nothing else runs."""
    quick.write(HELLO)
    quick.scons()
    quick.write({"app/hello.mochi": 'print("hello")  // the same\n'})
    assert [verb for verb, _, _ in quick.scons().steps] == ["mochi"]


@pytest.mark.slow
def test_other_mode_is_built_beside(quick: Project) -> None:
    """Each configuration has its own directory."""
    quick.write(HELLO)
    quick.scons()
    quick.scons("mode=debug")
    folders = {path.name for path in (quick.root / "build").iterdir()} - {".mochi"}
    assert folders == {CONFIGURATION, f"{host_platform().name}-debug"}
    assert quick.scons().steps == []


@pytest.mark.parametrize(
    ("suffix", "journal"),
    [
        (".cwasm", True),
        (".cwasm", False),
        pytest.param(".wasm", True, marks=pytest.mark.slow),
        pytest.param(".o", True, marks=pytest.mark.slow),
        pytest.param(".cwasm.json", False, marks=pytest.mark.slow),
    ],
)
def test_damaged_output_is_made_again(quick: Project, suffix: str, *, journal: bool) -> None:
    """SCons takes it for what its step made; the digest of that says that it is not."""
    quick.write(HELLO)
    quick.scons()
    before = quick.outputs()
    path = quick.root / f"build/{CONFIGURATION}/app/hello{suffix}"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    if not journal:
        (quick.root / "build/.mochi/steps.jsonl").unlink()
    done = quick.scons()
    assert done.status == 0, done.err
    assert ("has changed since it was built" in done.out) is journal
    assert quick.outputs() == before


def test_output_may_be_changed_by_the_build_file(quick: Project) -> None:
    """What a post-action makes of an output is not damage, and stays."""
    quick.write({
        **HELLO,
        "SConstruct": """\
env = Environment(tools=["mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])
wasm = env.MochiWasm("build/hello.wasm", "app/hello.mochi")
env.AddPostAction(wasm, "printf '\\\\000\\\\002\\\\001a' >> $TARGET")
env.Cwasm("build/hello.cwasm", wasm)
""",
    })  # fmt: skip
    assert quick.scons().status == 0
    (quick.root / "build/hello.cwasm").unlink()
    assert quick.scons().status == 0
    assert (quick.root / "build/hello.wasm").read_bytes().endswith(b"\0\2\1a")


def test_other_cpu_is_compiled_again(quick: Project) -> None:
    """The wasm is the same for every processor, and no build overwrites the other's files."""
    level = {"x86_64": "x86-64-v3", "aarch64": "armv8.1"}[host_platform().cpu]
    quick.write(HELLO)
    quick.scons()
    steps = quick.scons(f"cpu={level}").steps
    assert [verb for verb, _, _ in steps] == STEPS
    assert steps[0] == ("mochi", "app/hello.wasm", "cached")
    assert quick.scons().steps == []
    one, other = (data for path, data in quick.outputs().items() if path.endswith(".cwasm"))
    assert one != other


def test_dry_run_shows_what_would_run(quick: Project) -> None:
    """And makes nothing."""
    quick.write(HELLO)
    done = quick.scons("-n")
    assert [verb for verb, _, _ in done.steps] == STEPS
    assert "would build 4 of 4 · " in done.out
    assert not (quick.root / "build").exists()


def test_clean_removes_what_was_made(quick: Project) -> None:
    """The outputs of what is named, as users of SCons expect."""
    quick.write(HELLO)
    quick.scons()
    done = quick.scons("-c")
    assert done.out.count("Removed build/") == 4
    assert quick.outputs() == {}


def test_keep_going_builds_what_it_can(quick: Project) -> None:
    """After an error, everything that does not need it is built."""
    quick.write({
        **HELLO,
        "bad/SConscript": 'mochi_binary(name="bad", srcs=["bad.mochi"])\n',
        "bad/bad.mochi": "print(nothing)\n",
    })  # fmt: skip
    done = quick.scons("-k")
    assert done.status == 2
    assert (quick.root / f"build/{CONFIGURATION}/app/hello.o").exists()
    assert done.summary.endswith("· 3 not reached · 1 failed")
    assert done.err.startswith(
        "error[T002]: undefined variable: `nothing`\n  --> bad/bad.mochi:1:7"
    )
    assert "scons: ***" not in done.err  # SCons does not repeat what was said with its place


def test_error_stops_the_build(quick: Project) -> None:
    """Without `-k`, and the status is that of SCons."""
    quick.write({**HELLO, "app/hello.mochi": "let = 1\n"})
    done = quick.scons()
    assert done.status == 2
    assert done.summary == "built 0 of 4 · 0 up to date · 3 not reached · 1 failed"
    assert "Traceback" not in done.err


def test_without_q_scons_speaks_as_always(quick: Project) -> None:
    """We add lines, and take none away."""
    quick.write(HELLO)
    done = quick.scons(quiet=False)
    assert done.out.startswith("scons: Reading SConscript files ...\n")
    assert "scons: done building targets.\n" in done.out


def test_silent_build_is_silent(quick: Project) -> None:
    """`-s` and `--ui=quiet` show nothing of a success."""
    quick.write(HELLO)
    assert quick.scons("-s").out == ""
    assert quick.scons("-c").status == 0
    assert quick.scons("--ui=quiet").out == ""


def test_cache_that_is_off_is_not_made(project: Project) -> None:
    """Nothing outside of the tree is touched."""
    project.write(HELLO)
    done = project.scons("cache=off")
    assert done.summary == "built 4 of 4 · 0 up to date · 0 failed"
    assert not (project.cache / "mochi_rules").exists()


def test_cache_of_the_project_is_used(project: Project) -> None:
    """A relative directory is one of the project."""
    project.write(HELLO)
    project.scons("cache=.cache")
    assert (project.root / ".cache" / "format").exists()


def test_command_line_and_build_share_the_cache(project: Project) -> None:
    """What scons compiled, `run` finds, by the same key."""
    project.write(HELLO)
    project.scons()
    done = project.cli("build", "app/hello.mochi")
    assert done.err.count("cached") == 4  # three steps, and the closing line


@pytest.mark.slow
def test_restored_steps_share_a_thread(quick: Project) -> None:
    """However many may run: what takes less than to pass it on is done where it is found."""
    quick.write({"app/SConscript": HELLO["app/SConscript"].replace("hello", "a")
                 + HELLO["app/SConscript"].replace("hello", "b"),
                 "app/a.mochi": "print(1)", "app/b.mochi": "print(2)"})  # fmt: skip
    quick.scons("link=none")
    quick.run(["rm", "-rf", "build"])
    quick.scons("-j4", "link=none", "--trace=trace.json")
    events = json.loads((quick.root / "trace.json").read_text())["traceEvents"]
    steps = [event for event in events if event["cat"] == "step"]
    assert (len(steps), len({step["tid"] for step in steps})) == (8, 1)


def test_two_jobs_do_the_same(project: Project) -> None:
    """Whatever runs at once, the bytes are equal."""
    names = [f"p{number}" for number in range(6)]
    files = {f"app/{name}.mochi": f'print("{name}")\n' for name in names}
    rules = [f'mochi_binary(name="{name}", srcs=["{name}.mochi"])\n' for name in names]
    project.write({"app/SConscript": "".join(rules), **files})
    project.scons("-j2", "cache=off")
    outputs = project.outputs()
    project.run(["rm", "-rf", "build", ".sconsign.dblite"])
    done = project.scons("-j1", "cache=off")
    assert done.summary == "built 24 of 24 · 0 up to date · 0 failed"
    assert project.outputs() == outputs
