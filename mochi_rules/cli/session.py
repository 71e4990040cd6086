"""What the verbs share: the configuration, the cache, the pipeline, and how errors are shown."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.cache.directory import Layout
from mochi_rules.cli.options import (
    AOT,
    CACHE,
    COLOR,
    CPU,
    ENGINE,
    MODE,
    OPTIMIZE,
    TARGET,
    TOOLCHAIN,
)
from mochi_rules.cli.shown import show
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.caches import find_remote, open_cache
from mochi_rules.steps.engines.kept_runtime import KeptRuntime
from mochi_rules.steps.identity import Identities
from mochi_rules.steps.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.cli.options import Parsed
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.engines.lazy_engines import LazyEngines
    from mochi_rules.steps.tools.tool_choice import Toolchains

BUILDING = (TARGET, MODE, OPTIMIZE, CPU, ENGINE, TOOLCHAIN, AOT, CACHE, COLOR)


def configuration_of(parsed: Parsed) -> Configuration:
    """Return the configuration that the options ask for.

    Emits: B004, B028, B029, B052 (several platforms), C010 to C013.
    """
    values = (parsed.get("target"), parsed.get("mode"), parsed.get("cpu"))
    found = find_configurations(*values, profile_of(parsed), optimize=parsed.get("optimize"))
    if len(found) > 1:
        message = "`--target` names one platform at a time"
        raise fail("B052", message, help=f"write `--target {found[0].platform.name}`")
    return found[0]


def profile_of(parsed: Parsed) -> dict[str, object]:
    """Return the settings of the profile that the options name, if they do.

    Emits: B028, B029.
    """
    name = parsed.get("engine")
    if not name:
        return {}
    from mochi_rules.project.profiles import Profiles  # noqa: PLC0415 - few programs have one

    return Profiles(Path.cwd()).find(name)


def toolchains_of(parsed: Parsed) -> Toolchains | None:
    """Return the toolchains that the options allow; None if they restrict nothing."""
    policy, path = parsed.get("toolchain"), parsed.get("aot")
    if not policy and not path:
        return None
    from mochi_rules.steps.tools.tool_choice import Toolchains  # noqa: PLC0415 - mostly not needed

    absolute = str(Path(path).expanduser().absolute()) if path else ""
    return Toolchains((), absolute, policy or "auto")


@contextmanager
def open_pipeline(root: Path | None, engines: LazyEngines) -> Iterator[Pipeline]:
    """Give a pipeline with the cache in a directory; at the end, report what is wrong with it.

    The environment and `mochi.toml` may name a remote cache.

    Emits: B010, B011, B028, K020.
    """
    remote = find_remote(Path.cwd(), {})
    identities = Identities(Layout(root).identities if root else None)
    if root:
        engines.use(KeptRuntime(root, identities))
    cache = open_cache(root, remote, lambda _line: None)
    pipeline = Pipeline(cache, engines, identities, remote.namespace)
    try:
        yield pipeline
    finally:
        pipeline.engines.close()
        pipeline.cache.flush()
        show(pipeline.cache.warnings)
