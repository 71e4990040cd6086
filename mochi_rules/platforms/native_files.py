"""Where the sources of the native tools lie, and where the tools lie once they are built."""

from __future__ import annotations

import hashlib
import sysconfig
from functools import cache
from pathlib import Path

from mochi_rules.base.diagnostic import environment_error

_SKIPPED = ("target", "__pycache__")  # what builds leave behind
_DIGITS = 16  # hexadecimal, of a digest of sources

# The folders below `toolchains` with the Rust programs, and what is in each: a workspace of its
# own, so that a change in one leaves the programs of the other as they are.
NATIVE, CLIF = "native", "clif"
_SOURCES = {
    NATIVE: ("Cargo.toml", "Cargo.lock", "build.rs", "zig-cc", "aot-worker", "launcher"),
    CLIF: ("Cargo.toml", "Cargo.lock", "src"),
}
AOT_WORKER, CLIF_WORKER, LAUNCHER = "aot-worker", "clif-worker", "launcher"
_TREES = {AOT_WORKER: NATIVE, CLIF_WORKER: CLIF, LAUNCHER: NATIVE}


@cache
def native_directory(tree: str = NATIVE) -> Path | None:
    """Return `toolchains/TREE` of a checkout or of an installation, or None when it is nowhere.

    `toolchains/versions.toml` is in its parent.
    """
    checkout = Path(__file__).resolve().parents[2] / "toolchains" / tree
    installed = Path(sysconfig.get_path("data"), "share", "mochi_rules", "toolchains", tree)
    return next((path for path in (checkout, installed) if path.is_dir()), None)


@cache
def native_sources(tree: str = NATIVE) -> dict[str, bytes]:
    """Return the sources of the Rust programs, by path from `native_directory`, if any."""
    root = native_directory(tree)
    if root is None:
        return {}
    paths = [path for name in _SOURCES[tree] for path in _files(root / name)]
    names = [path.relative_to(root).as_posix() for path in paths]
    return {
        name: (root / name).read_bytes()
        for name in names
        if not set(_SKIPPED).intersection(name.split("/"))
    }


def _files(path: Path) -> list[Path]:
    return sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]


def c_sources(*names: str, tree: str = NATIVE, folder: str = "bundle") -> dict[str, Path]:
    """Return the files of the C programs in a folder of a tree by name.

    Emits: C030.

    Raises:
        MochiError: They are neither in a checkout nor installed.
    """
    root = native_directory(tree)
    paths = {name: root / folder / name for name in names} if root else {}
    if paths and all(path.is_file() for path in paths.values()):
        return paths
    raise environment_error(
        "C030", f"`toolchains/{tree}/{folder}` is missing", help="run `pip install mochi-rules`"
    )


@cache
def native_digest(tree: str = NATIVE) -> str:
    """Return what changes whenever a source of the Rust programs does."""
    state = hashlib.sha256()
    for name, data in native_sources(tree).items():
        state.update(f"{name}\0{len(data)}\0".encode() + data)
    return state.hexdigest()[:_DIGITS]


@cache
def pinned_wasmtime() -> str:
    """Return the version of Wasmtime that `Cargo.lock` pins, or an empty string."""
    lock = native_sources().get("Cargo.lock", b"").decode()
    _, _, rest = lock.partition('name = "wasmtime"\nversion = "')
    return rest.partition('"')[0]


def work_directory() -> Path:
    """Return where tools are being built for this user: what is there may be deleted any time."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - takes 3 ms

    return user_cache_path("mochi_rules-cargo", appauthor=False)


def tools_directory() -> Path:
    """Return where tools are kept that were built or fetched for this user."""
    from platformdirs import user_data_path  # noqa: PLC0415 - takes 3 ms

    return user_data_path("mochi_rules", appauthor=False) / "tools"


def tool_name(program: str, platform: str) -> str:
    """Return what a program of this version is called once it is built."""
    return f"{program}-{platform}-{native_digest(_TREES[program])}"


def find_tool(name: str) -> Path:
    """Return where a tool of a name is kept for this user, or where a Python package has put it.

    It need not be there. What the user has built goes before what a package brings.
    """
    own = tools_directory() / name
    packaged = Path(sysconfig.get_path("data"), "share", "mochi_rules", "tools", name)
    return packaged if not own.exists() and is_intact(packaged) else own


def digest_path(tool: Path) -> Path:
    """Return the file beside a tool that holds its SHA-256."""
    return tool.with_name(f"{tool.name}.sha256")


def is_intact(tool: Path) -> bool:
    """Return whether a tool is there as it was built."""
    try:
        digest = hashlib.sha256(tool.read_bytes()).hexdigest()
        return digest_path(tool).read_bytes().strip() == digest.encode()
    except OSError:
        return False
