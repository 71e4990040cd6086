"""Locks between threads and processes."""

from __future__ import annotations

import os
import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.cache.lock import file_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOLD = """
from mochi_rules.cache.lock import file_lock
with file_lock(root / "lock") as held:
    print(held, flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_held_lock_is_refused_to_another_thread(tmp_path: Path) -> None:
    """A lock holds between the threads of one process too."""
    got = []

    def work() -> None:
        with file_lock(tmp_path / "lock", blocking=False) as held:
            got.append(held)

    with file_lock(tmp_path / "lock") as held:
        assert held
        thread = Thread(target=work)
        thread.start()
        thread.join()
    assert got == [False]


def test_free_lock_is_given_again(tmp_path: Path) -> None:
    """A lock that was released is free."""
    for _ in range(2):
        with file_lock(tmp_path / "lock", blocking=False) as held:
            assert held


def test_lock_leaves_no_file(tmp_path: Path) -> None:
    """A thousand keys leave no thousand files."""
    with file_lock(tmp_path / "locks" / "lock"):
        assert (tmp_path / "locks" / "lock").exists()
    assert list((tmp_path / "locks").iterdir()) == []


def test_stale_file_is_no_lock(tmp_path: Path) -> None:
    """The file that a killed process left is in nobody's way."""
    (tmp_path / "lock").touch()
    with file_lock(tmp_path / "lock", blocking=False) as held:
        assert held


def test_directory_that_cannot_be_has_no_lock(tmp_path: Path) -> None:
    """Where no lock file can be made, the work is done without."""
    (tmp_path / "locks").write_text("")
    with file_lock(tmp_path / "locks" / "lock") as held:
        assert not held


def test_error_of_the_work_passes(tmp_path: Path) -> None:
    """An exception leaves the lock released and is the caller's own, without a second one."""
    (tmp_path / "locks").write_text("")
    for path in (tmp_path / "lock", tmp_path / "locks" / "lock"):
        with pytest.raises(KeyError) as caught, file_lock(path):
            raise KeyError
        assert caught.value.__context__ is None
    with file_lock(tmp_path / "lock", blocking=False) as held:
        assert held


def test_threads_take_turns(tmp_path: Path) -> None:
    """Of many threads, one at a time is inside, though each removes the file as it leaves."""
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with file_lock(tmp_path / "lock") as held:
                assert held
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_waiting_takes_no_time_of_the_processor(tmp_path: Path) -> None:
    """A thread that waits for a lock sleeps."""
    lock = file_lock(tmp_path / "lock")
    lock.__enter__()
    waiting = Thread(target=lambda: file_lock(tmp_path / "lock").__enter__(), daemon=True)
    waiting.start()
    before = time.process_time()
    time.sleep(0.4)
    assert waiting.is_alive()
    assert time.process_time() - before < 0.1
    lock.__exit__(None, None, None)
    waiting.join(10)
    assert not waiting.is_alive()


@pytest.mark.slow
def test_held_lock_is_refused_to_another_process(
    tmp_path: Path, root: Path, start: Callable[..., Any]
) -> None:
    """A lock holds between processes."""
    with start(HOLD, 30) as other:
        assert other.stdout.readline() == "True\n"
        with file_lock(root / "lock", blocking=False) as held:
            assert not held
        other.kill()


@pytest.mark.slow
def test_killed_holder_frees_the_lock(root: Path, start: Callable[..., Any]) -> None:
    """A holder that dies by kill -9 lets the next one in at once."""
    with start(HOLD, 30) as other:
        assert other.stdout.readline() == "True\n"
        other.kill()
    assert (root / "lock").exists()
    with file_lock(root / "lock") as held:
        assert held


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_child_of_the_holder_does_not_keep_the_lock(
    root: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A worker that was forked inside, and lives on, does not hold up who waits."""
    code = """
from threading import Thread
from mochi_rules.cache.lock import file_lock

def wait():
    with file_lock(root / "lock"):
        pass

waiting = Thread(target=wait, daemon=True)
with file_lock(root / "lock"):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    waiting.start()
    time.sleep(0.2)
waiting.join(5)
print(waiting.is_alive())
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""
    assert finish(start(code)) == "False\n"
