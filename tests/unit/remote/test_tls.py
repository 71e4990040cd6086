"""Encrypted connections: who shows a certificate of the right authority is served, nobody else."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cache.samples import OUTPUTS, make_action
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults.remote import Handler

from .fake_server import FakeServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Machine

ACTION = make_action()
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ours")])


def authority() -> tuple[bytes, bytes]:
    """Return a key and a certificate that it signed for itself, of this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(pem)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a client of our authority, whose files are in the workspace."""
    key, certificate = authority()
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "ours.pem").write_bytes(certificate)
    return {"ca_file": "ours.pem", "cert_file": "ours.pem", "key_file": "key.pem"}


@pytest.fixture(params=["grpcs", "https"])
def url(request, tmp_path: Path, files) -> Iterator[str]:
    """Return the URL of a server that asks for certificates."""
    key, certificate = ((tmp_path / files[name]).read_bytes() for name in ("key_file", "ca_file"))
    if request.param == "grpcs":
        server = FakeServer(tls=(key, certificate, certificate))
        yield f"grpcs://127.0.0.1:{server.port}/team"
        server.stop()
        return
    store = FakeServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Ours", (Handler,), {"store": store}))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ours.pem")
    context.load_cert_chain(tmp_path / "ours.pem", tmp_path / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    http.socket = context.wrap_socket(http.socket, server_side=True)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    store.stop()


def test_client_with_a_certificate_is_served(machine: Machine, url: str, files) -> None:
    """Both sides show certificates of the authority that the other knows."""
    one, other = machine(url, **files), machine(url, **files)
    one.store(ACTION, OUTPUTS)
    one.flush()
    hit = other.lookup(ACTION)
    assert hit is not None
    assert hit.outputs == OUTPUTS
    assert one.warnings == other.warnings == ()


@pytest.mark.parametrize("left_out", ["ca_file", "cert_file"])
def test_nobody_else_is_served(machine: Machine, url: str, files, left_out: str) -> None:
    """An unknown server is not believed, and a client without certificate is refused."""
    del files[left_out]
    if left_out == "cert_file":
        del files["key_file"]
    cache = machine(url, **files)
    assert cache.lookup(ACTION) is None
    assert [warning.code for warning in cache.warnings] == ["K022"]


def test_key_without_certificate_is_a_mistake(machine: Machine, url: str, files) -> None:
    """Of the two files of a client, one alone is of no use."""
    del files["cert_file"]
    cache = machine(url, **files)
    assert cache.lookup(ACTION) is None
    assert [warning.code for warning in cache.warnings] == ["K021"]
