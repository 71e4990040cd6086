"""What we change in SCons where it has no interface for it; all of it is here."""

from __future__ import annotations

import os
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import SCons.Environment
import SCons.Node.FS
import SCons.SConsign
import SCons.Script.Main

from mochi_rules.base.diagnostic import Diagnostic, MochiError, environment_error
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.project.attributes import BY_NAME
from mochi_rules.rules.builders import scan
from mochi_rules.rules.scons.errors import STATUS, ReportedError, scons_error
from mochi_rules.rules.scons.interrupts import watch_signals
from mochi_rules.rules.scons.place import Place, is_of_user
from mochi_rules.rules.step_action import restore
from mochi_rules.rules.tests import TEST
from mochi_rules.rules.verbs import choose_targets
from mochi_rules.rules.workspace import workspace

if TYPE_CHECKING:
    from mochi_rules.rules.workspace import Workspace


def install_hooks(space: Workspace) -> None:
    """Change SCons for this run."""
    main = vars(SCons.Script.Main)
    main["BuildTask"] = _Task
    main["_build_targets"] = _after_reading(space, main["_build_targets"])
    # The module of that name: SCons.Script has a class of the same name.
    sconscript = vars(sys.modules["SCons.Script.SConscript"])
    report = sconscript["SConscript_exception"]
    sconscript["SConscript_exception"] = lambda *args: _report_name(space) or report(*args)
    # SCons imports its tool `as` by this name alone, and would take a folder of the user's for it.
    sys.modules.setdefault("as", None)  # type: ignore[arg-type] # `import as` then fails, as it must
    SCons.Node.FS.File.get_csig = signing(space, SCons.Node.FS.File.get_csig)
    watch_signals(space.interrupt)


class _Task(SCons.Script.Main.BuildTask):  # type: ignore[misc] # SCons has no types
    """A task that the workspace is notified of, and whose error is shown once."""

    def prepare(self) -> Any:
        space = workspace()
        space.goals = self.tm.original_top
        for node in self.targets:
            space.visit(node)
            task = space.tasks.get(node)
            if task is not None and not task.has_file:
                scan(node)  # which SCons does for files only
        return super().prepare()

    def make_ready(self) -> None:
        """Called by SCons before it decides whether the targets are up to date."""
        for node in self.targets:
            workspace().inspect(node)
        super().make_ready()

    def needs_execute(self) -> bool:
        """Return whether the targets are still to be made; called by who looks for work."""
        is_stale: bool = super().needs_execute()
        return is_stale and not (len(self.targets) == 1 and restore(workspace(), self.targets[0]))

    def do_failed(self, status: int = STATUS) -> None:
        """Let a test that fails stop nothing but what depends on it, as `-k` does for all."""
        task = workspace().tasks.get(self.targets[0])
        before = self.options.keep_going
        self.options.keep_going = before or (task is not None and task.step.verb == TEST)
        super().do_failed(status)
        self.options.keep_going = before

    def failed(self) -> None:
        error = self.exc_info()[1]
        if not isinstance(error, ReportedError):
            super().failed()
            return
        self.exception_set((type(error), error, None))
        self.do_failed(error.exitstatus)
        self.exc_clear()


def signing(space: Workspace, sign: Any) -> Any:
    """Let the digests of our outputs be their signatures: mostly they are known already."""

    def get_csig(node: Any) -> Any:
        info = node.get_ninfo()
        if not hasattr(info, "csig") and (digest := space.content_digest(node)):
            info.csig = digest
        return sign(node)

    return get_csig


def _after_reading(space: Workspace, build: Any) -> Any:
    def build_targets(*arguments: Any) -> Any:
        space.finish_reading()
        space.guard(partial(keep_signatures, space))
        choose_targets(space)
        return build(*arguments)

    return build_targets


def keep_signatures(space: Workspace) -> None:
    """Let SCons keep its signatures in the build folder where the workspace cannot be written.

    Emits: B014.
    """
    is_default = SCons.SConsign.DB_Name is None
    if not (is_default and space.is_building) or os.access(space.root, os.W_OK):
        return
    build = space.settings.build
    folder = space.root / build
    if not os.access(folder, os.W_OK):
        raise environment_error(
            "B014",
            f"cannot write `{build}`: the workspace is read-only",
            help=f"mount or link a folder that can be written as `{build}`",
        )
    SCons.SConsign.File(str(folder / SCons.SConsign.current_sconsign_filename()))


def _report_name(space: Workspace) -> bool:
    """Show the exception under way if it is about the name of a rule; return whether it is.

    Emits: B023 (no such rule, or not a function of this file).
    """
    error = sys.exc_info()[1]
    is_name = isinstance(error, NameError) or (
        isinstance(error, AttributeError)
        and isinstance(error.obj, SCons.Environment.SubstitutionEnvironment)
    )
    if not is_name or error is None:
        return False
    name = str(error.name)  # type: ignore[attr-defined] # both have it
    if name in BY_NAME:
        message = f"`{name}` is not defined in this file"
        help_ = f"write `env.{name}(...)`, where `env` has the tool `mochi`"
    elif help_ := did_you_mean(name, BY_NAME):
        message = f"no rule is named `{name}`"
    else:
        return False
    lines = traceback.extract_tb(error.__traceback__)
    line = next(line for line in reversed(lines) if is_of_user(line.filename))
    span = Place(line.filename, line.lineno or 1, space.root).locate()
    scons_error(MochiError(Diagnostic("B023", message, span, help=help_)), space.console)
    return True
