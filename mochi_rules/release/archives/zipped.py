"""Zip archives whose bytes follow from their contents."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.release.contents import Contents, File

_FIRST = 315532800  # 1980-01-01, where the times of zip archives begin
_LAST = 4354819198  # 2107-12-31
_LEVEL = 4
_UNIX = 3


def zip_archive(contents: Contents) -> bytes:
    """Return a zip archive."""
    return zipped(contents.unpacked, contents.product.time)


def zipped(files: Iterable[File], seconds: int) -> bytes:
    """Return a zip archive of files in the order given."""
    stream = io.BytesIO()
    date = time.gmtime(min(max(seconds, _FIRST), _LAST))[:6]
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | file.mode) << 16
            archive.writestr(entry, file.data)
    return stream.getvalue()
