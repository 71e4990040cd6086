"""Tests of keys and signatures."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.signing.keys import load_public_key, load_signing_key, write_key_pair
from mochi_rules.signing.minisign import public_key_line, signature_file

if TYPE_CHECKING:
    from pathlib import Path


def test_public_key_checks_what_the_secret_key_signs(tmp_path: Path) -> None:
    """Both come back from their files."""
    write_key_pair(tmp_path / "key")
    signature = load_signing_key(tmp_path / "key").sign(b"data")
    public = load_public_key(tmp_path / "key.pub")
    assert public.verify(signature, b"data")
    assert not public.verify(signature, b"date")


def test_secret_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It is written so, and refused otherwise."""
    path = tmp_path / "key"
    write_key_pair(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(MochiError, match=r"R008: other users may read .* its mode is 640"):
        load_signing_key(path)


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    """Who loses a key cannot sign any more."""
    (tmp_path / "key").write_text("precious")
    with pytest.raises(MochiError, match="R007"):
        write_key_pair(tmp_path / "key")


def test_public_key_is_the_pem_file_of_others(tmp_path: Path) -> None:
    """Ours is as `cryptography` and OpenSSL write it; text around it does not matter."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    public = write_key_pair(tmp_path / "key")
    data = (tmp_path / "key.pub").read_bytes()
    found = serialization.load_pem_public_key(data)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    assert found.public_bytes(serialization.Encoding.PEM, form) == data
    (tmp_path / "key.pub").write_bytes(b"of A\r\n" + data.replace(b"\n", b"\r\n"))
    assert load_public_key(tmp_path / "key.pub").raw == public.raw


def test_public_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Ed448 has the same form, and other numbers."""
    ed448 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed448")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = ed448.Ed448PrivateKey.generate().public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "key.pub").write_bytes(key.public_bytes(serialization.Encoding.PEM, form))
    with pytest.raises(MochiError, match="R008"):
        load_public_key(tmp_path / "key.pub")


NO_KEYS = [
    b"",
    b"no key",
    b"-----BEGIN PRIVATE KEY-----\nAA==\n",
    b"-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n",
    b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
]


@pytest.mark.parametrize("content", NO_KEYS)
def test_what_is_no_key_is_refused(content: bytes, tmp_path: Path) -> None:
    """Neither a secret nor a public one."""
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    for load in (load_signing_key, load_public_key):
        with pytest.raises(MochiError, match="R008"):
            load(path)


@pytest.mark.slow
@pytest.mark.needs("openssl")
def test_key_of_openssl_is_taken(tmp_path: Path) -> None:
    """Keys are files that other tools make and read."""
    path = tmp_path / "key"
    command = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", path]
    subprocess.run(command, check=True, capture_output=True)
    assert load_signing_key(path).sign(b"")


def test_minisign_accepts_our_signature_files(tmp_path: Path) -> None:
    """An independent implementation checks the file and its trusted comment."""
    minisign = pytest.importorskip("minisign")
    write_key_pair(tmp_path / "key")
    key = load_signing_key(tmp_path / "key")
    data = signature_file(key, "a.tar.gz", b"archive", 1_700_000_000)
    public = minisign.PublicKey.from_base64(public_key_line(key.public))
    public.verify(b"archive", minisign.Signature.from_bytes(data))
    with pytest.raises(minisign.VerifyError):
        public.verify(b"other", minisign.Signature.from_bytes(data))
