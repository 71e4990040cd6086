"""A payload is found again as it was attached, or refused with the reason."""

from __future__ import annotations

import pytest

from mochi_rules.aot.executable.payload import find_payload, has_payload, make_payload
from mochi_rules.aot.executable.settings import Directory, LauncherSettings, RunSettings
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.base.diagnostic import MochiError

from .files import ALL, LINUX, MACOS, make_artifact, make_launcher

SETTINGS = b"debug_info\t1\nstack\t1000000\ndir\trw\tdata\t/\n"
READ = LauncherSettings(
    {"debug_info": True}, RunSettings(stack=1_000_000, directories=(Directory("data", "/", "rw"),))
)


def code_of(data):
    """Return the code of the refusal."""
    with pytest.raises(MochiError) as caught:
        find_payload(data)
    return caught.value.diagnostics[0].code


def executable(platform=LINUX):
    """Return an executable of the platform."""
    return write_executable(platform, make_launcher(platform), make_artifact(platform), SETTINGS)


@pytest.mark.parametrize("platform", ALL, ids=lambda row: row.name)
def test_payload_is_found_in_every_format(platform):
    """Artifact and settings come out as they went in, on every platform."""
    found = find_payload(executable(platform))
    assert found.artifact == make_artifact(platform)
    assert found.settings == READ


@pytest.mark.parametrize("platform", [LINUX, MACOS], ids=lambda row: row.name)
def test_every_flipped_byte_is_refused(platform):
    """No byte of artifact, settings and footer can change unnoticed."""
    artifact = make_artifact(platform, size=200)
    data = bytearray(write_executable(platform, make_launcher(platform), artifact, SETTINGS))
    payload = make_payload(artifact, SETTINGS)
    start = data.index(payload)
    for place in range(start, start + len(payload)):
        data[place] ^= 0x41
        assert code_of(bytes(data)) in {"A103", "A104", "A105"}
        data[place] ^= 0x41
    assert find_payload(bytes(data)).artifact == artifact


@pytest.mark.parametrize("size", [1, 63, 64, 65, 300])
def test_cut_off_executable_has_no_program(size):
    """A file that was not copied to its end is reported as one without a program."""
    assert code_of(executable()[:-size]) == "A103"


@pytest.mark.parametrize("data", [b"", b"\x7fELF", bytes(64), b"MOCHIEXE", b"MOCHIEXE" + bytes(40)])
def test_file_without_payload_is_refused(data):
    """What is not an executable has no program either."""
    assert code_of(data) == "A103"
    assert not has_payload(data)


def test_other_layout_is_named():
    """A payload of a later version is not called damaged."""
    data = bytearray(executable())
    data[-56] = 7
    with pytest.raises(MochiError, match=r"A104: .* layout 7, and this version reads layout 1"):
        find_payload(bytes(data))


@pytest.mark.parametrize("field", [(-52, -48), (-48, -40)])
def test_impossible_length_is_damage(field):
    """Lengths beyond the file are found before anything is read by them."""
    data = bytearray(executable())
    start, end = field
    data[start:end] = b"\xff" * (end - start)
    assert code_of(bytes(data)) == "A105"


def test_settings_that_no_launcher_reads_are_not_attached():
    """What the launcher would refuse at its start is refused now."""
    with pytest.raises(MochiError, match="A110"):
        make_payload(b"artifact", b"bogus\t1\n")
