"""Packages of Debian: https://manpages.debian.org/deb.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import replace
from mochi_rules.formats.ar import ar
from mochi_rules.release.archives.tarball import compress_gzip, tar
from mochi_rules.release.contents import File

if TYPE_CHECKING:
    from mochi_rules.release.contents import Contents

_KIB = 1024


def deb(contents: Contents) -> bytes:
    """Return a package that installs programs to `/usr/bin`, and files beside its documentation."""
    product = contents.product
    doc = f"./usr/share/doc/{_name(contents)}"
    installed = [
        *(replace(file, path=f"./usr/bin/{file.path}") for file in contents.programs),
        *(replace(file, path=f"{doc}/{file.path}") for file in contents.files),
    ]
    size = sum(-(-len(file.data) // _KIB) for file in installed)
    control = File("./control", _control(contents, size).encode())
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": compress_gzip(tar([control], product.time)),
        "data.tar.gz": compress_gzip(tar(installed, product.time)),
    }
    return ar(members, product.time)


def _control(contents: Contents, size: int) -> str:
    """Return the description of a package; `size` is in KiB."""
    product = contents.product
    fields = {
        "Package": _name(contents),
        "Version": product.version.replace("-", "~"),  # what stands behind it is older than without
        "Architecture": contents.platform.architecture.package_name,
        "Maintainer": product.maintainer or f"{product.name} <nobody@localhost>",
        "Installed-Size": size,
        "Section": "utils",
        "Priority": "optional",
        "Description": product.summary or product.name,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def _name(contents: Contents) -> str:
    return contents.product.name.lower().replace("_", "-")
