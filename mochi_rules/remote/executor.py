"""Commands run on a server: their files go up, what they print comes down, verified."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.trace import span
from mochi_rules.cache.key import input_tree
from mochi_rules.cache.messages import Action, Command, Platform, Property, duration, encode
from mochi_rules.remote.grpc.execution import MissingInputsError, NotRunError, TooSlowError
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from mochi_rules.cache.messages import ActionResult
    from mochi_rules.remote.grpc.execution import Cancellation
    from mochi_rules.remote.grpc.grpc_server import GrpcServer
    from mochi_rules.remote.settings import RemoteSettings
    from mochi_rules.remote.trouble import Guard

_UNIMPLEMENTED = "UNIMPLEMENTED"
_MOST_NOT_RUN = 3  # jobs for a platform, one after the other; then there are no more
_QUEUE = 600.0  # seconds that an action may wait for a worker


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory as a server knows it; `blobs` has what it is made of: bytes, or where they are.

    A `Tree` of many files is made once, and put into the directories of many jobs.
    """

    root: Digest
    blobs: Mapping[Digest, bytes | Path]


def make_tree(
    files: Mapping[str, bytes | Path],
    executables: Iterable[str] = (),
    subtrees: Mapping[str, Tree] | None = None,
) -> Tree:
    """Return a tree of files by their paths, and of other trees by their names in the root.

    Raises:
        OSError: A file cannot be read.
        ValueError: As `cache.key.prepare`.
    """
    inputs: dict[str, Digest] = {}
    blobs: dict[Digest, bytes | Path] = {}
    for path, content in files.items():
        data = content if isinstance(content, bytes) else content.read_bytes()
        inputs[path] = digest_bytes(data)
        blobs[inputs[path]] = content
    messages: dict[Digest, bytes] = {}
    roots = {name: tree.root for name, tree in (subtrees or {}).items()}
    for tree in (subtrees or {}).values():
        blobs.update(tree.blobs)
    root = input_tree(inputs, messages, frozenset(executables), roots)
    return Tree(root, blobs | messages)


@dataclass(frozen=True, slots=True)
class Job:
    """A command in a directory: `files`, and `runtime` as its folder of that name.

    It gets `seconds` to finish, on a worker for programs of `platform`; by default on any. Traces
    call it `name`.
    """

    name: str
    arguments: tuple[str, ...]
    runtime: Tree
    files: Mapping[str, bytes]
    seconds: float
    environment: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""


