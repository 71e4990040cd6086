"""Two machines and a server: what one stores, the other finds, and nothing wrong is delivered."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import grpc
import pytest
from cache.samples import OUTPUTS, make_action

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import Cache, make_result
from mochi_rules.cache.key import ActionSpec, prepare
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.remote.grpc import messages as m

from .fake_server import FakeServer

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.cache.key import PreparedAction

    from .conftest import Machine

ACTION = make_action()
LARGE = bytes(range(256)) * 20_000  # more than one message holds
ZSTD = m.ServerCapabilities(
    m.CacheCapabilities(
        bytes([m.SHA256]), m.UpdateCapabilities(enabled=True), 0, bytes([m.ZSTD]), bytes([m.ZSTD])
    )
)


def large_action() -> PreparedAction:
    """Return a step with one output."""
    return prepare(ActionSpec("aot", (), {}, {}, ("large",)))


def put(cache: TieredCache) -> None:
    """Store the outputs of ACTION, and wait until the server has them."""
    cache.store(ACTION, OUTPUTS, stderr=b"said", seconds=2.0)
    cache.flush()


def codes(cache: TieredCache) -> list[str]:
    """Return the codes of the warnings."""
    return [warning.code for warning in cache.warnings]


def test_at_hand_is_what_has_been_fetched(machine: Machine, server: FakeServer) -> None:
    """A server is not asked for it."""
    put(machine(server.url))
    cache = machine(server.url)
    assert cache.at_hand(ACTION) is None
    cache.fetch_all([ACTION])
    hit = cache.at_hand(ACTION)
    assert hit is not None
    assert (hit.outputs, hit.is_remote) == (OUTPUTS, True)


def test_another_machine_finds_what_one_stored(machine: Machine, server: FakeServer) -> None:
    """Outputs, and what the step said, come over the server."""
    put(machine(server.url))
    hit = machine(server.url).lookup(ACTION)
    assert hit is not None
    assert (hit.outputs, hit.result.stderr_raw, hit.is_remote) == (OUTPUTS, b"said", True)


def test_local_tier_keeps_what_was_fetched(machine: Machine, server: FakeServer) -> None:
    """A second lookup asks no server."""
    put(machine(server.url))
    cache = machine(server.url)
    cache.lookup(ACTION)
    before = len(server.calls)
    assert cache.lookup(ACTION) is not None
    assert len(server.calls) == before


def test_local_tier_keeps_no_messages_of_what_was_fetched(
    machine: Machine, server: FakeServer
) -> None:
    """Three files of five: writing them took most of the time of a restored step."""
    put(machine(server.url))
    cache = machine(server.url)
    cache.lookup(ACTION)
    assert cache.local.report().usage.blobs == len(OUTPUTS)


def test_hit_of_this_machine_opens_no_connection(machine: Machine, server: FakeServer) -> None:
    """What the local tier has is never asked of a server."""
    cache = machine(server.url, mode="read")
    cache.local.store(ACTION, OUTPUTS)
    hit = cache.lookup(ACTION)
    assert hit is not None
    assert not hit.is_remote
    assert server.calls == []


def test_server_has_all_that_a_result_names(machine: Machine, server: FakeServer) -> None:
    """The messages of the key are stored too, and the result comes last."""
    put(machine(server.url))
    wanted = {*ACTION.messages, *map(digest_bytes, OUTPUTS.values())}
    assert {digest.hash for digest in wanted} <= set(server.blobs)
    assert server.calls[-1] == "update_result"


@pytest.mark.parametrize("mode", ["read", "write"])
def test_mode_says_what_is_done(machine: Machine, server: FakeServer, mode: str) -> None:
    """`read` stores nothing, and `write` fetches nothing."""
    put(machine(server.url, mode=mode))
    assert bool(server.results) is (mode == "write")
    put(machine(server.url))
    assert (machine(server.url, mode=mode).lookup(ACTION) is not None) is (mode == "read")


@pytest.mark.parametrize("capabilities", [None, ZSTD], ids=["plain", "zstd"])
def test_large_blob_comes_over_the_server(machine: Machine, capabilities) -> None:
    """A blob that fits in no message is sent in parts, compressed where the server can."""
    server = FakeServer(capabilities)
    one, other = machine(server.url), machine(server.url)
    one.store(large_action(), {"large": LARGE})
    one.flush()
    hit = other.lookup(large_action())
    assert hit is not None
    assert hit.outputs == {"large": LARGE}
    assert {"write", "read"} <= set(server.calls)
    server.stop()


@pytest.mark.parametrize("capabilities", [None, ZSTD], ids=["plain", "zstd"])
def test_read_continues_where_it_broke_off(machine: Machine, capabilities) -> None:
    """A stream that breaks off is continued, not begun again."""
    server = FakeServer(capabilities)
    one, other = machine(server.url, upload="wait"), machine(server.url)
    noise = b"".join(digest_bytes(str(i).encode()).hash.encode() for i in range(80_000))
    one.store(large_action(), {"large": noise})
    one.flush()
    server.faults.cut = 1_000_000
    other.shared.patience.add(60.0)  # a busy machine takes longer than a build would wait
    hit = other.lookup(large_action())
    assert hit is not None
    assert hit.outputs == {"large": noise}
    assert server.calls.count("read") == 2
    server.stop()


def test_wrong_bytes_are_not_delivered(machine: Machine, server: FakeServer) -> None:
    """A blob that does not have its digest is a miss, with a warning."""
    put(machine(server.url))
    server.faults.change = lambda data: data[:-1] + b"!"
    cache = machine(server.url)
    assert cache.lookup(ACTION) is None
    assert codes(cache) == ["K024"]


def test_result_that_dangles_is_a_miss(machine: Machine, server: FakeServer) -> None:
    """A result whose blob the server has dropped is a miss, and nobody's mistake."""
    put(machine(server.url))
    del server.blobs[digest_bytes(OUTPUTS["app/hello.map"]).hash]
    cache = machine(server.url)
    assert cache.lookup(ACTION) is None
    assert codes(cache) == []


