"""What other machines stored under the name of a target, by other keys."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from cache.samples import OUTPUTS, make_action

from mochi_rules.cache.explain import difference, key_record
from mochi_rules.cache.key import PreparedAction, prepare
from tests.servers import new_key

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Machine
    from .fake_server import FakeServer

TARGET = "build/x86_64-linux-release/app/app.cwasm"


def action_of(version: str) -> PreparedAction:
    """Return the step of the target with a version of its tool."""
    spec = dataclasses.replace(make_action().spec, target=TARGET, tools={"wasmtime": version})
    return prepare(spec)


def store(machine: Machine, server: FakeServer, version: str, **settings: object) -> None:
    """Build the target on a new machine."""
    cache = machine(server.url, **settings)
    cache.store(action_of(version), OUTPUTS)
    cache.flush()


def changes(machine: Machine, server: FakeServer, version: str, **settings: object) -> list[str]:
    """Return how the key of a new machine differs from that on the server."""
    mine = key_record(TARGET, action_of(version))
    other = machine(server.url, **settings).shared.other_keys({TARGET: mine})[TARGET]
    return [] if other is None else [str(change) for change in difference(other, mine)]


def test_other_key_of_a_target_is_found_by_its_name(machine: Machine, server: FakeServer) -> None:
    """A machine learns which part of the key differs from what another has stored."""
    store(machine, server, "48.0.0")
    assert changes(machine, server, "48.0.8") == ["tool wasmtime 48.0.0 → 48.0.8"]


def test_own_result_hides_no_other(machine: Machine, server: FakeServer) -> None:
    """Who stores a result too still finds those from before."""
    store(machine, server, "48.0.0")
    store(machine, server, "48.0.8")
    assert changes(machine, server, "48.0.8") == ["tool wasmtime 48.0.0 → 48.0.8"]


def test_target_of_one_key_has_no_other(machine: Machine, server: FakeServer) -> None:
    """The own key is nothing to compare with."""
    store(machine, server, "48.0.8")
    assert changes(machine, server, "48.0.8") == []


def test_list_of_a_stranger_is_not_believed(
    machine: Machine, server: FakeServer, tmp_path: Path
) -> None:
    """Where writers are named, what another wrote says nothing."""
    writers = {"ci": new_key(tmp_path / "ci.pem")}
    store(machine, server, "48.0.0")
    assert changes(machine, server, "48.0.8", trusted_writers=writers) == []
    store(machine, server, "48.0.4", trusted_writers=writers, signing_key="ci.pem")
    found = changes(machine, server, "48.0.8", trusted_writers=writers)
    assert found == ["tool wasmtime 48.0.4 → 48.0.8"]
