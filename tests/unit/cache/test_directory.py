"""Which directories may be a cache, and what a cache directory looks like."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.cache.directory import default_root, examine, prepare

STRANGER = 4321  # a user id that is neither ours nor root's


def code_of(root: Path) -> str:
    """Return the code that `examine` refuses a directory with."""
    with pytest.raises(MochiError) as caught:
        examine(root)
    (diagnostic,) = caught.value.diagnostics
    assert str(root) in diagnostic.message
    assert "cache=DIR" in diagnostic.help
    assert diagnostic.fault is Fault.ENVIRONMENT
    return diagnostic.code


def test_absent_directory_can_become_a_cache(root: Path) -> None:
    """Where nothing is, nothing is made by looking."""
    assert examine(root) is False
    assert not root.exists()


def test_prepared_directory_is_a_cache(root: Path) -> None:
    """What `prepare` makes, `examine` accepts."""
    prepare(root)
    assert examine(root) is True


def test_prepared_directory_is_tagged(root: Path) -> None:
    """Backup programs know a cache by the signature of bford.info/cachedir."""
    prepare(root)
    tag = (root / "CACHEDIR.TAG").read_bytes()
    assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")


def test_file_is_no_cache(root: Path) -> None:
    """A file in the place of the directory is refused."""
    root.write_text("")
    assert code_of(root) == "K001"


def test_path_below_a_file_is_no_cache(root: Path) -> None:
    """A file in the place of a parent is refused."""
    root.write_text("")
    assert code_of(root / "below") == "K001"


def test_loop_of_links_is_no_cache(root: Path) -> None:
    """A symbolic link to itself is refused instead of followed."""
    root.symlink_to(root)
    assert code_of(root) == "K001"


def test_name_too_long_is_no_cache(tmp_path: Path) -> None:
    """A name that the file system refuses is refused with its reason."""
    assert code_of(tmp_path / ("x" * 300)) == "K001"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_directory_of_another_user_is_no_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are native code, so they are not taken from a stranger's directory."""
    prepare(root)
    if os.geteuid() == 0:
        os.chown(root, STRANGER, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert code_of(root) == "K002"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_directory_of_root_is_a_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that the machine's administrator provides is trusted."""
    prepare(root)
    if os.geteuid() != 0:
        pytest.skip("needs to be root, to make a directory of root's")
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert examine(root) is True


@pytest.mark.parametrize(
    "text", ["mochi_rules cache 2\n", "mochi_rules cache 11", "", "\xff\xfe", "x" * 1000]
)
def test_unknown_format_is_no_cache(root: Path, text: str) -> None:
    """A cache of another major version, or of no version, is left alone."""
    prepare(root)
    (root / "format").write_text(text, encoding="latin-1")
    assert code_of(root) == "K003"


def test_later_minor_format_is_a_cache(root: Path) -> None:
    """A minor version only adds, so it does not matter."""
    prepare(root)
    (root / "format").write_text("mochi_rules cache 1.7\n")
    assert examine(root) is True


def test_directory_with_other_files_is_no_cache(root: Path) -> None:
    """A home directory named by mistake does not get a tag that ends its backups."""
    root.mkdir()
    (root / "letter.txt").write_text("")
    assert code_of(root) == "K004"


@pytest.mark.parametrize("name", ["CACHEDIR.TAG", ".format.x7", "lost+found", "v1"])
def test_remains_of_an_interruption_can_become_a_cache(root: Path, name: str) -> None:
    """A process killed while it made the cache does not spoil the directory for ever."""
    root.mkdir()
    (root / name).mkdir()
    assert examine(root) is False


def test_cache_that_another_process_makes_is_a_cache(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format that appears while we look does not count as one of the user's files."""
    iterdir = Path.iterdir

    def late(path: Path) -> object:
        prepare(root)
        return iterdir(path)

    root.mkdir()
    monkeypatch.setattr(Path, "iterdir", late)
    assert examine(root) is True


def test_default_root_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default stands where the platform keeps caches."""
    assert default_root() == platformdirs.user_cache_path("mochi_rules")


def test_user_without_home_has_no_default_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `~` that stands for nothing does not become a directory of that name."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert default_root() is None
