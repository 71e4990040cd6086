"""A release made up for tests: one program, whose steps, artifact and launcher fit together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.append import attach
from mochi_rules.aot.executable.payload import make_payload
from mochi_rules.base.digest import digest_bytes
from mochi_rules.platforms.platform import find_platform
from mochi_rules.project.configuration import find_configurations
from mochi_rules.release.archives.formats import FORMATS
from mochi_rules.release.assemble import Release, assemble
from mochi_rules.release.build_record import Build, Crate, StepRecord
from mochi_rules.release.contents import PROGRAM_MODE, File, Product
from mochi_rules.release.provenance import Circumstances
from mochi_rules.release.revision import Revision
from mochi_rules.steps.step import CWASM, LAUNCHER, WASM

if TYPE_CHECKING:
    from mochi_rules.signing.keys import SigningKey

SOURCE, WASM_BYTES, ARTIFACT, LAUNCHER_BYTES = b"print(1)\n", b"wasm", b"artifact", b"launcher"
SOURCE_PATH = "app/app.mochi"
COMMIT = "c0ffee" + 34 * "0"
ARCHIVE, PROVENANCE = "app-1.2.0-x86_64-linux.tar.gz", "app-1.2.0.intoto.jsonl"
TOOLS = {"aot": "0.1.0 abc", "wasmtime": "48.0.0"}
CRATES = (
    Crate("anyhow", "1.0.0", "MIT OR Apache-2.0", 64 * "a", ("The MIT License",)),
    Crate("wasmtime", "48.0.8", "Apache-2.0 WITH LLVM-exception", 64 * "b", ("Apache",)),
    Crate("wasmtime-core", "48.0.8", "Apache-2.0 WITH LLVM-exception", 64 * "c", ()),
)


def program(artifact: bytes = ARTIFACT) -> bytes:
    """Return an executable for Linux."""
    settings = find_configurations("x86_64-linux")[0].launch()
    return attach(LAUNCHER_BYTES, make_payload(artifact, settings))


def step(
    output: str, data: bytes, verb: str, inputs: dict[str, bytes], sources: dict[str, bytes]
) -> StepRecord:
    """Return the record of a step from the contents of its files."""
    digests = {name: digest_bytes(content).hash for name, content in inputs.items()}
    own = {name: digest_bytes(content).hash for name, content in sources.items()}
    key = digest_bytes(verb.encode()).hash
    tools = TOOLS if verb == "aot" else {}
    made = digest_bytes(data).hash
    return StepRecord(output, made, verb, key, ("--x=y",), tools, digests, own, is_restored=False)


def build() -> Build:
    """Return what was built of one program."""
    executable = program()
    steps = (
        step("app", executable, "exe", {CWASM: ARTIFACT, LAUNCHER: LAUNCHER_BYTES}, {}),
        step("app.cwasm", ARTIFACT, "aot", {WASM: WASM_BYTES}, {}),
        step("app.wasm", WASM_BYTES, "mochi", {SOURCE_PATH: SOURCE}, {SOURCE_PATH: SOURCE}),
    )
    programs = (File("app", executable, PROGRAM_MODE),)
    return Build(find_platform("x86_64-linux"), programs, LAUNCHER_BYTES, CRATES, steps)


def revision(*changed: str) -> Revision:
    """Return a state of the source."""
    return Revision(COMMIT, 1_700_000_000, changed, "refs/heads/main", "https://x.org/app.git", "")


def release(*formats: str, built: Build | None = None, state: Revision | None = None) -> Release:
    """Return the release of the program."""
    product = Product("app", "1.2.0", 1_700_000_000, "An app", "MIT", "A <a@x.org>")
    tools = {"mochi-rules": "0.1.0", "wasmtime": "48.0.0"}
    under = Circumstances(
        "//app:app", state or revision(), {"mode": ""}, "off", tools, {}, "urn:test"
    )
    rows = tuple(row for row in FORMATS if row.name in (formats or ("tar.gz",)))
    files = (File("LICENSE", b"MIT\n"),)
    return Release(product, (built or build(),), files, rows, under)


def files(key: SigningKey | None = None, **changes: object) -> dict[str, bytes]:
    """Return the files of the release."""
    return assemble(replace(release(), **changes), key)
