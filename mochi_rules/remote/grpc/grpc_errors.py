"""Calls by gRPC, whose errors become those of a server."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from mochi_rules.base.printable import printable
from mochi_rules.cache.wire import WireError
from mochi_rules.remote.grpc import messages as m
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.remote.credentials import Credentials

_T = TypeVar("_T")

# Every other code fails again.
_KINDS = {
    "UNAVAILABLE": Kind.PASSING,
    "RESOURCE_EXHAUSTED": Kind.PASSING,
    "ABORTED": Kind.PASSING,
    "INTERNAL": Kind.PASSING,
    "UNKNOWN": Kind.PASSING,
    "CANCELLED": Kind.PASSING,
    "DEADLINE_EXCEEDED": Kind.LATE,
    "UNAUTHENTICATED": Kind.REFUSED,
    "PERMISSION_DENIED": Kind.REFUSED,
}
_STATUS = "grpc-status-details-bin"
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_MAX_DETAILS = 200  # characters
_NANOSECONDS = 1e9


class Answered:
    """Makes calls with the headers of this client; safe for threads."""

    def __init__(self, credentials: Credentials, header: tuple[str, bytes]) -> None:
        self._credentials = credentials
        self._header = header

    def headers(self) -> list[tuple[str, str | bytes]]:
        """Return what is sent with each call."""
        return [self._header, *self._credentials.headers()]

    def __call__(self, call: Callable[[], _T], *, may_lack: bool = False) -> _T | None:
        """Return what a call returns; None for NOT_FOUND where `may_lack` allows that.

        Credentials that have expired are fetched again, once.

        Raises:
            ServerError: It failed.
        """
        import grpc  # noqa: PLC0415 - it is loaded already

        for is_last in (False, True):
            try:
                return call()
            except grpc.RpcError as error:
                found: Any = error
                name = found.code().name
                if may_lack and name == "NOT_FOUND":
                    return None
                if name == "UNAUTHENTICATED" and not is_last and self._credentials.refresh():
                    continue
                raise self._translated(found, name) from None
            except ValueError as error:
                if "closed" not in str(error).lower():
                    raise
                raise ServerError(Kind.STOPPED, "the connection is closed") from None
        raise AssertionError("the second call returns or raises")

    def _translated(self, error: Any, name: str) -> ServerError:
        text = one_line(self._credentials.redacted(error.details() or ""))
        message = f"{name}: {text}" if text else name
        return ServerError(_KINDS.get(name, Kind.LASTING), message, _delay(error))


def one_line(text: str) -> str:
    """Return a server's message as one line that is safe to print."""
    return printable(" ".join(text.split()))[:_MAX_DETAILS]


def _delay(error: Any) -> float | None:
    """Return the seconds that a server asks to wait, if it does."""
    for key, value in error.trailing_metadata() or ():
        if key != _STATUS:
            continue
        with suppress(WireError):
            for detail in m.decode(m.Status, value).details:
                if detail.type_url == _RETRY_INFO:
                    delay = m.decode(m.RetryInfo, detail.value).delay
                    return delay.seconds + delay.nanos / _NANOSECONDS if delay else 0.0
    return None
