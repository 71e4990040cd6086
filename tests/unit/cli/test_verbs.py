"""Tests of the verbs besides `run`."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.base.digest import Digest
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.directory import Layout
from mochi_rules.cache.evict import scan_results
from mochi_rules.cache.statistics import Recorder
from mochi_rules.cli import main as command
from mochi_rules.cli.init import FILES
from mochi_rules.platforms.platform import PLATFORMS, host_platform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Typed

OTHER = next(row for row in PLATFORMS if row.cpu != host_platform().cpu)


@pytest.mark.parametrize(
    ("words", "name", "magic"),
    [
        ((), "hello.cwasm", b"\x7fELF"),
        (("--emit", "wasm"), "hello.wasm", b"\0asm"),
        (("--emit", "obj"), "hello.o", b"\x7fELF"),
        (("-o", "x.wasm"), "x.wasm", b"\0asm"),
        (("-o", "deep/er/x.o"), "deep/er/x.o", b"\x7fELF"),
        (("--emit", "cwasm", "-o", "artifact"), "artifact", b"\x7fELF"),
        (("--emit", "wasm", "-o", "x.bin"), "x.bin", b"\0asm"),
    ],
)
def test_build_writes_what_was_asked_for(
    typed: Callable[..., Typed], here: Path, words: tuple[str, ...], name: str, magic: bytes
) -> None:
    """By option, or by the suffix of the output."""
    got = typed("build", "hello.mochi", *words)
    assert (got.status, got.out) == (0, "")
    assert (here / name).read_bytes().startswith(magic)
    assert " · 0 failed\n" in got.err


@pytest.mark.parametrize(
    ("form", "part"),
    [("ast", "(Call print"), ("ir", "fun main() {"), ("wat", '(export "_start"')],
)
def test_build_shows_forms_for_people(
    typed: Callable[..., Typed], here: Path, form: str, part: str
) -> None:
    """On stdout, or in a file."""
    shown = typed("build", "hello.mochi", "--emit", form, "-o", "-").out
    assert part in shown
    assert typed("build", "hello.mochi", "--emit", form).status == 0
    assert (here / f"hello.{form}").read_text() == shown


def test_build_shows_the_ir_after_a_pass(typed: Callable[..., Typed], here: Path) -> None:
    """`--after` names the last pass that runs; reference counts come with the last of all."""
    (here / "count.mochi").write_text('let s = "a" + str(1)\nprint(s)\n')
    words = ("build", "count.mochi", "--emit", "ir", "-o", "-")
    assert "release" in typed(*words, "--after", "refcount").out
    assert "release" not in typed(*words, "--after", "prune").out
    assert "release" not in typed(*words, "--after", "build").out


def test_build_does_not_overwrite_its_source(typed: Callable[..., Typed], here: Path) -> None:
    """Whatever the output is called."""
    before = (here / "hello.mochi").read_bytes()
    got = typed("build", "hello.mochi", "--emit", "wasm", "-o", "./hello.mochi")
    assert got.status == 2
    assert "error[B072]: `hello.mochi` would be overwritten" in got.err
    assert (here / "hello.mochi").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--emit", "ir", "--after", "reckon"), "error[B052]: `--after` cannot be `reckon`"),
        (("--emit", "wat", "--after", "prune"), "error[B070]: `--after` applies only to the IR"),
    ],
)
def test_build_reports_a_pass_that_cannot_be_shown(
    typed: Callable[..., Typed], words: tuple[str, ...], message: str
) -> None:
    """A pass that does not exist, or a form that has no passes."""
    got = typed("build", "hello.mochi", *words)
    assert got.status == 2
    assert message in got.err


@pytest.mark.parametrize(
    ("words", "first", "status"),
    [
        (
            ("--target", OTHER.name, "--toolchain", "off"),
            f"error[C002]: no toolchain can build `aot` for `{OTHER.name}`",
            3,
        ),
        (("--target", "x86_64-linx"), "error[C010]: no platform is named `x86_64-linx`", 2),
        (("--target", "all"), "error[B052]: `--target` names one platform at a time", 2),
        (("--mode", "fast"), "error[B004]: no mode is named `fast`", 2),
        (("--cpu", "x"), None, 2),
        (("--emit", "wsm"), "error[B052]: `--emit` cannot be `wsm`", 2),
        (("-o", "x.foo"), "error[B052]: unknown output format: `x.foo`", 2),
        (
            ("-o", "x", "--toolchain", "off"),
            f"error[C002]: no toolchain can build `launcher` for `{host_platform().name}`",
            3,
        ),
    ],
)
def test_build_refuses_what_cannot_be(
    typed: Callable[..., Typed], here: Path, words: tuple[str, ...], first: str | None, status: int
) -> None:
    """And writes nothing."""
    got = typed("build", "hello.mochi", *words)
    assert got.status == status
    errors = [line for line in got.err.splitlines() if line.startswith("error[")]
    assert first in (None, errors[0])
    assert not (here / "hello.cwasm").exists()


def test_build_to_a_directory_says_so(typed: Callable[..., Typed], here: Path) -> None:
    """A file that cannot be written is reported with its name."""
    (here / "out.wasm").mkdir()
    got = typed("build", "hello.mochi", "-o", "out.wasm")
    assert got.status == 3
    assert "error[B014]: cannot write `out.wasm`: is a directory" in got.err


def test_build_follows_a_symlink(typed: Callable[..., Typed], here: Path) -> None:
    """The link stays; what it points to is replaced."""
    (here / "link.wasm").symlink_to("target")
    assert typed("build", "hello.mochi", "-o", "link.wasm").status == 0
    assert (here / "link.wasm").is_symlink()
    assert (here / "target").read_bytes().startswith(b"\0asm")


def test_check_says_nothing_of_a_good_program(typed: Callable[..., Typed], here: Path) -> None:
    """And makes nothing."""
    got = typed("check", "hello.mochi")
    assert (got.status, got.out, got.err) == (0, "", "")
    assert [path.name for path in here.iterdir()] == ["hello.mochi"]


def test_check_looks_at_every_file(typed: Callable[..., Typed], here: Path) -> None:
    """The status is that of the worst."""
    (here / "bad.mochi").write_text("print(a)\nprint(b)\n")
    got = typed("check", "gone.mochi", "bad.mochi", "hello.mochi")
    assert got.status == 2
    codes = [line[6:10] for line in got.err.splitlines() if line.startswith("error[")]
    assert codes == ["B010", "T002", "T002"]


@pytest.mark.parametrize("name", ["a.wat", "a.wasm", "a.cwasm"])
def test_check_refuses_what_is_not_a_mochi_program(
    typed: Callable[..., Typed], here: Path, name: str
) -> None:
    """It does not read WebAssembly as Mochi, and names the verb that checks it."""
    (here / name).write_text("(module)")
    got = typed("check", name)
    message = f"error[B068]: `mochi-rules check` applies only to Mochi programs, not to `{name}`\n"
    assert (got.status, got.err) == (2, f"{message}help: run `mochi-rules verify {name}`\n")


def test_check_speaks_to_editors(typed: Callable[..., Typed], here: Path) -> None:
    """One JSON object a line."""
    (here / "bad.mochi").write_text("print(a)\n")
    [line] = typed("check", "--json", "bad.mochi").out.splitlines()
    found = json.loads(line)
    assert (found["file"], found["line"], found["column"]) == ("bad.mochi", 1, 7)


def test_tests_are_run_and_remembered(typed: Callable[..., Typed]) -> None:
    """What passed is not run again."""
    first, second = typed("test", "hello.mochi"), typed("test", "hello.mochi")
    assert (first.status, second.status) == (0, 0)
    assert "passed (cached)" in second.err


def test_failed_test_has_status_1(typed: Callable[..., Typed], here: Path) -> None:
    """And a test that cannot be built the status of that."""
    (here / "trap.wasm").write_bytes(
        wasmtime.wat2wasm('(module (func (export "_start") unreachable))')
    )
    got = typed("test", "hello.mochi", "trap.wasm")
    assert got.status == 1
    assert "error[B040]: test `trap` failed: it exited with status 1" in got.err
    assert typed("test", "gone.mochi").status == 2


def test_inspect_tells_what_a_file_is(typed: Callable[..., Typed]) -> None:
    """As text and as JSON."""
    typed("build", "hello.mochi")
    assert typed("inspect", "hello.cwasm").out.startswith("precompiled module\n")
    facts = json.loads(typed("inspect", "hello.cwasm", "--json").out)
    assert facts["compiled"]["target"] == host_platform().triple
    assert typed("inspect", "hello.mochi").status == 0


@pytest.mark.parametrize("form", ["wasm", "cwasm", "obj"])
def test_verify_accepts_what_was_built(typed: Callable[..., Typed], form: str) -> None:
    """Each kind of output."""
    typed("build", "hello.mochi", "--emit", form, "-o", "x")
    got = typed("verify", "x", "--target", host_platform().name)
    assert (got.status, got.err) == (0, "")
    assert got.out.startswith("x: sound, ")


@pytest.mark.parametrize("form", ["cwasm", "obj"])
def test_verify_names_every_failed_check(typed: Callable[..., Typed], form: str) -> None:
    """Status 1, and a line for each."""
    typed("build", "hello.mochi", "--emit", form, "-o", "x")
    got = typed("verify", "x", "--target", OTHER.name)
    assert got.status == 1
    names = {line.split(": ")[1] for line in got.out.splitlines()}
    assert {"machine", "target"} <= names


def test_verify_finds_damage(typed: Callable[..., Typed], here: Path) -> None:
    """A byte more is a byte too many."""
    typed("build", "hello.mochi")
    data = (here / "hello.cwasm").read_bytes()
    (here / "long.cwasm").write_bytes(data + b"\0")
    (here / "short.cwasm").write_bytes(data[:-100])
    assert typed("verify", "long.cwasm").status == 1
    assert typed("verify", "short.cwasm").status in (1, 2)


def test_verify_refuses_what_is_no_artifact(typed: Callable[..., Typed]) -> None:
    """A source is none."""
    got = typed("verify", "hello.mochi")
    assert got.status == 2
    assert got.err.startswith("error[A020]: hello.mochi is not a .cwasm")


def test_verify_of_an_archive_needs_its_provenance(typed: Callable[..., Typed], here: Path) -> None:
    """Without one, an archive is no artifact, and a key would check nothing."""
    (here / "app.tar.gz").write_bytes(gzip.compress(b""))
    got = typed("verify", "app.tar.gz")
    assert (got.status, got.err.partition(":")[0]) == (2, "error[A020]")
    assert "--provenance FILE" in got.err
    got = typed("verify", "app.tar.gz", "--key", "release.pub")
    assert (got.status, got.err.partition(":")[0]) == (2, "error[B052]")
    assert "--provenance FILE" in got.err


def test_cache_is_looked_after(typed: Callable[..., Typed], here: Path) -> None:
    """Statistics, a check of every entry, and an empty cache at the end."""
    mine = ("--cache", "mine")
    typed("build", "hello.mochi", *mine)
    assert typed("cache", "path", *mine).out == f"{here / 'mine'}\n"
    facts = json.loads(typed("cache", "stats", "--json", *mine).out)
    assert facts["statistics"]["stores"] >= 3
    assert "hit rate" in typed("cache", "stats", *mine).out
    assert typed("cache", "verify", *mine).out.endswith(", 0 faults\n")
    assert typed("cache", "gc", *mine).out == "evicted 0 files, 0 B\n"
    assert typed("cache", "clear", *mine).out.startswith("removed ")
    assert json.loads(typed("cache", "stats", "--json", *mine).out)["usage"]["blobs"] == 0


def test_damaged_cache_entry_is_found(typed: Callable[..., Typed], here: Path) -> None:
    """Status 1, and the path of the entry."""
    typed("build", "hello.mochi", "--cache", "mine")
    blob = max((here / "mine/v1/cas").glob("*/*"), key=lambda path: path.stat().st_size)
    blob.chmod(0o644)
    blob.write_bytes(b"damage")
    got = typed("cache", "verify", "--cache", "mine")
    assert got.status == 1
    assert f"v1/cas/{blob.parent.name}/{blob.name}: damaged, set aside\n" in got.out


def test_poisoned_cache_entry_is_found(typed: Callable[..., Typed], here: Path) -> None:
    """A result that names the artifact of another program is whole; a build would refuse it."""
    (here / "other.mochi").write_text("let xs = [3, 1]\nprint(from x in xs sort by x select x)\n")
    for name in ("hello", "other"):
        typed("build", f"{name}.mochi", "--cache", "mine")
    layout = Layout(here / "mine")
    results = [Digest(entry.name, 0) for entry in scan_results(layout)]
    store = ActionCache(layout, Recorder())
    found = [(key, result) for key in results if (result := store.get(key))]
    artifacts = [row for row in found if row[1].output_files[0].path == "program.cwasm"]
    poisoned, other = artifacts
    store.put(poisoned[0], other[1])
    got = typed("cache", "verify", "--cache", "mine")
    assert got.status == 1
    name = f"v1/ac/{poisoned[0].hash[:2]}/{poisoned[0].hash}"
    message = f"{name}: a build would refuse its artifact, removed: program.cwasm is not the"
    assert got.out.startswith(message)
    assert got.out.endswith(", 1 fault\n")
    assert typed("cache", "verify", "--cache", "mine").status == 0


def test_toolchains_are_listed(
    typed: Callable[..., Typed], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every platform has a line, and what has to be built yet is not ready."""
    monkeypatch.setenv("XDG_DATA_HOME", str(here / "data"))
    out = typed("toolchain", "list").out
    assert all(f"\n  {row.name}" in out for row in PLATFORMS)
    assert "built by cargo: ready" not in out
    assert "\n  clif-worker " in out
    assert out.count("; linker: ") == len(PLATFORMS)


