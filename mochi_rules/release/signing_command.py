"""Signatures that a command makes: cosign, gpg, or what holds the key of a publisher."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import environment_error, fail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUFFIX = ".sig"
_FILE, _OUTPUT = "{file}", "{output}"


def read_command(text: str) -> list[str]:
    """Return the words of a command as a shell splits them.

    Emits: R040 (it cannot be split, or is not installed).
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        message = f"`sign_with` is not a command: {str(error).lower()}"
        raise fail("R040", message, help='write `sign_with="cosign sign-blob --yes"`') from None
    if words and shutil.which(words[0]) is None:
        message = f"`{words[0]}`, the command in `sign_with`, is not installed"
        raise environment_error("R040", message, help="install it, or leave out `sign_with`")
    return words


def sign_by_command(
    words: Sequence[str], files: Mapping[str, bytes], folder: Path
) -> dict[str, bytes]:
    """Return a signature file for each file, by name; the command runs in a folder.

    `{file}` among the words is the file, which is the last word where it is not among them. The
    signature is what the command prints, or what it writes to the file `{output}`.

    Emits: R040 (it failed, or made no signature).
    """
    with tempfile.TemporaryDirectory(prefix="mochi-sign-") as place:
        for name, data in files.items():
            Path(place, name).write_bytes(data)
        return {name + SUFFIX: _signature(words, Path(place, name), folder) for name in files}


def _signature(words: Sequence[str], path: Path, folder: Path) -> bytes:
    output = path.with_name(path.name + SUFFIX)
    given = words if any(_FILE in word for word in words) else [*words, _FILE]
    command = [word.replace(_FILE, str(path)).replace(_OUTPUT, str(output)) for word in given]
    # What it says, and asks, is for the user.
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise _failed(words, path.name, f"ended with status {done.returncode}")
    if not any(_OUTPUT in word for word in words):
        found = done.stdout
    else:
        found = output.read_bytes() if output.is_file() else b""
    if not found:
        raise _failed(words, path.name, "made no signature")
    return found


def _failed(words: Sequence[str], name: str, why: str) -> Exception:
    message = f"`{words[0]}` did not sign `{name}`: it {why}"
    help_ = f"run `{shlex.join(words)}` for a file by hand, or leave out `sign_with`"
    return environment_error("R040", message, help=help_)
