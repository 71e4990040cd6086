"""Trust: what of a server is believed, whoever wrote it there."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cache.samples import OUTPUTS, make_action
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import make_result
from mochi_rules.cache.messages import ActionResult, OutputFile, decode, encode
from mochi_rules.remote import trust
from mochi_rules.remote.settings import Trust, parse_public
from mochi_rules.remote.trust import Signer, load_signer, refusal
from mochi_rules.signing.keys import SigningKey
from mochi_rules.steps.caches import open_cache
from tests.servers import new_key

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Machine
    from .fake_server import FakeServer

ACTION = make_action()
RESULT = make_result(ACTION, OUTPUTS, stderr=b"said", seconds=1.0)
PRIVATE, OTHER = (SigningKey(Ed25519PrivateKey.generate()) for _ in range(2))
CI = {"ci": PRIVATE.public.raw}


def signed(writer: str = "ci", private: SigningKey = PRIVATE) -> ActionResult:
    """Return RESULT with a signature."""
    return Signer(writer, private).sign(ACTION.key, RESULT)


def changed(result: ActionResult) -> ActionResult:
    """Return a result whose first output is another one."""
    first, *others = result.output_files
    other = OutputFile(first.path, digest_bytes(b"something else"))
    return replace(result, output_files=(other, *others))


@pytest.mark.parametrize(
    ("settings", "result", "why"),
    [
        (Trust(), RESULT, ""),
        (Trust(CI), signed(), ""),
        (Trust(CI), RESULT, trust.UNSIGNED),
        (Trust(CI), signed("ci", OTHER), trust.UNKNOWN),
        (Trust(CI), signed("other"), trust.UNKNOWN),
        (Trust(CI), changed(signed()), trust.FORGED),
        (Trust(CI, CI), signed(), trust.REVOKED),
        (Trust({}, CI), signed(), trust.REVOKED),
        (Trust({}, CI), RESULT, ""),
    ],
    ids=[
        "all",
        "trusted",
        "unsigned",
        "key",
        "name",
        "changed",
        "revoked",
        "revoked alone",
        "else",
    ],
)
def test_who_is_believed(settings: Trust, result: ActionResult, why: str) -> None:
    """Only what a trusted writer signed, as it was signed, is taken."""
    assert refusal(settings, ACTION.key, result) == why


def test_signature_of_one_step_is_none_of_another() -> None:
    """An entry that is put in the place of another is not believed."""
    assert refusal(Trust(CI), make_action("other").key, signed()) == trust.FORGED


def test_what_a_server_may_change_is_not_signed() -> None:
    """A server inlines contents, moves what a step said to a blob, and describes the run."""
    result = signed()
    first, *others = result.output_files
    inlined = replace(first, contents=OUTPUTS[first.path])
    moved = replace(
        result,
        output_files=(*others, inlined),
        stderr_raw=b"",
        stderr_digest=digest_bytes(b"said"),
    )
    assert refusal(Trust(CI), ACTION.key, decode(ActionResult, encode(moved))) == ""


def test_old_entries_expire(monkeypatch) -> None:
    """With `max_age_days`, an entry is believed for so long."""
    result, now = signed(), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400)
    assert refusal(Trust(CI, {}, 3), ACTION.key, result) == ""
    assert refusal(Trust(CI, {}, 1), ACTION.key, result) == trust.EXPIRED


def test_key_signs_in_the_name_that_readers_know(tmp_path: Path) -> None:
    """Whatever its file is called, a key is of the writer that `mochi.toml` names it by."""
    key = parse_public(new_key(tmp_path / "ci.pem"))
    assert key is not None
    result = load_signer(tmp_path / "ci.pem", {"builder": key}).sign(ACTION.key, RESULT)
    assert refusal(Trust({"builder": key}), ACTION.key, result) == ""


def test_only_trusted_entries_cross_the_server(
    machine: Machine, server: FakeServer, tmp_path: Path
) -> None:
    """A stranger's entry is a miss, counted, and named for `explain`; that of CI is a hit."""
    public = new_key(tmp_path / "ci.pem")
    stranger = machine(server.url)
    stranger.store(ACTION, OUTPUTS)
    stranger.flush()
    writers = {"trusted_writers": {"ci": public}}
    reader = machine(server.url, **writers)
    assert reader.lookup(ACTION) is None
    assert reader.refusal(ACTION.key) == trust.UNSIGNED
    assert [warning.code for warning in reader.warnings] == ["K026"]
    writer = machine(server.url, **writers, signing_key="ci.pem")
    writer.store(ACTION, OUTPUTS)
    writer.flush()
    assert machine(server.url, **writers).lookup(ACTION) is not None


def test_who_cannot_sign_does_not_write(machine: Machine, server: FakeServer, tmp_path) -> None:
    """Where writers are trusted by name, a machine without a key only reads."""
    public = new_key(tmp_path / "ci.pem")
    cache = machine(server.url, trusted_writers={"ci": public})
    cache.store(ACTION, OUTPUTS)
    cache.flush()
    assert server.results == {}


def test_entry_that_came_from_elsewhere_is_judged_again(
    machine: Machine, server: FakeServer, tmp_path: Path
) -> None:
    """What the local tier keeps of a server is not taken any more when its writer is revoked."""
    public = new_key(tmp_path / "ci.pem")
    writer = machine(server.url, signing_key="ci.pem")
    writer.store(ACTION, OUTPUTS)
    writer.flush()
    reader = machine(server.url, trusted_writers={"ci": public})
    assert reader.lookup(ACTION) is not None
    key = parse_public(public)
    assert key is not None
    settings = writer.shared.settings
    for revoked, is_taken in (({}, True), ({"ci": key}, False)):
        judged = replace(settings, address=None, trust=Trust({"ci": key}, revoked))
        again = open_cache(reader.root, judged, lambda _: None)
        assert (again.lookup(ACTION) is not None) is is_taken


def test_own_entries_need_no_signature(machine: Machine, server: FakeServer, tmp_path) -> None:
    """What this machine built is its own to believe."""
    public = new_key(tmp_path / "ci.pem")
    cache = machine(server.url, trusted_writers={"ci": public})
    cache.store(ACTION, OUTPUTS)
    assert cache.lookup(ACTION) is not None
