"""Tests of policies as files."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.policy import read_policy
from mochi_rules.signing.keys import write_key_pair

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_are_named_relative_to_the_policy(tmp_path: Path) -> None:
    """A policy and its keys move together."""
    public = write_key_pair(tmp_path / "a.key")
    text = '[[signed_by]]\nkey = "a.key.pub"\nuntil = 2030-12-31\n'
    (tmp_path / "policy.toml").write_text(text)
    [signer] = read_policy(tmp_path / "policy.toml").signers
    assert signer.key.key_id == public.key_id
    assert signer.until == dt.date(2030, 12, 31)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=", "is not TOML"),
        ('buildr = "x"', "unknown key `buildr`"),
        ("builder = 1", "`builder` in .* must be a string"),
        ('wasmtime = "newest"', "`wasmtime` in .* must be a version"),
        ('wasmtime = ""', "`wasmtime` in .* must be a version"),
        ('clean = "yes"', "`clean` in .* must be `true` or `false`"),
        ('signed_by = ["x"]', "needs `key`, the file of a public key"),
        ('[[signed_by]]\nkey = "x"\nname = "x"', "needs no `name`"),
        ('[[signed_by]]\nkey = "x"\nuntil = "soon"', "needs `until` as a date"),
    ],
)
def test_mistake_is_reported(text: str, message: str, tmp_path: Path) -> None:
    """A policy that is misread would accept what it should refuse."""
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(MochiError, match=f"R022: .*{message}"):
        read_policy(tmp_path / "policy.toml")