def test_passing_failure_is_tried_again(machine: Machine, server: FakeServer) -> None:
    """A server that is overloaded for a moment costs no hit."""
    put(machine(server.url))
    server.faults.refuse = {"get_result": (2, grpc.StatusCode.RESOURCE_EXHAUSTED)}
    assert machine(server.url).lookup(ACTION) is not None


def test_wish_of_the_server_to_wait_is_respected(machine: Machine, server: FakeServer) -> None:
    """RetryInfo says how long the client waits."""
    put(machine(server.url))
    server.faults.refuse = {"get_result": (1, grpc.StatusCode.UNAVAILABLE)}
    server.faults.retry_after = 0.4
    start = time.monotonic()
    assert machine(server.url).lookup(ACTION) is not None
    assert time.monotonic() - start >= 0.4


def test_lasting_failures_open_the_breaker(machine: Machine, server: FakeServer) -> None:
    """After a few failures, the server is left alone, and one warning says so."""
    server.faults.refuse = {"get_result": (1000, grpc.StatusCode.INVALID_ARGUMENT)}
    cache = machine(server.url, mode="read")
    for number in range(20):
        assert cache.lookup(make_action(str(number))) is None
    assert server.calls.count("get_result") == 3
    assert codes(cache) == ["K022"]


def test_closed_port_costs_no_time(machine: Machine) -> None:
    """A server that is not there is asked a few times, quickly."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"grpc://127.0.0.1:{sock.getsockname()[1]}"
    cache = machine(url)
    put(cache)
    for number in range(20):
        assert cache.lookup(make_action(str(number))) is None
    assert codes(cache) == ["K022"]


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_silent_server_is_given_up(machine: Machine, scheme: str) -> None:
    """A server that accepts connections and says nothing uses up the patience, once."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        cache = machine(f"{scheme}://127.0.0.1:{sock.getsockname()[1]}")
        for number in range(20):
            assert cache.lookup(make_action(str(number))) is None
        assert cache.shared.patience.left == 0
        assert codes(cache) == ["K022"]


