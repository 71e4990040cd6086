"""`mochi-rules verify --provenance`: an archive of a release, from its signature to its sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.files import read_input
from mochi_rules.cli.shown import show
from mochi_rules.cli.usage import table
from mochi_rules.release.policy import Policy, Signer, read_policy
from mochi_rules.release.source import source_reader
from mochi_rules.release.verify import read_provenance, verify_archive

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def verify_release(parsed: Parsed) -> int:
    """Verify an archive against its provenance.

    Emits: B010, R003, R008 to R022, R025, R026, R032.
    """
    path, provenance = Path(parsed.operands[0]), Path(parsed.get("provenance"))
    statements = read_provenance(str(provenance), read_input(provenance))
    source = parsed.get("source")
    read = source_reader(Path(source)) if source else None
    found = verify_archive(path.name, read_input(path), statements, _policy(parsed), read)
    show(found.warnings)
    sys.stdout.write(f"{path.name}: verified\n{table(found.rows)}")
    return 0


def _policy(parsed: Parsed) -> Policy:
    """Return what the options ask for; a key is trusted besides those of the policy.

    Emits: B010, B011, R008, R022.
    """
    policy = read_policy(Path(parsed.get("policy"))) if parsed.has("policy") else Policy()
    if not parsed.has("key"):
        return policy
    from mochi_rules.base.dataclass import replace  # noqa: PLC0415 - of this option only
    from mochi_rules.signing.keys import load_public_key  # noqa: PLC0415 - an extra

    name = parsed.get("key")
    return replace(policy, signers=(*policy.signers, Signer(name, load_public_key(Path(name)))))
