"""The table of formats: those that `project.attributes` names, and what writes each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.platforms.system import LINUX
from mochi_rules.release.archives.deb import deb
from mochi_rules.release.archives.npm import VERSIONS as NPM_VERSIONS
from mochi_rules.release.archives.npm import npm
from mochi_rules.release.archives.oci import oci
from mochi_rules.release.archives.rpm import rpm
from mochi_rules.release.archives.tarball import tar_gz, tar_zst
from mochi_rules.release.archives.wheel import VERSIONS as WHEEL_VERSIONS
from mochi_rules.release.archives.wheel import wheel, wheel_name
from mochi_rules.release.archives.zipped import zip_archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.release.contents import Contents, VersionForm


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name, the name of a file of it, what writes one, and for which platforms.

    `versions` is None where any will do.
    """

    name: str
    file_name: Callable[[Contents], str]
    write: Callable[[Contents], bytes]
    fits: Callable[[Platform], bool] = lambda _platform: True
    versions: VersionForm | None = None


def _suffixed(suffix: str) -> Callable[[Contents], str]:
    return lambda contents: f"{contents.stem}.{suffix}"


def _is_linux(platform: Platform) -> bool:
    return platform.system is LINUX


FORMATS: tuple[Format, ...] = (
    Format("tar.gz", _suffixed("tar.gz"), tar_gz),
    Format("tar.zst", _suffixed("tar.zst"), tar_zst),
    Format("zip", _suffixed("zip"), zip_archive),
    Format("wheel", wheel_name, wheel, versions=WHEEL_VERSIONS),
    Format("npm", _suffixed("tgz"), npm, versions=NPM_VERSIONS),
    Format("deb", _suffixed("deb"), deb, _is_linux),
    Format("rpm", _suffixed("rpm"), rpm, _is_linux),
    Format("oci", _suffixed("oci.tar"), oci, _is_linux),
)
