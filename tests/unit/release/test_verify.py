"""Tests of verification: what is intact passes, and each kind of tampering is refused by name."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import io
import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.archives.tarball import tar_gz
from mochi_rules.release.assemble import assemble
from mochi_rules.release.contents import Contents, File
from mochi_rules.release.policy import Policy, Signer
from mochi_rules.release.verify import Verified, read_provenance, verify_archive
from mochi_rules.signing.keys import SigningKey, load_signing_key, write_key_pair

from .samples import (
    ARCHIVE,
    ARTIFACT,
    PROVENANCE,
    SOURCE,
    SOURCE_PATH,
    build,
    files,
    program,
    release,
    revision,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mochi_rules.release.provenance import Provenance


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """Return a key."""
    write_key_pair(tmp_path / "key")
    return load_signing_key(tmp_path / "key")


def verify(
    made: dict[str, bytes],
    policy: Policy | None = None,
    sources: dict[str, bytes] | None = None,
    name: str = ARCHIVE,
) -> Verified:
    """Verify the archive of a release."""

    def read(_provenance: Provenance, path: str) -> bytes | None:
        return (sources or {}).get(path)

    statements = read_provenance(PROVENANCE, made[PROVENANCE])
    archive = made.get(name, made[ARCHIVE])
    return verify_archive(name, archive, statements, policy or Policy(), sources and read)


def trusting(key: SigningKey, until: dt.date | None = None) -> Policy:
    """Return a policy that trusts one key."""
    return Policy((Signer("release.pub", key.public, until),))


def tampered(made: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    """Return a release whose statement was changed, under the old signature."""
    envelope = json.loads(made[PROVENANCE])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    return {**made, PROVENANCE: json.dumps(envelope).encode()}


def repacked(*changed: File) -> bytes:
    """Return the archive with other files."""
    sample = release()
    kept = [*build().programs, *sample.files]
    contents = Contents(sample.product, build().platform, (), (*kept, *changed))
    return tar_gz(contents)


def test_intact_release_passes_from_signature_to_sources(key: SigningKey) -> None:
    """Every link is reported."""
    found = verify(files(key), trusting(key), {SOURCE_PATH: SOURCE})
    assert found.warnings == ()
    assert dict(found.rows)["signature"] == "by release.pub"
    assert dict(found.rows)["sources"] == "1 file as in commit c0ffee000000"


def test_changed_source_is_not_said_to_be_in_the_commit() -> None:
    """It is compared with the file that is there now."""
    made = assemble(release(state=revision(SOURCE_PATH)), None)
    rows = dict(verify(made, sources={SOURCE_PATH: SOURCE}).rows)
    shown = f"1 file as in the folder, where `{SOURCE_PATH}` differed from commit c0ffee000000"
    assert rows["sources"] == shown


def test_unsigned_release_passes_with_a_warning() -> None:
    """Digests alone show that files belong together, but not whose they are."""
    [warning] = verify(files()).warnings
    assert (warning.code, warning.message) == ("R032", "the provenance is not signed")


def test_changed_statement_is_refused(key: SigningKey) -> None:
    """The signature is over the statement."""
    made = tampered(files(key), lambda item: item.update(x=1))
    with pytest.raises(MochiError, match=r"R011: the signature of `release\.pub` is invalid"):
        verify(made, trusting(key))


def test_signature_of_another_key_is_refused(key: SigningKey, tmp_path: Path) -> None:
    """Anyone can sign, but not as the publisher."""
    write_key_pair(tmp_path / "other")
    other = load_signing_key(tmp_path / "other")
    with pytest.raises(MochiError, match="R012: no trusted key"):
        verify(files(other), trusting(key))


def test_expired_key_is_refused(key: SigningKey) -> None:
    """A policy says how long a key is good for."""
    with pytest.raises(MochiError, match=r"R013: .* valid until 2001-02-03"):
        verify(files(key), trusting(key, dt.date(2001, 2, 3)))


def test_expired_entry_of_a_key_does_not_hide_another(key: SigningKey) -> None:
    """A policy whose list was extended need not be cleaned up."""
    expired = Signer("old.pub", key.public, dt.date(2001, 2, 3))
    found = verify(files(key), Policy((expired, Signer("release.pub", key.public))))
    assert dict(found.rows)["signature"] == "by release.pub"


def test_unsigned_provenance_is_refused_where_a_key_is_given(key: SigningKey) -> None:
    """Removing the signature does not get around it."""
    with pytest.raises(MochiError, match="R014"):
        verify(files(), trusting(key))


def test_provenance_of_another_artifact_is_refused() -> None:
    """The statement names the archives that it is about."""
    with pytest.raises(MochiError, match=r"R015: .* not that of `other\.tar\.gz`") as caught:
        verify({**files(), "other.tar.gz": repacked()}, name="other.tar.gz")
    assert ARCHIVE in caught.value.diagnostics[0].notes[0]


def test_only_the_nearest_of_many_archives_are_named() -> None:
    """A release for all platforms has dozens."""
    made = assemble(release("deb", "npm", "oci", "tar.gz", "zip"), None)
    name = ARCHIVE.replace("1.2.0", "1.3.0")
    with pytest.raises(MochiError, match="R015") as caught:
        verify({**made, name: repacked()}, name=name)
    [note] = caught.value.diagnostics[0].notes
    assert note.count("`app-1.2.0-") == 3
    assert f"`{ARCHIVE}`" in note
    assert note.endswith(" and 2 more")


def test_renamed_archive_is_found_by_its_digest() -> None:
    """Browsers rename what is there already; the report has the name that the release gave."""
    made = files()
    found = verify({**made, "app (1).tar.gz": made[ARCHIVE]}, name="app (1).tar.gz")
    assert dict(found.rows)["archive"].startswith(f"{ARCHIVE}, sha256 ")


def test_statement_cannot_set_other_variables() -> None:
    """A rebuild gives them to SCons: `sign_with`, for example, would run a command."""

    def change(statement: dict[str, Any]) -> None:
        external = statement["predicate"]["buildDefinition"]["externalParameters"]
        external["variables"]["sign_with"] = "touch /tmp/x"

    with pytest.raises(MochiError, match="R010"):
        verify(tampered(files(), change))


def test_archive_of_other_compression_is_refused() -> None:
    """Its files are right, and its bytes are not."""
    made = files()
    made[ARCHIVE] = gzip.compress(gzip.decompress(made[ARCHIVE]), 1)
    with pytest.raises(MochiError, match="R016"):
        verify(made)


def notes(made: dict[str, bytes], code: str) -> str:
    """Return the notes of the error of a release."""
    with pytest.raises(MochiError, match=code) as caught:
        verify(made)
    return "\n".join(caught.value.diagnostics[0].notes)


def test_extra_file_is_named() -> None:
    """A file that the provenance does not list was added by somebody else."""
    made = {**files(), ARCHIVE: repacked(File("evil.sh", b""))}
    assert "`app-1.2.0-x86_64-linux/evil.sh` was added" in notes(made, "R017")


def test_missing_file_is_named() -> None:
    """A licence may not get lost."""
    made = {**files(), ARCHIVE: repacked()}
    missing = "`app-1.2.0-x86_64-linux/THIRD-PARTY-LICENSES.txt` is missing"
    assert missing in notes(made, "R017")


def test_changed_file_is_named() -> None:
    """The digest of each file is in the provenance."""
    original = files()
    made = {**original, ARCHIVE: original[ARCHIVE]}
    with tarfile.open(fileobj=io.BytesIO(original[ARCHIVE])) as archive:
        member = archive.extractfile("app-1.2.0-x86_64-linux/THIRD-PARTY-LICENSES.txt")
        assert member is not None
        notice = File("THIRD-PARTY-LICENSES.txt", member.read() + b"!")
    made[ARCHIVE] = repacked(notice)
    text = notes(made, "R017")
    assert text.startswith("`app-1.2.0-x86_64-linux/THIRD-PARTY-LICENSES.txt` has the SHA-256")


def test_executable_that_holds_another_artifact_is_refused() -> None:
    """A forger who makes new digests of everything still has to explain the artifact."""
    forged = program(ARTIFACT + b"!")
    honest = build()
    steps = (replace(honest.steps[0], sha256=_sha256(forged)), *honest.steps[1:])
    programs = (File("app", forged, 0o755),)
    made = files(builds=(replace(honest, steps=steps, programs=programs),))
    with pytest.raises(MochiError, match=r"R019: .* `app` holds an artifact of the SHA-256"):
        verify(made)


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ((1, 2), "no step made the executable"),
        ((0, 2), "no step made the artifact"),
        ((0, 1), "no step made the WebAssembly"),
    ],
)
def test_missing_step_is_named(kept: tuple[int, ...], why: str) -> None:
    """The chain leads to sources without a gap."""
    honest = build()
    steps = tuple(honest.steps[index] for index in kept)
    with pytest.raises(MochiError, match=f"R019: .*{why}"):
        verify(files(builds=(replace(honest, steps=steps),)))


def test_changed_source_is_named() -> None:
    """The repository has something else at that commit."""
    with pytest.raises(MochiError, match=rf"R020: the source `{SOURCE_PATH}` has the SHA-256"):
        verify(files(), sources={SOURCE_PATH: b"print(2)\n"})


def test_missing_source_is_named() -> None:
    """The repository is another one."""
    with pytest.raises(MochiError, match=rf"R020: the source `{SOURCE_PATH}` is missing"):
        verify(files(), sources={"x": b""})


@pytest.mark.parametrize(
    ("policy", "note"),
    [
        (Policy(builder="urn:ci"), "its builder is `urn:test`, not `urn:ci`"),
        (Policy(repository="https://y.org"), "its repository is `https://x.org/app.git`"),
        (Policy(branch="refs/heads/stable"), "its branch is `refs/heads/main`"),
        (Policy(wasmtime="48.0.9"), "Wasmtime 48.0.0, which is older than 48.0.9"),
    ],
)
def test_policy_is_applied(policy: Policy, note: str) -> None:
    """An intact release may still not be welcome."""
    with pytest.raises(MochiError, match="R021") as caught:
        verify(files(), policy)
    assert note in caught.value.diagnostics[0].notes[0]


def test_policy_refuses_a_changed_work_tree() -> None:
    """`clean` asks for a release of exactly the commit."""
    made = files(under=replace(release().under, revision=revision("app/app.mochi")))
    with pytest.raises(MochiError, match="R021"):
        verify(made, Policy(clean=True))


def test_policy_refuses_what_was_not_in_a_commit() -> None:
    """`clean` asks for a commit: without one, nothing can differ from it."""
    made = files(under=replace(release().under, revision=None))
    with pytest.raises(MochiError, match="R021") as caught:
        verify(made, Policy(clean=True))
    assert caught.value.diagnostics[0].notes == ("its source was not in a commit",)


def test_policy_refuses_what_does_not_say_its_wasmtime() -> None:
    """A least version is not met by none."""
    honest = build()
    steps = tuple(replace(step, tools={}) for step in honest.steps)
    with pytest.raises(MochiError, match="R021") as caught:
        verify(files(builds=(replace(honest, steps=steps),)), Policy(wasmtime="48.0.0"))
    [note] = caught.value.diagnostics[0].notes
    assert note == "it does not say which Wasmtime compiled it"


def test_policy_refuses_what_a_cache_had() -> None:
    """`uncached` asks that every step was run by the builder itself."""
    honest = build()
    steps = (replace(honest.steps[0], is_restored=True), *honest.steps[1:])
    with pytest.raises(MochiError, match="R021"):
        verify(files(builds=(replace(honest, steps=steps),)), Policy(uncached=True))


@pytest.mark.parametrize("data", [b"", b"{}", b"x", b'{"payloadType":"x"}', b"[]", 9999 * b"["])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    """Any bytes may come."""
    with pytest.raises(MochiError, match="R010"):
        read_provenance(PROVENANCE, data)


def test_statement_of_others_is_refused() -> None:
    """An in-toto statement of another tool says other things."""
    made = tampered(files(), lambda item: item.update(predicateType="https://x.org"))
    with pytest.raises(MochiError, match="R010"):
        verify(made)


def _sha256(data: bytes) -> str:
    from mochi_rules.base.digest import digest_bytes

    return digest_bytes(data).hash
