"""Reports: every kind of file is recognized, and the text is the one in the golden files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.objects.writer import write_object
from mochi_rules.elf.report import inspect
from mochi_rules.elf.report_text import MAX_FUNCTIONS, as_json, render
from mochi_rules.formats.build_info import build_info_place
from mochi_rules.platforms.platform import PLATFORMS, find_platform

from .image import Image
from .making import compiled, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.platforms.platform import Platform

GOLDEN = Path(__file__).parents[2] / "golden" / "inspect"
ARM, IBM = stored("aarch64-apple-darwin"), stored("s390x-unknown-linux-gnu")

# A module with an import and an export, by hand.
WASM = (
    b"\0asm\1\0\0\0\x01\x04\x01\x60\0\0"
    b"\x02\x0a\x01\x04host\x01f\0\0\x03\x02\x01\0\x07\x05\x01\x01g\0\x01\x0a\x04\x01\x02\0\x0b"
)


def changed(data: bytes) -> bytes:
    """Return an artifact with settings, CPU features and features of its own, and a fault."""
    image = Image(data).engine(
        tunables={"consume_fuel": True, "operator_cost": bytes(643), "memory_guard_size": 0},
        shared_flags={"opt_level": "none"},
        isa_flags={"has_mie3": True},
        features=frozenset({"simd", "cm_map"}),
    )
    image.header["flags"] = 0x11
    return image.build()


CASES: dict[str, Callable[[], bytes]] = {
    "cwasm": lambda: IBM,
    "changed": lambda: changed(IBM),
    "object": lambda: write_object(find_platform("aarch64-macos"), "app", ARM),
    "wasm": lambda: WASM,
    "damaged": lambda: ARM[:5000],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["txt", "json"])
def test_report_is_the_golden_one(
    name: str, kind: str, golden: Callable[[Path, str], None]
) -> None:
    """The text for people and the text for programs are those that were reviewed."""
    report = inspect(CASES[name]())
    text = render(report) if kind == "txt" else as_json(report) + "\n"

    golden(GOLDEN / f"{name}.{kind}", text)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty file"),
        (b"hello", "unknown file"),
        (b"\0asm", "damaged WebAssembly"),
        (b"\0asm\x0d\0\1\0", "WebAssembly component"),
        (WASM, "WebAssembly module"),
        (compiled("plain"), "precompiled module"),
        (compiled("component"), "precompiled component"),
        (ARM[:1000], "damaged precompiled artifact"),
        (b"\x7fELF\2\1\1\0" + bytes(8) + b"\1\0", "ELF object"),
        (b"\x7fELF\2\2\1\0" + bytes(8) + b"\0\2", "ELF executable"),
        (b"\x7fELF", "ELF file"),
        (b"\xcf\xfa\xed\xfe" + bytes(8) + b"\2\0\0\0", "Mach-O executable"),
        (b"\xcf\xfa\xed\xfe", "Mach-O file"),
        (b"MZ", "Windows executable"),
        (b"\x64\x86" + bytes(18), "COFF object"),
    ],
)
def test_kind_is_recognized(data: bytes, kind: str) -> None:
    """The first bytes show what a file is; reading it shows whether it is damaged."""
    assert kind == inspect(data).kind


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_artifact_is_found_in_an_object(platform: Platform) -> None:
    """The object of each platform shows the artifact that it holds."""
    report = inspect(write_object(platform, "app", ARM))

    assert report.kind.endswith(" object that holds an artifact")
    assert report.inner == inspect(ARM)


def test_artifact_is_found_behind_an_executable() -> None:
    """An artifact attached to a program is found, behind bytes that only look like one."""
    program = b"MZ" + IBM[:8] + bytes(100)

    report = inspect(program + IBM + b"trailer")

    assert report.kind == "Windows executable that holds an artifact"
    assert report.inner_offset == len(program)
    assert report.inner == inspect(IBM)


def test_cut_artifact_in_a_program_is_not_one() -> None:
    """What looks like an artifact but cannot be read is not shown as one."""
    assert inspect(b"MZ" + IBM[:5000]).kind == "Windows executable"
    assert inspect(b"MZ" + IBM[:20]).kind == "Windows executable"


def test_settings_that_differ_come_first() -> None:
    """What was changed stands before what was left alone."""
    report = inspect(changed(IBM))
    assert report.compiled is not None
    order = [setting.is_default for setting in report.compiled.settings]

    assert order == sorted(order)
    assert {setting.name for setting in report.compiled.settings if not setting.is_default} == {
        "consume_fuel", "operator_cost", "memory_guard_size", "opt_level",
    }  # fmt: skip


def test_largest_functions_are_shown() -> None:
    """Of many functions the largest are shown, and all of them on demand."""
    report = inspect(compiled("many"))

    assert render(report).count("::function[") == MAX_FUNCTIONS
    assert "... and 380 smaller ones" in render(report)
    assert render(report, full=True).count("::function[") == 400
    assert "at their defaults" not in render(report, full=True)


def test_unknown_version_is_reported() -> None:
    """Of a Wasmtime without a schema, what describes itself is shown."""
    image = Image(compiled("plain"))
    part = image[".wasmtime.engine"]
    part.data = part.data.replace(b"\x0248", b"\x0299", 1)

    text = render(inspect(image.build()))

    assert "Wasmtime      99\n" in text
    assert "settings: not known for this version\n" in text


def test_names_cannot_steer_a_terminal() -> None:
    """Control characters of a foreign file are shown as escapes, in reports and in messages."""
    hostile = IBM.replace(b"::add\0", b"::\x1b[m\0").replace(
        b".wasmtime.info\0", b".wasmtime\x1b[22J\0"
    )

    report = inspect(hostile)

    assert len(hostile) == len(IBM)
    assert "\x1b" not in render(report)
    assert "\\x1b[22J" in render(report)
    assert report.compiled is not None
    assert "\x1b" not in "".join(map(str, report.compiled.failures))
    assert "\x1b" not in as_json(report)


def test_json_is_json() -> None:
    """The text for programs parses, with the digest under its name."""
    assert json.loads(as_json(inspect(b"")))["sha256"].startswith("e3b0c44298fc1c14")


def test_build_information_is_shown() -> None:
    """Whatever else is known of a file; one without a stamp says so."""
    data = build_info_place({"version": "1.4.0"})
    assert "\n  version  1.4.0\n" in render(inspect(data))
    assert "\n  stamp   none\n" in render(inspect(build_info_place({})))
