"""Verbs are targets: `scons test`, `scons explain`, `scons doctor`; and the text of `scons -h`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SCons.Script

from mochi_rules.base.codes import explanation, is_code
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import count_text
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.project.configuration import VARIABLES
from mochi_rules.rules.releases.releases import RELEASE
from mochi_rules.rules.scons.errors import scons_error
from mochi_rules.rules.tests import TEST
from mochi_rules.rules.workspace import workspace
from mochi_rules.steps.comparison import explain_outputs
from mochi_rules.steps.tools.doctor import examine, render
from mochi_rules.ui.help_text import wrapped_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.rules.workspace import Workspace

EXPLAIN, DOCTOR, REPRODUCE = "explain", "doctor", "check-reproducible"
PREFETCH = "prefetch"
VERBS = {
    TEST: "run every test; those that passed, and have not changed, are not run again",
    RELEASE: "build the releases, and write their archives, sums and provenance to dist/",
    REPRODUCE: "build copies under other paths, locales, users and more, and compare all outputs",
    PREFETCH: "fetch what a build of TARGETS needs from the remote cache, and build nothing",
    EXPLAIN: "show what the last build did with each file, and why; or the meaning of a code",
    DOCTOR: "show what is missing on this machine, and how to install it",
}
OPTIONS = {
    "--ui=auto|fancy|plain|quiet": "how to show progress",
    "--color=auto|always|never": "whether to use color",
    "--trace=FILE": "write when which step ran, for chrome://tracing or Perfetto",
    "--build-events=FILE": "write the result as Bazel's build events, in JSON",
    "-j N": "how many steps to run at once",
    "-k": "keep going after an error",
    "-n": "show what would run",
    "-c": "remove the outputs of TARGETS",
    "-Q": "do not report that build files are read",
}
_MAX_LABELS = 12
_MAX_HEAD = 40  # characters of a variable with its values


def add_verbs(env: Any) -> None:
    """Declare the verbs that need no targets."""
    for name, run in (
        (EXPLAIN, _explain),
        (DOCTOR, _doctor),
        (RELEASE, _release),
        (REPRODUCE, _reproduce),
        (PREFETCH, _prefetch),
    ):
        action = env.Action(_verb(run), strfunction=None)
        env.AlwaysBuild(env.Alias(name, [], action))


def is_building() -> bool:
    """Return whether this run of SCons is to make something."""
    verbs = {EXPLAIN, DOCTOR, REPRODUCE, PREFETCH}.intersection(SCons.Script.COMMAND_LINE_TARGETS)
    return not verbs and not SCons.Script.GetOption("help") and not SCons.Script.GetOption("clean")


def choose_targets(space: Workspace) -> None:
    """Let the words beside `prefetch` be what it is about, and not what is built."""
    words = [text for text in SCons.Script.COMMAND_LINE_TARGETS if text != PREFETCH]
    if len(words) < len(SCons.Script.COMMAND_LINE_TARGETS):
        nodes = words or list(SCons.Script.DEFAULT_TARGETS) or [space.fs.Top]
        space.wanted = space.env.arg2nodes(nodes, space.fs.Entry)
        SCons.Script.BUILD_TARGETS[:] = [PREFETCH]


def help_text(space: Workspace) -> str:
    """Return one screen of help."""
    lines = ["scons [TARGETS] [VARIABLE=VALUE ...] [OPTIONS]", "", "targets"]
    labels = [str(label) for label in sorted(space.targets)]
    lines += [f"  {label}" for label in labels[:_MAX_LABELS]]
    if len(labels) > _MAX_LABELS:
        lines.append(f"  ... and {len(labels) - _MAX_LABELS} more")
    lines += ["  //folder:name, :name, //folder/..., a folder, or a file below build/", "", "verbs"]
    lines += wrapped_table(VERBS.items())
    lines += ["", "variables"]
    values = {row.name: list(row.values()) for row in VARIABLES}
    heads = {name: f"{name}={'|'.join(choices)}" for name, choices in values.items()}
    are_long = [name for name, head in heads.items() if len(head) > _MAX_HEAD]
    heads |= {name: name for name in are_long}
    lines += wrapped_table(
        (heads[row.name], f"{row.doc} (default: {row.default})") for row in VARIABLES
    )
    lines += wrapped_table((f"{name}=", " ".join(values[name])) for name in are_long)
    lines += ["", "options", *wrapped_table(OPTIONS.items())]
    lines += ["", "`mochi-rules help RULE` shows the attributes of a rule.", ""]
    return "\n".join(lines)


def _verb(run: Callable[[Workspace], int]) -> Callable[..., Any]:
    def action(target: list[Any], source: list[Any], env: Any) -> Any:  # noqa: ARG001 - of SCons
        space = workspace()
        try:
            return run(space)
        except Exception as error:  # noqa: BLE001 - SCons would print a traceback
            return scons_error(error, space.console, target[0])

    return action


def _doctor(space: Workspace) -> int:
    settings = space.settings
    findings = examine(settings.toolchains, settings.configurations, settings.cache)
    space.console.say(render(findings).rstrip("\n"))
    return 0 if all(finding.is_good for finding in findings) else 2


def _release(space: Workspace) -> int:
    from mochi_rules.rules.releases.release_verb import release  # noqa: PLC0415 - of this verb only

    return release(space)


def _reproduce(space: Workspace) -> int:
    """Build copies of the workspace, and compare what was asked for.

    Emits: R035.
    """
    from mochi_rules.release.repeat.reproducibility import (  # noqa: PLC0415 - of this verb only
        check_reproducible,
        report,
    )
    from mochi_rules.release.repeat.variations import other_tools  # noqa: PLC0415

    targets = [text for text in SCons.Script.COMMAND_LINE_TARGETS if text != REPRODUCE]
    ours = ("cache", "remote", "remote_mode", "remote_upload")
    variables = [f"{name}={value}" for name, value in SCons.Script.ARGUMENTS.items()
                 if name not in ours]  # fmt: skip
    words = [*targets, *variables]
    platforms = [item.platform for item in space.settings.configurations]
    tools = other_tools(space.settings.toolchains, platforms)
    found = check_reproducible(space.root, space.settings.build, words, tools, space.console.say)
    space.console.say("\n".join(report(found)))
    return 2 if found.different else 0


def _prefetch(space: Workspace) -> int:
    """Fetch what a build needs.

    Emits: K020 (there is no server).
    """
    from mochi_rules.rules.foresight import prefetch  # noqa: PLC0415 - of this verb only

    cache = space.settings.cache
    if not isinstance(cache, TieredCache):
        help_ = "write `remote=URL`, or `url` in `[remote]` of `mochi.toml`"
        raise fail("K020", "there is no remote cache to fetch from", help=help_)
    found, steps = prefetch(space, cache)
    lacking = f"; the remote cache lacks {steps - found}" if steps > found else ""
    here = f"{found} of {count_text(steps, 'result')} are here{lacking}"
    space.console.say(here if steps else "nothing to fetch: all is up to date")
    space.console.report(cache.warnings)
    return 0


def _explain(space: Workspace) -> int:
    """Explain the codes on the command line, and what the last build did with the files there.

    Emits: B001 (no such target), B067 (no such code).
    """
    words = [text for text in SCons.Script.COMMAND_LINE_TARGETS if text != EXPLAIN]
    wanted = [text for text in words if not is_code(text)]
    for code in words:
        if is_code(code):
            space.console.say(explanation(code))
    if words and not wanted:
        return 0
    cache = space.settings.cache
    lines = explain_outputs(space.journal, wanted, cache)
    space.console.say("\n".join(lines) if lines else "nothing was built here yet")
    space.console.report(cache.warnings)
    return 0
