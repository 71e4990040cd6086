"""Checks an archive against its provenance, link by link.

Signature → statement → archive → executable → artifact → WebAssembly → sources. The first link
that does not hold is reported with what does not match.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.payload import find_payload
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError, Severity, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.suggest import count_text, listing, nearest
from mochi_rules.release.archives.reader import read_archive
from mochi_rules.release.build_record import chain, sources_of
from mochi_rules.release.envelope import malformed, open_envelope
from mochi_rules.release.policy import Policy, violations
from mochi_rules.release.provenance import Provenance, read_statement
from mochi_rules.steps.step import CWASM, WASM

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.release.build_record import StepRecord
    from mochi_rules.release.contents import File
    from mochi_rules.release.envelope import Envelope

_LISTED = 3
_AGAIN = "download the archive and its provenance again; if it stays so, do not use them"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found right, as rows of a report, and what deserves a warning."""

    rows: tuple[tuple[str, str], ...]
    warnings: tuple[Diagnostic, ...]


def read_provenance(name: str, data: bytes) -> list[tuple[Envelope, Provenance]]:
    """Return the envelopes of a file, each with its statement.

    Emits: R010.
    """
    envelopes = [open_envelope(name, line) for line in data.splitlines()]
    if not envelopes:
        raise malformed(name, "it is empty")
    return [(item, read_statement(name, item.payload)) for item in envelopes]


def verify_archive(
    name: str,
    archive: bytes,
    statements: list[tuple[Envelope, Provenance]],
    policy: Policy,
    read: Callable[[Provenance, str], bytes | None] | None,
) -> Verified:
    """Check an archive of a name; `read` returns a source by path, where there is a repository.

    Emits: R011 to R021, R025, R032.

    Raises:
        MochiError: A link does not hold.
    """
    (envelope, provenance), subject = _statement_of(name, archive, statements)
    rows = [("signature", _check_signature(envelope, policy))]
    _check_policy(provenance, policy)
    files = _check_contents(subject, archive, provenance)
    renamed = "" if subject == name else f"{subject}, "
    rows += [
        ("archive", renamed + f"sha256 {provenance.subjects[subject][0]}"),
        ("contents", count_text(len(files), "file")),
        ("programs", _check_programs(files, provenance)),
        ("sources", _check_sources(provenance, read)),
        ("built by", f"{provenance.builder}, {_tools(provenance)}"),
    ]
    return Verified(tuple(rows), () if policy.signers else (_unchecked(envelope),))


def _statement_of(
    name: str, archive: bytes, statements: list[tuple[Envelope, Provenance]]
) -> tuple[tuple[Envelope, Provenance], str]:
    """Return the statement of an archive, and what the release calls it; it may be renamed.

    Emits: R015.
    """
    digest = hashlib.sha256(archive).hexdigest()
    subjects = {
        subject: (item, digests[0])
        for item in statements
        for subject, digests in item[1].subjects.items()
    }
    if name in subjects:
        return subjects[name][0], name
    for subject, (item, wanted) in subjects.items():
        if wanted == digest:
            return item, subject
    names = sorted(subjects, key=lambda subject: subject != nearest(name, subjects))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    notes = (f"it is the provenance of {listing(names[:_LISTED])}{more}",)
    message = f"the provenance is not that of `{name}`, which has the SHA-256 {digest}"
    raise fail("R015", message, notes=notes, help="name the provenance of the same release")


def _check_signature(envelope: Envelope, policy: Policy) -> str:
    """Return who signed.

    Emits: R011 (a wrong signature of a trusted key), R012 (of others), R013 (expired), R014 (none).
    """
    if not policy.signers:
        return "not checked" if envelope.signatures else "none"
    if not envelope.signatures:
        help_ = "ask the publisher for signed provenance"
        raise fail("R014", "the provenance is not signed", help=help_)
    signers = [signer for signer in policy.signers if envelope.is_signed_by(signer.key)]
    today = dt.datetime.now(dt.UTC).date()
    for signer in signers:
        if signer.until is None or signer.until >= today:
            return f"by {signer.name}"
    for signer in signers:
        message = f"the key `{signer.name}` was valid until {signer.until}"
        raise fail("R013", message, help="ask the publisher for a current release")
    claimed = {key_id for key_id, _ in envelope.signatures}
    for signer in policy.signers:
        if signer.key.key_id in claimed:
            raise fail("R011", f"the signature of `{signer.name}` is invalid", help=_AGAIN)
    raise fail(
        "R012",
        "no trusted key has signed the provenance",
        notes=(f"it is signed by {listing(sorted(claimed))}",),
        help="ask the publisher for the public key",
    )


def _unchecked(envelope: Envelope) -> Diagnostic:
    """Return the warning that nothing says who made the release."""
    if envelope.signatures:
        message = "the signature of the provenance was not checked: no key was given"
        help_ = "write `--key FILE`, or name the signers in a policy, as `[[signed_by]]`"
    else:
        message, help_ = "the provenance is not signed", "ask the publisher for signed provenance"
    return Diagnostic("R032", message, help=help_, severity=Severity.WARNING)


