"""The front of executables in the other direction: a file is checked, and gives its payload."""

from __future__ import annotations

from mochi_rules.aot.executable.append import is_launcher_intact
from mochi_rules.aot.executable.macho_insert import check_signed
from mochi_rules.aot.executable.payload import Payload, damaged, find_payload
from mochi_rules.formats.macho import MAGIC as MACHO_MAGIC
from mochi_rules.formats.macho import read_image


def read_executable(executable: bytes) -> Payload:
    """Return what is attached to an executable whose launcher and payload are undamaged.

    The launcher is checked against the digest recorded when the payload was attached, in a Mach-O
    file against the signature. Launchers check the payload only: a start takes no longer for it.

    Emits: as `find_payload`; A105 (the launcher is damaged), A111 (the signature is wrong).

    Raises:
        MochiError: Nothing is attached, or the file is damaged.
    """
    payload = find_payload(executable)
    if executable.startswith(MACHO_MAGIC):
        check_signed(read_image(executable))
    elif not is_launcher_intact(executable[: payload.start]):
        raise damaged("its launcher does not have the recorded SHA-256")
    return payload
