"""Puts the files of a release into their folder: all of them, or none."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason
from mochi_rules.release.assemble import SIGNATURE_SUFFIX
from mochi_rules.release.signing_command import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNATURES = (SIGNATURE_SUFFIX, SUFFIX)
SUMS = {"SHA256SUMS": hashlib.sha256, "SHA512SUMS": hashlib.sha512}


def checksums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that `sha256sum --check` and `sha512sum --check` read, by name."""
    return {
        name: "".join(
            f"{digest(files[file]).hexdigest()}  {file}\n" for file in sorted(files)
        ).encode()
        for name, digest in SUMS.items()
    }


def publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder; it has none of them before all are written beside it.

    Signatures of earlier files of the same names are removed.

    Emits: B014.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".release-", dir=folder))
        try:
            for name, data in files.items():
                (draft / name).write_bytes(data)
            for name in files:
                for suffix in _SIGNATURES:
                    (folder / (name + suffix)).unlink(missing_ok=True)
            for name in files:
                (draft / name).replace(folder / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        message = f"cannot write `{folder.name}`: {reason(error)}"
        raise environment_error("B014", message) from None
