"""Tests of signatures that a command makes; Python stands for a tool that signs."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.signing_command import read_command, sign_by_command

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"a.zip": b"one", "SHA256SUMS": b"two"}
READ = "import sys; data = open(sys.argv[1]).read()"
PRINTS = f"{READ}; print('signed', data, end='')"
WRITES = f"{READ}; print('said'); open(sys.argv[2], 'w').write('bundle ' + data)"


def python(code: str, *words: str) -> list[str]:
    """Return a command that runs a program."""
    return read_command(shlex.join([sys.executable, "-c", code, *words]))


def test_what_the_command_prints_is_the_signature(tmp_path: Path) -> None:
    """It gets the path of each file as its last word."""
    found = sign_by_command(python(PRINTS), FILES, tmp_path)
    assert found == {"a.zip.sig": b"signed one", "SHA256SUMS.sig": b"signed two"}


def test_what_the_command_writes_is_the_signature(tmp_path: Path) -> None:
    """A tool that prints messages writes its bundle to a file."""
    found = sign_by_command(python(WRITES, "{file}", "{output}"), FILES, tmp_path)
    assert found["a.zip.sig"] == b"bundle one"


def test_command_runs_in_the_folder(tmp_path: Path) -> None:
    """Where the paths in its words lead to keys."""
    (tmp_path / "my.key").write_text("k")
    words = python("import sys; print(open(sys.argv[1]).read())", "my.key")
    assert sign_by_command(words, {"a": b""}, tmp_path) == {"a.sig": b"k\n"}


@pytest.mark.parametrize(
    ("code", "message"),
    [("exit(3)", "did not sign `a.zip`: it ended with status 3"), ("", "it made no signature")],
)
def test_command_that_fails_is_reported(code: str, message: str, tmp_path: Path) -> None:
    """With the command that repeats it."""
    with pytest.raises(MochiError, match=f"R040: .*{message}"):
        sign_by_command(python(code), FILES, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no-such-signer -x", "`no-such-signer`, the command in `sign_with`, is not installed"),
        ("'", "not a command"),
    ],
)
def test_command_that_cannot_run_is_refused(text: str, message: str) -> None:
    """Before anything is built."""
    with pytest.raises(MochiError, match=f"R040: .*{message}"):
        read_command(text)
