"""What the builds of a tree did: the keys of its steps with their parts, and the outcomes.

One file, `build/.mochi/steps.jsonl`, to which every build appends: one line when it begins, and
one for each step that ran or was restored. What is in no line of a build was up to date.
An output whose digest is in no line is not believed: a journal that is lost or damaged only
explains less, and costs some work.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.events import Outcome
from mochi_rules.base.files import write_atomic
from mochi_rules.base.suggest import nearest
from mochi_rules.cache.explain import Change, KeyRecord, difference, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER, _FILE = ".mochi", "steps.jsonl"
_MAX_SIZE = 8 << 20  # bytes; a journal that has grown larger, and to twice its size, is shortened
_KEPT = "kept"  # in the first line
_MAX_FIRST = 100  # bytes of the first line
_RAN = (Outcome.BUILT, Outcome.RESTORED, Outcome.FETCHED)
_WITHOUT_RESULT = (Outcome.FAILED, Outcome.INTERRUPTED)
_CACHED = [outcome.value for outcome in Outcome if outcome.is_cached]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the last build did with a step, and what in its key was new.

    `path` is that of the output, from the workspace. `refusal` says why a result of the remote
    cache was not taken. `changes` is None where there is no earlier
    key to compare with. `seconds` is how long it took.
    """

    path: str
    outcome: Outcome
    changes: tuple[Change, ...] | None
    seconds: float
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """How an output was made when its step last ran; `is_restored` says that a cache had it."""

    key: KeyRecord
    is_restored: bool


class Journal:
    """The journal of one build directory."""

    def __init__(self, build: Path) -> None:
        self.path = build / FOLDER / _FILE
        self._has_begun = self._has_folder = False

    def begin(self) -> None:
        """Note that a build begins; without a build directory there is nothing to note."""
        self._has_begun = True
        if self.path.parent.parent.is_dir():
            with suppress(OSError):
                self._shorten()
            self._append({"build": True})

    def record(
        self,
        path: str,
        outcome: Outcome,
        seconds: float,
        key: KeyRecord,
        output: str,
        *,
        refusal: str = "",
    ) -> None:
        """Record the result of a step.

        `output` is the digest of what it made. `refusal` says why a result of the remote cache was
        not taken.
        """
        line = {"path": path, "outcome": outcome.value, "seconds": round(seconds, 3),
                "output": output, "key": key.document()}  # fmt: skip
        if refusal:
            line["refusal"] = refusal
        if not self._has_begun:
            self.begin()
        self._append(line)

    def ended(self, path: str, outcome: Outcome) -> None:
        """Note that a step ended without a result."""
        self._append({"path": path, "outcome": outcome.value})

    def entries(self) -> dict[str, Entry]:
        """Return what the last build did, by path; empty where nothing is known."""
        history: dict[str, _History] = {}
        for line in self._lines():
            if "build" in line:
                for item in history.values():
                    if item.outcome not in _WITHOUT_RESULT:  # which stays so until it has one
                        item.outcome, item.seconds = Outcome.UP_TO_DATE, 0.0
            elif isinstance(line.get("path"), str):
                history.setdefault(line["path"], _History()).add(line)
        return {path: item.entry(path) for path, item in sorted(history.items())}

    def outputs(self) -> dict[str, str]:
        """Return the digest of what each step made when it last ran, by path."""
        return {
            line["path"]: line["output"]
            for line in self._lines()
            if isinstance(line.get("path"), str) and isinstance(line.get("output"), str)
        }

    def records(self) -> dict[str, Record]:
        """Return how each output was made when its step last ran, by path."""
        found: dict[str, Record] = {}
        for line in self._lines():
            if isinstance(path := line.get("path"), str) and (key := read_record(line.get("key"))):
                found[path] = Record(key, line.get("outcome") in _CACHED)
        return found

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self.path.read_text("utf-8", "replace")
        except OSError:
            return
        for line in text.splitlines():
            with suppress(ValueError, RecursionError):  # a line that was cut off
                value = json.loads(line)
                if isinstance(value, dict):
                    yield value

    def _append(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, separators=(",", ":")) + "\n"
        with suppress(OSError):
            if not self._has_folder:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._has_folder = True
            # One write of a file opened to append: lines of two builds do not mix.
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, data.encode())
            finally:
                os.close(descriptor)

    def _shorten(self) -> None:
        """Keep the last two keys of each step, if the journal is long.

        The first line then says how long it is, so that one of very many steps is not shortened
        again before it has doubled: reading it takes time for each step that there ever was.
        """
        size = self.path.stat().st_size
        if size <= _MAX_SIZE or size <= 2 * self._kept():
            return
        kept: dict[str, list[str]] = {}
        for line in self._lines():
            if isinstance(line.get("path"), str):
                text = json.dumps(line, separators=(",", ":"))
                kept[line["path"]] = [*kept.get(line["path"], [])[-1:], text]
        text = "".join(f"{text}\n" for texts in kept.values() for text in texts)
        write_atomic(self.path, f'{{"{_KEPT}":{len(text)}}}\n{text}'.encode())

    def _kept(self) -> int:
        """Return how long the journal was when it was last shortened, in bytes; 0 if never."""
        with self.path.open("rb") as file, suppress(ValueError, RecursionError):
            line = json.loads(file.readline(_MAX_FIRST))
            if isinstance(line, dict) and isinstance(size := line.get(_KEPT), int):
                return size
        return 0


