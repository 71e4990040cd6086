"""What a release is made of, as a graph of components."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from mochi_rules import __version__
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.build_record import chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mochi_rules.release.build_record import Build, Crate
    from mochi_rules.release.contents import File

_RUSTC = re.compile(rb"/rustc/([0-9a-f]{40})/")  # in the paths of panics of Rust's library


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a release.

    `kind` is a type of CycloneDX. `ref` names it in the document, and `needs` has the `ref` of all
    parts that it has or is made of.
    """

    kind: str
    ref: str
    name: str
    version: str = ""
    license: str = ""
    sha256: str = ""
    purl: str = ""
    needs: tuple[str, ...] = ()


_PURL = f"pkg:pypi/mochi-rules@{__version__}"
_WASMTIME = "Apache-2.0 WITH LLVM-exception"
_COMPILER = Component("application", _PURL, "mochi-rules", __version__, "MIT", purl=_PURL)


def components(
    product: str, builds: Iterable[Build], archives: Mapping[str, Mapping[str, str]]
) -> list[Component]:
    """Return the components of a release; the first is the product.

    `archives` has the digests of the archives by name, for each platform by name.
    """
    found = {_COMPILER.ref: _COMPILER}

    def add(items: Iterable[Component]) -> tuple[str, ...]:
        refs = {item.ref: item for item in items}
        found.update(refs)
        return tuple(refs)

    needs: tuple[str, ...] = ()
    for build in builds:
        parts = add([*map(_crate, build.crates), *_rust(build.launcher)])
        launcher = add([_launcher(build, parts)])
        sources = {file.path: add([*_wasmtime(build, file), *_sources(build, file)])
                   for file in build.programs}  # fmt: skip
        programs = add(
            _program(build, file, (_COMPILER.ref, *launcher, *sources[file.path]))
            for file in build.programs
        )
        needs += add(
            Component("file", f"archive:{name}", name, sha256=digest, needs=programs)
            for name, digest in archives[build.platform.name].items()
        )
    return [Component("application", f"product:{product}", product, needs=needs),
            *(found[ref] for ref in sorted(found))]  # fmt: skip


def _program(build: Build, file: File, needs: tuple[str, ...]) -> Component:
    ref = f"program:{build.platform.name}/{file.path}"
    digest = digest_bytes(file.data).hash
    return Component("application", ref, file.path, sha256=digest, needs=needs)


def _sources(build: Build, file: File) -> list[Component]:
    """Return the sources of a program, Mochi or foreign WebAssembly."""
    steps = chain(build.steps, digest_bytes(file.data).hash)
    found = {path: digest for step in steps for path, digest in step.sources.items()}
    return [Component("file", f"source:{path}", path, sha256=digest)
            for path, digest in sorted(found.items())]  # fmt: skip


def _wasmtime(build: Build, file: File) -> Iterator[Component]:
    """Give the Wasmtime that compiled a program: not the one in its launcher, which runs it."""
    for step in chain(build.steps, digest_bytes(file.data).hash):
        if version := step.tools.get("wasmtime"):
            purl = f"pkg:github/bytecodealliance/wasmtime@v{version}"
            yield Component("application", purl, "wasmtime", version, _WASMTIME, purl=purl)


def _launcher(build: Build, needs: tuple[str, ...]) -> Component:
    name = f"launcher-{build.platform.name}"
    digest = digest_bytes(build.launcher).hash
    return Component("application", name, name, __version__, "MIT", digest, needs=needs)


def _crate(crate: Crate) -> Component:
    purl = f"pkg:cargo/{quote(crate.name)}@{quote(crate.version)}"
    return Component(
        "library", purl, crate.name, crate.version, crate.license, crate.checksum, purl
    )


def _rust(launcher: bytes) -> list[Component]:
    """Return Rust's library, by the commit that paths in a launcher name."""
    if not (commit := _RUSTC.search(launcher)):
        return []
    version = commit[1].decode()
    purl = f"pkg:github/rust-lang/rust@{version}"
    return [Component("library", purl, "rust-std", version, "MIT OR Apache-2.0", purl=purl)]