def _check_policy(provenance: Provenance, policy: Policy) -> None:
    """Refuse a build that the policy does not allow.

    Emits: R021.
    """
    found = tuple(violations(policy, provenance))
    if found:
        help_ = "ask the publisher for a release that the policy allows, or change the policy"
        raise fail("R021", "the policy does not allow this release", notes=found, help=help_)


def _check_contents(name: str, archive: bytes, provenance: Provenance) -> dict[str, File]:
    """Return the files of an archive: those that the provenance lists, with their digests.

    Emits: R016, R017, R018, R025.
    """
    files = read_archive(name, archive)
    wanted = provenance.contents.get(name, {})
    wrong = [f"`{path}` is missing" for path in sorted(wanted.keys() - files.keys())]
    wrong += [f"`{path}` was added" for path in sorted(files.keys() - wanted.keys())]
    wrong += [
        f"`{path}` has the SHA-256 {digest}"
        for path in sorted(wanted.keys() & files.keys())
        if (digest := digest_bytes(files[path].data).hash) != wanted[path]
    ]
    if wrong:
        message = f"the files of `{name}` are not those of the provenance"
        raise fail("R017", message, notes=tuple(wrong), help=_AGAIN)
    digests = (hashlib.sha256(archive).hexdigest(), hashlib.sha512(archive).hexdigest())
    if digests != provenance.subjects[name]:
        notes = ("its files are right, but not their order, modes, times or compression",)
        message = f"`{name}` has the SHA-256 {digests[0]}, not {provenance.subjects[name][0]}"
        raise fail("R016", message, notes=notes, help=_AGAIN)
    return files


def _check_programs(files: dict[str, File], provenance: Provenance) -> str:
    """Follow each executable back to the step that read its sources.

    Emits: R019.
    """
    by_digest = {digest_bytes(file.data).hash: file for file in files.values()}
    for program, digest in provenance.programs.items():
        file = by_digest.get(digest)
        if file is None:
            raise _broken(f"the archive does not have the executable `{program}`")
        steps = {step.verb: step for step in chain(provenance.steps, digest)}
        _check_chain(program, file.data, steps)
    names = listing(provenance.programs)
    return f"{names}: executable, artifact, WebAssembly"


def _check_chain(program: str, executable: bytes, steps: dict[str, StepRecord]) -> None:
    """Check that the steps lead from an executable to sources.

    Emits: R019.
    """
    link = steps.get("exe")
    if link is None:
        raise _broken(f"no step made the executable `{program}`")
    try:
        artifact = digest_bytes(find_payload(executable).artifact).hash
    except MochiError as error:
        raise _broken(f"`{program}`: {error.diagnostics[0].message}") from None
    if artifact != link.inputs.get(CWASM):
        raise _broken(f"`{program}` holds an artifact of the SHA-256 {artifact}")
    if CWASM in link.sources:
        return  # it was compiled elsewhere
    aot = steps.get("aot")
    if aot is None:
        raise _broken(f"no step made the artifact in `{program}`")
    if not {"mochi", "import"} & steps.keys():
        raise _broken(f"no step made the WebAssembly {aot.inputs.get(WASM)} of `{program}`")


def _broken(why: str) -> MochiError:
    return fail("R019", f"the steps of the provenance do not make the archive: {why}", help=_AGAIN)


def _check_sources(
    provenance: Provenance, read: Callable[[Provenance, str], bytes | None] | None
) -> str:
    """Compare the sources with those of a repository.

    Emits: R020.
    """
    sources = sources_of(provenance.steps)
    if read is None:
        return f"{count_text(len(sources), 'file')}, not compared: no `--source`"
    for path, digest in sources.items():
        data = read(provenance, path)
        if data is None:
            raise _wrong_source(path, "is missing")
        if (found := digest_bytes(data).hash) != digest:
            raise _wrong_source(path, f"has the SHA-256 {found}, not {digest}")
    count, commit = f"{count_text(len(sources), 'file')} as in", f"commit {provenance.commit[:12]}"
    if not provenance.commit:
        return f"{count} the folder, which was not in a commit"
    if changed := sources.keys() & set(provenance.changed):
        return f"{count} the folder, where {listing(sorted(changed))} differed from {commit}"
    return f"{count} {commit}"


def _wrong_source(path: str, why: str) -> MochiError:
    help_ = "name the repository that the release was made from"
    return fail("R020", f"the source `{path}` {why}", help=help_)


def _tools(provenance: Provenance) -> str:
    return f"mochi-rules {provenance.tools.get('mochi-rules', '?')}, " + " and ".join(
        f"Wasmtime {version}" for version in provenance.wasmtime_versions
    )
