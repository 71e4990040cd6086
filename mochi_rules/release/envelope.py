"""Signed envelopes, one a line: https://github.com/secure-systems-lab/dsse."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.release.document import line

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.signing.keys import PublicKey, SigningKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its signatures: the id of a key, and what it made."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def is_signed_by(self, key: PublicKey) -> bool:
        """Return whether a key has signed the payload."""
        signed = _encoding(self.payload)
        return any(key.verify(signature, signed) for _, signature in self.signatures)


def seal(payload: bytes, key: SigningKey | None) -> bytes:
    """Return an envelope as one line; without a key, it has no signature."""
    signatures = []
    if key is not None:
        signature = key.sign(_encoding(payload))
        signatures = [{"keyid": key.public.key_id, "sig": _base64(signature)}]
    fields = {"payload": _base64(payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
    return line(fields) + b"\n"


def open_envelope(name: str, data: bytes) -> Envelope:
    """Read a line; `name` is what messages call its file.

    Emits: R010 (not an envelope of a statement).
    """
    try:
        fields: dict[str, Any] = json.loads(data)
        if fields["payloadType"] != PAYLOAD_TYPE:
            raise malformed(name, "its payload is of another type")
        signatures = tuple(
            (str(item.get("keyid", "")), base64.b64decode(item["sig"], validate=True))
            for item in fields["signatures"]
        )
        return Envelope(base64.b64decode(fields["payload"], validate=True), signatures)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        raise malformed(name, "a line is not a DSSE envelope") from None


def malformed(name: str, why: str) -> MochiError:
    """Make the error of a file that cannot be the provenance of a release.

    Emits: R010.
    """
    help_ = "name the `.intoto.jsonl` of the release"
    return fail("R010", f"`{name}` is not the provenance of a release: {why}", help=help_)


def _encoding(payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
