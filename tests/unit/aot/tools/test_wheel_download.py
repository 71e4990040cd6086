"""Fetching wheels: what is pinned, the arguments of pip, and what is refused."""

from __future__ import annotations

import hashlib
import io
import sys
import tomllib
import zipfile

import pytest

from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.aot.tools import wheel_download as wheels
from mochi_rules.aot.tools.wheel_download import (
    fetch_wheel,
    pinned_versions,
    take_library,
    wheel_pin,
)
from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.platforms.native_files import native_directory
from mochi_rules.platforms.platform import PLATFORMS, find_platform

ARM = find_platform("aarch64-linux")


def test_pins_agree_with_cargo_lock():
    """The crate that is pinned is the one of Cargo.lock, with its checksum."""
    lock = tomllib.loads((native_directory() / "Cargo.lock").read_text())
    [package] = [item for item in lock["package"] if item["name"] == "wasmtime"]
    crate = pinned_versions()["wasmtime"]["crate"]
    assert crate == {"version": package["version"], "sha256": package["checksum"]}


def test_every_wheel_is_pinned():
    """Every platform with a wheel has a digest, each its own, of the version that is loaded."""
    pins = [wheel_pin(row) for row in PLATFORMS if row.wheel_tag]
    assert set(pinned_versions()["wasmtime"]["wheel"]["sha256"]) == {
        row.name for row in PLATFORMS if row.wheel_tag
    }
    assert len({pin.sha256 for pin in pins}) == len(pins) == 6
    for pin in pins:
        assert len(bytes.fromhex(pin.sha256)) == 32
        assert pin.version.startswith(f"{WASMTIME_MAJOR}.")


def test_platform_without_a_wheel_is_refused():
    """No wheel can be fetched for s390x: C031."""
    with pytest.raises(MochiError, match=r"C031.*`s390x-linux`"):
        wheel_pin(find_platform("s390x-linux"))


def zipped(**files):
    """Return an archive; two underscores in a name are a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Pin a wheel, and put a script in the place of pip; it keeps its arguments."""
    wheel = zipped(**{"wasmtime__linux-aarch64___libwasmtime.so": b"library", "x.py": b""})
    pin = {"version": "48.0.0", "sha256": {ARM.name: hashlib.sha256(wheel).hexdigest()}}
    monkeypatch.setattr(wheels, "pinned_versions", lambda: {"wasmtime": {"wheel": pin}})
    (tmp_path / "wheel").write_bytes(wheel)

    def pip(body="Path(option('--dest'), 'a.whl').write_bytes((home / 'wheel').read_bytes())"):
        script = tmp_path / "python"
        script.write_text(
            f"#!{sys.executable} -I\n"
            "import sys\n"
            "from pathlib import Path\n"
            f"home = Path({str(tmp_path)!r})\n"
            "def option(name): return sys.argv[sys.argv.index(name) + 1]\n"
            "Path(option('--dest')).mkdir()\n"
            "text = Path(option('--requirement')).read_text()\n"
            "(home / 'asked').write_text(' '.join(sys.argv[1:]) + chr(10) + text)\n"
            f"{body}\n"
        )
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))
        return wheel

    return pip


def test_pip_is_reported_platform_and_digest(pip, tmp_path):
    """Pip gets the platform's tag and the digest, and no address."""
    wheel = pip()
    assert fetch_wheel(ARM) == wheel
    words, _, requirements = (tmp_path / "asked").read_text().partition("\n")
    *options, _, requirements_file, _, output = words.split()
    assert options == [
        *("-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary=:all:"),
        *("--platform", "manylinux2014_aarch64", "--require-hashes"),
    ]
    assert words.endswith(f"--requirement {requirements_file} --dest {output}")
    assert requirements == f"wasmtime==48.0.0 --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n"


def test_library_is_taken_out_of_the_wheel(pip):
    """The one library in the wheel is returned."""
    assert take_library(pip(), ARM) == b"library"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('ERROR: No matching distribution found')", "No matching distribution"),
        ("sys.exit(0)", ""),
        ("sys.exit('No module named pip')", "No module named pip"),
    ],
)
def test_pip_that_fails_is_the_machines_fault(pip, body, words):
    """What pip says is shown: C032."""
    pip(body)
    with pytest.raises(MochiError, match="C032") as caught:
        fetch_wheel(ARM)
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.fault is Fault.ENVIRONMENT
    assert words in " ".join(diagnostic.notes)
    assert ("ensurepip" in diagnostic.help) == ("named pip" in words)


def test_pip_without_network_is_reported_in_a_line(pip):
    """It repeats the same dump for each attempt."""
    dump = (
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError("
        "HTTPSConnection(host='index.example', port=443): Failed to establish a new connection: "
        "[Errno -3] Temporary failure in name resolution)': /simple/wasmtime/\n"
    )
    pip(f"sys.exit({dump * 5 + 'ERROR: No matching distribution found'!r})")
    with pytest.raises(MochiError) as caught:
        fetch_wheel(ARM)
    [diagnostic] = caught.value.diagnostics
    reason = "temporary failure in name resolution"
    assert diagnostic.notes == (f"it cannot connect to `index.example`: {reason}",)


def test_another_wheel_is_refused(pip):
    """A file that pip should not have taken is C033, and so is a damaged one."""
    wheel = pip("Path(option('--dest'), 'a.whl').write_bytes(b'PK another')")
    with pytest.raises(MochiError, match="C033"):
        fetch_wheel(ARM)
    for damaged in (b"", wheel[:-1], wheel[:40] + b"\xff" + wheel[41:]):
        with pytest.raises(MochiError, match="C033"):
            take_library(damaged, ARM)


def test_installation_without_pins_is_reported(monkeypatch, tmp_path):
    """Where the data files are not, C030 says so."""
    pinned_versions.cache_clear()
    for directory in (None, tmp_path / "native"):
        monkeypatch.setattr(wheels, "native_directory", lambda place=directory: place)
        with pytest.raises(MochiError, match="C030"):
            pinned_versions()
