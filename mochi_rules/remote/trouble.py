"""What goes wrong with a server, and what is done about it: deadlines, retries, a breaker.

A build must never wait long for a server that does not help it. `Patience` adds up how long the
build has waited, less what hits have saved; when it is used up, the server is no longer asked.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

PATIENCE = 1.1  # seconds; with loading gRPC and the end of a build, two
_ATTEMPTS = 3  # of one call
_PAUSE = 0.1  # seconds before the second attempt at most; doubles
_FAILURES = 3  # calls in a row that open the breaker
_COOL_DOWN = 5.0  # seconds until a call is let through again; doubles
_FOREVER = 1e9
_LONGEST_PAUSE = 30.0  # seconds that a server may ask for
_SHORTEST = 0.02  # seconds; no call is worth beginning with less
_TELLING = 1.0  # seconds; a call that was given less says nothing of a server that answers
_OWN_TIME = 0.00025  # seconds of this process for a call
_FEWEST = 2  # calls at a time
_IMPATIENT = "it has cost this build more time than it has saved"


class Kind(Enum):
    """What a failure means for the calls that follow."""

    PASSING = "may succeed if it is tried again"
    LATE = "the deadline has passed"
    LASTING = "fails again"
    REFUSED = "the server does not accept this client"
    STOPPED = "the server is not asked"


class ServerError(Exception):
    """A call failed; the message is for people, and holds no secret.

    `delay` is how many seconds the server wants to be left alone.
    """

    def __init__(self, kind: Kind, message: str, delay: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.delay = delay


class Patience:
    """How long a build may still wait, in seconds; safe for threads.

    Threads that wait at the same time count once.
    """

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._lock = Lock()
        self._left = seconds
        self._waiting = 0
        self._since = 0.0

    @property
    def left(self) -> float:
        """How much is left, at least 0."""
        with self._lock:
            spent = time.monotonic() - self._since if self._waiting else 0.0
            return max(self._left - spent, 0.0)

    def add(self, seconds: float) -> None:
        """Note how long a step would have taken that need not run."""
        with self._lock:
            self._left += seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time within."""
        with self._lock:
            self._waiting += 1
            if self._waiting == 1:
                self._since = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._left -= time.monotonic() - self._since


class Guard:
    """Makes calls to a server, each with a deadline; safe for threads.

    `patience` None is for a build that cannot do without the server. After failures in a row the
    breaker opens: calls fail at once, until one is let through again after a while. `note` is
    called with how long each call took that succeeded.
    """

    def __init__(
        self, patience: Patience | None, note: Callable[[float], object] = lambda _: None
    ) -> None:
        self.patience = patience
        self.trouble: ServerError | None = None  # the first that counts
        self._note = note
        self._lock = Lock()
        self._failures = 0
        self._has_answered = False
        self._fastest = float("inf")  # seconds of a call
        self._open_until = 0.0
        self._cool_down = _COOL_DOWN

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once now."""
        with self._lock:
            return time.monotonic() < self._open_until

    def threads(self, most: int) -> int:
        """Return how many calls at a time are worth it: those that begin while one is answered.

        One thread of this process runs at a time; more of them only hinder each other.
        """
        return max(_FEWEST, int(min(most, self._fastest / _OWN_TIME)))

    def call(
        self, work: Callable[[float], _T], seconds: float, *, in_background: bool = False
    ) -> _T:
        """Return what `work` returns, which gets the seconds that it may take.

        `seconds` bounds each attempt. A call `in_background` does not use up the patience of the
        build, and if the server refuses it, that is for the caller: reading may be allowed where
        writing is not.

        Raises:
            ServerError: It failed, or the server is not asked.
        """
        patience = None if in_background else self.patience
        for attempt in range(_ATTEMPTS):
            limit = self.allowance(seconds, in_background=in_background)
            began = time.monotonic()
            try:
                result = work(limit)
            except ServerError as error:
                is_short = error.kind is Kind.LATE and limit < min(seconds, _TELLING)
                if is_short and self._has_answered:
                    raise self._give_up() from None
                if attempt + 1 == _ATTEMPTS or not _pause(error, attempt, patience):
                    if error.kind is not Kind.REFUSED or not in_background:
                        self.note_failure(error)
                    raise
            else:
                took = time.monotonic() - began
                self._note_success(took)
                self._note(took)
                return result
        raise AssertionError("the last attempt raises")

    def stop(self, error: ServerError | None = None) -> None:
        """Ask the server no more in this build; `error` says why, unless others know."""
        with self._lock:
            self.trouble = self.trouble or error
            self._open_until = time.monotonic() + _FOREVER

    def allowance(self, seconds: float, *, in_background: bool = False) -> float:
        """Return how long something may take that should take at most so long.

        Raises:
            ServerError: The server is not asked.
        """
        if self.is_open:
            raise ServerError(Kind.STOPPED, "it is not asked after an earlier failure")
        if self.patience is None or in_background:
            return seconds
        if self.patience.left < _SHORTEST:
            raise self._give_up()
        return min(seconds, self.patience.left)

    def _give_up(self) -> ServerError:
        """Return the error of a build that has waited long enough.

        A server that answers, but has little, is not in trouble.
        """
        error = ServerError(Kind.STOPPED, _IMPATIENT)
        if not self._has_answered:
            self.trouble = self.trouble or error
        return error

    def _note_success(self, took: float) -> None:
        with self._lock:
            self._fastest = min(self._fastest, took)
            self._has_answered = True
            self._failures = 0
            self._cool_down = _COOL_DOWN

    def note_failure(self, error: ServerError) -> None:
        """Count a failure, which may open the breaker."""
        if error.kind is Kind.REFUSED:
            self.stop(error)
            return
        with self._lock:
            if time.monotonic() < self._open_until:
                return  # others have noted what is wrong
            self.trouble = self.trouble or error
            self._failures += 1
            if self._failures >= _FAILURES:
                until = time.monotonic() + self._cool_down
                self._open_until = max(self._open_until, until)
                self._cool_down *= 2


def _pause(error: ServerError, attempt: int, patience: Patience | None) -> bool:
    """Wait before another attempt, unless it would fail too or there is no time for it."""
    if error.kind not in (Kind.PASSING, Kind.LATE):
        return False
    pause = error.delay
    if pause is None:
        pause = random.uniform(0, _PAUSE * 2**attempt)  # noqa: S311 - jitter
    if pause > (_LONGEST_PAUSE if patience is None else patience.left):
        return False
    time.sleep(pause)
    return True