@dataclass(slots=True)
class _History:
    """The last two keys of a step, and what the last build did with it."""

    before: KeyRecord | None = None
    now: KeyRecord | None = None
    outcome: Outcome = Outcome.UP_TO_DATE
    seconds: float = 0.0
    refusal: str = ""

    def add(self, line: dict[str, Any]) -> None:
        with suppress(ValueError):
            self.outcome = Outcome(line.get("outcome"))
        with suppress(TypeError, ValueError):
            self.seconds = float(line.get("seconds", 0))
        if self.outcome in _RAN and (key := read_record(line.get("key"))):
            self.before, self.now = self.now, key
        self.refusal = str(line.get("refusal", ""))

    def entry(self, path: str) -> Entry:
        changes = None
        if self.before and self.now and self.outcome in _RAN:
            changes = tuple(difference(self.before, self.now))
        return Entry(path, self.outcome, changes, self.seconds, self.refusal)


def select(entries: Mapping[str, Entry], text: str) -> list[str]:
    """Return the paths that a string names: a path, its end, or the name of a target or folder.

    Emits: B001.

    Raises:
        MochiError: It names none.
    """
    part = text.removeprefix("//").replace(":", "/").strip("/")
    found = [path for path in entries if text == path or path.endswith(f"/{text}")]
    found = found or [path for path in entries if f"/{part}." in f"/{path}." or f"/{part}/" in path]
    if not found:
        names = {name: path for path in entries for name in (path, path.rpartition("/")[2])}
        near = nearest(text, names)
        help_ = f"did you mean `{names[near]}`?" if near else ""
        raise fail("B001", f"the last builds have no output named `{text}`", help=help_)
    return found


def explain(entry: Entry) -> list[str]:
    """Return lines about a step: its outcome, then each part of its key that is new."""
    how = {
        Outcome.BUILT: f"built in {entry.seconds:.2f}s",
        Outcome.RESTORED: "restored from the cache",
        Outcome.FETCHED: "restored from the remote cache",
        Outcome.UP_TO_DATE: "up to date",
        Outcome.FAILED: "failed",
        Outcome.INTERRUPTED: "interrupted",
    }[entry.outcome]
    lines = [f"{entry.path}: {how}"]
    if entry.outcome not in _RAN:
        return lines
    if entry.refusal:
        lines.append(f"  the remote cache has a result that is {entry.refusal}")
    if entry.changes is None:
        return [*lines, "  it was not built here before"]
    if not entry.changes:
        return [*lines, "  its key is unchanged: its file was missing"]
    return [*lines, *(f"  {change}" for change in entry.changes)]
