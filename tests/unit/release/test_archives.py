"""Tests of archives: what is inside, and that their bytes follow from that alone."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from dataclasses import replace

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import find_platform
from mochi_rules.project.attributes import ARCHIVES
from mochi_rules.release.archives.formats import FORMATS
from mochi_rules.release.archives.reader import read_archive
from mochi_rules.release.assemble import assemble
from mochi_rules.release.contents import Contents, File, Product, check_files

from .samples import build, release

CONTENTS = Contents(
    Product("app", "1.2.0", 1_700_000_000),
    find_platform("x86_64-linux"),
    (File("app", b"\x7fELF", 0o755),),
    (File("doc/README", b"read\n"), File("LICENSE", b"MIT\n")),
)
NAMES = [row.name for row in FORMATS]


def written(name: str, contents: Contents) -> bytes:
    """Return an archive of a format."""
    return next(row for row in FORMATS if row.name == name).write(contents)


def tar_with(member: tarfile.TarInfo) -> bytes:
    """Return a tar archive of one member."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(member, io.BytesIO(b""))
    return stream.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_same_contents_are_same_bytes(name: str) -> None:
    """Neither the order of files nor the time and the umask of the build matter."""
    turned = replace(CONTENTS, files=CONTENTS.files[::-1])
    before = os.umask(0)
    try:
        other = written(name, turned)
    finally:
        os.umask(before)
    assert written(name, CONTENTS) == other


@pytest.mark.parametrize("name", NAMES)
def test_reader_returns_what_was_written(name: str) -> None:
    """Content and mode of every file come back."""
    found = read_archive("a", written(name, CONTENTS))
    inside = {path.rpartition("/")[2]: (file.data, file.mode) for path, file in found.items()}
    for file in CONTENTS.all_files:
        assert inside[file.path.rpartition("/")[2]] == (file.data, file.mode)


def test_tar_names_nobody() -> None:
    """Owners are root by number, without names; times are those of the release."""
    data = written("tar.gz", CONTENTS)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    assert {(item.uid, item.gid, item.uname, item.gname) for item in members} == {(0, 0, "", "")}
    assert {item.mtime for item in members} == {1_700_000_000}
    assert [item.name for item in members] == [
        "app-1.2.0-x86_64-linux",
        "app-1.2.0-x86_64-linux/LICENSE",
        "app-1.2.0-x86_64-linux/app",
        "app-1.2.0-x86_64-linux/doc",
        "app-1.2.0-x86_64-linux/doc/README",
    ]


def test_gzip_has_neither_name_nor_time() -> None:
    """Four bytes of zero stand where `gzip` writes the time."""
    data = written("tar.gz", CONTENTS)
    assert data[3:8] == bytes(5)


def test_zip_keeps_time_and_mode() -> None:
    """A zip archive has the time in UTC, and the mode of Unix."""
    data = written("zip", CONTENTS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo("app-1.2.0-x86_64-linux/app")
    assert entry.date_time == (2023, 11, 14, 22, 13, 20)
    assert stat.S_IMODE(entry.external_attr >> 16) == 0o755


def test_format_that_a_platform_does_not_have_is_left_out() -> None:
    """With `target=all`, packages of Debian are for Linux, and archives for everybody."""
    mac = replace(build(), platform=find_platform("aarch64-macos"))
    sample = replace(release("deb", "oci", "zip"), builds=(build(), mac))
    names = {name for name in assemble(sample, None) if "x86_64" in name or "aarch64" in name}
    stem = "app-1.2.0-x86_64-linux"
    assert names == {f"{stem}.deb", f"{stem}.oci.tar", f"{stem}.zip", "app-1.2.0-aarch64-macos.zip"}


def test_two_files_of_one_path_are_refused() -> None:
    """An archive would have one of them, whichever was last."""
    with pytest.raises(MochiError, match="R024: the release would have two files `app`"):
        check_files((File("app", b"1"), File("app", b"2")))


def test_table_has_the_formats_that_a_rule_may_name() -> None:
    """The rule is checked without loading what writes archives."""
    assert tuple(NAMES) == ARCHIVES


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", "a\\b", "C:/x"])
def test_path_that_leads_out_of_an_archive_is_refused(path: str) -> None:
    """Whoever unpacks such an archive overwrites files elsewhere."""
    with pytest.raises(MochiError, match="R018"):
        read_archive("a.tar", tar_with(tarfile.TarInfo(path)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes) -> None:
    """A release has files, and a link may lead anywhere."""
    member = tarfile.TarInfo("a")
    member.type, member.linkname = kind, "/etc"
    with pytest.raises(MochiError, match="R018"):
        read_archive("a.tar", tar_with(member))


@pytest.mark.parametrize("name", NAMES)
def test_damaged_archive_is_refused(name: str) -> None:
    """An archive that was cut off gets a diagnostic."""
    data = written(name, CONTENTS)
    with pytest.raises(MochiError, match="R025"):
        read_archive("a", data[: len(data) // 2])


def test_damage_is_told_in_one_line() -> None:
    """Which formats Python tried is of no use to anybody."""
    data = bytearray(written("tar.gz", CONTENTS))
    data[20] ^= 1
    with pytest.raises(MochiError, match="R025") as caught:
        read_archive("a", bytes(data))
    assert "\n" not in caught.value.diagnostics[0].message
