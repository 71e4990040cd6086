"""`scons release`: what was built becomes the files in `dist/`."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import replace
from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.archives.formats import FORMATS
from mochi_rules.release.assemble import Release, assemble, minisign
from mochi_rules.release.build_record import sources_of
from mochi_rules.release.circumstances import builder_id, package_versions, runtime_versions
from mochi_rules.release.contents import File, Product, check_version
from mochi_rules.release.provenance import VARIABLES, Circumstances
from mochi_rules.release.publish import checksums, publish
from mochi_rules.release.repeat.requirements_lock import check_lock
from mochi_rules.release.revision import (
    check_clean,
    check_committed,
    release_time,
    uncommitted,
)
from mochi_rules.release.signing_command import read_command, sign_by_command
from mochi_rules.rules.releases.release_records import build_record
from mochi_rules.rules.scons.nodes import read_node, source_name
from mochi_rules.rules.stamping import RELEASES, key_path, source_revision
from mochi_rules.steps.caches import find_remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mochi_rules.release.build_record import Build
    from mochi_rules.release.revision import Revision
    from mochi_rules.rules.declared_release import DeclaredRelease
    from mochi_rules.rules.workspace import Workspace
    from mochi_rules.signing.keys import SigningKey
    from mochi_rules.steps.journal import Record


def release(space: Workspace) -> int:
    """Write all releases that were declared: every file of theirs, or none.

    Emits: B014, B017, R001 to R009, R023, R024, R029, R031 (no release is declared), R040.
    """
    if not space.releases:
        help_ = 'write `mochi_release(name="app", targets=["//app"])` in the SConstruct'
        raise fail("R031", "no release is declared", help=help_)
    key, command = _key(space), _command(space)
    records = space.journal.records()
    builds = [_builds(space, declared, records) for declared in space.releases]
    revision = _committed(space, _revision(space), chain(*builds))
    files: dict[str, bytes] = {}
    for declared, built in zip(space.releases, builds, strict=True):
        files |= assemble(_release(space, declared, revision, built), key)
    whole = files | checksums(files)
    signatures: dict[str, bytes] = {}
    if key is not None:
        signatures |= minisign(whole, key, release_time(revision, os.environ))
    if command:
        signatures |= sign_by_command(command, whole, space.root)
    publish(space.root / RELEASES, whole | signatures)
    _report(space, files, revision, key)
    return 0


def check_values(space: Workspace, values: Mapping[str, Any], lock: Any) -> None:
    """Refuse a release that could not be made; `lock` is a node or None.

    Emits: R001, R006, R041.
    """
    _version(space, values)
    if lock is not None:
        check_lock(source_name(lock), read_node(lock))


def check_formats(space: Workspace, values: Mapping[str, Any]) -> None:
    """Refuse a version that packages of some format cannot have.

    Emits: R006.
    """
    version = _version(space, values)
    for row in FORMATS:
        if row.name in values["formats"] and row.versions is not None:
            row.versions.check(version)


def check_circumstances(space: Workspace) -> None:
    """Refuse before the build what would be refused after it.

    Emits: R002, R003, R005, R040, as `load_signing_key`.
    """
    release_time(_revision(space), os.environ)
    _key(space)
    _command(space)


def _version(space: Workspace, values: Mapping[str, Any]) -> str:
    """Return the version of a release: its own, or that of the command line.

    Emits: R001, R006.
    """
    version = str(values["version"] or space.settings.variables.get("version", ""))
    check_version(version)
    return version


def _revision(space: Workspace) -> Revision | None:
    """Return the state of the source, which is a commit.

    Emits: R002 (it was changed since), R003 (there is none).
    """
    is_dirty = _is_dirty_allowed(space)
    try:
        revision = source_revision(space)
    except MochiError:
        if is_dirty:
            return None
        raise
    if not is_dirty:
        check_clean(revision)
    return revision


def _key(space: Workspace) -> SigningKey | None:
    """Return what signs.

    Emits: as `load_signing_key`.
    """
    path = key_path(space)
    if path is None:
        return None
    from mochi_rules.signing.keys import load_signing_key  # noqa: PLC0415 - an extra

    return load_signing_key(path)


def _command(space: Workspace) -> list[str]:
    """Return the command that signs; no words for none.

    Emits: R040.
    """
    return read_command(space.settings.variables["sign_with"])


def _builds(
    space: Workspace, declared: DeclaredRelease, records: Mapping[str, Record]
) -> tuple[Build, ...]:
    """Return what was built of a release, for each platform."""
    return tuple(
        build_record(space, declared.programs[item.name], item, records)
        for item in space.settings.configurations
    )


def _committed(
    space: Workspace, revision: Revision | None, builds: Iterable[Build]
) -> Revision | None:
    """Return the state of the source with what only the work tree has of what was built.

    Emits: R002 (that is not allowed).
    """
    if revision is None:
        return None
    paths = {path for build in builds for path in sources_of(build.steps)}
    paths |= {
        source_name(node)
        for declared in space.releases
        for node in (*declared.files, *filter(None, [declared.lock]))
        if not node.has_builder()
    }
    names = uncommitted(space.root, revision, paths - {*revision.changed})
    if not _is_dirty_allowed(space):
        check_committed(names)
    return replace(revision, changed=(*revision.changed, *names))


def _is_dirty_allowed(space: Workspace) -> bool:
    return space.settings.variables.get("allow_dirty") == "yes"


def _release(
    space: Workspace,
    declared: DeclaredRelease,
    revision: Revision | None,
    builds: tuple[Build, ...],
) -> Release:
    values, label = declared.values, declared.label
    version = _version(space, values)
    product = Product(label.name, version, release_time(revision, os.environ),
                      values["summary"], values["license"], values["maintainer"])  # fmt: skip
    files = tuple(File(source_name(node), read_node(node)) for node in declared.files)
    variables = {name: space.settings.variables.get(name, "") for name in VARIABLES}
    under = Circumstances(str(label), revision, variables, _cache(space), package_versions(),
                          runtime_versions(), builder_id(os.environ), _lock(declared))  # fmt: skip
    return Release(
        product,
        builds,
        files,
        tuple(row for row in FORMATS if row.name in values["formats"]),
        under,
    )


def _lock(declared: DeclaredRelease) -> tuple[str, str] | None:
    """Return the lock of a release, with its digest."""
    if declared.lock is None:
        return None
    return source_name(declared.lock), digest_bytes(read_node(declared.lock)).hash


def _cache(space: Workspace) -> str:
    """Return which caches could be read."""
    if space.settings.distrusts_caches:
        return "off"
    local = [] if space.settings.variables["cache"] == "off" else ["of this machine"]
    remote = find_remote(space.root, space.settings.variables)
    writers = ", ".join(sorted(remote.trust.trusted))
    return "; ".join([*local, *([f"remote, signed by {writers}"] if remote.reads else [])])


def _report(
    space: Workspace, files: Iterable[str], revision: Revision | None, key: SigningKey | None
) -> None:
    """Say what there is now."""
    for name in sorted(files):
        space.console.say(f"{RELEASES}/{name}")
    commit = f"commit {revision.commit[:12]}" if revision else "no commit"
    changed = ", changed since" if revision and revision.changed else ""
    signed = f"signed by {key.public.key_id[:16]}" if key else "not signed"
    space.console.say(f"released from {commit}{changed}; {signed}")
