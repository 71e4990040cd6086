"""`mochi-rules run`: compile through the cache, and be the program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.run import Guest, run_cwasm
from mochi_rules.base.dataclass import replace
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import CACHE, COLOR, CPU, ENGINE, MODE, OPTIMIZE, Option, Parsed, Verb
from mochi_rules.project.folder import locate
from mochi_rules.steps.run_cache import Recalled, Shortcut

if TYPE_CHECKING:
    from mochi_rules.aot.executable.settings import Directory
    from mochi_rules.cli.options import Parsed


_LEVEL = 1  # of optimization: what is compiled to run once must be compiled fast


def run(parsed: Parsed) -> int:
    """Run a program, and return its exit status."""
    if parsed.has("native"):
        from mochi_rules.cli.native_run import run_native  # noqa: PLC0415 - of this backend only

        return run_native(parsed)
    path = Path(parsed.operands[0])
    root = cache_root(parsed)
    folder, name = locate(path, Path.cwd())
    profile = _profile(parsed)
    settings = (parsed.get(option.name) for option in (MODE, OPTIMIZE, CPU))
    words = (name, *settings, *map(repr, profile.items()))
    shortcut = Shortcut(root, words, folder.root)
    recalled = _find(shortcut) or _make(parsed, path, shortcut)
    argv = (path.stem, *parsed.arguments)
    # What cannot be passed to a program is not its problem.
    env = tuple(item for item in os.environ.items() if _is_text("".join(item)))
    directories, limits = _settings(parsed, has_profile=bool(profile))
    guest = Guest(argv, env, directories, limits)
    result = run_cwasm(*recalled[:2], guest, recalled.lines)
    if result.trap is not None:
        from mochi_rules.cli.shown import show  # noqa: PLC0415 - of this error only

        show([result.trap])
    return result.status


def _profile(parsed: Parsed) -> dict[str, object]:
    if not parsed.has("engine"):
        return {}
    from mochi_rules.cli.session import profile_of  # noqa: PLC0415 - few programs have one

    return profile_of(parsed)


def _settings(parsed: Parsed, *, has_profile: bool) -> tuple[tuple[Directory, ...], dict[str, int]]:
    """Return what the program may use: directories, and limits by name."""
    directories: tuple[Directory, ...] = ()
    if parsed.has("dir"):
        from mochi_rules.aot.executable.settings import Directory  # noqa: PLC0415 - as above

        directories = (Directory(".", ".", "rw"),)
    if not has_profile:
        return directories, {}
    from mochi_rules.cli.session import configuration_of  # noqa: PLC0415 - as above

    run_settings = configuration_of(parsed).run()
    return (*directories, *run_settings.directories), run_settings.limits


def _find(shortcut: Shortcut) -> Recalled | None:
    try:
        return shortcut.find()
    except MochiError:  # the pipeline warns of a cache that must not be used, and does without
        return None


def _make(parsed: Parsed, path: Path, shortcut: Shortcut) -> Recalled:
    """Take a program through the pipeline."""
    # What is loaded here takes longer than all of a warm run.
    from mochi_rules.platforms.platform import host_platform  # noqa: PLC0415
    from mochi_rules.steps.engines.lazy_engines import LazyEngines  # noqa: PLC0415

    engines = LazyEngines(host_platform())
    if path.suffix != ".cwasm":
        engines.start()  # mostly needed, and it takes a while
    from mochi_rules.aot.config import canonical  # noqa: PLC0415
    from mochi_rules.cli.products import Products  # noqa: PLC0415
    from mochi_rules.cli.session import configuration_of, open_pipeline  # noqa: PLC0415

    configuration = configuration_of(parsed)
    if not parsed.has("optimize"):
        level = min(_LEVEL, configuration.optimize)
        configuration = replace(configuration, optimize=level)
    with open_pipeline(cache_root(parsed), engines) as pipeline:
        products = Products(path, Path.cwd(), pipeline, configuration)
        artifact = products.artifact()
        recalled = Recalled(artifact, canonical(products.config), products.lines())
        shortcut.keep(products.read, recalled)
    return recalled


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


VERB = Verb(
    "run",
    "run FILE [OPTIONS] [-- ARGUMENTS]",
    "Run a `.mochi`, `.wasm`, `.wat` or `.cwasm`. Exits with the status of the program.",
    run,
    (
        MODE,
        OPTIMIZE,
        CPU,
        ENGINE,
        Option("dir", "let the program use the files of this directory"),
        Option("native", "link the program and run it without Wasmtime: no sandbox, no limits"),
        CACHE,
        COLOR,
    ),
    takes_arguments=True,
)
