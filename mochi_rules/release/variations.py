"""How two builds of the same source may differ in what must not matter.

The table follows https://reproducible-builds.org/docs/env-variations.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Variation:
    """One thing that the second build has differently.

    `variables` are set in the environment, `words` on the command line of SCons, and `wrapper` is a
    command that runs the rest of its line so. `umask` is None where it stays.
    """

    name: str
    variables: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()
    umask: int | None = None

    @property
    def missing(self) -> str:
        """What this machine lacks for it, as a phrase; empty where it can be varied."""
        if not self.wrapper:
            return ""
        program = self.wrapper[0]
        if shutil.which(program) is None:
            return f"{program} is not installed"
        done = subprocess.run([*self.wrapper, "true"], capture_output=True, check=False)
        return "" if done.returncode == 0 else f"{program} is not permitted"


_NAMED = 'echo elsewhere > /proc/sys/kernel/hostname && exec "$@"'

# The folder of the second build always has another path, and a cache of its own.
VARIATIONS: tuple[Variation, ...] = (
    Variation("locale", (("LC_ALL", "C"), ("LANG", "tr_TR.ISO-8859-9"), ("LANGUAGE", "tr"))),
    Variation("time zone", (("TZ", "Pacific/Kiritimati"),)),
    Variation("home", (("HOME", "/nonexistent"), ("USER", "someone"), ("LOGNAME", "someone"))),
    Variation("hash seed", (("PYTHONHASHSEED", "4711"),)),
    Variation("umask", umask=0o077),
    Variation("jobs", words=("-j4",)),
    Variation("host name", wrapper=("unshare", "--user", "--map-root-user", "--uts", "sh", "-c",
                                    _NAMED, "sh")),
    Variation("user", wrapper=("unshare", "--user", "--map-user=4711", "--map-group=4711")),
    Variation("kernel", wrapper=("setarch", "--uname-2.6")),
    Variation("processors", wrapper=("taskset", "--cpu-list", "0")),
    Variation("clock", wrapper=("faketime", "-f", "+400d")),
)  # fmt: skip


def possible(variations: Sequence[Variation]) -> tuple[list[Variation], dict[str, str]]:
    """Return what can be varied here, and by name why the others cannot."""
    missing = {item.name: item.missing for item in variations}
    lacking = {name: why for name, why in missing.items() if why}
    return [item for item in variations if item.name not in lacking], lacking
