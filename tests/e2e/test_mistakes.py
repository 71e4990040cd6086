"""Tests of what users do wrong: the message, its place, and no traceback."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.platforms.platform import PLATFORMS, host_platform
from tests.needs import need

from .project import HELLO, Done, Project

if TYPE_CHECKING:
    from pathlib import Path

BUILD = f"build/{host_platform().name}-release"
OTHER = next(row for row in PLATFORMS if row.cpu != host_platform().cpu)
BINARY = 'mochi_binary(name="a", srcs=["a.mochi"])\n'
LIBRARY = 'mochi_library(name="l", srcs=["a.mochi", "b.mochi"])\n'


def wat(text: str) -> bytes:
    """Return a module."""
    return bytes(wasmtime.wat2wasm(text))


def check(done: Done, *parts: str) -> None:
    """Hold a failure to its status, to the parts of its message, and to the lack of a traceback."""
    assert done.status == 2, done.out
    for part in parts:
        assert part in done.err, done.err
    assert "Traceback" not in done.err + done.out
    assert "scons: ***" not in done.err  # which would say it again
    assert done.err.count("error[") >= 1


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("tarhet=x",), ("error[B003]: unknown variable `tarhet`", "did you mean `target`?")),
        (("target=x86_64-linx",), ("error[C010]: no platform is named `x86_64-linx`",
                                   "did you mean `x86_64-linux`?")),
        (("mode=relase",), ("error[B004]: no mode is named `relase`", "did you mean `release`?")),
        ((f"target={OTHER.name}", "cpu=x"), (f"error[C012]: no CPU level of {OTHER.cpu} is named `x`",
                                             f"write `cpu={OTHER.architecture.default_cpu_level}`")),
        ((f"target={OTHER.name}", "toolchain=off"),
         (f"error[C002]: no toolchain can build `aot` for `{OTHER.name}`",
          "  --> app/SConscript:1:1", "note: wheel (wasmtime ")),
        (("tset",), ("error[B001]: no target named `tset`",)),
        (("hello",), ("error[B001]: no target named `hello`", "did you mean `//app:hello`?")),
        (("//ap:hello",), ("error[B001]: no target named `//ap:hello`", "did you mean `//app:hello`?")),
        (("ap",), ("error[B001]: no target named `ap`", "did you mean `app`?")),
        (("//a//b:c:d",), ("error[B009]: `//a//b:c:d` is not a valid label",)),
        (("test",), ("error[B001]: there are no tests", "declare one with `mochi_test`")),
    ],
)  # fmt: skip
def test_wrong_word_on_the_command_line(
    quick: Project, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    """Nothing is built, and the nearest name is suggested."""
    quick.write(HELLO)
    done = quick.scons(*words)
    check(done, *parts)
    assert not (quick.root / "build").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "parts"),
    [
        ('mochi_binary(name="a", sorcs=["a.mochi"])\n',
         ("error[B005]: `mochi_binary` has no attribute `sorcs`\n  --> app/SConscript:1:24",
          "did you mean `srcs`?", "error[B006]: `mochi_binary` needs `srcs`, a list of files")),
        ('mochi_binary(\n    name="a",\n    srcs="a.mochi",\n)\n',
         ("error[B007]: `srcs` of `mochi_binary` must be a list of files, got `'a.mochi'`\n"
          "  --> app/SConscript:3:5", ' 3 |     srcs="a.mochi",\n   |     ^^^^')),
        ('mochi_binary("a", ["a.mochi"])\n',
         ("error[B005]: `mochi_binary` takes only its name as a positional argument",
          "help: write `srcs = …`")),
        (BINARY + BINARY,
         ("error[B002]: `//app:a` is declared twice\n  --> app/SConscript:2:14",
          "note: it is first declared in app/SConscript:1")),
        (f'Command("#{BUILD}/app/a.wasm", [], "true")\n' + BINARY,
         (f"error[B008]: `//app:a` would make `{BUILD}/app/a.wasm`, which another builder also makes",)),
        ('mochi_binary(name="a", srcs=["a.mochi"])\nmochi_binary(name="a.cwasm", srcs=["a.mochi"])\n'
         'mochi_binary(name="a b", srcs=["a.mochi"])\n',
         ("error[B009]: `a b` is not a valid name of a target\n  --> app/SConscript:3:14", "write `a_b`")),
        ('mochi_binary("a b", srcs=["a.mochi"])\n', ("  --> app/SConscript:1:14",)),
        ('mochi_binary(name="a", srcs=["b.mochi", "c.mochi"])\n',
         ("error[B019]: no main source: which source of `//app:a` runs?", 'write `main = "b.mochi"`')),
        ('mochi_binary(name="a", srcs=["a.mochi"], main="b.mochi")\n',
         ("error[B019]: `main` is `b.mochi`, which is not in `srcs`", "did you mean `a.mochi`?")),
        ('mochi_binary(name="a", srcs=[])\n', ("error[B019]: `srcs` of `//app:a` is empty",)),
        ('mochi_binary(name="a", srcs=["a.mochi", "b.o"])\n',
         ("error[B007]: `srcs` of `//app:a` has `app/b.o`, which is not a Mochi file",
          "  --> app/SConscript:1:24", "leave it out")),
        ('mochi_binary(name="a", srcs=["../../x.mochi"])\n',
         ("error[B025]: `../x.mochi` is outside of the workspace\n  --> app/SConscript:1:24",)),
        ('mochi_test(name="a", srcs=["a.mochi"], stdin="../../in")\n',
         ("error[B025]: `../in` is outside of the workspace",)),
        ('mochi_test(name="a", srcs=["a.mochi"], expected="../../out")\n',
         ("error[B025]: `../out` is outside of the workspace\n  --> app/SConscript:1:40",)),
        ('mochi_binary(name="a", srcs=["a.mochi"], engine={"opt_levl": "speed"})\n',
         ("error[A050]: neither the engine nor a run has a setting `opt_levl`\n"
          "  --> app/SConscript:1:42", "did you mean `opt_level`?")),
        ('mochi_binary(name="a", srcs=["a.mochi"], deps=["x y"])\n',
         ("error[B009]: `x y` is not a valid label\n  --> app/SConscript:1:42",)),
        ('mochi_binary(name="a", srcs=["a.mochi"], dirs=["=b"])\n',
         ("error[B027]: `dirs` must be a list of directories, got `['=b']`\n  --> app/SConscript:1:42",)),
        ('mochi_test(name="t", program=":b")\n',
         ("error[B016]: `//app:t` runs `//app:b`, but there is no such target",
          "  --> app/SConscript:1:")),
        ('mochi_test(name="t", program=":l")\nmochi_library(name="l", srcs=["a.mochi"])\n',
         ("error[B016]: `//app:t` runs `//app:l`, which is a `mochi_library`",)),
        ('mochi_binari(name="a", srcs=["a.mochi"])\n',
         ("error[B023]: no rule is named `mochi_binari`\n  --> app/SConscript:1:1",
          "did you mean `mochi_binary`?")),
        ('mochi_test(name="t")\n', ("error[B071]: `//app:t` needs either `program` or `srcs`",)),
        ('mochi_test(name="t", srcs=["a.mochi"], expected="a.txt", shards=2)\n',
         ("error[B071]: `//app:t` has `shards`, and so needs `srcs`, without `expected`\n"
          "  --> app/SConscript:1:58",)),
        ("mochi_binary(name=nam)\n", ("NameError: name 'nam' is not defined",)),
    ],
)  # fmt: skip
def test_wrong_call_of_a_rule(quick: Project, script: str, parts: tuple[str, ...]) -> None:
    """The place is the call's, or the attribute's."""
    quick.write({"app/SConscript": script, "app/a.mochi": "print(1)\n"})
    done = quick.scons()
    if "NameError" in parts[0]:  # a mistake in Python is reported by SCons, as always
        assert parts[0] in done.err
        return
    check(done, *parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"app/SConscript": BINARY, "app/b.mochi": ""},
         ("error[B010]: cannot read `app/a.mochi`: no such file or directory\n"
          "  --> app/SConscript:1:24",)),
        ({"app/SConscript": BINARY, "app/aa.mochi": ""}, ("help: did you mean `aa.mochi`?",)),
        ({"app/SConscript": BINARY, "app/a.mochi/x": ""},
         ("error[B010]: cannot read `app/a.mochi`: is a directory",)),
        ({"app/SConscript": BINARY, "app/a.mochi": b"\xff"},
         ("error[B011]: `app/a.mochi` is not UTF-8: byte 0xff in line 1",)),
        ({"app/SConscript": BINARY, "app/a.mochi": " \n"}, ("error[B012]: `app/a.mochi` is empty",)),
        ({"app/SConscript": BINARY, "app/a.mochi": "let x =\n"},
         ("error[P", "--> app/a.mochi:")),
        ({"app/SConscript": BINARY, "app/a.mochi": "print(nothing)\n"},
         ("error[T002]: undefined variable: `nothing`\n  --> app/a.mochi:1:7",)),
        ({"app/SConscript": BINARY, "app/a.mochi": 'let x: int = "a"\n'},
         ("error[T", "--> app/a.mochi:1:")),
        ({"app/SConscript": BINARY, "app/a.mochi": 'import "b"\n', "app/b.mochi/x": ""},
         ("error[B010]: cannot read `app/b.mochi`: is a directory\n  --> app/a.mochi:1:8",)),
        ({"app/SConscript": BINARY, "app/a.mochi": 'import "b\\x00"\n'},
         ("error[B021]: no module `b",)),
        ({"app/SConscript": BINARY, "app/a.mochi": 'import "nowhere"\n'},
         ("error[B021]: no module `nowhere`: there is no `app/nowhere.mochi`",)),
        ({"app/SConscript": BINARY, "app/a.mochi": 'import "b"\n', "app/b.mochi": "let x = 1\n"},
         ("error[B022]: `app/b.mochi` is neither in the `srcs` of `//app:a` nor of its `deps`\n"
          "  --> app/a.mochi:1:8", 'add it to `//app:a`: `srcs = [..., "b.mochi"]`')),
        ({"app/SConscript": BINARY + 'mochi_library(name="l", srcs=["b.mochi"])\n',
          "app/a.mochi": 'import "b"\n', "app/b.mochi": "let x = 1\n"},
         ("error[B022]: `app/b.mochi` belongs to `//app:l`, which `//app:a` does not depend on",
          'add it to `//app:a`: `deps = ["//app:l"]`')),
        ({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi", "b.mochi"])\n',
          "app/a.mochi": 'import "b"\n', "app/b.mochi": 'import "a"\n'},
         ("error[B020]: import cycle", "note: `app/a.mochi` imports `app/b.mochi`")),
        ({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"], deps=[":lib"])\n'
                            'mochi_library(name="lip", srcs=[])\n', "app/a.mochi": "print(1)\n"},
         ("error[B016]: `//app:a` depends on `//app:lib`, but there is no such target",
          "did you mean `//app:lip`?")),
        ({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"], deps=[":b"])\n'
                            'mochi_binary(name="b", srcs=["a.mochi"])\n', "app/a.mochi": "print(1)\n"},
         ("error[B017]: `//app:a` depends on `//app:b`, which is a `mochi_binary`, not a library",)),
        ({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"], deps=[":w"])\n'
                            'wasm_import(name="w", src="w.wasm")\n', "app/a.mochi": "print(1)\n"},
         ("error[B017]: `//app:a` depends on `//app:w`, which is a `wasm_import`, not a library",
          "help: leave it out: Mochi cannot import WebAssembly")),
        ({"app/SConscript": LIBRARY, "app/a.mochi": "let x = 1\n", "app/b.mochi": "let y = z\n"},
         ("error[T002]: undefined variable: `z`\n  --> app/b.mochi:1:9",)),
        ({"app/SConscript": LIBRARY, "app/a.mochi": ""},
         ("error[B010]: cannot read `app/b.mochi`: no such file or directory\n"
          "  --> app/SConscript:1:25",)),
        ({"app/SConscript": LIBRARY, "app/a.mochi": 'import "b"\n', "app/b.mochi": 'import "a"\n'},
         ("error[B020]: import cycle\n  --> app/b.mochi:1:8",)),
        ({"app/SConscript": LIBRARY, "app/a.mochi": "", "app/b.mochi": 'import "c"\n',
          "app/c.mochi": ""},
         ("error[B022]: `app/c.mochi` is neither in the `srcs` of `//app:l` nor of its `deps`",)),
        ({"app/SConscript": 'mochi_library(name="l", srcs=[], deps=[":m"])\n'},
         ("error[B016]: `//app:l` depends on `//app:m`, but there is no such target\n"
          "  --> app/SConscript:1:34",)),
        ({"app/SConscript": 'mochi_library(name="l", srcs=[], deps=[":l"])\n'},
         ("error[B032]: `//app:l` depends on itself\n  --> app/SConscript:1:34",)),
        ({"app/SConscript": BINARY, "app/a.mochi": "print(1)\n", "build": ""},
         (f"error[B014]: cannot write `{BUILD}/app/a.wasm`: `build` is a file\n"
          "  --> app/SConscript:1:1", "help: move or remove `build`")),
        ({"app/SConscript": BINARY, "app/a.mochi": "print(1)\n", f"{BUILD}/app/a.wasm/x": ""},
         (f"error[B014]: cannot write `{BUILD}/app/a.wasm`: `{BUILD}/app/a.wasm` is a folder\n",)),
    ],
)  # fmt: skip
def test_wrong_source(
    quick: Project, files: dict[str, str | bytes], parts: tuple[str, ...]
) -> None:
    """The place is in the source, or where the source is named."""
    quick.write(files)
    check(quick.scons(), *parts)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ("error[A010]: `app/w.wasm`: not WebAssembly: the file is empty",)),
        (b"garbage!", ("error[A010]: `app/w.wasm`: not WebAssembly: the file begins with `67 61",)),
        (b"\0asm\1\0\0\0\1\x09", ("error[A011]: ",)),
        (wat("(module (func (param i64 i64 i64 i64) (result i64 i64) "
             "local.get 0 local.get 1 local.get 2 local.get 3 i64.add128) "
             '(func (export "_start")))'),
         ("app/w.wasm`: the wasm needs `wide arithmetic`, which is disabled",)),
        (wat('(module (import "env" "f" (func)))'),
         ("error[B030]: `app/w.wasm` imports `env.f` (func), which no host provides",)),
    ],
    ids=["empty", "garbage", "truncated", "feature", "import"],
)  # fmt: skip
def test_wrong_wasm(quick: Project, content: bytes, parts: tuple[str, ...]) -> None:
    """Each is reported before anything is made of it, at the attribute that names the file."""
    quick.write({"app/SConscript": 'wasm_import(name="w", src="w.wasm")\n', "app/w.wasm": content})
    check(quick.scons(), *parts, "  --> app/SConscript:1:23")


def prebuilt(quick: Project, content: bytes) -> Done:
    """Build a project around a prebuilt artifact."""
    quick.write({"app/SConscript": 'cwasm(name="c", src="c.cwasm")\n', "app/c.cwasm": content})
    return quick.scons()


def artifact(quick: Project, **settings: object) -> bytes:
    """Return an artifact with some settings of the engine."""
    quick.write({**HELLO, "app/SConscript":
                 f'mochi_binary(name="hello", srcs=["hello.mochi"], engine={settings!r})\n'})  # fmt: skip
    assert quick.scons().status == 0
    return (quick.root / BUILD / "app/hello.cwasm").read_bytes()


def test_artifact_of_another_configuration(quick: Project) -> None:
    """What would not load is reported, setting by setting."""
    done = prebuilt(quick, artifact(quick, consume_fuel=True))
    check(done, "error[A023]: app/c.cwasm is not the expected artifact: 1 check fails",
          "note: tunables: ")  # fmt: skip


def test_artifact_of_another_wasmtime(quick: Project) -> None:
    """The version in the artifact is compared."""
    data = artifact(quick).replace(b"\x0248", b"\x0247")
    check(prebuilt(quick, data), "error[A023]: app/c.cwasm is not the expected artifact",
          "note: engine-section: ")  # fmt: skip


def test_artifact_of_another_target(quick: Project) -> None:
    """The target in the artifact is compared."""
    host = host_platform().triple.encode()
    data = artifact(quick).replace(host, host.replace(b"linux", b"hurdx"))
    check(prebuilt(quick, data), "note: target: expected the target `")


def test_artifact_that_is_none(quick: Project) -> None:
    """And one that is cut off."""
    check(prebuilt(quick, b"garbage"), "error[A020]: app/c.cwasm is not a .cwasm")
    check(prebuilt(quick, artifact(quick)[:5000]), "error[A02")


@pytest.mark.parametrize(
    ("attributes", "parts"),
    [
        ('src="d.cwasm"', ("error[B010]: cannot read `app/d.cwasm`: no such file",
                           "  --> app/SConscript:1:17")),
        (f'src="c.cwasm", sha256="{64 * "0"}"',
         ("error[A028]: `app/c.cwasm` is not the expected file", "  --> app/SConscript:1:32")),
    ],
)  # fmt: skip
def test_wrong_attribute_of_an_artifact(
    quick: Project, attributes: str, parts: tuple[str, ...]
) -> None:
    """What the step finds out is reported at the attribute."""
    quick.write({"app/SConscript": f'cwasm(name="c", {attributes})\n', "app/c.cwasm": b"x"})
    check(quick.scons(), *parts)


def test_pipe_in_the_place_of_an_output(quick: Project) -> None:
    """It is not up to date, and nothing waits for its other end."""
    quick.write({"app/SConscript": 'wasm_import(name="w", src="w.wasm")\n',
                 "app/w.wasm": wat('(module (func (export "_start")))')})  # fmt: skip
    path = quick.root / BUILD / "app/w.wasm"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    check(quick.scons(f"{BUILD}/app/w.wasm"),
          f"error[B014]: cannot write `{BUILD}/app/w.wasm`: it is a pipe or a device",
          f"move or remove `{BUILD}/app/w.wasm`")  # fmt: skip


def test_misspelt_section_of_the_project_file(quick: Project) -> None:
    """It is refused, though nothing asks for it."""
    quick.write({**HELLO, "mochi.toml": '[remotee]\nurl = "grpc://a.example"\n'})
    check(quick.scons(), "error[B028]: `mochi.toml` has no section `remotee`\n  --> mochi.toml:1:2",
          "did you mean `remote`?")  # fmt: skip


def test_symlink_loop(quick: Project) -> None:
    """The message is that of the file system."""
    quick.write({"app/SConscript": BINARY})
    (quick.root / "app/a.mochi").symlink_to("a.mochi")
    done = quick.scons()
    check(done, "error[B010]: cannot read `app/a.mochi`: too many levels of symbolic links")


def test_parameter_of_the_tool_that_there_is_not(quick: Project) -> None:
    """The names are listed."""
    quick.write({"SConstruct": 'Environment(tools=[("mochi", {"tarhet": "x"})], '
                 'toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])\n'})  # fmt: skip
    check(quick.scons(), "error[B026]: the tool `mochi` has no parameter `tarhet`\n  --> SConstruct:1:1",
          "did you mean `target`?")  # fmt: skip


def test_cache_of_another_user(project: Project) -> None:
    """A warning, once, and a build without it."""
    if os.geteuid() != 0:
        pytest.skip("root is missing: it gives files away")
    project.write(HELLO)
    (project.root / "theirs").mkdir()
    os.chown(project.root / "theirs", 4242, -1)
    done = project.scons("cache=theirs")
    assert done.summary == "built 4 of 4 · 0 up to date · 0 failed"
    assert done.err.count("warning[K002]: the cache `") == 1
    assert "belongs to another user (id 4242)" in done.err


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """Return a file system of 64 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    need("mount")
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("root is missing: it mounts")
    return folder


def test_full_disk(project: Project, small_disk: Path) -> None:
    """The file that cannot be written is named, and half of it is not there."""
    try:
        project.root = small_disk
        project.write(HELLO)
        (small_disk / "ballast").write_bytes(b"x" * 40_000)
        done = project.scons()
        check(done, "error[B014]: cannot write `build/", ": no space left on device")
        left = project.outputs()
        assert all(not name.endswith(".o") for name in left)
        assert not list((small_disk / "build").rglob(".*.*"))
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


def test_full_cache_disk(project: Project, small_disk: Path) -> None:
    """A cache that fills up ends no build."""
    try:
        project.write(HELLO)
        (small_disk / "ballast").write_bytes(b"x" * 50_000)
        done = project.scons(f"cache={small_disk / 'cache'}")
        assert done.summary == "built 4 of 4 · 0 up to date · 0 failed"
        assert done.err.count("warning[K005]: cannot write the cache") == 1
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


def test_step_that_cannot_begin_has_failed(quick: Project) -> None:
    """The closing line agrees with the status."""
    quick.write({"app/SConscript": BINARY})
    done = quick.scons()
    assert done.status == 2
    assert done.summary.endswith(" · 1 failed")
