"""Labels, the names of targets: `//examples/hello:hello`; and patterns, which match many."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail

_MAX_NAME = 200  # the files of a target have longer names, of at most 255
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.+-]*[A-Za-z0-9_+-])?")
_GLOB = re.compile(r"[A-Za-z0-9_.+*-]+")
_BELOW, _ALL = "...", "*"


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """A target by its package and its name.

    `package` is the folder of its SConscript, relative to the workspace, with `/`; the workspace
    itself is the empty package.
    """

    package: str
    name: str

    def __str__(self) -> str:
        """Return `//package:name`."""
        return f"//{self.package}:{self.name}"


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a target and of its files.

    Emits: B009.

    Raises:
        MochiError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise fail(
            "B009",
            f"`{name}` is not a valid name of a target",
            notes=("a name is letters, digits and `_.+-`, and neither begins nor ends with a dot",),
            help=f"write `{re.sub(r'[^A-Za-z0-9_+-]+', '_', name).strip('_-') or 'app'}`",
        )
    if len(name) > _MAX_NAME:
        message = f"the name of a target has {len(name)} characters, of {_MAX_NAME} at most"
        raise fail("B009", message, help="write a shorter `name`")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a command line or a build file calls targets by.

    `//a:b` is a label, `//a:*` all targets of a package, and `//a/...` those below it too. `name`
    may hold `*` anywhere.
    """

    package: str
    name: str
    is_recursive: bool = False

    def matches(self, label: Label) -> bool:
        """Return whether a target is meant."""
        return fnmatchcase(label.name, self.name) and (
            label.package == self.package
            or (self.is_recursive and is_below(label.package, self.package))
        )

    def __str__(self) -> str:
        """Return the pattern written out, without `:*` behind `/...`."""
        if not self.is_recursive:
            return f"//{self.package}:{self.name}"
        folder = f"//{self.package}/{_BELOW}" if self.package else f"//{_BELOW}"
        return folder if self.name == _ALL else f"{folder}:{self.name}"


def is_below(package: str, folder: str) -> bool:
    """Return whether a package is in a folder, at any depth."""
    return not folder or package.startswith(f"{folder}/")


def is_label(text: str) -> bool:
    """Return whether a string can only be a label or a pattern, not a path."""
    return text.startswith(("//", ":")) or text == _BELOW or text.endswith(f"/{_BELOW}")


def parse_label(text: str, package: str) -> Label:
    """Return the label of a string in a package: `//a/b:c`, `//a/b` for `//a/b:b`, or `:c`.

    Emits: B009.

    Raises:
        MochiError: The text is not a valid label.
    """
    package, name = _split(text, package)
    if not _NAME.fullmatch(name) or ".." in package.split("/"):
        raise fail(
            "B009",
            f"`{text}` is not a valid label",
            help="write `//folder:name`, or `:name` in the same folder",
        )
    return Label(package, name)


def parse_pattern(text: str, package: str) -> Pattern:
    """Return what a string matches in a package: a label, `:*`, `//a:*_test`, `//a/...` or `...`.

    Emits: B009.

    Raises:
        MochiError: The text is neither a valid label nor a pattern.
    """
    folder, _, name = text.partition(":")
    if folder == _BELOW or folder.endswith(f"/{_BELOW}"):
        start = folder.removesuffix(_BELOW)
        absolute = start[2:] if start.startswith("//") else f"{package}/{start}"
        pattern = Pattern(absolute.strip("/"), name or _ALL, is_recursive=True)
    elif _ALL in name:
        pattern = Pattern(*_split(text, package))
    else:
        label = parse_label(text, package)
        return Pattern(label.package, label.name)
    if not _GLOB.fullmatch(pattern.name) or ".." in pattern.package.split("/"):
        raise fail(
            "B009",
            f"`{text}` is not a valid pattern",
            help="write `//folder:*` or `//folder/...`",
        )
    return pattern


def _split(text: str, package: str) -> tuple[str, str]:
    """Return package and name, not checked."""
    if not text.startswith("//"):
        return package, text.removeprefix(":")
    package, colon, name = text[2:].partition(":")
    package = package.strip("/")
    return package, name if colon else package.rpartition("/")[2]
