"""Releases as they are declared: `mochi_release(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SCons.Script

from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.project.label import parse_label
from mochi_rules.release.contents import check_name
from mochi_rules.rules.declared_release import DeclaredRelease
from mochi_rules.rules.programs import find_program
from mochi_rules.rules.stamping import STAMPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mochi_rules.project.configuration import Configuration
    from mochi_rules.remote.settings import RemoteSettings
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.claims import Target
    from mochi_rules.rules.workspace import Workspace

RELEASE = "release"  # the alias of all releases


def is_releasing() -> bool:
    """Return whether this run of SCons is asked for releases."""
    return RELEASE in SCons.Script.COMMAND_LINE_TARGETS


def check_caches(remote: RemoteSettings) -> None:
    """Refuse a shared cache whose entries a release could not believe.

    Emits: R037.
    """
    if remote.reads and not remote.trust.trusted:
        raise fail(
            "R037",
            "a release cannot read a remote cache that anyone may write to",
            help="list `trusted_writers` in `mochi.toml`, or leave `remote` out",
        )


def declare_release(call: Call, files: Sequence[Any], lock: Any) -> None:
    """Declare a release of targets, wherever those are declared; `lock` is a node or None.

    Emits: B016 (no such program), R006 (its name), R030 (no executable), R039, as
    `release_verb.check_values`.
    """
    with call.at("name"):
        check_name(call.label.name)
    with call.at("targets"):
        labels = [parse_label(text, call.label.package) for text in call.values["targets"]]
    targets = [find_program(call, label, "targets", "releases") for label in labels]
    if is_releasing():
        from mochi_rules.rules.releases import release_verb  # noqa: PLC0415 - of this verb only

        release_verb.check_values(call.space, call.values, lock)
        with call.at("formats"):
            release_verb.check_formats(call.space, call.values)
        _check_stamps(call, targets)
    programs = {
        item.name: [_executable(call, target, item) for target in targets]
        for item in call.space.settings.configurations
    } if is_releasing() else {}  # fmt: skip
    declared = DeclaredRelease(call.label, call.values, tuple(files), programs, lock)
    call.space.releases.append(declared)
    nodes = [node for nodes in programs.values() for node in nodes]
    call.env.Alias(RELEASE, [*nodes, *files])


def check_circumstances(space: Workspace) -> None:
    """Refuse before the build what no build file is the cause of: once, for all releases.

    Emits: as `release_verb.check_circumstances`.
    """
    if is_releasing() and len(space.releases) == 1:
        from mochi_rules.rules.releases import release_verb  # noqa: PLC0415 - of this verb only

        release_verb.check_circumstances(space)


def _check_stamps(call: Call, targets: Iterable[Target]) -> None:
    """Refuse a program that would give another version than the one that it is released as.

    Emits: R039.
    """
    version, stamp = call.values["version"], call.space.settings.variables["version"]
    for target in targets:
        is_stamped = any(STAMPED in outputs for outputs in target.outputs.values())
        if is_stamped and version and version != stamp:
            message = f"`{target.label}` is stamped with `{stamp}`, and released as `{version}`"
            place = call.target.place.locate("version")
            help_ = f"leave `version` out, and run `scons release version={version}`"
            raise MochiError(Diagnostic("R039", message, place, help=help_))


def _executable(call: Call, target: Target, configuration: Configuration) -> Any:
    """Return the node of an executable.

    Emits: R030 (there is none).
    """
    outputs = target.outputs.get(configuration.name, {})
    node = outputs.get(configuration.platform.system.executable_suffix)
    is_launcher = call.space.settings.link in ("auto", "launcher")
    if node is not None and is_launcher:
        return node
    why = "it declares none" if is_launcher else f"`link={call.space.settings.link}` makes none"
    message = f"`{target.label}` has no executable for `{configuration.platform.name}`: {why}"
    help_ = "write `executable = True`" if is_launcher else "write `link=launcher`, or leave it out"
    place = call.target.place.locate("targets")
    raise MochiError(Diagnostic("R030", message, place, help=help_))
