"""Under what a release is built, as far as this process can see."""

from __future__ import annotations

import platform
import zlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from mochi_rules.base.zstandard import load_zstd
from mochi_rules.release.provenance import LOCAL_BUILDER
from mochi_rules.release.revision import own_commit
from mochi_rules.steps.identity import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGES = ("mochi-rules", "scons", "wasmtime", "pyelftools", "platformdirs", "backports.zstd",
             "rpm-rs")  # fmt: skip


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that take part, those that are installed."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def runtime_versions() -> dict[str, str]:
    """Return the versions of what archives depend on, and packages bring unseen.

    Of a checkout of ours, the version says less than the commit.
    """
    found = {"commit of mochi_rules": own_commit(PACKAGE)}
    found |= {"python": platform.python_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION}
    if zstd := load_zstd():
        found["zstd"] = zstd.zstd_version
    return {name: version for name, version in found.items() if version}


def builder_id(environment: Mapping[str, str]) -> str:
    """Return the builder: the workflow of a host that identifies it, or a local machine."""
    if workflow := environment.get("GITHUB_WORKFLOW_REF"):
        return f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{workflow}"
    if project := environment.get("CI_PROJECT_URL"):
        return f"{project}//.gitlab-ci.yml@{environment.get('CI_COMMIT_REF_NAME', '')}"
    return LOCAL_BUILDER
