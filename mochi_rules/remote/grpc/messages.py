"""The messages of the remote services, and their field numbers; `cache.messages` has the others.

A repeated enumeration is packed, which for values below 128 is one byte each: here it is `bytes`.

Source: build/bazel/remote/execution/v2/remote_execution.proto, google/bytestream/bytestream.proto,
google/rpc/{status,error_details}.proto.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import Digest
from mochi_rules.cache import messages, wire
from mochi_rules.cache.messages import ActionResult, Detail, Duration
from mochi_rules.cache.wire import Field, Kind

SHA256 = 1  # of DigestFunction
ZSTD = 1  # of Compressor; 0 is the identity


@dataclass(frozen=True, slots=True)
class GetCapabilities:
    """Asks what a server can do."""

    instance: str = ""


@dataclass(frozen=True, slots=True)
class UpdateCapabilities:
    """Whether this client may write action results."""

    enabled: bool = False


@dataclass(frozen=True, slots=True)
class CacheCapabilities:
    """What a cache can do. Sizes are in bytes; 0 is for one that is not stated."""

    digest_functions: bytes = b""
    update: UpdateCapabilities | None = None
    max_batch: int = 0
    compressors: bytes = b""
    batch_compressors: bytes = b""
    max_blob: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionCapabilities:
    """What an execution service can do."""

    function: int = 0
    is_enabled: bool = False


@dataclass(frozen=True, slots=True)
class SemVer:
    """A version of the API."""

    major: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True)
class ServerCapabilities:
    """What a server can do."""

    cache: CacheCapabilities | None = None
    execution: ExecutionCapabilities | None = None
    low_version: SemVer | None = None
    high_version: SemVer | None = None


@dataclass(frozen=True, slots=True)
class GetActionResult:
    """Asks for the result of an action, with the contents of some outputs if they are small."""

    instance: str
    action: Digest
    inline_stderr: bool = True
    inline_files: tuple[str, ...] = ()
    function: int = SHA256


@dataclass(frozen=True, slots=True)
class UpdateActionResult:
    """Stores the result of an action."""

    instance: str
    action: Digest
    result: ActionResult
    function: int = SHA256


@dataclass(frozen=True, slots=True)
class FindMissing:
    """Asks which blobs a server lacks."""

    instance: str
    digests: tuple[Digest, ...]
    function: int = SHA256


@dataclass(frozen=True, slots=True)
class Missing:
    """The blobs that a server lacks."""

    digests: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ended, in the codes of gRPC; 0 is success."""

    code: int = 0
    message: str = ""
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryInfo:
    """How long to wait before the call is made again."""

    delay: Duration | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A blob on its way up; `data` may be compressed."""

    digest: Digest
    data: bytes
    compressor: int = 0


@dataclass(frozen=True, slots=True)
class BatchUpdate:
    """Stores small blobs."""

    instance: str
    uploads: tuple[Upload, ...]
    function: int = SHA256


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of a blob."""

    digest: Digest
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class BatchUpdated:
    """What became of each blob."""

    responses: tuple[Uploaded, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchRead:
    """Asks for small blobs."""

    instance: str
    digests: tuple[Digest, ...]
    compressors: bytes = b""
    function: int = SHA256


@dataclass(frozen=True, slots=True)
class Download:
    """A blob on its way down; `data` may be compressed."""

    digest: Digest
    data: bytes = b""
    status: Status | None = None
    compressor: int = 0


@dataclass(frozen=True, slots=True)
class Downloads:
    """The blobs that were asked for, or why one is not there."""

    responses: tuple[Download, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """Asks for a large blob; the offset counts bytes that are not compressed."""

    name: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a large blob on its way down."""

    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Write:
    """A part of a large blob on its way up."""

    name: str
    offset: int
    is_last: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """How many bytes of a large blob a server has; -1 for all of a compressed one."""

    size: int = 0


@dataclass(frozen=True, slots=True)
class QueryWrite:
    """Asks how far an interrupted write came."""

    name: str


@dataclass(frozen=True, slots=True)
class ToolDetails:
    """The client, for the logs of a server."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class RequestMetadata:
    """What a call is for, for the logs of a server."""

    tool: ToolDetails
    invocation: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made an entry: a public key, the writer's name, seconds since 1970, a signature.

    This message is ours; `trust` says what is signed.
    """

    key: bytes
    writer: str
    time: int
    signature: bytes


_INSTANCE = Field(1, "instance", Kind.STRING)

SCHEMA: wire.Schema = {
    **messages.SCHEMA,
    GetCapabilities: wire.table(_INSTANCE),
    UpdateCapabilities: wire.table(Field(1, "enabled", Kind.BOOL)),
    CacheCapabilities: wire.table(
        Field(1, "digest_functions", Kind.BYTES),
        Field(2, "update", Kind.MESSAGE, UpdateCapabilities),
        Field(4, "max_batch", Kind.INT64),
        Field(6, "compressors", Kind.BYTES),
        Field(7, "batch_compressors", Kind.BYTES),
        Field(8, "max_blob", Kind.INT64),
    ),
    ExecutionCapabilities: wire.table(
        Field(1, "function", Kind.INT32), Field(2, "is_enabled", Kind.BOOL)
    ),
    SemVer: wire.table(Field(1, "major", Kind.INT32), Field(2, "minor", Kind.INT32)),
    ServerCapabilities: wire.table(
        Field(1, "cache", Kind.MESSAGE, CacheCapabilities),
        Field(2, "execution", Kind.MESSAGE, ExecutionCapabilities),
        Field(4, "low_version", Kind.MESSAGE, SemVer),
        Field(5, "high_version", Kind.MESSAGE, SemVer),
    ),
    GetActionResult: wire.table(
        _INSTANCE,
        Field(2, "action", Kind.MESSAGE, Digest),
        Field(4, "inline_stderr", Kind.BOOL),
        Field(5, "inline_files", Kind.STRING, repeated=True),
        Field(6, "function", Kind.INT32),
    ),
    UpdateActionResult: wire.table(
        _INSTANCE,
        Field(2, "action", Kind.MESSAGE, Digest),
        Field(3, "result", Kind.MESSAGE, ActionResult),
        Field(5, "function", Kind.INT32),
    ),
    FindMissing: wire.table(
        _INSTANCE,
        Field(2, "digests", Kind.MESSAGE, Digest, repeated=True),
        Field(3, "function", Kind.INT32),
    ),
    Missing: wire.table(Field(2, "digests", Kind.MESSAGE, Digest, repeated=True)),
    Status: wire.table(
        Field(1, "code", Kind.INT32),
        Field(2, "message", Kind.STRING),
        Field(3, "details", Kind.MESSAGE, Detail, repeated=True),
    ),
    RetryInfo: wire.table(Field(1, "delay", Kind.MESSAGE, Duration)),
    Upload: wire.table(
        Field(1, "digest", Kind.MESSAGE, Digest),
        Field(2, "data", Kind.BYTES),
        Field(3, "compressor", Kind.INT32),
    ),
    BatchUpdate: wire.table(
        _INSTANCE,
        Field(2, "uploads", Kind.MESSAGE, Upload, repeated=True),
        Field(5, "function", Kind.INT32),
    ),
    Uploaded: wire.table(
        Field(1, "digest", Kind.MESSAGE, Digest, required=True),
        Field(2, "status", Kind.MESSAGE, Status),
    ),
    BatchUpdated: wire.table(Field(1, "responses", Kind.MESSAGE, Uploaded, repeated=True)),
    BatchRead: wire.table(
        _INSTANCE,
        Field(2, "digests", Kind.MESSAGE, Digest, repeated=True),
        Field(3, "compressors", Kind.BYTES),
        Field(4, "function", Kind.INT32),
    ),
    Download: wire.table(
        Field(1, "digest", Kind.MESSAGE, Digest, required=True),
        Field(2, "data", Kind.BYTES),
        Field(3, "status", Kind.MESSAGE, Status),
        Field(4, "compressor", Kind.INT32),
    ),
    Downloads: wire.table(Field(1, "responses", Kind.MESSAGE, Download, repeated=True)),
    Read: wire.table(Field(1, "name", Kind.STRING), Field(2, "offset", Kind.INT64)),
    Chunk: wire.table(Field(10, "data", Kind.BYTES)),
    Write: wire.table(
        Field(1, "name", Kind.STRING),
        Field(2, "offset", Kind.INT64),
        Field(3, "is_last", Kind.BOOL),
        Field(10, "data", Kind.BYTES),
    ),
    Written: wire.table(Field(1, "size", Kind.INT64)),
    QueryWrite: wire.table(Field(1, "name", Kind.STRING)),
    Signature: wire.table(
        Field(1, "key", Kind.BYTES),
        Field(2, "writer", Kind.STRING),
        Field(3, "time", Kind.INT64),
        Field(4, "signature", Kind.BYTES),
    ),
    ToolDetails: wire.table(Field(1, "name", Kind.STRING), Field(2, "version", Kind.STRING)),
    RequestMetadata: wire.table(
        Field(1, "tool", Kind.MESSAGE, ToolDetails),
        Field(3, "invocation", Kind.STRING),
    ),
}

_CODEC = wire.Codec(SCHEMA)
encode, decode = _CODEC.encode, _CODEC.decode
