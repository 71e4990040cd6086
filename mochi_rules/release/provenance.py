"""Provenance as SLSA v1 in an in-toto statement; this module alone knows its form.

https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mochi_rules import __version__
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.build_record import StepRecord, sources_of
from mochi_rules.release.document import line
from mochi_rules.release.envelope import malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.release.build_record import Build
    from mochi_rules.release.contents import Product
    from mochi_rules.release.revision import Revision

_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:mochi-rules:release:v1"
_OURS = "mochi_rules"
_LOCK = "requirements"  # what the lock is called among the dependencies
VARIABLES = ("mode", "cpu", "optimize", "engine")  # of the command line: they decide bytes
LOCAL_BUILDER = "urn:mochi-rules:builder:local"


def provenance_name(name: str, version: str) -> str:
    """Return the name of the file that has the provenance of a release."""
    return f"{name}-{version}.intoto.jsonl"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under what a release was built.

    `label` is that of the release. `variables` are those of VARIABLES, `cache` says which caches
    could be read, `tools` has versions by the name of a package, `runtime` those of Python and its
    libraries, and `lock` is a path in the workspace with its SHA-256.
    """

    label: str
    revision: Revision | None
    variables: Mapping[str, str]
    cache: str
    tools: Mapping[str, str]
    runtime: Mapping[str, str]
    builder: str
    lock: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive: its bytes, its digests in hexadecimal, and the SHA-256 of its files by path."""

    data: bytes
    sha256: str
    sha512: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """The parts of a statement that are checked and repeated.

    `subjects` has the SHA-256 and SHA-512 of each archive by name, and `contents` the SHA-256 of
    its files by path. `changed` lists the files that differed from the commit. `runtime` and
    `lock` are as in Circumstances.
    """

    subjects: Mapping[str, tuple[str, str]]
    contents: Mapping[str, Mapping[str, str]]
    steps: tuple[StepRecord, ...]
    programs: Mapping[str, str]
    variables: Mapping[str, str]
    tools: Mapping[str, str]
    name: str
    version: str
    platform: str
    time: int
    commit: str
    changed: tuple[str, ...]
    repository: str
    branch: str
    folder: str
    builder: str
    runtime: Mapping[str, str]
    lock: tuple[str, str] | None

    @property
    def wasmtime_versions(self) -> list[str]:
        """The versions of Wasmtime that compiled it, sorted."""
        return sorted({step.tools["wasmtime"] for step in self.steps if "wasmtime" in step.tools})


def statement(
    product: Product,
    build: Build,
    archives: Mapping[str, Archive],
    under: Circumstances,
) -> bytes:
    """Return the statement of the archives of one platform, by name."""
    revision = under.revision
    external = {
        "release": under.label,
        "name": product.name,
        "version": product.version,
        "platform": build.platform.name,
        "variables": dict(under.variables),
        "source": {
            "repository": revision.repository if revision else "",
            "branch": revision.branch if revision else "",
            "folder": revision.folder if revision else "",
        },
    }
    internal = {
        "time": product.time,
        "cache": under.cache,
        "programs": {file.path: digest_bytes(file.data).hash for file in build.programs},
        "contents": {name: dict(archive.files) for name, archive in archives.items()},
        "steps": [_step(step) for step in build.steps],
    }
    return line(
        {
            "_type": _STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": archive.sha256, "sha512": archive.sha512}}
                for name, archive in sorted(archives.items())
            ],
            "predicateType": _PREDICATE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": external,
                    "internalParameters": internal,
                    "resolvedDependencies": _dependencies(build, under),
                },
                "runDetails": {
                    "builder": {
                        "id": under.builder,
                        "version": {_OURS: __version__, **under.runtime},
                    }
                },
            },
        }
    )  # fmt: skip


def _dependencies(build: Build, under: Circumstances) -> list[dict[str, Any]]:
    """Return what went into a build: the commit, the sources, the launcher, the tools."""
    found: list[dict[str, Any]] = []
    if revision := under.revision:
        uri = f"git+{revision.repository}" + (f"@{revision.branch}" if revision.branch else "")
        found.append(
            {
                "name": "source",
                "uri": uri,
                "digest": {"gitCommit": revision.commit},
                "annotations": {"changed": list(revision.changed)},
            }
        )
    found += [
        {"name": path, "uri": f"source:{path}", "digest": {"sha256": digest}}
        for path, digest in sources_of(build.steps).items()
    ]
    if under.lock:
        path, digest = under.lock
        found.append({"name": _LOCK, "uri": f"source:{path}", "digest": {"sha256": digest}})
    digest = digest_bytes(build.launcher).hash
    found.append({"name": f"launcher-{build.platform.name}", "digest": {"sha256": digest}})
    found += [
        {"name": name, "uri": f"pkg:pypi/{name}@{version}"}
        for name, version in sorted(under.tools.items())
    ]
    return found


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "output": step.output,
        "sha256": step.sha256,
        "step": step.verb,
        "key": step.key,
        "arguments": list(step.arguments),
        "tools": dict(step.tools),
        "inputs": dict(step.inputs),
        "sources": dict(step.sources),
        "restored": step.is_restored,
    }


def read_statement(name: str, payload: bytes) -> Provenance:
    """Return the contents of a statement; `name` is what messages call its file.

    Emits: R010 (not one of ours).
    """
    try:
        return _read(json.loads(payload))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise malformed(name, "a statement has other fields than this version reads") from None


def _read(fields: Any) -> Provenance:
    """Return the contents of the JSON of a statement.

    Raises:
        KeyError: And others: it is not a statement of ours.
    """
    definition = fields["predicate"]["buildDefinition"]
    if (fields["_type"], fields["predicateType"], definition["buildType"]) != (
        _STATEMENT,
        _PREDICATE,
        BUILD_TYPE,
    ):
        raise ValueError("another type")
    external, internal = definition["externalParameters"], definition["internalParameters"]
    dependencies = definition["resolvedDependencies"]
    builder = fields["predicate"]["runDetails"]["builder"]
    source = next((item for item in dependencies if item["name"] == "source"), None)
    lock = next((item for item in dependencies if item["name"] == _LOCK), None)
    tools = (item["uri"].partition("@") for item in dependencies if _is_package(item))
    subjects = {
        _text(item["name"]): (_text(item["digest"]["sha256"]), _text(item["digest"]["sha512"]))
        for item in fields["subject"]
    }
    return Provenance(
        subjects=subjects,
        contents={_text(name): _texts(files) for name, files in internal["contents"].items()},
        steps=tuple(map(_read_step, internal["steps"])),
        programs=_texts(internal["programs"]),
        variables=_read_variables(external["variables"]),
        tools={uri.rpartition("/")[2]: version for uri, _, version in tools},
        name=_text(external["name"]),
        version=_text(external["version"]),
        platform=_text(external["platform"]),
        time=int(internal["time"]),
        commit=_text(source["digest"]["gitCommit"]) if source else "",
        changed=tuple(map(_text, source["annotations"]["changed"])) if source else (),
        repository=_text(external["source"]["repository"]),
        branch=_text(external["source"]["branch"]),
        folder=_text(external["source"]["folder"]),
        builder=_text(builder["id"]),
        runtime={name: text for name, text in _texts(builder["version"]).items() if name != _OURS},
        lock=_read_lock(lock) if lock else None,
    )


def _read_variables(fields: Any) -> dict[str, str]:
    """Return variables of the command line; no others may be given when it is built again."""
    found = _texts(fields)
    if not found.keys() <= set(VARIABLES):
        raise ValueError("another variable")
    return found


def _read_lock(fields: Any) -> tuple[str, str]:
    return _text(fields["uri"]).removeprefix("source:"), _text(fields["digest"]["sha256"])


def _read_step(fields: Any) -> StepRecord:
    return StepRecord(
        output=_text(fields["output"]),
        sha256=_text(fields["sha256"]),
        verb=_text(fields["step"]),
        key=_text(fields["key"]),
        arguments=tuple(map(_text, fields["arguments"])),
        tools=_texts(fields["tools"]),
        inputs=_texts(fields["inputs"]),
        sources=_texts(fields["sources"]),
        is_restored=bool(fields["restored"]),
    )


def _is_package(item: Mapping[str, Any]) -> bool:
    return str(item.get("uri", "")).startswith("pkg:pypi/")


def _texts(values: Any) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value
