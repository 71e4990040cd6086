"""Servers that others wrote keep what is stored, and give it back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cache.samples import OUTPUTS, make_action

from tests.servers import buildgrid, casd, new_key, nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.cache.tiers import TieredCache

    from .conftest import Machine

pytestmark = pytest.mark.slow
ACTION = make_action()
LARGE = {name: data * 6_000 for name, data in OUTPUTS.items()}


@pytest.fixture(scope="module", params=[casd, buildgrid, nginx], ids=lambda start: start.__name__)
def url(request, tmp_path_factory) -> Iterator[str]:
    """Return the URL of each server in turn."""
    with request.param(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def machine(machine: Machine) -> Machine:
    """Return machines that wait as long as a server takes: it shares this one with other tests."""

    def make(url: str, environment: dict[str, str] | None = None, **table: object) -> TieredCache:
        cache = machine(url, environment, **table)
        cache.shared.patience.add(60.0)
        return cache

    return make


def test_outputs_come_back(machine: Machine, url: str) -> None:
    """Two hundred results of one machine are found by another."""
    one, other = machine(url), machine(url)
    actions = [make_action(str(number)) for number in range(200)]
    for action in actions:
        one.store(action, OUTPUTS, stderr=b"said", seconds=1.0)
    one.flush()
    found = [other.lookup(action) for action in actions]
    assert all(hit and hit.outputs == OUTPUTS and hit.result.stderr_raw == b"said" for hit in found)
    assert one.warnings == other.warnings == ()


def test_large_outputs_come_back(machine: Machine, url: str) -> None:
    """Outputs that fit in no message come back too."""
    one, other = machine(url), machine(url)
    one.store(ACTION, LARGE)
    one.flush()
    hit = other.lookup(ACTION)
    assert hit is not None
    assert hit.outputs == LARGE


def test_what_nobody_stored_is_a_miss(machine: Machine, url: str) -> None:
    """A server without a result says so, and that is not a failure."""
    cache = machine(url)
    assert cache.lookup(make_action("nobody")) is None
    assert cache.warnings == ()


def test_server_for_reading_is_not_written(machine: Machine, tmp_path) -> None:
    """A server that refuses writes is read on, and a warning names what it refused."""
    with nginx(tmp_path) as url:
        writer = machine(url)
        writer.store(ACTION, OUTPUTS)
        writer.flush()
        cache = machine(f"{url}/reading")
        cache.store(make_action("other"), OUTPUTS)
        cache.flush()
        assert [warning.code for warning in cache.warnings] == ["K023"]
        assert machine(f"{url}/reading", mode="read").lookup(ACTION) is not None


def test_signature_comes_back(machine: Machine, url: str, tmp_path) -> None:
    """A server keeps the field that a signature travels in."""
    public = new_key(tmp_path / "ci.pem")
    one = machine(url, signing_key="ci.pem")
    action = make_action("signed")
    one.store(action, OUTPUTS, stderr=b"said")
    one.flush()
    other = machine(url, trusted_writers={"ci": public})
    assert other.lookup(action) is not None
    assert other.warnings == ()