RUNTIME = "runtime"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended, and what it printed; the status is None when its time was up."""

    status: int | None
    stdout: bytes
    stderr: bytes


class Executor:
    """Runs jobs on a server; safe for threads.

    `fail` is called with what was not run, and raises where a build must not go on without it.
    """

    def __init__(
        self,
        open_server: Callable[[], GrpcServer],
        guard: Guard,
        settings: RemoteSettings,
        fail: Callable[[ServerError | MochiError], None],
    ) -> None:
        self._open = open_server
        self._guard = guard
        self._fail = fail
        self._platforms = {
            name: Platform(tuple(Property(*item) for item in sorted(properties.items())))
            for name, properties in settings.properties.items()
        }
        self._salt = settings.namespace.encode()
        self._lock = Lock()
        self._refusal: ServerError | MochiError | None = None  # why the server runs nothing
        # Why the last jobs were not run, by their platforms; only the executor is to blame, and so
        # the cache on the same server is used on.
        self._not_run: defaultdict[str, list[ServerError]] = defaultdict(list)
        self._there: set[Digest] = set()  # roots of trees that the server has

    def has_workers(self, platform: str) -> bool:
        """Return whether the server is said to have workers for programs of a platform."""
        return platform in self._platforms

    def run(self, job: Job, cancellation: Cancellation) -> Finished | None:
        """Return how a job ended, whatever its status; None where it was not run to its end.

        Raises:
            MochiError: The build requires the server.
        """
        not_run = self._not_run[job.platform]
        reasons = not_run[_MOST_NOT_RUN - 1 :]
        if self._refusal is not None or reasons:
            self._fail(self._refusal or reasons[0])
            return None
        if self._guard.is_open and self._guard.patience is not None:
            return None
        try:
            server = self._open()
            self._check(server)
            finished = self._run(server, job, cancellation)
        except MochiError as error:
            self._refusal = error
            self._fail(error)
        except ServerError as error:
            if not cancellation.is_cancelled:
                self._note(error, not_run)
                self._fail(error)
        else:
            not_run.clear()
            return finished
        return None

    def refuse(self, reason: str) -> None:
        """Note why a job cannot be run on the server, or what it printed cannot be used.

        Raises:
            MochiError: The build requires the server.
        """
        self._fail(ServerError(Kind.LASTING, reason))

    def _check(self, server: GrpcServer) -> None:
        """Raise ServerError if a server runs nothing; whoever asks first waits for what it says."""
        patience = self._guard.patience
        with patience.waiting() if patience is not None else nullcontext():
            if not server.can_execute():
                self._refusal = ServerError(Kind.LASTING, "it runs no actions for this client")
                raise self._refusal

    def _note(self, error: ServerError, not_run: list[ServerError]) -> None:
        """Remember what a failure means for the jobs that follow."""
        if isinstance(error, NotRunError):
            not_run.append(error)
        elif error.kind is not Kind.LASTING:
            self._guard.note_failure(error)
        elif str(error).startswith(_UNIMPLEMENTED):
            self._refusal = error

    def _run(self, server: GrpcServer, job: Job, cancellation: Cancellation) -> Finished:
        action, blobs = self._action(job)
        for is_last in (False, True):
            with span("remote", f"send the inputs of {job.name}"):
                self._send_tree(server, job.runtime)
                _send(server, blobs)
            try:
                with span("remote", f"execute {job.name}"):
                    limit = job.seconds + _QUEUE
                    response = server.execution.run(action, limit, cancellation)
                assert response.result is not None
                return _finished(server, response.result)
            except TooSlowError:
                return Finished(None, b"", b"")
            except MissingInputsError as error:
                if is_last:
                    raise ServerError(Kind.LASTING, str(error)) from None
                self._there.clear()
        raise AssertionError("the second attempt returns or raises")

    def _action(self, job: Job) -> tuple[Digest, dict[Digest, bytes]]:
        """Return the digest of a job's action, and the blobs that are its own."""
        tree = make_tree(job.files, subtrees={RUNTIME: job.runtime})
        variables = tuple(Property(*item) for item in sorted(job.environment.items()))
        platform = self._platforms[job.platform]
        command = encode(Command(job.arguments, variables, platform))
        action = encode(
            Action(
                digest_bytes(command),
                tree.root,
                duration(job.seconds),
                salt=self._salt,
                platform=platform,
            )
        )
        blobs = {digest: _content(data) for digest, data in tree.blobs.items()
                 if digest not in job.runtime.blobs}  # fmt: skip
        blobs |= {digest_bytes(data): data for data in (command, action)}
        return digest_bytes(action), blobs

    def _send_tree(self, server: GrpcServer, tree: Tree) -> None:
        """Send a tree, unless the server has it: one thread does so, and the others wait."""
        with self._lock:
            if tree.root not in self._there:
                _send(server, tree.blobs)
                self._there.add(tree.root)


def _send(server: GrpcServer, blobs: Mapping[Digest, bytes | Path]) -> None:
    lacking = server.missing([digest for digest in blobs if digest.size])
    server.write({digest: _content(blobs[digest]) for digest in lacking})


def _content(blob: bytes | Path) -> bytes:
    return blob if isinstance(blob, bytes) else blob.read_bytes()


def _finished(server: GrpcServer, result: ActionResult) -> Finished:
    """Return how a command ended.

    Raises:
        ServerError: What it printed could not be fetched.
    """
    stdout = _printed(server, result.stdout_raw, result.stdout_digest)
    stderr = _printed(server, result.stderr_raw, result.stderr_digest)
    return Finished(result.exit_code, stdout, stderr)


def _printed(server: GrpcServer, raw: bytes, digest: Digest | None) -> bytes:
    if raw or digest is None or not digest.size:
        return raw
    data = server.read([digest]).get(digest)
    if data is None or digest_bytes(data) != digest:
        raise ServerError(Kind.LASTING, "the output of a command could not be fetched")
    return data