def test_doctor_is_content_with_this_machine(typed: Callable[..., Typed]) -> None:
    """The tests need what it looks for."""
    got = typed("doctor")
    assert got.status == 0
    assert "missing" not in got.out


def test_doctor_tells_what_a_target_lacks(
    typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason of every toolchain, and the status of the environment."""
    monkeypatch.setenv("PATH", "")
    got = typed("doctor", "--target", OTHER.name)
    assert got.status == 3
    assert f"compiler for {OTHER.name}" in got.out
    assert "help: " in got.out


def test_init_writes_a_project_once(typed: Callable[..., Typed], here: Path) -> None:
    """The second time it touches nothing."""
    got = typed("init", "new")
    assert got.status == 0
    assert got.out.endswith("now build and test it:\n  cd new && scons\n  cd new && scons test\n")
    assert all((here / "new" / name).read_text() == text for name, text in FILES.items())
    again = typed("init", "new")
    assert again.status == 2
    assert again.err.startswith("error[B063]: `new/SConstruct` already exists")


def test_explain_without_a_build_says_so(typed: Callable[..., Typed]) -> None:
    """What to do first."""
    got = typed("explain")
    assert got.status == 2
    assert got.err.splitlines()[0] == "error[B061]: nothing was built in `build`"


def test_explain_of_a_code_needs_no_build(typed: Callable[..., Typed]) -> None:
    """Title, cause and help, within the width of a terminal."""
    got = typed("explain", "B022", "T002")
    assert (got.status, got.err) == (0, "")
    assert got.out.startswith("B022: import without a dependency\n\nA source imports a file that")
    assert "\n\nT002: undefined variable\n\n" in got.out
    assert "\n\nhelp: Correct the name, or" in got.out
    assert max(map(len, got.out.splitlines())) <= 80


def test_explain_of_a_code_that_does_not_exist_suggests_one(typed: Callable[..., Typed]) -> None:
    """A capital letter and three digits are a code, also where a build has such a file."""
    got = typed("explain", "B122")
    assert (got.status, got.out) == (2, "")
    assert got.err == (
        "error[B067]: no diagnostic has the code `B122`\nhelp: did you mean `B022`?\n"
    )


@pytest.mark.parametrize("name", ["b022", "B22", "//:B022", "B022.wasm"])
def test_explain_takes_anything_else_as_a_target(typed: Callable[..., Typed], name: str) -> None:
    """So a target that is named like a code can be explained by its label or its file."""
    assert typed("explain", name).err.startswith("error[B061]: ")


def test_output_may_be_standard_output(
    here: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Bytes too; no file is called `-`."""
    command.main(["build", "hello.mochi", "--emit", "wasm", "-o", "-"])
    assert capfdbinary.readouterr().out.startswith(b"\0asm")
    assert not (here / "-").exists()


def test_text_of_webassembly_is_taken_by_every_verb(
    typed: Callable[..., Typed], here: Path
) -> None:
    """As the binary that it stands for."""
    (here / "a.wat").write_text('(module (memory (export "memory") 1) (func (export "_start")))')
    assert typed("run", "a.wat").status == 0
    assert typed("build", "a.wat", "-o", "a.wasm").status == 0
    assert typed("verify", "a.wat").out == "a.wat: sound, 1 check\n"
    shown = [typed("inspect", name).out for name in ("a.wat", "a.wasm")]
    assert shown[0] == shown[1]
    (here / "a.wat").write_text("(module (func (call $x)))")
    for verb in ("run", "build", "verify", "inspect"):
        got = typed(verb, "a.wat")
        assert got.status == 2
        assert "error[A012]: not WebAssembly text: unknown func" in got.err


def test_cache_that_is_off_cannot_be_pushed(typed: Callable[..., Typed]) -> None:
    """The value of the option is what is wrong, not the number of operands."""
    got = typed("cache", "push", "file", "--cache", "off")
    assert got.status == 2
    assert "error[B052]: `--cache` cannot be `off` for this action\n" in got.err
