"""Builds that share a server: each with a cache of its own, as on machines of their own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.unit.remote.fake_server import FakeServer

from .project import HELLO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .project import Project


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Return a server on this machine."""
    server = FakeServer()
    yield server
    server.stop()


def test_what_one_machine_built_another_restores(
    project: Project, server: FakeServer, tmp_path: Path
) -> None:
    """A build with an empty cache takes everything from the server, and the bytes are the same."""
    project.write(HELLO)
    project.scons("link=none", f"remote={server.url}", "remote_upload=wait")
    built = project.outputs()
    project.scons("-c", "link=none")
    project.cache = tmp_path / "another machine"
    words = ("remote_mode=read", "remote_require=yes")  # however slow the machine is
    done = project.scons("link=none", f"remote={server.url}", *words)
    assert project.outputs() == built
    assert done.summary.startswith("built 0 of 4 · 4 cached (4 remote, ")
    assert {remark for *_, remark in done.steps} == {"cached, remote"}


@pytest.mark.slow
@pytest.mark.parametrize("word", ["//app:hello", "app"])
def test_prefetched_results_need_no_server(
    project: Project, server: FakeServer, tmp_path: Path, word: str
) -> None:
    """`prefetch` builds nothing; a build after that takes everything from this machine."""
    project.write(HELLO)
    project.scons("link=none", f"remote={server.url}", "remote_upload=wait")
    project.scons("-c", "link=none")
    project.cache = tmp_path / "another machine"
    done = project.scons("prefetch", word, "link=none", f"remote={server.url}")
    assert done.out.splitlines() == ["4 of 4 results are here"]
    assert project.outputs() == {}
    assert project.scons("link=none").summary.startswith("built 0 of 4 · 4 cached (")


@pytest.mark.slow
def test_prefetch_reports_what_there_is_to_do(project: Project, server: FakeServer) -> None:
    """What the server lacks is counted, and of a build that is up to date there is nothing."""
    project.write(HELLO)
    words = ("prefetch", "link=none", f"remote={server.url}")
    assert project.scons(*words).out == "0 of 4 results are here; the remote cache lacks 4\n"
    project.scons("link=none")
    assert project.scons(*words).out == "nothing to fetch: all is up to date\n"


@pytest.mark.slow
def test_verify_counts_what_was_made_here(
    project: Project, server: FakeServer, tmp_path: Path
) -> None:
    """Results that came from the server were verified then, and are not asked for again."""
    project.environment["MOCHI_RULES_REMOTE"] = server.url
    project.write(HELLO)
    project.scons("link=none", "remote_upload=wait")
    verify = ("cache", "verify", "--remote")
    # A step each, and the functions of the runtime library that the compiler keeps.
    assert project.cli(*verify).out == "checked 5 results made here, 0 faults\n"
    project.scons("-c", "link=none")
    project.cache = tmp_path / "another machine"
    project.scons("link=none", "remote_require=yes")
    assert project.cli(*verify).out == "checked 0 results made here, 0 faults\n"


def test_prefetch_without_its_server_is_an_error(project: Project) -> None:
    """What a build could do without, this verb cannot."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"grpc://127.0.0.1:{sock.getsockname()[1]}"
    project.write(HELLO)
    done = project.scons("prefetch", "link=none", f"remote={url}")
    assert done.status == 2
    assert "error[K022]" in done.err


def test_build_with_nothing_to_do_opens_no_connection(project: Project, server: FakeServer) -> None:
    """Neither an up-to-date tree nor a full cache of this machine needs the server."""
    project.write({**HELLO, "mochi.toml": f'[remote]\nurl = "{server.url}"\nmode = "read"\n'})
    project.scons("link=none", "remote=off")
    assert project.scons("link=none").status == 0
    project.scons("-c", "link=none")
    assert project.scons("link=none").summary.startswith("built 0 of 4 · 4 cached (")
    assert server.calls == []


def test_server_that_is_not_there_is_a_warning(project: Project) -> None:
    """A build goes on without its server, and says so once."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"grpc://127.0.0.1:{sock.getsockname()[1]}"
    project.write(HELLO)
    done = project.scons("link=none", f"remote={url}")
    assert done.status == 0
    assert done.err.count("warning[") == 1
    assert "K022" in done.err


def test_required_server_that_is_not_there_is_an_error(project: Project) -> None:
    """`remote_require=yes` builds nothing without its server."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"grpc://127.0.0.1:{sock.getsockname()[1]}"
    project.write(HELLO)
    done = project.scons("link=none", f"remote={url}", "remote_require=yes")
    assert done.status == 2
    assert "error[K022]" in done.err
