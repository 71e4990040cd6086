"""How two builds of the same source may differ in what must not matter.

The table follows https://reproducible-builds.org/docs/env-variations.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.steps.tools.tool_choice import Toolchains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Resolution


@dataclass(frozen=True, slots=True)
class Variation:
    """One thing that the second build has differently.

    `variables` are set in the environment, `words` on the command line of SCons, and `wrapper` is a
    command that runs the rest of its line so, by a program that it `needs`. `umask` is None where
    it stays. `platforms` are those that it builds for, by name, where these are not all.
    """

    name: str
    variables: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()
    umask: int | None = None
    needs: str = ""
    platforms: tuple[str, ...] = ()

    @property
    def missing(self) -> str:
        """What this machine lacks for it, as a phrase; empty where it can be varied."""
        if not self.wrapper:
            return ""
        program = self.needs or self.wrapper[0]
        if shutil.which(program) is None:
            return f"{program} is not installed"
        done = subprocess.run([*self.wrapper, "true"], capture_output=True, check=False)
        return "" if done.returncode == 0 else f"{program} is not permitted"


# Only root may write that file, and not everybody has that command.
_NAMED = """
{ hostname elsewhere 2>/dev/null || echo elsewhere > /proc/sys/kernel/hostname; } && exec "$@"
"""

# Every list of files is in another order, below a folder that has the same files.
_SHUFFLED = """
place=$(mktemp -d) && disorderfs --quiet --shuffle-dirents=yes "$PWD" "$place" >/dev/null || exit 1
trap 'cd / && fusermount -u "$place" && rmdir "$place"' EXIT
trap 'exit 1' HUP INT TERM
cd "$place" && "$@"
"""

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


# In a build of its own: what `faketime` runs below a folder of FUSE may hang.
FILE_ORDER = Variation("file order", wrapper=("sh", "-c", _SHUFFLED, "sh"), needs="disorderfs")

# Each of them compiles alone: all make the same bytes.
_POLICIES = {"off": "wheel", "worker": "worker", "command": "command", "emulated": "emulation"}


def other_tools(
    used: Toolchains, platforms: Sequence[Platform]
) -> tuple[list[Variation], dict[str, str]]:
    """Return the tools that compile too, besides the `used` ones, and why the others do not.

    One that compiles for some of the platforms is compared for these.
    """
    found: list[Variation] = []
    lacking: dict[str, str] = {}
    for policy, name in _POLICIES.items():
        others = Toolchains((), "", policy)
        answers = [others.aot(platform) for platform in platforms]
        fitting = [item for item in answers if item.chosen is not None]
        if not fitting:
            # What can be mended is told before that it is for other platforms.
            answer = next(filter(_is_missing, answers), answers[0])
            reasons = [rejection.reason for rejection in answer.rejected]
            lacking[name] = "; ".join(reasons) or f"not for {answer.target.name}"
        elif any(item.chosen != used.aot(item.target).chosen for item in fitting):
            names = tuple(item.target.name for item in fitting)
            found.append(_by_tool(policy, name, names if len(fitting) < len(answers) else ()))
    return found, lacking


def _is_missing(answer: Resolution) -> bool:
    return any(item.reason == item.toolchain.missing for item in answer.rejected)


def _by_tool(policy: str, name: str, platforms: tuple[str, ...]) -> Variation:
    words = (f"toolchain={policy}",)
    if not platforms:
        return Variation(name, words=words)
    shown = f"{name} for {', '.join(platforms)}"
    return Variation(shown, words=(*words, f"target={','.join(platforms)}"), platforms=platforms)


def possible(variations: Sequence[Variation]) -> tuple[list[Variation], dict[str, str]]:
    """Return what can be varied here, and by name why the others cannot."""
    missing = {item.name: item.missing for item in variations}
    lacking = {name: why for name, why in missing.items() if why}
    return [item for item in variations if item.name not in lacking], lacking
