"""`mochi-rules key`: makes the keys that releases are signed with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.cli.options import COLOR, Verb
from mochi_rules.cli.usage import table
from mochi_rules.signing.keys import write_key_pair
from mochi_rules.signing.minisign import public_key_line

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def make_key(parsed: Parsed) -> int:
    """Make a pair of keys.

    Emits: R007 (there is a file already), R009.
    """
    name = parsed.operands[0]
    public = write_key_pair(Path(name))
    rows = [
        ("secret key", name),
        ("public key", f"{name}.pub"),
        ("key id", public.key_id),
        ("for minisign", public_key_line(public)),
    ]
    sys.stdout.write(table(rows))
    return 0


VERB = Verb(
    "key",
    "key FILE",
    "Make an Ed25519 key that signs releases: the secret key in FILE, the public key in FILE.pub.",
    make_key,
    (COLOR,),
)
