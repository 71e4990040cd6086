"""Settings: who is asked first, what is refused, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.span import Source, Span
from mochi_rules.remote.settings import Address, parse_address, remote_settings

URL = "grpc://a.example"


def settings(arguments=None, environment=None, table=None):
    """Return the settings of these three sources."""
    return remote_settings(arguments or {}, environment or {}, table or {}, Path("/w"))


def located(*path: str) -> Span:
    """Return a span that shows which setting was located."""
    return Span(Source(".".join(path), "x"), 0, 1)


@pytest.mark.parametrize(
    ("table", "arguments", "place"),
    [
        ({"urll": URL}, {}, "urll"),
        ({"mode": "raed"}, {}, "mode"),
        ({"mode": 1}, {}, "mode"),
        ({"url": "ftp://a.example"}, {}, "url"),
        ({"executor": "remot", "url": URL}, {}, "executor"),
        ({"max_age_days": -1}, {}, "max_age_days"),
        ({"platform": {"os": 1}}, {}, "platform.os"),
        ({"trusted_writers": {"ci": "x"}}, {}, "trusted_writers.ci"),
        ({"mode": "read"}, {"remote_mode": "raed"}, None),
        ({"url": URL}, {"remote": "ftp://b.example"}, None),
    ],
)
def test_fault_of_the_file_has_a_place_there(table, arguments, place) -> None:
    """What the command line says has none, whatever the file has."""
    with pytest.raises(MochiError) as caught:
        remote_settings(arguments, {}, table, Path("/w"), located)
    [found] = caught.value.diagnostics
    assert (found.span.source.name if found.span else None) == place


def test_workers_are_chosen_by_platform() -> None:
    """Properties of all, and of those for programs of one platform."""
    table = {"platform": {"OSFamily": "linux", "aarch64-linux": {"Arch": "arm64"}}}
    found = settings(table=table).properties
    assert found == {"": {"OSFamily": "linux"}, "aarch64-linux": {"Arch": "arm64"}}
    with pytest.raises(MochiError, match="C010"):
        settings(table={"platform": {"aarch64-linx": {}}})


def test_nothing_said_is_no_remote_cache() -> None:
    """Without a URL there is no server, and neither reading nor writing."""
    found = settings()
    assert (found.address, found.reads, found.writes) == (None, False, False)


@pytest.mark.parametrize(
    ("arguments", "environment", "host"),
    [
        ({"remote": "grpc://b.example"}, {"MOCHI_RULES_REMOTE": "grpc://c.example"}, "b.example"),
        ({}, {"MOCHI_RULES_REMOTE": "grpc://c.example"}, "c.example"),
        ({}, {}, "a.example"),
    ],
)
def test_variable_goes_before_environment_before_file(arguments, environment, host) -> None:
    """What is closest to this build decides."""
    found = settings(arguments, environment, {"url": URL})
    assert found.address is not None
    assert found.address.host == host


def test_off_turns_off_what_the_file_says() -> None:
    """`remote=off` and `remote_mode=off` both build without the server of the file."""
    assert settings({"remote": "off"}, table={"url": URL}).address is None
    assert settings({"remote_mode": "off"}, table={"url": URL}).address is None


@pytest.mark.parametrize(
    ("environment", "writes"),
    [
        ({}, True),
        ({"GITHUB_EVENT_NAME": "push"}, True),
        ({"GITHUB_EVENT_NAME": "pull_request"}, False),
        ({"CI_PIPELINE_SOURCE": "merge_request_event"}, False),
        ({"CHANGE_ID": "12"}, False),
    ],
)
def test_pull_requests_write_nothing_by_default(environment, writes) -> None:
    """What nobody has reviewed reads, and only an explicit mode lets it write."""
    assert settings({"remote": URL}, environment).writes is writes
    assert settings({"remote": URL, "remote_mode": "both"}, environment).writes


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("grpc://h:1/team/a/", Address("grpc", "h", 1, "team/a")),
        ("grpcs://h", Address("grpcs", "h", 443)),
        ("http://[::1]:8080/x", Address("http", "[::1]", 8080, "x")),
    ],
)
def test_url_is_an_address(text: str, address: Address) -> None:
    """Host, port and instance come from the URL."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["cache.example.org", "ftp://h", "grpc://", "grpc://h:x", "grpc://h/blobs/a", "http://h?a=b"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """A URL that names no server is an error of the user's."""
    with pytest.raises(MochiError, match="K020"):
        parse_address(text)


def test_password_in_a_url_is_refused_and_not_shown() -> None:
    """Everybody can see a command line; the error does not repeat what stands there."""
    with pytest.raises(MochiError) as caught:
        parse_address("https://user:very-secret@h")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "table", [{"mode": "raed"}, {"uri": URL}, {"url": 1}, {"require": "perhaps"}]
)
def test_wrong_setting_of_the_file_is_refused(table) -> None:
    """A misspelt name or value is an error."""
    with pytest.raises(MochiError, match="K020"):
        settings(table=table)
