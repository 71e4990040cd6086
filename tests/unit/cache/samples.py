"""A step with its outputs, for tests and for the processes that tests start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.cache.key import ActionSpec, PreparedAction, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.base.digest import Digest

OUTPUTS = {"app/hello.cwasm": b"\x00asm" * 1000, "app/hello.map": b"map"}


def make_action(name: str = "hello") -> PreparedAction:
    """Return a step with the output paths of OUTPUTS; each name has a key of its own."""
    return prepare(
        ActionSpec(
            mnemonic="aot",
            arguments=("--opt=speed", name),
            inputs={"app/hello.wasm": b"wasm"},
            tools={"wasmtime": "48.0.0"},
            output_paths=tuple(OUTPUTS),
        )
    )


def blob_path(root: Path, digest: Digest) -> Path:
    """Return where the format says that a blob lies."""
    return root / "v1" / "cas" / digest.hash[:2] / digest.hash


def result_path(root: Path, action: PreparedAction) -> Path:
    """Return where the format says that the result of a step lies."""
    return root / "v1" / "ac" / action.key.hash[:2] / action.key.hash


def overwrite(path: Path, data: bytes) -> None:
    """Change a file of the cache in place, as a bad disk would."""
    path.chmod(0o644)
    path.write_bytes(data)
