"""`mochi-rules cache key`: keys are made, shown and revoked."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mochi_rules.cli.main import main
from mochi_rules.remote.settings import remote_settings


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch) -> Path:
    """Work in an empty folder, with settings of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path


def trust(text: str):
    """Return whom a `mochi.toml` trusts."""
    return remote_settings({}, {}, tomllib.loads(text)["remote"], Path()).trust


def test_new_key_prints_what_readers_need(capsys) -> None:
    """The lines of a new key can stand in `mochi.toml` as they are; `show` repeats the key."""
    assert main(["cache", "key", "new", "ci"]) == 0
    lines = capsys.readouterr().out
    assert list(trust(lines).trusted) == ["ci"]
    assert main(["cache", "key", "show", "ci"]) == 0
    assert capsys.readouterr().out in lines


@pytest.mark.parametrize("rest", ["", "\n[remote.revoked_writers]\n", "\n[engine.a]\nfuel = 1\n"])
def test_revoked_writer_stands_in_the_file(capsys, workspace: Path, rest: str) -> None:
    """`revoke` adds the key of a writer to those not believed, and changes nothing else."""
    main(["cache", "key", "new", "ci"])
    text = capsys.readouterr().out + rest
    path = workspace / "mochi.toml"
    path.write_text(text)
    assert main(["cache", "key", "revoke", "ci"]) == 0
    now = trust(path.read_text())
    assert now.revoked == now.trusted == trust(text).trusted
    assert path.read_text().startswith(text.rstrip())


def test_unknown_writer_cannot_be_revoked(capsys, workspace: Path) -> None:
    """Only who is trusted can be trusted no more."""
    (workspace / "mochi.toml").write_text('[remote]\nurl = "grpc://h"\n')
    assert main(["cache", "key", "revoke", "ci"]) == 2
    assert "K027" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["key"], ["key", "new"], ["key", "make", "ci"], ["gc", "now"]])
def test_wrong_words_are_refused(capsys, words: list[str]) -> None:
    """Each action of a key has a name behind it, and the other actions have nothing."""
    assert main(["cache", *words]) == 2
    assert "error[B0" in capsys.readouterr().err