def test_required_server_fails_a_build(machine: Machine) -> None:
    """`require` makes an error of what is a warning otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"grpc://127.0.0.1:{sock.getsockname()[1]}"
    cache = machine(url, require=True)
    with pytest.raises(MochiError, match="K022"):
        cache.lookup(ACTION)


def test_refused_client_is_reported_once(machine: Machine, server: FakeServer) -> None:
    """A server that does not accept the client is not asked again, and the token is not shown."""
    server.faults.token = "right"
    cache = machine(server.url, environment={"MOCHI_RULES_REMOTE_TOKEN": "a-wrong-secret"})
    cache.lookup(ACTION)
    cache.lookup(make_action("other"))
    [found] = cache.warnings
    assert found.code == "K023"
    assert "a-wrong-secret" not in found.message
    assert "[hidden]" in found.message
    assert len(server.calls) == 1


def test_token_that_expires_is_read_again(machine: Machine, server: FakeServer, tmp_path) -> None:
    """A token file that has changed is read when the server refuses the old token."""
    put(machine(server.url))
    token = tmp_path / "token"
    token.write_text("first")
    server.faults.token = "first"
    cache = machine(server.url, token_file="token")
    cache.lookup(make_action("other"))
    token.write_text("second")
    server.faults.token = "second"
    assert cache.lookup(ACTION) is not None


def test_server_of_another_digest_is_not_used(machine: Machine) -> None:
    """A server that does not name blobs by SHA-256 is refused when it says so."""
    server = FakeServer(m.ServerCapabilities(m.CacheCapabilities(bytes([9]))))
    cache = machine(server.url)
    assert cache.lookup(ACTION) is None
    assert codes(cache) == ["K023"]
    assert server.calls == ["get_capabilities"]
    server.stop()


def test_server_that_cannot_be_written_is_read(machine: Machine) -> None:
    """Nothing is sent to a server that takes no results."""
    server = FakeServer(
        m.ServerCapabilities(m.CacheCapabilities(bytes([m.SHA256]), m.UpdateCapabilities()))
    )
    put(machine(server.url))
    assert set(server.calls) == {"get_capabilities"}
    server.stop()


def test_server_of_the_first_version_is_used(machine: Machine, server: FakeServer) -> None:
    """A server without capabilities has those of the first version."""
    server.faults.refuse = {"get_capabilities": (1000, grpc.StatusCode.UNIMPLEMENTED)}
    put(machine(server.url))
    assert machine(server.url).lookup(ACTION) is not None


def test_totals_are_of_each_tier(machine: Machine, server: FakeServer) -> None:
    """What was asked of the server, and how long it took, is counted beside the local tier."""
    put(machine(server.url))
    cache = machine(server.url)
    cache.lookup(ACTION)
    cache.lookup(make_action("other"))
    cache.flush()
    cache.flush()  # which counts nothing twice
    report = cache.local.report()
    size = sum(map(len, OUTPUTS.values()))
    assert (report.statistics.hits, report.statistics.misses) == (0, 2)
    assert (report.shared.hits, report.shared.misses, report.shared.bytes_read) == (1, 1, size)
    shared = report.shared
    calls = shared.calls_10ms + shared.calls_100ms + shared.calls_1s + shared.calls_longer
    assert calls == 4  # capabilities, two results, the blobs of one


def test_server_that_refuses_writes_is_read_on(machine: Machine, server: FakeServer) -> None:
    """Who may not write may still read, and one warning says so."""
    put(machine(server.url))
    server.faults.refuse = {"batch_update": (1000, grpc.StatusCode.PERMISSION_DENIED)}
    cache = machine(server.url)
    cache.store(make_action("other"), OUTPUTS)
    cache.shared.uploads.drain(10)
    assert cache.lookup(ACTION) is not None
    assert codes(cache) == ["K023"]
    assert "does not accept results" in cache.warnings[0].message


def test_blob_that_is_too_large_is_not_sent(machine: Machine) -> None:
    """A result that the server cannot take is left out, and the others are stored."""
    limited = m.CacheCapabilities(bytes([m.SHA256]), m.UpdateCapabilities(enabled=True), max_blob=9)
    server = FakeServer(m.ServerCapabilities(limited))
    cache = machine(server.url)
    small = prepare(ActionSpec("aot", ("small",), {}, {}, ("large",)))
    cache.store(large_action(), {"large": b"more than nine"})
    cache.store(small, {"large": b"small"})
    cache.flush()
    assert list(server.results) == [small.key.hash]
    assert codes(cache) == []
    server.stop()


def test_upload_that_hangs_delays_no_lookup(machine: Machine) -> None:
    """What the background waits for takes nobody's time but the patience of the build."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        cache = machine(f"grpc://127.0.0.1:{sock.getsockname()[1]}")
        cache.store(ACTION, OUTPUTS)
        time.sleep(0.2)  # the upload asks first
        start = time.monotonic()
        assert cache.lookup(make_action("other")) is None
        assert time.monotonic() - start < 5  # of the 30 s that the upload may take


def test_shared_tier_that_nobody_needs_is_not_opened(tmp_path: Path) -> None:
    """A build with nothing to do, or with all in the local tier, loads nothing of a server's."""
    local = Cache(tmp_path)
    local.keep(ACTION, make_result(ACTION, OUTPUTS), OUTPUTS)
    cache = TieredCache(local, lambda: pytest.fail("opened"))
    assert cache.lookup(ACTION)
    assert cache.refusal(ACTION.key) == ""
    assert cache.warnings == ()
    cache.flush()
