"""The remote tier: entries of other machines, verified, and ours for them.

Whatever the server does, a build goes on without it, and is not delayed by more than `Patience`
says; only a build that requires it fails.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, cast

from mochi_rules.base.dataclass import replace
from mochi_rules.base.diagnostic import MochiError, environment_error
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.suggest import count_text
from mochi_rules.base.trace import span
from mochi_rules.cache.cache import Hit, is_complete
from mochi_rules.cache.statistics import Recorder, Statistics, call_statistics
from mochi_rules.cache.store import EMPTY, warning
from mochi_rules.remote.credentials import Credentials
from mochi_rules.remote.recent_keys import make_list, other_keys, read_lists
from mochi_rules.remote.server import concurrently, results
from mochi_rules.remote.trouble import Guard, Kind, Patience, ServerError
from mochi_rules.remote.trust import load_signer, refusal, with_origin
from mochi_rules.remote.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.directory import Layout
    from mochi_rules.cache.explain import KeyRecord
    from mochi_rules.cache.key import PreparedAction
    from mochi_rules.cache.messages import ActionResult
    from mochi_rules.remote.executor import Executor
    from mochi_rules.remote.grpc.grpc_server import GrpcServer
    from mochi_rules.remote.server import Server
    from mochi_rules.remote.settings import Address, RemoteSettings
    from mochi_rules.remote.trust import Signer
    from mochi_rules.remote.uploads import Entry
    from mochi_rules.remote.verification import RemoteVerification

_UNNOTICED = 0.2  # seconds
_FLUSH = 0.3  # seconds for uploads at the end, besides what is left of the patience
_SLICE, _SLICES = 1.0, 10  # seconds, in each of which a tenth of the uploads must succeed
_WAIT = "`remote_upload=wait` waits for them"
_STALLED = 30.0  # seconds without progress, after which nobody waits for uploads
_THREADS = 64  # calls at a time
_EXTRA = "pip install 'mochi-rules[remote]'"


class RemoteTier:
    """A cache on a server; safe for threads. It connects when it is first asked.

    `note` is called with what is worth a line, such as that a build waits for uploads.

    Emits: K021 (credentials), K022 (a server in trouble), K023 (refused), K024 (wrong bytes), K025
    (a package is missing).
    """

    def __init__(
        self, settings: RemoteSettings, address: Address, note: Callable[[str], object]
    ) -> None:
        self.settings = settings
        self._address = address
        self._note = note
        self.patience = Patience()
        self._recorder = Recorder()
        self._guard = Guard(None if settings.is_required else self.patience, self._note_call)
        self.uploads = Uploads(self._upload)
        self._lock = Lock()
        self._server: Server | None = None
        self._signer: Signer | None = None
        self._is_writable = True
        self._refused: dict[Digest, str] = {}

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the server, each kind of trouble once."""
        if self._refused:
            self._recorder.warn(_untrusted(self._address, self._refused.values()))
        if self._guard.trouble is not None:
            self._recorder.warn(*self._problem(self._guard.trouble).diagnostics)
        return self._recorder.warnings

    def take_statistics(self) -> Statistics:
        """Return what this process did since the last call."""
        return self._recorder.take_pending()

    @cached_property
    def executor(self) -> Executor:
        """What runs steps on the server."""
        from mochi_rules.remote.executor import Executor  # noqa: PLC0415 - where it is asked

        return Executor(self._open_grpc, self._guard, self.settings, self._fail_execution)

    def fetch(self, action: PreparedAction) -> Hit | None:
        """Return all outputs of a step, verified, or None.

        Raises:
            MochiError: The build requires the server, and it fails.
        """
        return self.fetch_all([action]).get(action.key)

    def fetch_all(self, actions: Sequence[PreparedAction]) -> dict[Digest, Hit]:
        """Return all outputs of those steps that the server has, verified, by key.

        Raises:
            MochiError: The build requires the server, and it fails.
        """
        if not self.settings.reads or not actions:
            return {}
        try:
            server = self._open()  # which may take long on a loaded machine
            with (
                self.patience.waiting(),
                span("remote", f"look up {count_text(len(actions), 'result')}"),
            ):
                hits = self._find(server, actions)
        except (ServerError, MochiError) as error:
            self._fail(error)
            return {}
        self._recorder.count(Statistics(hits=len(hits), misses=len(actions) - len(hits)))
        self.patience.add(sum(hit.result.seconds for hit in hits.values()))
        return hits

    def other_keys(self, records: Mapping[str, KeyRecord]) -> dict[str, KeyRecord | None]:
        """Return as `recent_keys.other_keys`, for records by the targets of their steps.

        It is empty where the server cannot be asked.

        Raises:
            MochiError: The build requires the server, and it fails.
        """
        if not self.settings.reads:
            return {}
        try:
            server = self._open()
            with self.patience.waiting():
                read = lambda digests: self._verified(server.read(list(digests)))  # noqa: E731
                return other_keys(records, read_lists(server, records, self.settings), read)
        except (ServerError, MochiError) as error:
            self._fail(error)
            return {}

    def verify(self, layout: Layout) -> RemoteVerification:
        """Check what the server has of the results of a cache.

        Raises:
            MochiError: The server fails.
        """
        from mochi_rules.remote.verification import verify_remote  # noqa: PLC0415 - not for a build

        try:
            return verify_remote(self._open(), layout, self.settings.trust)
        except ServerError as error:
            raise self._problem(error) from None

    def refusal(self, key: Digest) -> str:
        """Return why an entry that the server has was not taken, or an empty string."""
        return self._refused.get(key, "")

    def offer(self, action: PreparedAction, hit: Hit) -> None:
        """Store the outputs of a step, in the background."""
        if not self.settings.writes or self._guard.is_open:
            return
        with self.patience.waiting():
            seconds = _STALLED if self.settings.waits else self.patience.left
            is_queued = self.uploads.add((action, hit), seconds)
        if not is_queued:
            self._recorder.count(Statistics(skipped=1))

    def interrupt(self) -> None:
        """End what is under way; no call succeeds any more."""
        self._guard.stop()
        if self._server is not None:
            self._server.close()

    def finish(self) -> None:
        """Wait for what is under way in the background, and end the connection."""
        left = 0 if self._guard.is_open else self._drain()
        trouble = self._guard.trouble
        self._guard.stop()
        if self._server is not None:
            self._server.close()
        self._recorder.count(Statistics(skipped=left))
        if left and trouble is None:
            self._note(f"{count_text(left, 'result')} not in the remote cache: {_WAIT}")

    def _drain(self) -> int:
        """Wait while uploads make progress; return how many results are not up."""
        left = self.uploads.drain(_UNNOTICED)
        if not left:
            return 0
        self._note(f"uploading {count_text(left, 'result')} to the remote cache")
        if self.settings.waits or self.settings.is_required:
            seconds, step = _STALLED, 1
        else:
            seconds = min(self.patience.left + _FLUSH, _SLICE)
            step = max(left // _SLICES, 1)
        before = left + step
        while left and left <= before - step and not self._guard.is_open:
            before, left = left, self.uploads.drain(seconds)
        return left

    def _open(self) -> Server:
        """Return the server, which is loaded now if it was not needed before."""
        with self._lock:
            if self._server is None:
                self._server = self._load()
            return self._server

    def _load(self) -> Server:
        credentials = Credentials(self.settings, self._address)
        credentials.headers()
        settings = self.settings
        if settings.writes and (path := settings.files.get("signing_key")):
            self._signer = load_signer(path, settings.trust.trusted)
        try:
            if self._address.is_grpc:
                from mochi_rules.remote.grpc.grpc_server import (  # noqa: PLC0415 - takes long
                    GrpcServer,
                    load_grpc,
                )

                load_grpc()
                return GrpcServer(self._address, credentials, self._guard)
            from mochi_rules.remote.http.http_server import HttpServer  # noqa: PLC0415 - as above

            return HttpServer(self._address, credentials, self._guard)
        except ImportError as error:
            raise environment_error(
                "K025", f"the remote cache needs the package `{error.name}`", help=f"run `{_EXTRA}`"
            ) from None

    def _open_grpc(self) -> GrpcServer:
        """Return the server, which speaks gRPC: `remote_settings` has seen to that."""
        return cast("GrpcServer", self._open())

    def _find(self, server: Server, actions: Sequence[PreparedAction]) -> dict[Digest, Hit]:
        """Return what the server has; if it fails halfway, what is complete by then."""
        found = self._results(server, actions)
        blobs = {EMPTY: b""}
        for result in found.values():
            blobs |= self._verified(_inlined(result))
        wanted = {digest for result in found.values() for digest in _names(result)}
        if lacking := [digest for digest in wanted if digest not in blobs]:
            with span("remote", f"fetch {count_text(len(lacking), 'blob')}"):
                blobs |= self._verified(server.read(lacking))
        return {
            key: Hit(_tidied(result, blobs), _outputs(result, blobs), is_remote=True)
            for key, result in found.items()
            if _names(result) <= blobs.keys()  # or it dangles: the server has dropped a blob
        }

    def _results(
        self, server: Server, actions: Sequence[PreparedAction]
    ) -> dict[Digest, ActionResult]:
        """Return the results that the server has, by key, of steps that succeeded."""
        get = lambda action: server.get_result(action.key, action.output_paths)  # noqa: E731
        found = {}
        answers = concurrently(get, actions, self._guard.threads(_THREADS))
        for action, result in zip(actions, answers, strict=True):
            if isinstance(result, ServerError):
                self._fail(result)
            elif result is not None and is_complete(action, result):
                if why := refusal(self.settings.trust, action.key, result):
                    self._refused[action.key] = why
                    self._recorder.count(Statistics(untrusted=1))
                else:
                    found[action.key] = with_origin(result, str(self._address))
        return found

    def _verified(self, blobs: Mapping[Digest, bytes]) -> dict[Digest, bytes]:
        """Return the blobs that are what they are called."""
        found = {}
        for digest, data in blobs.items():
            if digest_bytes(data) == digest:
                found[digest] = data
                self._recorder.count(Statistics(bytes_read=digest.size))
                continue
            self._recorder.count(Statistics(corrupted=1))
            self._recorder.warn(
                warning(
                    "K024", f"the remote cache `{self._address}` sends wrong bytes",
                    note=f"a blob does not have the digest `{digest.hash[:12]}` that it is named "
                    "by; its step runs here",
                )
            )  # fmt: skip
        return found

    def _upload(self, entries: list[Entry]) -> None:
        """Store some results: what they name goes first."""
        stored = 0
        try:
            server = self._open()
            if self._is_writable and server.can_write():
                with span("remote", f"upload {count_text(len(entries), 'result')}"):
                    stored = self._send(server, _fitting(entries, server.largest()))
        except ServerError as error:
            self._recorder.count(Statistics(errors=1))
            if error.kind is Kind.REFUSED:
                self._is_writable = False
                self._recorder.warn(self._unwritable(error))
        except MochiError as error:
            self._fail_for_good(error)
        self._recorder.count(Statistics(stores=stored, skipped=len(entries) - stored))

    def _send(self, server: Server, entries: list[Entry]) -> int:
        """Store results, and return how many.

        Raises:
            ServerError: One of them was not taken.
        """
        lists = self._lists(server, entries)
        blobs = _blobs(entries + lists)
        lacking = server.missing(list(blobs))
        server.write({digest: blobs[digest] for digest in lacking})
        size = sum(digest.size for digest in lacking)
        self._recorder.count(Statistics(bytes_written=size))
        put = lambda entry: server.put_result(entry[0].key, self._signed(*entry))  # noqa: E731
        results(concurrently(put, entries + lists, _THREADS))
        return len(entries)

    def _lists(self, server: Server, entries: Iterable[Entry]) -> list[Entry]:
        """Return for each target the list of its keys, with the new one."""
        keys = {action.spec.target: action.key for action, _ in entries if action.spec.target}
        before = read_lists(server, keys, self.settings) if self.settings.reads else {}
        return [
            make_list(target, [key, *before.get(target, ())], self.settings.namespace)
            for target, key in keys.items()
        ]

    def _signed(self, action: PreparedAction, hit: Hit) -> ActionResult:
        return self._signer.sign(action.key, hit.result) if self._signer else hit.result

    def _fail(self, error: ServerError | MochiError) -> None:
        """Go on without the server, if the build can.

        Raises:
            MochiError: It cannot.
        """
        self._recorder.count(Statistics(errors=1))
        if isinstance(error, MochiError):
            self._fail_for_good(error)
        if self.settings.is_required:
            raise error if isinstance(error, MochiError) else self._problem(error)

    def _fail_for_good(self, error: MochiError) -> None:
        """Keep a warning of what no further call can change."""
        self._recorder.warn(*error.diagnostics)
        self._guard.stop()

    def _note_call(self, seconds: float) -> None:
        self._recorder.count(call_statistics(seconds))

    def _fail_execution(self, error: ServerError | MochiError) -> None:
        """Let a step run here that the server does not run.

        Raises:
            MochiError: The build requires the server.
        """
        if isinstance(error, MochiError):
            problem = error
        else:
            message = f"the server `{self._address}` does not run a step: {error}"
            problem = environment_error("K029", message, notes=("such steps run here",))
        if self.settings.is_required:
            raise problem
        self._recorder.warn(*problem.diagnostics)

    def _unwritable(self, error: ServerError) -> Diagnostic:
        return warning(
            "K023", f"the remote cache `{self._address}` does not accept results: {error}",
            note="it is only read", help="write `remote_mode=read`",
        )  # fmt: skip

    def _problem(self, error: ServerError) -> MochiError:
        code = "K023" if error.kind is Kind.REFUSED else "K022"
        verb = "refuses this client" if code == "K023" else "fails"
        going_on = () if self.settings.is_required else ("the build goes on without it",)
        return environment_error(
            code, f"the remote cache `{self._address}` {verb}: {error}", notes=going_on
        )


def _untrusted(address: Address, refused: Iterable[str]) -> Diagnostic:
    counts = Counter(refused)
    results = count_text(counts.total(), "result")
    shown = ", ".join(f"{count} {why}" for why, count in sorted(counts.items()))
    return warning(
        "K026", f"{results} of the remote cache `{address}` are not trusted: {shown}",
        note="their steps ran here", help="`mochi-rules explain` names them",
    )  # fmt: skip


def _inlined(result: ActionResult) -> dict[Digest, bytes]:
    return {file.digest: file.contents for file in result.output_files if file.contents}


def _names(result: ActionResult) -> set[Digest]:
    """Return the digests of all blobs that a result names."""
    digests = {file.digest for file in result.output_files}
    return digests | {result.stderr_digest} if result.stderr_digest else digests


def _outputs(result: ActionResult, blobs: Mapping[Digest, bytes]) -> dict[str, bytes]:
    return {file.path: blobs[file.digest] for file in result.output_files}


def _tidied(result: ActionResult, blobs: Mapping[Digest, bytes]) -> ActionResult:
    """Return a result as this machine would have stored it: without what a server has inlined."""
    files = tuple(replace(file, contents=b"") for file in result.output_files)
    stderr = blobs[result.stderr_digest] if result.stderr_digest else result.stderr_raw
    return replace(result, output_files=files, stderr_raw=stderr, stderr_digest=None)


def _fitting(entries: list[Entry], largest: int) -> list[Entry]:
    """Return the results whose outputs a server can take."""
    if not largest:
        return entries
    return [entry for entry in entries
            if max(map(len, entry[1].outputs.values()), default=0) <= largest]  # fmt: skip


def _blobs(entries: Iterable[Entry]) -> dict[Digest, bytes]:
    """Return what results name: their outputs, and the messages that make their keys."""
    found: dict[Digest, bytes] = {}
    for action, hit in entries:
        found.update(action.messages)
        found.update((file.digest, hit.outputs[file.path]) for file in hit.result.output_files)
    found.pop(EMPTY, None)
    return found
