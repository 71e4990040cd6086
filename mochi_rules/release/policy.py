"""What a user accepts: who may build and sign, from which source, with which Wasmtime."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.files import decode_source, read_input
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.signing.keys import load_public_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.release.provenance import Provenance
    from mochi_rules.signing.keys import PublicKey

_TEXTS = ("builder", "repository", "branch", "wasmtime")
_FLAGS = ("clean", "uncached")
_SIGNER = ("key", "until")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that may sign, the last day included."""

    name: str
    key: PublicKey
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy; what is empty is not asked for. `wasmtime` is the least version."""

    signers: tuple[Signer, ...] = ()
    builder: str = ""
    repository: str = ""
    branch: str = ""
    wasmtime: str = ""
    clean: bool = False
    uncached: bool = False


def read_policy(path: Path) -> Policy:
    """Read a policy; keys are named relative to its folder.

    Emits: B010, B011, R008, R022.
    """
    text = decode_source(str(path), read_input(path)).text
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise fail("R022", f"`{path}` is not TOML: {error}") from None
    for name, value in fields.items():
        _check(path, name, value)
    signers = tuple(_signer(path, item) for item in fields.pop("signed_by", []))
    return Policy(signers, **fields)


def violations(policy: Policy, provenance: Provenance) -> Iterator[str]:
    """Give what a policy has against a build, as phrases; who signed is not looked at."""
    for name in ("builder", "repository", "branch"):
        wanted, found = getattr(policy, name), getattr(provenance, name)
        if wanted and wanted != found:
            yield f"its {name} is `{found}`, not `{wanted}`"
    versions = provenance.wasmtime_versions
    if policy.wasmtime and not versions:
        yield "it does not say which Wasmtime compiled it"
    for version in versions:
        if _numbers(version) < _numbers(policy.wasmtime):
            yield f"it was compiled by Wasmtime {version}, which is older than {policy.wasmtime}"
    if policy.clean and not provenance.commit:
        yield "its source was not in a commit"
    if policy.clean and provenance.changed:
        yield f"the work tree differed from its commit: {', '.join(provenance.changed)}"
    if policy.uncached and (restored := [step for step in provenance.steps if step.is_restored]):
        yield f"a cache had {len(restored)} of its steps, such as `{restored[0].output}`"


def _check(path: Path, name: str, value: Any) -> None:
    """Refuse an unknown key, or a value of the wrong type.

    Emits: R022.
    """
    kinds: dict[str, tuple[type, str]] = {
        **dict.fromkeys(_TEXTS, (str, "a string")),
        **dict.fromkeys(_FLAGS, (bool, "`true` or `false`")),
        "signed_by": (list, "an array of tables"),
    }
    if name not in kinds:
        notes = (f"its keys are {listing(kinds)}",)
        message = f"`{path}` has an unknown key `{name}`"
        raise fail("R022", message, notes=notes, help=did_you_mean(name, kinds))
    kind, shown = kinds[name]
    if not isinstance(value, kind):
        raise fail("R022", f"`{name}` in `{path}` must be {shown}")
    if name == "wasmtime" and not _VERSION.fullmatch(str(value)):
        raise fail("R022", f"`{name}` in `{path}` must be a version, such as `48.0.0`")


def _signer(path: Path, fields: Any) -> Signer:
    """Return who may sign.

    Emits: B010, R008, R022.
    """
    if not isinstance(fields, dict) or not isinstance(fields.get("key"), str):
        raise _wrong_signer(path, "`key`, the file of a public key")
    for name in fields:
        if name not in _SIGNER:
            raise _wrong_signer(path, f"no `{name}`")
    until = fields.get("until")
    if until is not None and type(until) is not dt.date:
        raise _wrong_signer(path, "`until` as a date, such as 2030-12-31")
    return Signer(fields["key"], load_public_key(path.parent / fields["key"]), until)


def _wrong_signer(path: Path, needed: str) -> MochiError:
    return fail("R022", f"an entry of `signed_by` in `{path}` needs {needed}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", version)))
