"""Wasmtime's wheel of any platform: fetched with pip, pinned by digest, for the library in it."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.aot.executable.bundle import wheel_library
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.printable import output_notes
from mochi_rules.platforms.native_files import native_directory

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

_HOST, _REASON = re.compile(r"host='([^']+)'"), re.compile(r"\[Errno -?\d+\] ([\w ]+)")
_OTHER_INDEX = "run `pip config set global.index-url URL` to use another index"


@dataclass(frozen=True, slots=True)
class WheelPin:
    """The one wheel of a platform that is taken: its version, pip's tag and its SHA-256."""

    version: str
    tag: str
    sha256: str


@cache
def pinned_versions() -> dict[str, Any]:
    """Return `toolchains/versions.toml`.

    Emits: C030.

    Raises:
        MochiError: It is neither in a checkout nor installed.
    """
    directory = native_directory()
    try:
        if directory is not None:
            return tomllib.loads((directory.parent / "versions.toml").read_text("utf-8"))
    except FileNotFoundError:
        pass
    raise environment_error(
        "C030", "`toolchains/versions.toml` is missing", help="run `pip install mochi-rules`"
    )


def wheel_pin(platform: Platform) -> WheelPin:
    """Return the pin of a platform's wheel.

    Emits: C030, C031.

    Raises:
        MochiError: Wasmtime has no wheel for the platform.
    """
    wheel = pinned_versions()["wasmtime"]["wheel"]
    if platform.wheel_tag is None:
        raise fail("C031", f"Wasmtime has no Python wheel for `{platform.name}`")
    return WheelPin(wheel["version"], platform.wheel_tag, wheel["sha256"][platform.name])


def fetch_wheel(platform: Platform) -> bytes:
    """Download the wheel of a platform, from wherever pip is set to, and return it.

    Emits: C030, C031; C032 (pip failed), C033 (another file than was pinned).

    Raises:
        MochiError: The wheel cannot be downloaded.
    """
    pin = wheel_pin(platform)
    with tempfile.TemporaryDirectory(prefix="mochi-wheel-") as name:
        requirements = Path(name, "requirements.txt")
        text = f"wasmtime=={pin.version} --hash=sha256:{pin.sha256}\n"
        requirements.write_text(text, "utf-8")
        output = Path(name, "wheels")
        command = (
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--no-deps", "--only-binary=:all:"),
            *("--platform", pin.tag, "--require-hashes"),
            *("--requirement", str(requirements), "--dest", str(output)),
        )
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        wheels = list(output.glob("*.whl"))
        if ended.returncode != 0 or len(wheels) != 1:
            raise _pip_failed(platform, pin, ended.stderr.decode(errors="replace"))
        wheel = wheels[0].read_bytes()
    _check(wheel, platform)
    return wheel


def take_library(wheel: bytes, platform: Platform) -> bytes:
    """Return the dynamic library in the wheel of a platform.

    Emits: C030, C031, C033; A112 (a platform whose library nobody needs).

    Raises:
        MochiError: It is not the pinned wheel.
    """
    _check(wheel, platform)  # so nothing below meets a foreign archive
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return archive.read(wheel_library(platform))


def _check(wheel: bytes, platform: Platform) -> None:
    pin = wheel_pin(platform)
    found = hashlib.sha256(wheel).hexdigest()
    if found != pin.sha256:
        raise environment_error(
            "C033",
            f"this is not the wheel of Wasmtime {pin.version} for `{platform.name}`",
            notes=(f"its SHA-256 is {found}", f"pinned is      {pin.sha256}"),
        )


def _pip_failed(platform: Platform, pin: WheelPin, stderr: str) -> Exception:
    has_no_pip = "No module named pip" in stderr
    no_connection = _no_connection(stderr)
    return environment_error(
        "C032",
        f"pip could not fetch Wasmtime {pin.version} for `{platform.name}`",
        notes=(no_connection,) if no_connection else output_notes("pip", stderr),
        help=f"run `{sys.executable} -m ensurepip`" if has_no_pip else _OTHER_INDEX,
    )


def _no_connection(stderr: str) -> str:
    """Return in one line the connection error that pip repeats; empty for other errors."""
    if "WARNING: Retrying" not in stderr:
        return ""
    host, reason = _HOST.search(stderr), _REASON.search(stderr)
    where = f"`{host[1]}`" if host else "its index"
    return f"it cannot connect to {where}" + (f": {reason[1].strip().lower()}" if reason else "")
