"""What an executable does not run, and the sentence it says instead."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wasmtime

from .building import PAGE, Programs, Worker, compile_with_wheel, payload, program
from .test_launcher import HELLO, hello, run

if TYPE_CHECKING:
    import subprocess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("programs", ["launcher", "bundle_launcher"], indirect=True),
]

WAT = program(HELLO[0], top=HELLO[1])


def refusal(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the one sentence of a refusal."""
    assert done.returncode == 126
    assert done.stdout == b""
    text = done.stderr.decode()
    assert text.count("\n") == 1
    return text.removeprefix("error: `app`: ").removesuffix("\n")


def test_launcher_alone_says_what_is_missing(programs: Programs) -> None:
    """A launcher without a program is not silent."""
    path = programs.write(programs.launcher.read_bytes())
    assert refusal(run(path)) == "no program is attached to this launcher"


@pytest.mark.parametrize("place", ["start", "code", "settings", "digest", "length"])
def test_one_flipped_bit_is_found(programs: Programs, place: str) -> None:
    """Nothing of a damaged program is loaded."""
    path = programs.attach(compile_with_wheel(WAT), "debug_info\t0\nstack\t1000000")
    data = bytearray(path.read_bytes())
    start = -(-programs.launcher.stat().st_size // PAGE) * PAGE
    data[
        {"start": start, "code": start + 4200, "settings": -70, "digest": -1, "length": -48}[place]
    ] ^= 1
    path = programs.write(bytes(data))
    expected = "the file is damaged: its program does not have the recorded SHA-256"
    assert refusal(run(path)) == expected


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1000])
def test_truncated_file_is_found(programs: Programs, size: int) -> None:
    """A file that was not copied to its end has no program."""
    data = hello(programs).read_bytes()
    path = programs.write(data[: -max(size, 1)])
    assert refusal(run(path)) == "no program is attached to this launcher"


@pytest.mark.parametrize("lengths", [(0xFFFFFFFF, 0), (0, 0xFFFFFFFFFFFFFFFF), (1, 1 << 63)])
def test_impossible_lengths_are_found(programs: Programs, lengths: tuple[int, int]) -> None:
    """Lengths beyond the file, and such that overflow, are damage."""
    data = bytearray(hello(programs).read_bytes())
    data[-52:-48] = lengths[0].to_bytes(4, "little")
    data[-48:-40] = lengths[1].to_bytes(8, "little")
    assert "damaged" in refusal(run(programs.write(bytes(data))))


def test_later_layout_is_named(programs: Programs) -> None:
    """A launcher that is older than what attached the program says so."""
    data = bytearray(hello(programs).read_bytes())
    data[-56] = 2
    text = refusal(run(programs.write(bytes(data))))
    assert text == "the program is attached in layout 2; this launcher reads layout 1"


@pytest.mark.parametrize(
    "line",
    [
        "bogus\t1",
        "fuel",
        "fuel\t-1",
        "fuel\tmuch",
        "debug_info\tyes",
        "compiler\tgcc",
        "dir\tx\ta\tb",
        "",
    ],
)
def test_unknown_setting_is_named(programs: Programs, line: str) -> None:
    """A setting that would be ignored is not."""
    path = programs.attach(compile_with_wheel(WAT), f"{line}\nstack\t1000000")
    text = refusal(run(path)).replace(r"\x09", "\t")  # which is escaped
    assert text == f"the program was attached with `{line}`, which this launcher does not know"


def test_refusal_cannot_steer_the_terminal(programs: Programs) -> None:
    """What came from elsewhere is escaped, wherever it is shown."""
    line = "a\x1b[31m\x7f\x9b\u202e“ü”🚀"
    path = programs.attach(compile_with_wheel(WAT), f"{line}\nstack\t1000000")
    shown = r"a\x1b[31m\x7f\x9b\u202e“ü”🚀"
    assert refusal(run(path)) == (
        f"the program was attached with `{shown}`, which this launcher does not know"
    )
    named = path.rename(path.with_name("b\x1b]0;title\x07"))
    assert run(named).stderr.startswith(rb"error: `b\x1b]0;title\x07`: ")


