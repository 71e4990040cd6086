"""What one run of SCons knows: configurations, targets, tasks, and the pipeline they share."""

from __future__ import annotations

import posixpath
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import SCons.Action
import SCons.Node
import SCons.Node.FS
import SCons.Script

from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.directory import Layout
from mochi_rules.project.objects import describe_object
from mochi_rules.project.visibility import Universe
from mochi_rules.rules.claims import Claims
from mochi_rules.rules.scons.errors import scons_error
from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.steps.exceptions import as_mochi_error
from mochi_rules.steps.identity import Identities
from mochi_rules.steps.journal import Journal
from mochi_rules.steps.pipeline import Pipeline
from mochi_rules.steps.tools.tool_choice import pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mochi_rules.base.digest import Digest, SharedBytes
    from mochi_rules.cache.tiers import Tier
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Recipe, Toolchain
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.project.label import Label
    from mochi_rules.project.profiles import Profiles
    from mochi_rules.rules.claims import Target
    from mochi_rules.rules.declared_release import DeclaredRelease
    from mochi_rules.rules.scons.place import Place
    from mochi_rules.steps.away.worker import Away
    from mochi_rules.steps.engines.engines import Engines
    from mochi_rules.steps.journal import Record
    from mochi_rules.steps.step import Step
    from mochi_rules.steps.tools.tool_choice import Toolchains
    from mochi_rules.ui.console import Console

ENGINE = "MOCHI_ENGINE"  # the variable of an environment with settings of its programs


