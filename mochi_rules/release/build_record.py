"""What was built for a release, and how: the steps with everything that their keys hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.steps.step import CWASM, WASM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.release.contents import File


@dataclass(frozen=True, slots=True)
class Crate:
    """A crate: `license` is an SPDX expression, `checksum` the SHA-256 of its package."""

    name: str
    version: str
    license: str
    checksum: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that ran: what it made, and what decided that; digests are SHA-256 in hexadecimal.

    `output` is the path of what it made, below the output directory of its configuration.
    `inputs` are named as in its key, and `sources` are those of them that nothing made, by their
    path in the workspace. `is_restored` says that a cache had the output.
    """

    output: str
    sha256: str
    verb: str
    key: str
    arguments: tuple[str, ...]
    tools: Mapping[str, str]
    inputs: Mapping[str, str]
    sources: Mapping[str, str]
    is_restored: bool


@dataclass(frozen=True, slots=True)
class Build:
    """All that was built for one platform; `programs` are the executables."""

    platform: Platform
    programs: tuple[File, ...]
    launcher: bytes
    crates: tuple[Crate, ...]
    steps: tuple[StepRecord, ...]


def chain(steps: Sequence[StepRecord], sha256: str) -> Iterator[StepRecord]:
    """Give the step that made an executable, and from there back those of its artifact and wasm."""
    makers = {step.sha256: step for step in steps}
    while step := makers.pop(sha256, None):  # no step comes twice, whatever a statement says
        yield step
        sha256 = step.inputs.get(CWASM) or step.inputs.get(WASM, "")


def sources_of(steps: Sequence[StepRecord]) -> dict[str, str]:
    """Return the digests of all sources by path."""
    found = {path: digest for step in steps for path, digest in step.sources.items()}
    return dict(sorted(found.items()))