def test_other_platform_is_named(programs: Programs, worker: Worker) -> None:
    """Both sides are named, the program's and the launcher's."""
    for target in ("aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "s390x-unknown-linux-gnu"):
        error, artifact = worker.ask(bytes(wasmtime.wat2wasm(WAT)), target=target)
        assert error is None
        text = refusal(run(programs.attach(artifact)))
        assert text.startswith(f"the program is for `{target}` and Wasmtime 48, this launcher for")
        assert re.search("launcher for `x86_64-.*linux.*` and Wasmtime 48", text)


def test_other_wasmtime_is_named(programs: Programs) -> None:
    """Both versions are named."""
    artifact = compile_with_wheel(WAT).replace(b"\0\x0248", b"\0\x0247", 1)
    text = refusal(run(programs.attach(artifact)))
    assert "and Wasmtime 47, this launcher for" in text
    assert "and Wasmtime 48" in text


MISMATCHES: dict[str, tuple[str, dict[str, Any], str]] = {
    "fuel-missing": ("", {"consume_fuel": True}, "with fuel support but it is not enabled"),
    "fuel-given": ("fuel\t5", {}, "without fuel support but it is enabled"),
    "deadline": ("", {"epoch_interruption": True}, "with epoch interruption but it is not enabled"),
    "memory": ("memory_reservation\t65536", {}, "'4294967296' but '65536' is expected"),
    "winch": ("", {"compiler": "winch"}, "with Winch"),
    "debug": ("", {"debug_info": True}, "native debug information"),
    "signals": ("signals_based_traps\t0", {}, "with Signals-based traps but it is not enabled"),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_other_configuration_is_named(programs: Programs, name: str) -> None:
    """Where artifact and settings disagree, the setting is named with both values."""
    settings, changes, words = MISMATCHES[name]
    text = refusal(run(programs.build(WAT, settings, **changes)))
    assert words.lower() in text.lower()


FEATURES = {"avx_vnni": "has_avx_vnni", "avx512vbmi": "has_avx512vbmi", "fma": "has_fma"}


def test_missing_processor_feature_is_named(programs: Programs, worker: Worker) -> None:
    """Code for a processor that is not here is not run."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    missing = next((flag for feature, flag in FEATURES.items() if feature not in cpu), None)
    if not missing:
        pytest.skip("a processor without AVX-VNNI or AVX512-VBMI is missing")
    _, artifact = worker.ask(bytes(wasmtime.wat2wasm(WAT)), flags=[[missing, None]])
    assert missing in refusal(run(programs.attach(artifact)))


def test_component_is_named(programs: Programs, worker: Worker) -> None:
    """A component is not a program for this launcher."""
    wasm = bytes(wasmtime.wat2wasm("(component (core module (func)))"))
    _, artifact = worker.ask(wasm, kind="component")
    assert refusal(run(programs.attach(artifact))) == "the program is a component, not a module"


@pytest.mark.parametrize("artifact", [b"", b"\x7fELF", bytes(5000), b"\0asm\1\0\0\0"])
def test_what_is_no_artifact_is_refused(programs: Programs, artifact: bytes) -> None:
    """Whatever was attached, there is a sentence and no crash."""
    assert "do not fit" in refusal(run(programs.attach(artifact)))


def test_unknown_import_is_named(programs: Programs) -> None:
    """A program that needs another host is not started."""
    wat = WAT.replace('"wasi_snapshot_preview1" "proc_exit"', '"env" "abort"')
    text = refusal(run(programs.build(wat)))
    assert "unknown import" in text
    assert "`env::abort`" in text


def test_missing_start_is_named(programs: Programs) -> None:
    """A library is not a program."""
    text = refusal(run(programs.build(WAT.replace("_start", "main"))))
    assert "`_start`" in text


def test_file_that_cannot_read_itself_says_so(programs: Programs) -> None:
    """A file that may be executed and not read cannot run, and says why."""
    if os.geteuid() != 0:
        pytest.skip("root is missing: the owner of a file may always read it")
    source = hello(programs)
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        path = Path(shutil.copy(source, directory))
        path.chmod(0o711)
        text = refusal(run(path, user="nobody"))
    assert text.startswith("the file cannot read itself: Permission denied")


def test_program_behind_no_padding_runs(programs: Programs) -> None:
    """Code that does not begin on a page is copied instead of mapped."""
    data = programs.launcher.read_bytes()
    odd = data + bytes(1 + -len(data) % PAGE) + payload(compile_with_wheel(WAT))
    assert run(programs.write(odd)).stdout == b"hello, world\n"


def test_refusal_survives_a_closed_stderr(programs: Programs) -> None:
    """Without anybody who listens, the status reports it."""
    path = programs.write(programs.launcher.read_bytes())
    done = run(Path("/bin/sh"), "-c", f"'{path}' 2>&-")
    assert done.returncode == 126
