"""What is released: a product for one platform, and the files that are inside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.platforms.platform import Platform

PROGRAM_MODE, FILE_MODE = 0o755, 0o644
# The letters that file names of all formats, and versions of Python and npm, have in common.
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*([-+.]?[0-9A-Za-z]+)*")
_NAME = re.compile(r"[0-9A-Za-z]([-_.0-9A-Za-z]*[0-9A-Za-z])?")


@dataclass(frozen=True, slots=True)
class File:
    """A file in an archive: its path below the top folder with `/`, its content, its mode."""

    path: str
    data: bytes
    mode: int = FILE_MODE


@dataclass(frozen=True, slots=True)
class Product:
    """The released product: everything that is the same for all platforms.

    `time` is that of every file, in seconds since 1970, in UTC. `license` is an SPDX expression.
    """

    name: str
    version: str
    time: int
    summary: str = ""
    license: str = ""
    maintainer: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds; `programs` are the executables, and `files` all other files."""

    product: Product
    platform: Platform
    programs: tuple[File, ...]
    files: tuple[File, ...]

    @property
    def all_files(self) -> tuple[File, ...]:
        """All files, by path."""
        return tuple(sorted((*self.programs, *self.files), key=lambda file: file.path))

    @property
    def stem(self) -> str:
        """The name of the archive without a suffix, and of the folder in it."""
        return f"{self.product.name}-{self.product.version}-{self.platform.name}"

    @property
    def unpacked(self) -> Iterator[File]:
        """All files, by their paths where the archive is unpacked: in a folder named `stem`."""
        from mochi_rules.base.dataclass import replace  # noqa: PLC0415 - only where archives are made

        return (replace(file, path=f"{self.stem}/{file.path}") for file in self.all_files)


def check_version(version: str) -> None:
    """Refuse what cannot be the version of a release.

    Emits: R001 (there is none), R006 (not one that every format takes).
    """
    if not version:
        help_ = "run `scons release version=1.0.0`"
        raise fail("R001", "the release has no version", help=help_)
    if not _VERSION.fullmatch(version):
        message = f"`{version}` cannot be the version of a release"
        raise fail("R006", message, help="write numbers with dots, such as `version=1.0.0`")


def check_name(name: str) -> None:
    """Refuse what cannot begin the file names of a release.

    Emits: R006.
    """
    if not _NAME.fullmatch(name):
        message = f"`{name}` cannot be the name of a release"
        raise fail("R006", message, help="use letters, digits, `-`, `_` and `.`")


@dataclass(frozen=True, slots=True)
class VersionForm:
    """The versions that an ecosystem allows: a regular expression, and examples."""

    ecosystem: str
    pattern: str
    examples: tuple[str, str]

    def check(self, version: str) -> None:
        """Refuse a version of another form.

        Emits: R006.
        """
        if not re.fullmatch(self.pattern, version):
            message = f"`{version}` cannot be the version of a package for {self.ecosystem}"
            help_ = "write a version such as " + " or ".join(f"`{item}`" for item in self.examples)
            raise fail("R006", message, help=help_)


def check_files(files: tuple[File, ...]) -> None:
    """Refuse two files of the same path.

    Emits: R024.
    """
    seen: set[str] = set()
    for file in files:
        if file.path in seen:
            message = f"the release would have two files `{file.path}`"
            raise fail("R024", message, help="give one of the targets or files another name")
        seen.add(file.path)
