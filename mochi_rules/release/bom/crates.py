"""The crates that a launcher is made of, with their licences, as cargo knows them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules import __version__
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import write_atomic
from mochi_rules.base.printable import output_notes
from mochi_rules.platforms.native_files import (
    digest_path,
    find_tool,
    is_intact,
    native_digest,
    native_directory,
    native_sources,
)
from mochi_rules.release.build_record import Crate
from mochi_rules.release.document import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mochi_rules.platforms.platform import Platform

_LAUNCHER = "launcher"
_TEXTS = ("LICEN", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")  # begin names of files
_LOCKED = re.compile(r'name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "(.+)"')


def launcher_crates(platform: Platform) -> tuple[Crate, ...]:
    """Return the crates in the launcher of a platform, by name and version.

    They are kept beside the launcher; cargo is asked for them once.

    Emits: R023 (cargo is missing, or fails).
    """
    path = crates_path(platform)
    if is_intact(path):
        data = path.read_bytes()
    else:
        found = [_fields(crate) for crate in _ask_cargo(platform)]
        data = document(found)
        write_atomic(path, data)
        write_atomic(digest_path(path), digest_bytes(data).hash.encode())
    return tuple(
        Crate(item["name"], item["version"], item["license"], item["checksum"],
              tuple(item["texts"]))
        for item in json.loads(data)
    )  # fmt: skip


def crates_path(platform: Platform) -> Path:
    """Return the file that keeps the crates of a platform's launcher."""
    return find_tool(f"crates-{platform.name}-{native_digest()}.json")


def own_part() -> Crate:
    """Return what every program has of ours, the launcher and the runtime library, like a crate.

    Emits: R023 (the installation is incomplete).
    """
    native = native_directory()
    path = native.parents[1] / "LICENSE" if native else None  # in checkouts and installations
    if path is None or not path.is_file():
        help_ = "run `pip install --force-reinstall mochi-rules`"
        raise environment_error("R023", "the licence of mochi_rules is not installed", help=help_)
    return Crate("mochi_rules", __version__, "MIT", "", (path.read_text("utf-8"),))


def third_party_text(ours: Crate, crates: Iterable[Crate]) -> str:
    """Return the licences of all, each text once below the names of those that it is for."""
    crates = tuple(crates)
    by_license = {crate.license: crate.texts for crate in crates if crate.texts}
    named: dict[str, list[str]] = {}
    for crate in (ours, *crates):
        # A crate without a file of its own has the text that others of the same licence have.
        for text in crate.texts or by_license.get(crate.license, ()):
            named.setdefault(text, []).append(f"{crate.name} {crate.version} ({crate.license})")
    rule = "=" * 80
    parts = ["\n".join([rule, *names, rule, "", text.strip(), ""]) for text, names in named.items()]
    head = "The programs contain these libraries, under these licences.\n"
    return "\n".join([head, *parts])


def _fields(crate: Crate) -> dict[str, object]:
    return {
        "name": crate.name,
        "version": crate.version,
        "license": crate.license,
        "checksum": crate.checksum,
        "texts": list(crate.texts),
    }


def _ask_cargo(platform: Platform) -> list[Crate]:
    metadata = _metadata(platform)
    packages = {package["id"]: package for package in metadata["packages"]}
    lock = native_sources()["Cargo.lock"].decode()
    checksums = {(name, version): checksum for name, version, checksum in _LOCKED.findall(lock)}
    found = [packages[id_] for id_ in _linked(metadata, packages)]
    found.sort(key=lambda package: (package["name"], package["version"]))
    return [_crate(package, checksums) for package in found if package["source"]]


def _crate(package: Mapping[str, Any], checksums: Mapping[tuple[str, str], str]) -> Crate:
    folder = Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.name.upper().startswith(_TEXTS))
    texts = tuple(path.read_text("utf-8", "replace") for path in files if path.is_file())
    # Old crates separate alternatives by a slash.
    license_ = re.sub(r"\s*/\s*", " OR ", package["license"] or "NOASSERTION")
    name, version = package["name"], package["version"]
    return Crate(name, version, license_, checksums.get((name, version), ""), texts)


def _linked(metadata: Mapping[str, Any], packages: Mapping[str, Any]) -> set[str]:
    """Return the packages that are in the launcher: not those that only build it."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    pending = [id_ for id_, package in packages.items() if package["name"] == _LAUNCHER]
    found: set[str] = set()
    while pending:
        id_ = pending.pop()
        kinds = {kind for target in packages[id_]["targets"] for kind in target["kind"]}
        if id_ in found or "proc-macro" in kinds:
            continue
        found.add(id_)
        pending += [
            dep["pkg"]
            for dep in nodes[id_]["deps"]
            if any(kind["kind"] is None for kind in dep["dep_kinds"])
        ]
    return found


def _metadata(platform: Platform) -> dict[str, Any]:
    """Return what `cargo metadata` prints.

    Emits: R023.
    """
    triple = platform.launchers[0].triple
    command = ("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform",
               triple)  # fmt: skip
    root = native_directory()
    notes: tuple[str, ...] = ("cargo is not installed",)
    if root is not None:
        try:
            done = subprocess.run(
                command, cwd=root / _LAUNCHER, env=os.environ, capture_output=True, check=False
            )
        except OSError:
            pass
        else:
            if done.returncode == 0:
                found: dict[str, Any] = json.loads(done.stdout)
                return found
            notes = output_notes("cargo", done.stderr.decode("utf-8", "replace"))
    raise environment_error(
        "R023",
        f"the licences of the launcher's crates for `{platform.name}` are not known here",
        notes=notes,
        help="install Rust from https://rustup.rs, or run `pip install 'mochi-rules[targets]'`",
    )
