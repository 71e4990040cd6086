"""The payload of an executable: an artifact, its settings, and a footer with their digest.

It is one run of bytes that names no offsets: behind the launcher in an ELF or PE file, a section
of its own in a Mach-O file. The digest finds damage; it is not a signature, as whoever can write to
an executable can write a digest.

The other side is `toolchains/native/launcher/src/payload.rs`.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.settings import read_settings
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.formats.macho import MAGIC as MACHO_MAGIC
from mochi_rules.formats.macho import read_image

if TYPE_CHECKING:
    from mochi_rules.aot.executable.settings import LauncherSettings
    from mochi_rules.base.diagnostic import MochiError

# Magic, layout, bytes of settings, bytes of artifact, 0, SHA-256 of artifact and settings.
_FOOTER = struct.Struct("<8sIIQQ32s")
_MAGIC = b"MOCHIEXE"
_LAYOUT = 1

SEGMENT_NAME, SECTION_NAME = "__MOCHI", "__payload"


@dataclass(frozen=True, slots=True)
class Payload:
    """What an executable holds: a `.cwasm`, and the settings of its launcher; the digest was right.

    `start` is where it begins, in the file or in the section of a Mach-O file.
    """

    artifact: bytes
    settings: LauncherSettings
    start: int


def make_payload(artifact: bytes, settings: bytes) -> bytes:
    """Return artifact, settings and footer; `settings` are those of `launcher_settings`.

    Emits: A110 (settings that no launcher reads).

    Raises:
        MochiError: The settings cannot be read.
    """
    read_settings(settings)
    attached = artifact + settings
    digest = hashlib.sha256(attached).digest()
    return attached + _FOOTER.pack(_MAGIC, _LAYOUT, len(settings), len(artifact), 0, digest)


def find_payload(executable: bytes) -> Payload:
    """Return what is attached to an executable of any platform.

    Emits: A103 (nothing is attached), A104 (in a layout of another time), A105 (damaged), A106
    (a Mach-O file that is damaged itself), A110 (settings that no launcher reads).

    Raises:
        MochiError: There is no payload that a launcher would run.
    """
    place = _place(executable)
    if not _is_payload(place):
        raise fail(
            "A103",
            "no program is attached to this executable",
            help="build it again: a truncated copy has none; of `link=native`, verify the object",
        )
    footer = _FOOTER.unpack(place[-_FOOTER.size :])
    _, layout, settings_size, artifact_size, zero, digest = footer
    if layout != _LAYOUT:
        raise fail(
            "A104",
            f"the program is attached in layout {layout}, and this version reads layout {_LAYOUT}",
            help="use the version of mochi_rules that made it",
        )
    start = len(place) - _FOOTER.size - settings_size - artifact_size
    if start < 0 or zero:
        raise damaged("its lengths are inconsistent")
    attached = place[start : -_FOOTER.size]
    if hashlib.sha256(attached).digest() != digest:
        raise damaged("it does not have the recorded SHA-256")
    settings = read_settings(bytes(attached[artifact_size:]))
    return Payload(bytes(attached[:artifact_size]), settings, start)


def has_payload(executable: bytes) -> bool:
    """Return whether something is attached, complete or not.

    Emits: A106 (a damaged Mach-O file).

    Raises:
        MochiError: The file cannot be searched.
    """
    return _is_payload(_place(executable))


def _place(executable: bytes) -> memoryview:
    """Return the bytes at whose end a footer would be; launchers look in the same order."""
    view = memoryview(executable)
    if executable.startswith(MACHO_MAGIC):
        section = read_image(executable).section(SEGMENT_NAME, SECTION_NAME)
        if section is not None:
            return view[section.offset : section.offset + section.size]
    return view


def _is_payload(place: memoryview) -> bool:
    return place[-_FOOTER.size :][: len(_MAGIC)] == _MAGIC and len(place) >= _FOOTER.size


def damaged(why: str) -> MochiError:
    """Make the error of an executable whose bytes are not those that were written.

    Emits: A105.
    """
    return fail("A105", f"the executable is damaged: {why}", help="build or copy it again")
