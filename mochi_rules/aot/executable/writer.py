"""The front of executables: a launcher and an artifact become one file of a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.executable.append import attach
from mochi_rules.aot.executable.artifact_fit import check_artifact
from mochi_rules.aot.executable.binary import EXECUTABLE, check_binary
from mochi_rules.aot.executable.macho_insert import insert_payload
from mochi_rules.aot.executable.payload import has_payload, make_payload
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

# Mach-O has 32 bits for offsets, and Windows runs nothing larger. One rule for all platforms;
# what remains is for the signature and the alignment.
MAX_SIZE = (1 << 32) - (1 << 28)

# What the signature of a Mach-O file calls the program. The same for all: a name of the file would
# make the bytes depend on where they go.
_IDENTIFIER = b"program"


def write_executable(
    platform: Platform, launcher: bytes, artifact: bytes, settings: bytes
) -> bytes:
    """Return the executable that runs an artifact on a platform.

    The same arguments give the same bytes. Whether the settings are those under which the artifact
    was compiled is the caller's responsibility: an artifact says so in its engine section alone,
    and the launcher compares them when it starts.

    Args:
        platform: What the launcher was built and the artifact compiled for.
        launcher: A whole executable of the platform's format, without a program.
        artifact: A `.cwasm` of a module.
        settings: From `launcher_settings`.

    Emits: A106 (launcher damaged, or a Mach-O file of a form that is not known), A107 (launcher of
    another platform), A108 (launcher has a program), A109 (artifact does not fit), A110 (settings
    that no launcher reads), A111 (launcher's signature wrong).

    Raises:
        MochiError: An argument is wrong, or they do not fit together.
    """
    check_binary("launcher", platform, EXECUTABLE, launcher)
    if has_payload(launcher):
        raise fail(
            "A108",
            "a program is attached to the launcher already",
            help="give the launcher as it was built",
        )
    check_artifact(platform, artifact)
    if len(launcher) + len(artifact) + len(settings) > MAX_SIZE:
        raise fail(
            "A109",
            f"an artifact of {len(artifact)} bytes is too large for an executable",
            help='write `opt_level = "speed_and_size"`, or split the program',
        )
    payload = make_payload(artifact, settings)
    if platform.system.object_format == "macho":
        return insert_payload(platform, launcher, payload, _IDENTIFIER)
    return attach(launcher, payload)
