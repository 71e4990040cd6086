"""The cache of a build: a directory, and then a server, where one is named."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from mochi_rules.cache.cache import Cache
from mochi_rules.cache.limits import find_limits
from mochi_rules.project.project_file import read_project
from mochi_rules.remote.settings import SECTION, RemoteSettings, remote_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.messages import ActionResult
    from mochi_rules.cache.tiers import Tier
    from mochi_rules.remote.settings import Trust
    from mochi_rules.remote.tier import RemoteTier
    from mochi_rules.steps.away.worker import Away


def find_remote(workspace: Path, arguments: Mapping[str, str]) -> RemoteSettings:
    """Return the settings of the remote cache: variables, the environment and `mochi.toml`.

    Emits: B010, B011, B028, K020.

    Raises:
        MochiError: A setting is wrong.
    """
    project = read_project(workspace)
    locate = partial(project.locate, SECTION)
    return remote_settings(arguments, os.environ, project.table(SECTION), workspace, locate)


def open_cache(root: Path | None, remote: RemoteSettings, note: Callable[[str], object]) -> Tier:
    """Return the cache of a build; `note` is called with lines that people should see.

    Emits: K009.

    Raises:
        MochiError: A limit in the environment is wrong.
    """
    trust = remote.trust
    limits = find_limits(os.environ)
    if trust.asks:
        local = Cache(root, limits=limits, accepts=partial(_accepts, trust))
    else:
        local = Cache(root, limits=limits)
    if (address := remote.address) is None:
        return local
    from mochi_rules.cache.tiers import TieredCache  # noqa: PLC0415 - where there are tiers

    def open_shared() -> RemoteTier:
        from mochi_rules.remote.tier import RemoteTier  # noqa: PLC0415 - when it is needed

        return RemoteTier(remote, address, note)

    return TieredCache(local, open_shared)


def find_away(cache: Tier, remote: RemoteSettings) -> Away | None:
    """Return where steps run that do not run here, or None where all do."""
    if not remote.executors:
        return None
    from mochi_rules.cache.tiers import TieredCache  # noqa: PLC0415 - where there are tiers
    from mochi_rules.remote.tier import RemoteTier  # noqa: PLC0415 - as above
    from mochi_rules.steps.away.worker import Away  # noqa: PLC0415 - as above

    assert isinstance(cache, TieredCache)
    assert isinstance(cache.shared, RemoteTier)
    return Away(cache.shared.executor, remote.executors)


def _accepts(trust: Trust, key: Digest, result: ActionResult) -> bool:
    """Return whether to take what the local tier has: what came from a server is judged again."""
    from mochi_rules.remote.trust import has_origin, refusal  # noqa: PLC0415 - where it is asked

    return not has_origin(result) or not refusal(trust, key, result)