@dataclass(slots=True)
class Task:
    """A step as a node of the graph: what it is called, and how its inputs are read.

    `scan` returns the nodes that the inputs depend on besides the sources of the node. `notice` is
    printed when the step begins. The result of a step without a file, which its node is the name
    of, is in the cache alone. `inputs` has the nodes that `read` reads, by name, where these are
    all.
    """

    step: Step
    name: str
    read: Callable[[], Mapping[str, bytes]]
    scan: Callable[[], list[Any]] | None = None
    notice: str = ""
    has_file: bool = True
    inputs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The variables of the command line and the parameters of the tool.

    `variables` has the values of all of them. With `distrusts_caches`, an output that a cache had
    is made again. Steps that do not run here run `away`.
    """

    configurations: tuple[Configuration, ...]
    cache: Tier
    build: str
    link: str
    toolchains: Toolchains
    profiles: Profiles
    variables: Mapping[str, str]
    distrusts_caches: bool
    namespace: str = ""
    away: Away | None = None


_ATTRIBUTES = {"A028": "sha256"}  # of a rule, that the error of a step is about, by its code
CHANGED = "changed"  # for the digest of an output that is not compared with what its step made


class Workspace:
    """The state of one run of SCons; there is one."""

    def __init__(
        self,
        env: Any,
        settings: Settings,
        console: Console,
        engines: Engines,
    ) -> None:
        self.env = env
        self.fs = SCons.Node.FS.get_default_fs()
        self.root = Path(self.fs.Top.get_abspath())
        self.settings = settings
        self.console = console
        cache = settings.cache
        memo = Layout(cache.root).identities if cache.root else None
        self.pipeline = Pipeline(cache, engines, Identities(memo), settings.namespace)
        self.journal = Journal(self.root / settings.build)
        self.universe = Universe(self._describe)
        self.claims = Claims(self.root)
        self.targets: dict[Label, Target] = {}
        self.sources: dict[str, Any] = {}  # nodes by name, of all targets
        self.tasks: dict[Any, Task] = {}
        self.made: dict[Any, str] = {}  # digests of outputs, by the nodes of this run's steps
        self.contents: dict[Any, Digest] = {}  # digests of outputs as they are now, where known
        self.shared: dict[Any, SharedBytes] = {}  # what many steps take, by node
        self.goals: list[Any] = []  # the nodes that SCons was asked to build
        self.wanted: list[Any] = []  # the nodes to prefetch for
        self.releases: list[DeclaredRelease] = []
        self.without_launcher: set[Platform] = set()  # though executables were wanted
        self.at_begin: list[Callable[[], object]] = []  # called before the first step
        self.at_first_step: list[Callable[[], object]] = []  # called before one runs
        self.at_end: list[Callable[[], object]] = []  # called before the closing line
        self.is_building = True
        self.is_interrupted = False
        self.has_begun = False
        self._pending: list[Callable[[], object]] = []
        self._preparing = Lock()

    # Declaring, while build files are read.

    def _describe(self, label: Label) -> str:
        """Return what an object is for that stands where a library should."""
        name = posixpath.join(label.package, label.name)
        return describe_object(self.root / name, name, self.settings.configurations)

    def engine_settings(self, env: Any, settings: object = None) -> dict[str, object]:
        """Return settings of a program: those given, before MOCHI_ENGINE of its environment.

        Each are settings by name, or the name of a profile.

        Emits: B007 (neither), B029 (no such profile).
        """
        return self._settings(env.get(ENGINE)) | self._settings(settings)

    def _settings(self, value: object) -> dict[str, object]:
        if isinstance(value, str) and value:
            return self.settings.profiles.find(value)
        if isinstance(value, dict):
            return value
        if value:
            raise fail(
                "B007",
                f"`{ENGINE}` must be settings of the engine, got `{value!r:.60}`",
                help=f'write `{ENGINE}={{"opt_level": "speed"}}`',
            )
        return {}

    def package(self) -> str:
        """Return the folder of the build file that is being read, as part of a label."""
        folder = self.fs.getcwd().srcnode()
        return "" if folder is self.fs.Top else node_path(folder)

    def after_reading(self, action: Callable[[], object]) -> None:
        """Call something when all build files are read, and so all targets are declared."""
        self._pending.append(action)

    def finish_reading(self) -> None:
        """Called by SCons when all build files are read."""
        pending, self._pending = self._pending, []
        found: list[Diagnostic] = []
        for action in pending:
            try:
                action()
            except MochiError as error:
                found += error.diagnostics
        if found:
            raise scons_error(MochiError(*found), self.console)

    def leave_out(self, nodes: Iterable[Any]) -> None:
        """Let nothing but tests have outputs built: not the folder that they are in.

        A clean removes them with that folder.
        """
        for node in nodes if self.is_building else ():
            self.env.Ignore(node.dir, node)

    def declare(self, target: Target) -> None:
        """Add a target.

        Emits: B002 (declared before).
        """
        before = self.targets.get(target.label)
        if before is not None:
            raise MochiError(
                Diagnostic(
                    "B002",
                    f"`{target.label}` is declared twice",
                    target.place.locate("name"),
                    notes=(f"it is first declared in {_where(before.place)}",),
                    help="give one of the two another name",
                )
            )
        self.targets[target.label] = target

    def require_aot(self, platform: Platform) -> Recipe | None:
        """Refuse a platform that nothing compiles for: once, and before anything is built.

        Return how the tool is built, if that has to be done before.

        Emits: C002, C011.
        """
        return pending(self.settings.toolchains.aot(platform)) if self.is_building else None

    def launcher(self, platform: Platform) -> Toolchain | None:
        """Return the launcher for executables of a platform, or None where none are made.

        Emits: C002 (no launcher for `link=launcher`), C011.
        """
        link = self.settings.link
        if link not in ("auto", "launcher"):
            return None
        resolution = self.settings.toolchains.launcher(platform, may_build=link == "launcher")
        if link == "launcher" and self.is_building:
            pending(resolution)
        if resolution.chosen is None:
            self.without_launcher.add(platform)
        return resolution.chosen

    def guard(self, action: Callable[[], Any]) -> Any:
        """Call something while build files are read; its errors end SCons with a message."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - SCons would print a traceback
            raise scons_error(error, self.console) from None

    def step_error(self, error: BaseException, node: Any) -> BaseException:
        """Show the error of a step as `scons_error` does: in a user's input, at the rule's call."""
        diagnostics = as_mochi_error(error).diagnostics
        if target := self.claims.owner(node):
            locate = target.place.locate
            diagnostics = tuple(
                item if item.span or item.fault is not Fault.INPUT
                else replace(item, span=locate(_ATTRIBUTES.get(item.code, "src")))
                for item in diagnostics
            )  # fmt: skip
        return scons_error(MochiError(*diagnostics), self.console, node)

    # Running.

    def shown(self, node: Any) -> str:
        """Return what a line calls a node: its path below the one output directory there is."""
        path = node_path(node)
        prefix = f"{self.settings.build}/"
        if len(self.settings.configurations) == 1:
            prefix += f"{self.settings.configurations[0].name}/"
        return path.removeprefix(prefix)

    def interrupt(self) -> None:
        """Start no further step, and end the workers: SCons waits for what they do."""
        self.is_interrupted = True
        self.pipeline.engines.close()
        self.settings.cache.interrupt()

    def visit(self, node: Any) -> None:
        """Count a node that SCons visits, if it is up to date."""
        if node not in self.tasks:
            return
        if not self.has_begun:
            self.begin()
        if node.get_state() == SCons.Node.up_to_date:
            self.console.up_to_date()

    def inspect(self, node: Any) -> None:
        """Let SCons make an output again that is not as its step made it: it compares inputs."""
        if node in self.tasks and (self._is_distrusted(node) or not self._is_as_made(node)):
            node.set_always_build()

    def _is_distrusted(self, node: Any) -> bool:
        """Return whether an output came from a cache, where only what was built here will do."""
        if not self.settings.distrusts_caches:
            return False
        record = self._records.get(node_path(node))
        return record is not None and record.is_restored

    def _is_as_made(self, node: Any) -> bool:
        """Return whether an output is as its step made it; one without a record is not."""
        path = Path(node.get_abspath())
        if not self.tasks[node].has_file or node.rfile() is not node or not path.exists():
            return True  # there is nothing to compare, or it is in a repository
        if not path.is_file():
            return False
        before = self.made_before(node)
        if before == CHANGED or (before and self.content_digest(node) == before):
            return True
        if before:
            self.note_change(node)
        return False

    def content_digest(self, node: Any) -> str | None:
        """Return the digest of an output as it is now; None where this build has no such file."""
        task = self.tasks.get(node)
        if task is None or not task.has_file or node.rfile() is not node:
            return None
        if node not in self.contents:
            path = Path(node.get_abspath())
            if not path.is_file():
                return None
            self.contents[node] = digest_bytes(path.read_bytes())
        return self.contents[node].hash

    def known_digest(self, node: Any) -> Digest | None:
        """Return the digest of an output that is as its step made it, if it need not be read."""
        digest = self.contents.get(node)
        return digest if digest and digest.hash == self.made_before(node) else None

    def note_change(self, node: Any) -> None:
        """Report that an output is not as its step made it."""
        self.console.say(
            f"note: `{node_path(node)}` has changed since it was built: building it again"
        )

    def made_before(self, node: Any) -> str | None:
        """Return the digest of an output as its step made it, in this run or an earlier one."""
        return self.made.get(node) or self._outputs.get(node_path(node))

    @cached_property
    def _outputs(self) -> dict[str, str]:
        return self.journal.outputs()

    @cached_property
    def _records(self) -> dict[str, Record]:
        return self.journal.records()

    def begin(self) -> None:
        """Begin to build: all build files are read."""
        self.has_begun = True
        for action in self.at_begin:
            action()
        if SCons.Action.execute_actions:
            self.journal.begin()

    def prepare_steps(self) -> None:
        """Do what is done once for all steps, when the first of them is about to run."""
        with self._preparing:
            pending, self.at_first_step = self.at_first_step, []
            for action in pending:
                action()

    def requested(self) -> int:
        """Count the steps that were requested, and fit the console to them."""
        found = self.requested_steps()
        self.console.fit(self.tasks[node].name for node in found)
        return len(found)

    def requested_steps(self) -> set[Any]:
        """Return the nodes of these steps."""
        return self.reach(self.goals)

    def reach(self, nodes: Sequence[Any]) -> set[Any]:
        """Return the nodes of all steps that some nodes need, themselves included."""
        found: set[Any] = set()
        seen: set[Any] = set()
        pending = list(nodes)
        while pending:
            node = pending.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in self.tasks:
                found.add(node)
            if isinstance(node, SCons.Node.FS.Dir):
                pending += self._tasks_below(node)
            else:
                pending += [
                    *(node.sources or ()),
                    *(node.depends or ()),
                    *(node.prerequisites or ()),
                ]
        return found

    def _tasks_below(self, folder: Any) -> list[Any]:
        files = [
            node
            for node in self.tasks
            if isinstance(node, SCons.Node.FS.File) and node not in node.dir.ignore
        ]
        inside = "" if folder is self.fs.Top else node_path(folder) + "/"
        return [node for node in files if node_path(node).startswith(inside)]

    def close(self) -> None:
        """End the build: every worker, the counters of the cache, the closing line."""
        self.pipeline.engines.close()
        cache = self.settings.cache
        cache.flush()
        if self.has_begun:
            self.console.report(cache.warnings)
        for action in self.at_end:
            action()
        self.console.close(summary=self.has_begun)


_current: Workspace | None = None


def workspace() -> Workspace:
    """Return the workspace of this run.

    Emits: B018 (the tool is not loaded).

    Raises:
        MochiError: No environment has the tool.
    """
    if _current is None:
        raise fail(
            "B018",
            "the tool `mochi` is not loaded",
            help='write `env = Environment(tools=["mochi"])` in the SConstruct',
        )
    return _current


def open_workspace(make: Callable[[], Workspace]) -> Workspace:
    """Return the workspace of this run, made by the first who asks."""
    global _current  # noqa: PLW0603 - SCons has one graph per process, and this belongs to it
    if _current is None:
        _current = make()
    return _current


def _where(place: Place) -> str:
    path = Path(place.path)
    if path.is_relative_to(place.root):
        path = path.relative_to(place.root)
    return f"{path.as_posix()}:{place.line}"
