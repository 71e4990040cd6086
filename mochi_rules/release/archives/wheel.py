"""Wheels of Python: https://packaging.python.org/specifications/binary-distribution-format."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.release.archives.names import check_form, names_of
from mochi_rules.release.archives.zipped import zipped
from mochi_rules.release.contents import File

if TYPE_CHECKING:
    from mochi_rules.release.contents import Contents

_VERSION = r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?"


def wheel(contents: Contents) -> bytes:
    """Return a wheel, whose programs pip puts on the path.

    Emits: R006 (its version is not one of Python's).
    """
    product = contents.product
    check_form("Python", product.version, _VERSION, "1.0.0")
    stem = f"{_name(contents)}-{product.version}"
    notices = f"{stem}.dist-info/licenses"
    files = [
        *(replace(file, path=f"{stem}.data/scripts/{file.path}") for file in contents.programs),
        *(replace(file, path=f"{notices}/{file.path}") for file in contents.files),
        File(f"{stem}.dist-info/METADATA", _metadata(contents).encode()),
        File(f"{stem}.dist-info/WHEEL", _description(contents).encode()),
    ]
    files.sort(key=lambda file: file.path)
    record = f"{stem}.dist-info/RECORD"
    rows = [f"{file.path},sha256={_digest(file.data)},{len(file.data)}\n" for file in files]
    files.append(File(record, "".join([*rows, f"{record},,\n"]).encode()))
    return zipped(files, product.time)


def wheel_name(contents: Contents) -> str:
    """Return the name of the file, which pip reads."""
    return f"{_name(contents)}-{contents.product.version}-{_tag(contents)}.whl"


def _tag(contents: Contents) -> str:
    return f"py3-none-{names_of(contents.platform).wheel}"


def _name(contents: Contents) -> str:
    return re.sub("[-_.]+", "_", contents.product.name).lower()


def _metadata(contents: Contents) -> str:
    product = contents.product
    fields = [("Metadata-Version", "2.4"), ("Name", product.name), ("Version", product.version)]
    optional = [("Summary", product.summary), ("Maintainer", product.maintainer),
                ("License-Expression", product.license)]  # fmt: skip
    return "".join(f"{name}: {value}\n" for name, value in [*fields, *optional] if value)


def _description(contents: Contents) -> str:
    return (
        f"Wheel-Version: 1.0\nGenerator: mochi_rules {__version__}\n"
        f"Root-Is-Purelib: false\nTag: {_tag(contents)}\n"
    )


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
