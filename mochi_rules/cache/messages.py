"""The messages of the Remote Execution API v2 that a cache needs, and their field numbers.

The invariants are those of the canonical form, checked on construction: a message that exists is
canonical. `base.digest.Digest` serves as the API's Digest; other digest functions are refused.

Source: build/bazel/remote/execution/v2/remote_execution.proto.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import Digest
from mochi_rules.cache import wire
from mochi_rules.cache.wire import Field, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

_Ordered = TypeVar("_Ordered", str, "Property")

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True, order=True)
class Property:
    """A name and a value: of a platform, or of an environment variable."""

    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a command needs of its worker; properties ascend by name, then by value."""

    properties: tuple[Property, ...] = ()

    def __post_init__(self) -> None:
        _check_ascending("properties", self.properties)


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time; `nanos` has the sign of `seconds`."""

    seconds: int = 0
    nanos: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """What is run. Variables ascend by name, output paths by UTF-8 bytes; none comes twice."""

    arguments: tuple[str, ...] = ()
    environment_variables: tuple[Property, ...] = ()
    platform: Platform | None = None
    working_directory: str = ""
    output_paths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [variable.name for variable in self.environment_variables]
        _check_ascending("environment_variables", names)
        _check_ascending("output_paths", self.output_paths)
        for path in self.output_paths:
            path_segments(path)


@dataclass(frozen=True, slots=True)
class Action:
    """What decides the outputs; its digest is the key of the action cache."""

    command_digest: Digest
    input_root_digest: Digest
    timeout: Duration | None = None
    do_not_cache: bool = False
    salt: bytes = b""
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class FileNode:
    """A file of a directory."""

    name: str
    digest: Digest
    is_executable: bool = False


@dataclass(frozen=True, slots=True)
class DirectoryNode:
    """A directory of a directory; the digest is that of a Directory message."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class SymlinkNode:
    """A symbolic link of a directory."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Directory:
    """One level of a tree: each list ascends by name, and no name comes twice among the three."""

    files: tuple[FileNode, ...] = ()
    directories: tuple[DirectoryNode, ...] = ()
    symlinks: tuple[SymlinkNode, ...] = ()

    def __post_init__(self) -> None:
        names: list[str] = []
        for nodes in (self.files, self.directories, self.symlinks):
            here = [node.name for node in nodes]
            _check_ascending("directory entries", here)
            names += here
        if len(set(names)) != len(names):
            raise ValueError("a name comes twice in a directory")
        for name in names:
            if len(path_segments(name)) != 1:
                raise ValueError(f"not the name of a directory entry: {name!r}")


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory with everything below it; each child comes once."""

    root: Directory
    children: tuple[Directory, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a command made; `contents` is empty where the store did not inline it."""

    path: str
    digest: Digest
    is_executable: bool = False
    contents: bytes = b""


@dataclass(frozen=True, slots=True)
class OutputDirectory:
    """A directory that a command made, as a Tree, as a root Directory, or as both."""

    path: str
    tree_digest: Digest | None = None
    is_topologically_sorted: bool = False
    root_directory_digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class OutputSymlink:
    """A symbolic link that a command made."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A message of any type, by the name of the type: the API's `google.protobuf.Any`."""

    type_url: str
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class ExecutedActionMetadata:
    """How it went; of the API's fields, those that hold neither a date nor a machine."""

    virtual_execution_duration: Duration | None = None
    auxiliary_metadata: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What came out of an action."""

    output_files: tuple[OutputFile, ...] = ()
    output_directories: tuple[OutputDirectory, ...] = ()
    exit_code: int = 0
    stdout_raw: bytes = b""
    stdout_digest: Digest | None = None
    stderr_raw: bytes = b""
    stderr_digest: Digest | None = None
    execution_metadata: ExecutedActionMetadata | None = None
    output_symlinks: tuple[OutputSymlink, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the action took when it ran; 0 if unknown."""
        metadata = self.execution_metadata
        duration = metadata and metadata.virtual_execution_duration
        return duration.seconds + duration.nanos / _NANOSECONDS if duration else 0.0


SCHEMA: wire.Schema = {
    Digest: wire.table(
        Field(1, "hash", Kind.STRING),
        Field(2, "size", Kind.INT64),
    ),
    Property: wire.table(
        Field(1, "name", Kind.STRING),
        Field(2, "value", Kind.STRING),
    ),
    Platform: wire.table(
        Field(1, "properties", Kind.MESSAGE, Property, repeated=True),
    ),
    Duration: wire.table(
        Field(1, "seconds", Kind.INT64),
        Field(2, "nanos", Kind.INT32),
    ),
    Command: wire.table(
        Field(1, "arguments", Kind.STRING, repeated=True),
        Field(2, "environment_variables", Kind.MESSAGE, Property, repeated=True),
        Field(5, "platform", Kind.MESSAGE, Platform),
        Field(6, "working_directory", Kind.STRING),
        Field(7, "output_paths", Kind.STRING, repeated=True),
    ),
    Action: wire.table(
        Field(1, "command_digest", Kind.MESSAGE, Digest, required=True),
        Field(2, "input_root_digest", Kind.MESSAGE, Digest, required=True),
        Field(6, "timeout", Kind.MESSAGE, Duration),
        Field(7, "do_not_cache", Kind.BOOL),
        Field(9, "salt", Kind.BYTES),
        Field(10, "platform", Kind.MESSAGE, Platform),
    ),
    FileNode: wire.table(
        Field(1, "name", Kind.STRING),
        Field(2, "digest", Kind.MESSAGE, Digest, required=True),
        Field(4, "is_executable", Kind.BOOL),
    ),
    DirectoryNode: wire.table(
        Field(1, "name", Kind.STRING),
        Field(2, "digest", Kind.MESSAGE, Digest, required=True),
    ),
    SymlinkNode: wire.table(
        Field(1, "name", Kind.STRING),
        Field(2, "target", Kind.STRING),
    ),
    Directory: wire.table(
        Field(1, "files", Kind.MESSAGE, FileNode, repeated=True),
        Field(2, "directories", Kind.MESSAGE, DirectoryNode, repeated=True),
        Field(3, "symlinks", Kind.MESSAGE, SymlinkNode, repeated=True),
    ),
    Tree: wire.table(
        Field(1, "root", Kind.MESSAGE, Directory, required=True),
        Field(2, "children", Kind.MESSAGE, Directory, repeated=True),
    ),
    OutputFile: wire.table(
        Field(1, "path", Kind.STRING),
        Field(2, "digest", Kind.MESSAGE, Digest, required=True),
        Field(4, "is_executable", Kind.BOOL),
        Field(5, "contents", Kind.BYTES),
    ),
    OutputDirectory: wire.table(
        Field(1, "path", Kind.STRING),
        Field(3, "tree_digest", Kind.MESSAGE, Digest),
        Field(4, "is_topologically_sorted", Kind.BOOL),
        Field(5, "root_directory_digest", Kind.MESSAGE, Digest),
    ),
    OutputSymlink: wire.table(
        Field(1, "path", Kind.STRING),
        Field(2, "target", Kind.STRING),
    ),
    Detail: wire.table(
        Field(1, "type_url", Kind.STRING),
        Field(2, "value", Kind.BYTES),
    ),
    ExecutedActionMetadata: wire.table(
        Field(11, "auxiliary_metadata", Kind.MESSAGE, Detail, repeated=True),
        Field(12, "virtual_execution_duration", Kind.MESSAGE, Duration),
    ),
    ActionResult: wire.table(
        Field(2, "output_files", Kind.MESSAGE, OutputFile, repeated=True),
        Field(3, "output_directories", Kind.MESSAGE, OutputDirectory, repeated=True),
        Field(4, "exit_code", Kind.INT32),
        Field(5, "stdout_raw", Kind.BYTES),
        Field(6, "stdout_digest", Kind.MESSAGE, Digest),
        Field(7, "stderr_raw", Kind.BYTES),
        Field(8, "stderr_digest", Kind.MESSAGE, Digest),
        Field(9, "execution_metadata", Kind.MESSAGE, ExecutedActionMetadata),
        Field(12, "output_symlinks", Kind.MESSAGE, OutputSymlink, repeated=True),
    ),
}

_CODEC = wire.Codec(SCHEMA)
encode, decode = _CODEC.encode, _CODEC.decode


def duration(seconds: float) -> Duration:
    """Return a time of at least 0 seconds, to the nanosecond below."""
    nanoseconds = int(seconds * _NANOSECONDS)
    return Duration(nanoseconds // _NANOSECONDS, nanoseconds % _NANOSECONDS)


def path_segments(path: str) -> list[str]:
    """Return the names along a relative path whose separator is `/`.

    Raises:
        ValueError: The path is empty or absolute, ends in `/`, or has an empty, `.` or `..` name.
    """
    segments = path.split("/")
    if any(segment in ("", ".", "..") or "\0" in segment for segment in segments):
        raise ValueError(f"not a relative path of plain names: {path!r}")
    return segments


def _check_ascending(what: str, items: Sequence[_Ordered]) -> None:
    # Code points order as UTF-8 bytes do, so comparing `str` is the order the API asks for.
    if any(a >= b for a, b in pairwise(items)):
        raise ValueError(f"{what} must ascend, and none may come twice")
