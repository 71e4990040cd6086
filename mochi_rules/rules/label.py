"""Labels, the names of targets: `//examples/hello:hello`."""

from __future__ import annotations

import re

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.+-]*[A-Za-z0-9_+-])?")


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
            f"`{name}` cannot be the name of a target",
            notes=("a name is letters, digits and `_.+-`, and neither begins nor ends with a dot",),
            help=f"write `{re.sub(r'[^A-Za-z0-9_+-]+', '_', name).strip('_-') or 'app'}`",
        )


def is_label(text: str) -> bool:
    """Return whether a text can only be a label, not a path."""
    return text.startswith(("//", ":"))


def parse_label(text: str, package: str) -> Label:
    """Return the label of a text in a package: `//a/b:c`, `//a/b` for `//a/b:b`, or `:c`.

    Emits: B009.

    Raises:
        MochiError: It is no label.
    """
    if text.startswith("//"):
        package, colon, name = text[2:].partition(":")
        package = package.strip("/")
        name = name if colon else package.rpartition("/")[2]
    else:
        name = text.removeprefix(":")
    if not _NAME.fullmatch(name) or ".." in package.split("/"):
        raise fail(
            "B009",
            f"`{text}` is no label",
            help="write `//folder:name`, or `:name` in the same folder",
        )
    return Label(package, name)
