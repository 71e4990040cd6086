"""Credentials: where they come from, and where they never go."""

from __future__ import annotations

import sys

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.remote.credentials import Credentials
from mochi_rules.remote.settings import remote_settings

SECRET = "a-long-secret"


def credentials(tmp_path, url="grpcs://h", environment=None, **table) -> Credentials:
    """Return the credentials of a `[remote]` table and an environment."""
    settings = remote_settings({"remote": url}, environment or {}, table, tmp_path)
    assert settings.address is not None
    return Credentials(settings, settings.address)


def test_token_of_a_file_is_a_bearer_token(tmp_path) -> None:
    """The end of the line is not part of a token."""
    (tmp_path / "token").write_text(f"{SECRET}\n")
    found = credentials(tmp_path, token_file="token")
    assert found.headers() == [("authorization", f"Bearer {SECRET}")]


def test_headers_of_a_file_are_sent(tmp_path) -> None:
    """Each line is a header; names are in lower case, as gRPC wants them."""
    (tmp_path / "headers").write_text(f"# ours\nX-Api-Key: {SECRET}\n")
    assert credentials(tmp_path, headers_file="headers").headers() == [("x-api-key", SECRET)]


def test_helper_is_asked_as_bazel_asks(tmp_path) -> None:
    """A credential helper gets the URL as JSON, and its headers are sent."""
    helper = tmp_path / "helper.py"
    helper.write_text(
        "import json, sys\n"
        "assert sys.argv[1:] == ['get']\n"
        "uri = json.load(sys.stdin)['uri']\n"
        "print(json.dumps({'headers': {'Authorization': ['Basic ' + uri]}}))\n"
    )
    found = credentials(tmp_path, credential_helper=f"{sys.executable} {helper}")
    assert found.headers() == [("authorization", "Basic grpcs://h:443")]


def test_helper_that_fails_shows_nothing_it_printed(tmp_path) -> None:
    """What a helper prints may be secret, also when it fails."""
    helper = tmp_path / "helper.py"
    helper.write_text(f"import sys; print('{SECRET}'); sys.exit(3)")
    with pytest.raises(MochiError, match="status 3") as caught:
        credentials(tmp_path, credential_helper=f"{sys.executable} {helper}").headers()
    assert SECRET not in str(caught.value)


def test_nothing_secret_is_sent_in_the_open(tmp_path) -> None:
    """A token is refused for a server that is neither encrypted nor on this machine."""
    secret = {"MOCHI_RULES_REMOTE_TOKEN": SECRET}
    with pytest.raises(MochiError, match="not encrypted"):
        credentials(tmp_path, "grpc://h", secret).headers()
    assert credentials(tmp_path, "grpc://localhost", secret).headers()


def test_server_that_repeats_a_secret_is_not_quoted(tmp_path) -> None:
    """What a server says is shown without the secrets that it got."""
    found = credentials(tmp_path, environment={"MOCHI_RULES_REMOTE_TOKEN": SECRET})
    found.headers()
    assert SECRET not in found.redacted(f"bad token: {SECRET}")
