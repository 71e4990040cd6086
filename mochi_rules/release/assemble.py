"""A release as files: archives, bills of materials, provenance and signatures."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.archives.reader import read_archive
from mochi_rules.release.bom.components import components
from mochi_rules.release.bom.crates import own_part, third_party_text
from mochi_rules.release.bom.cyclonedx import cyclonedx
from mochi_rules.release.bom.spdx import spdx
from mochi_rules.release.contents import Contents, File, check_files
from mochi_rules.release.envelope import seal
from mochi_rules.release.provenance import Archive, provenance_name, statement
from mochi_rules.signing.minisign import signature_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor, Future

    from mochi_rules.release.archives.formats import Format
    from mochi_rules.release.build_record import Build
    from mochi_rules.release.contents import Product
    from mochi_rules.release.provenance import Circumstances
    from mochi_rules.signing.keys import SigningKey

SIGNATURE_SUFFIX = ".minisig"
_THIRD_PARTY = "THIRD-PARTY-LICENSES.txt"


@dataclass(frozen=True, slots=True)
class Release:
    """What is released: a product for several platforms; `files` are in every archive."""

    product: Product
    builds: tuple[Build, ...]
    files: tuple[File, ...]
    formats: tuple[Format, ...]
    under: Circumstances


def assemble(release: Release, key: SigningKey | None) -> dict[str, bytes]:
    """Return the files of a release by name; without a key, nothing is signed.

    Emits: R023 (no licence of ours), R024 (two files of one path), R029 (no Zstandard).
    """
    product = release.product
    with ThreadPoolExecutor() as pool:  # compressing keeps no other thread from running
        begun = [_begin_archives(release, build, pool) for build in release.builds]
        archives = [{name: made.result() for name, made in item.items()} for item in begun]
    stem = f"{product.name}-{product.version}"
    found = {name: archive.data for item in archives for name, archive in item.items()}
    envelopes = [
        seal(statement(product, build, made, release.under), key)
        for build, made in zip(release.builds, archives, strict=True)
    ]
    bill = components(product.name, release.builds, _digests(release.builds, archives))
    found[f"{stem}.cdx.json"] = cyclonedx(product, bill)
    found[f"{stem}.spdx.json"] = spdx(product, bill)
    found[provenance_name(product.name, product.version)] = b"".join(envelopes)
    return found


def minisign(files: Mapping[str, bytes], key: SigningKey, time: int) -> dict[str, bytes]:
    """Return a signature file for each file, by name."""
    return {
        name + SIGNATURE_SUFFIX: signature_file(key, name, data, time)
        for name, data in files.items()
    }


def _begin_archives(release: Release, build: Build, pool: Executor) -> dict[str, Future[Archive]]:
    """Begin to write the archives of a platform; return them by name."""
    notices = File(_THIRD_PARTY, third_party_text(own_part(), build.crates).encode())
    contents = Contents(release.product, build.platform, build.programs, (*release.files, notices))
    check_files(contents.all_files)
    fitting = (row for row in release.formats if row.fits(build.platform))
    return {row.file_name(contents): pool.submit(_write, row, contents) for row in fitting}


def _write(row: Format, contents: Contents) -> Archive:
    """Return an archive with its digests, and those of what can be read out of it again."""
    data = row.write(contents)
    files = read_archive(row.file_name(contents), data)
    return Archive(
        data,
        digest_bytes(data).hash,
        hashlib.sha512(data).hexdigest(),
        {path: digest_bytes(file.data).hash for path, file in files.items()},
    )


def _digests(
    builds: Sequence[Build], archives: Sequence[Mapping[str, Archive]]
) -> dict[str, dict[str, str]]:
    return {
        build.platform.name: {name: item.sha256 for name, item in made.items()}
        for build, made in zip(builds, archives, strict=True)
    }
