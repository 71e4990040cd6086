"""Packages of npm, as `npm pack` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import replace
from mochi_rules.release.archives.tarball import compress_gzip, tar
from mochi_rules.release.contents import File, VersionForm
from mochi_rules.release.document import document

if TYPE_CHECKING:
    from mochi_rules.release.contents import Contents

VERSIONS = VersionForm("npm", r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", ("1.0.0", "1.0.0-rc.1"))


def npm(contents: Contents) -> bytes:
    """Return a package of one platform, whose programs npm puts on the path."""
    product = contents.product
    platform = contents.platform
    system, processor = platform.system.npm_name, platform.architecture.npm_name
    description = {
        "name": f"{product.name.lower()}-{system}-{processor}",
        "version": product.version,
        "description": product.summary,
        "license": product.license or "UNLICENSED",
        "os": [system],
        "cpu": [processor],
        "bin": {file.path.partition(".")[0]: f"bin/{file.path}" for file in contents.programs},
    }
    files = [
        File("package/package.json", document(description)),
        *(replace(file, path=f"package/bin/{file.path}") for file in contents.programs),
        *(replace(file, path=f"package/{file.path}") for file in contents.files),
    ]
    return compress_gzip(tar(files, product.time))
