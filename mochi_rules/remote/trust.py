"""Who made an entry: signatures by Ed25519, and the writers that a workspace trusts.

A digest proves that bytes are whole, not who made them: whoever may write a cache could put there
what others will run. So a writer signs what binds an entry: the key of the step, everything in
the result that decides what a build takes from it, the writer's name and the time. The signature
travels in the result itself, in `execution_metadata.auxiliary_metadata`, which servers keep.
"""

from __future__ import annotations

import base64
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import replace
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.messages import (
    ActionResult,
    Detail,
    ExecutedActionMetadata,
)
from mochi_rules.cache.store import EMPTY
from mochi_rules.cache.wire import WireError
from mochi_rules.remote.grpc import messages as m
from mochi_rules.remote.settings import KEY_SIZE, PREFIX
from mochi_rules.signing.keys import PublicKey, load_signing_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.base.digest import Digest
    from mochi_rules.remote.settings import Trust
    from mochi_rules.signing.keys import SigningKey

_TYPE = "type.googleapis.com/mochi_rules"
_SIGNATURE, _ORIGIN = f"{_TYPE}.Signature", f"{_TYPE}.Origin"
_PURPOSE = b"mochi_rules result 1"
_DAY = 86_400  # seconds
_SKEW = 600  # seconds that clocks may differ

UNSIGNED, UNKNOWN, REVOKED = "unsigned", "of an unknown writer", "of a revoked writer"
EXPIRED, FORGED = "expired", "wrongly signed"


def refusal(trust: Trust, key: Digest, result: ActionResult) -> str:
    """Return why the result of a step is not believed, or an empty string."""
    if not trust.asks:
        return ""
    signature = _find_signature(result)
    if signature is None:
        return UNSIGNED if trust.trusted or trust.max_age else ""
    if signature.key in trust.revoked.values():
        return REVOKED
    if trust.trusted and trust.trusted.get(signature.writer) != signature.key:
        return UNKNOWN
    signed = signed_bytes(key, result, signature.writer, signature.time)
    if not PublicKey(signature.key).verify(signature.signature, signed):
        return FORGED
    age = time.time() - signature.time
    if age < -_SKEW or (trust.max_age and age > trust.max_age * _DAY):
        return EXPIRED
    return ""


class Signer:
    """Signs entries in the name of a writer."""

    def __init__(self, writer: str, key: SigningKey) -> None:
        self._writer = writer
        self._key = key

    def sign(self, key: Digest, result: ActionResult) -> ActionResult:
        """Return the result of a step with a signature."""
        now = int(time.time())
        signature = self._key.sign(signed_bytes(key, result, self._writer, now))
        message = m.Signature(self._key.public.raw, self._writer, now, signature)
        return _with_detail(result, Detail(_SIGNATURE, m.encode(message)))


def load_signer(path: Path, writers: Mapping[str, bytes]) -> Signer:
    """Return what signs with the key of a file, in the name that readers know it by.

    Where they know none, it is that of the file.

    Emits: B010, R008, R009.

    Raises:
        MochiError: The key cannot be used.
    """
    key = load_signing_key(path)
    names = [name for name, public in writers.items() if public == key.public.raw]
    return Signer(names[0] if names else path.stem, key)


def signed_bytes(key: Digest, result: ActionResult, writer: str, when: int) -> bytes:
    """Return the bytes that a signature covers; each part is preceded by its length.

    What a server may change is left out: where it keeps the messages of a step, what it inlines,
    and how it describes the run.
    """
    stderr = result.stderr_digest or digest_bytes(result.stderr_raw)
    files = sorted(result.output_files, key=lambda file: file.path)
    essence = ActionResult(
        output_files=tuple(replace(file, contents=b"") for file in files),
        output_directories=result.output_directories,
        exit_code=result.exit_code,
        stderr_digest=None if stderr == EMPTY else stderr,
        output_symlinks=result.output_symlinks,
    )
    parts = (_PURPOSE, key.hash.encode(), str(key.size).encode(), writer.encode(),
             str(when).encode(), m.encode(essence))  # fmt: skip
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def with_origin(result: ActionResult, url: str) -> ActionResult:
    """Return a result with a note that it came from a server."""
    return _with_detail(result, Detail(_ORIGIN, url.encode()))


def has_origin(result: ActionResult) -> bool:
    """Return whether a result came from a server."""
    return any(detail.type_url == _ORIGIN for detail in _details(result))


def public_text(key: bytes) -> str:
    """Return a public key as `mochi.toml` has it."""
    return PREFIX + base64.b64encode(key).decode()


def _find_signature(result: ActionResult) -> m.Signature | None:
    for detail in _details(result):
        if detail.type_url == _SIGNATURE:
            with suppress(WireError):
                signature = m.decode(m.Signature, detail.value)
                return signature if len(signature.key) == KEY_SIZE else None
    return None


def _details(result: ActionResult) -> tuple[Detail, ...]:
    metadata = result.execution_metadata
    return metadata.auxiliary_metadata if metadata else ()


def _with_detail(result: ActionResult, detail: Detail) -> ActionResult:
    """Return a result with one detail of its type."""
    others = (item for item in _details(result) if item.type_url != detail.type_url)
    metadata = result.execution_metadata or ExecutedActionMetadata()
    return replace(
        result,
        execution_metadata=replace(metadata, auxiliary_metadata=(*others, detail)),
    )
