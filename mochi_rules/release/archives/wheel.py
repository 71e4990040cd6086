"""Wheels of Python: https://packaging.python.org/specifications/binary-distribution-format."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.release.archives.zipped import zipped
from mochi_rules.release.contents import File, VersionForm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.release.contents import Contents

_LETTERS = {"-alpha.": "a", "-beta.": "b", "-rc.": "rc"}  # as semantic versions have them
VERSIONS = VersionForm(
    "Python",
    r"\d+(\.\d+)*((a|b|rc|-alpha\.|-beta\.|-rc\.)\d+)?(\.post\d+)?(\.dev\d+)?",
    ("1.0.0", "1.0.0-rc.1"),
)


@dataclass(frozen=True, slots=True)
class WheelName:
    """The parts of the name of a wheel; `tag` is that of its platform."""

    name: str
    version: str
    tag: str

    @property
    def stem(self) -> str:
        """What the names of the folders in the wheel begin with."""
        return f"{re.sub('[-_.]+', '_', self.name).lower()}-{self.version}"

    @property
    def file(self) -> str:
        """The name of the file, which pip reads."""
        return f"{self.stem}-py3-none-{self.tag}.whl"


def wheel(contents: Contents) -> bytes:
    """Return a wheel, whose programs pip puts on the path."""
    product = contents.product
    name = _name(contents)
    scripts, notices = f"{name.stem}.data/scripts", f"{name.stem}.dist-info/licenses"
    files = [
        *(replace(file, path=f"{scripts}/{file.path}") for file in contents.programs),
        *(replace(file, path=f"{notices}/{file.path}") for file in contents.files),
    ]
    fields = [("Summary", product.summary), ("Maintainer", product.maintainer),
              ("License-Expression", product.license)]  # fmt: skip
    return pack(name, fields, files, product.time)


def wheel_name(contents: Contents) -> str:
    """Return the name of the file."""
    return _name(contents).file


def pack(
    name: WheelName, fields: Iterable[tuple[str, str]], files: Iterable[File], time: int
) -> bytes:
    """Return a wheel of files; `fields` are those of its metadata besides name and version."""
    described = [("Metadata-Version", "2.4"), ("Name", name.name), ("Version", name.version)]
    metadata = "".join(f"{key}: {value}\n" for key, value in [*described, *fields] if value)
    wheel_file = (
        f"Wheel-Version: 1.0\nGenerator: mochi_rules {__version__}\n"
        f"Root-Is-Purelib: false\nTag: py3-none-{name.tag}\n"
    )
    folder = f"{name.stem}.dist-info"
    packed = [
        *files,
        File(f"{folder}/METADATA", metadata.encode()),
        File(f"{folder}/WHEEL", wheel_file.encode()),
    ]
    packed.sort(key=lambda file: file.path)
    rows = [f"{file.path},sha256={_digest(file.data)},{len(file.data)}\n" for file in packed]
    record = f"{folder}/RECORD"
    packed.append(File(record, "".join([*rows, f"{record},,\n"]).encode()))
    return zipped(packed, time)


def _name(contents: Contents) -> WheelName:
    product = contents.product
    version = re.sub("|".join(_LETTERS), lambda found: _LETTERS[found[0]], product.version)
    return WheelName(product.name, version, contents.platform.program_tag)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
