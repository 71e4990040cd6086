"""What build files look at while SCons reads them: every path that is read, listed or asked for.

The interpreter reports what is opened, listed, run and connected to (PEP 578); `os.stat` is
replaced meanwhile, because it is not reported. What a file cannot stand for is a doubt.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, cast

from mochi_rules.rules.null_build.manifest import Sign, sign_of

_LISTED = frozenset({"os.listdir", "os.scandir"})
# A run program or a connection may answer differently next time.
_DOUBTED = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "socket.connect"}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Observer:
    """Notes what the calling thread looks at, until `stop`.

    `paths` has the result of `stat` for each path when it was first looked at, `written` the paths
    of files that were opened to be written. `doubt` is why what was seen may not decide what the
    build files do; it is empty if there is no reason.
    """

    def __init__(self) -> None:
        self.paths: dict[str, Sign | None] = {}
        self.written: set[str] = set()
        self.doubt = ""
        self._thread = threading.get_ident()
        self._stat: Any = os.stat
        self._is_watching = True
        self._is_busy = False
        self._streams: tuple[Any, Any] | None = None
        os.stat = self._observed_stat
        sys.addaudithook(self._audit)

    def watch_output(self) -> None:
        """Watch the standard streams too: output of a build file would be missing otherwise."""
        self._streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (cast("Any", _Stream(item, self)) for item in self._streams)

    def stop(self) -> None:
        """Stop watching."""
        if self._is_watching:
            self._is_watching = False
            os.stat = self._stat
            if self._streams:
                sys.stdout, sys.stderr = self._streams

    def _observed_stat(self, path: Any, *args: Any, **options: Any) -> Any:
        if isinstance(path, (str, bytes, os.PathLike)):
            self._look(path)
        return self._stat(path, *args, **options)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_watching or self._is_busy or self._thread != threading.get_ident():
            return
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, (str, bytes)):
                return
            if isinstance(flags, int) and flags & _WRITING:
                self.written.add(os.path.join(os.getcwd(), os.fsdecode(path)))
            else:
                self._look(path)
        elif event in _LISTED:
            folder = arguments[0]
            if not isinstance(folder, int):
                self._look("." if folder is None else folder, os.sep)
        elif event in _DOUBTED:
            self.doubt = self.doubt or f"{event} {arguments[0]!r}"

    def _look(self, path: Any, end: str = "") -> None:
        if self._thread != threading.get_ident():
            return
        name = os.path.join(os.getcwd(), os.fsdecode(path)) + end
        if name in self.paths:
            return
        self._is_busy = True
        try:
            self.paths[name] = sign_of(name, self._stat)
        finally:
            self._is_busy = False


class _Stream:
    """A stream that lets the observer know of what build files write."""

    def __init__(self, stream: Any, observer: Observer) -> None:
        self._stream, self._observer = stream, observer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        """Write a string; SCons' own messages cast no doubt."""
        if text.strip() and not text.startswith("scons: "):
            self._observer.doubt = self._observer.doubt or "something is printed"
        return self._stream.write(text)
