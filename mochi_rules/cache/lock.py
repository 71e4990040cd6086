"""Locks between threads and processes; they end with the process that holds them."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mochi_rules.cache.entry import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)  # which Windows does not have

if sys.platform == "win32":
    import errno
    import msvcrt

    def _lock(descriptor: int, *, blocking: bool) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if blocking else msvcrt.LK_NBLCK, 1)
            except OSError as error:
                # LK_LOCK gives up after ten seconds.
                if not blocking or error.errno != errno.EDEADLOCK:
                    raise
            else:
                return

    def _release(descriptor: int, path: Path) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        os.close(descriptor)
        with suppress(OSError):  # Windows keeps a file that another one has open
            path.unlink()

else:
    import fcntl

    def _lock(descriptor: int, *, blocking: bool) -> None:
        # Of the open file, so that it holds between the threads of a process too.
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))

    def _release(descriptor: int, path: Path) -> None:
        with suppress(OSError):
            path.unlink()
        # A child process may have inherited the descriptor: closing alone would not unlock.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


@contextmanager
def file_lock(path: Path, *, blocking: bool = True) -> Iterator[bool]:
    """Hold a lock, named by a file that exists only while someone holds it or waits.

    Yields True while the lock is held; False, and no lock, where the file system has none to
    give, or where another one holds it and `blocking` is off. A thread must not take a lock twice.
    """
    descriptor: int | None
    try:
        descriptor = _acquire(path, blocking=blocking)
    except OSError:
        descriptor = None
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        _release(descriptor, path)


def _acquire(path: Path, *, blocking: bool) -> int:
    make_folder(path.parent)
    while True:
        descriptor = os.open(path, _FLAGS, 0o644)
        try:
            _lock(descriptor, blocking=blocking)
            if _is_file_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_file_at(descriptor: int, path: Path) -> bool:
    # Whoever held the lock before may have removed its file while we waited.
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
