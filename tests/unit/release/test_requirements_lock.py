"""Tests of locks, and of environments that are made from them."""

from __future__ import annotations

import hashlib
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.archives.wheel import WheelName, pack
from mochi_rules.release.circumstances import package_versions
from mochi_rules.release.contents import File
from mochi_rules.release.repeat.requirements_lock import check_lock, make_environment

if TYPE_CHECKING:
    from pathlib import Path

HASH = f" \\\n    --hash=sha256:{'0' * 64}\n"


def lock_of(**changes: str) -> bytes:
    """Return a lock of the packages that are installed, but for changes."""
    versions = {name.replace(".", "_"): version for name, version in package_versions().items()}
    versions |= changes
    return "".join(f"{name}=={version}{HASH}" for name, version in versions.items()).encode()


def test_lock_of_this_environment_is_taken() -> None:
    """Names are compared as pip compares them."""
    check_lock("requirements.lock", lock_of())


@pytest.mark.parametrize(
    ("lock", "note"),
    [
        (lock_of(wasmtime="1.0"), "wasmtime is .* here, and 1.0 in it"),
        (b"wasmtime>=1\n", "wasmtime is .* here, and not in it"),
        (b"\xff\n", "wasmtime is .* here, and not in it"),
        (lock_of().replace(b"--hash", b"--hush"), "it has no hashes"),
    ],
    ids=["another version", "a range", "not UTF-8", "no hashes"],
)
def test_other_lock_is_refused(lock: bytes, note: str) -> None:
    """A rebuild would be made by other tools than the release."""
    with pytest.raises(MochiError, match="R041") as caught:
        check_lock("requirements.lock", lock)
    (diagnostic,) = caught.value.diagnostics
    assert re.search(note, "\n".join(diagnostic.notes))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that pip takes packages from; it has one."""
    wheel = WheelName("tool", "1.0", "any")
    (tmp_path / wheel.file).write_bytes(pack(wheel, [], [File("tool.py", b"x = 4711\n")], 0))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_environment_has_what_the_lock_lists(index: Path) -> None:
    """And it is found before anything of this environment."""
    (wheel,) = index.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (index / "lock").write_text(f"tool==1.0 --hash=sha256:{digest}\n")
    python = make_environment(index / "lock", index / "environment")
    done = subprocess.run([python, "-c", "import tool; print(tool.x)"], capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout == "4711\n"


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0", "2.0"], ids=["other bytes", "not there"])
def test_package_that_cannot_be_had_is_named(version: str, index: Path) -> None:
    """With the command that asks another index."""
    (index / "lock").write_text(f"tool=={version}{HASH}")
    with pytest.raises(MochiError, match="R042") as caught:
        make_environment(index / "lock", index / "environment")
    (diagnostic,) = caught.value.diagnostics
    assert "tool" in "".join(diagnostic.notes)
    assert "PIP_INDEX_URL" in diagnostic.help
