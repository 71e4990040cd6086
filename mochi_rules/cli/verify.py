"""`mochi-rules verify`: a file by its structure, or an archive by its provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.cli.options import COLOR, TARGET, Option, Verb

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed

_OF_RELEASES = ("source", "key", "policy")


def verify_file(parsed: Parsed) -> int:
    """Verify a file, as `verify_release` with `--provenance`, and else as `verify_structure`.

    Emits: B052 (an option that needs `--provenance`).
    """
    # Each loads for 100 ms what the other does not need.
    if parsed.has("provenance"):
        from mochi_rules.cli.verify_release import verify_release  # noqa: PLC0415

        return verify_release(parsed)
    for name in _OF_RELEASES:
        if parsed.has(name):
            help_ = "write `--provenance FILE`, where FILE is the `.intoto.jsonl` of the release"
            raise fail("B052", f"`--{name}` needs `--provenance`", help=help_)
    from mochi_rules.cli.verify_structure import verify_structure  # noqa: PLC0415

    return verify_structure(parsed)


VERB = Verb(
    "verify",
    "verify FILE [OPTIONS]",
    "Check the structure of an artifact, alone or in an object or an executable; print every check "
    "that fails, and exit with status 1. Only a digest detects every change: see "
    "docs/verification.md. With `--provenance`, check an archive of a release: from the signature "
    "to the sources.",
    verify_file,
    (
        TARGET,
        Option(
            "provenance", "the `.intoto.jsonl` of the release that FILE is an archive of", "FILE"
        ),
        Option("source", "the repository to compare the sources with", "DIR"),
        Option("key", "the public key that must have signed the provenance", "FILE"),
        Option("policy", "what is accepted: signers, builder, source, Wasmtime", "FILE"),
        COLOR,
    ),
)
