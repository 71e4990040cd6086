"""The settings of the remote cache: on the command line, in the environment, in `mochi.toml`.

    [remote]
    url = "grpcs://cache.example.org/main"
    mode = "read"

A variable `remote_mode=` goes before MOCHI_RULES_REMOTE_MODE, and that before `mode` of the file.
Secrets come from files, helpers and the environment alone: everybody sees a command line.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail, placed
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.platforms.platform import find_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from urllib.parse import SplitResult

    from mochi_rules.base.span import Span

SECTION = "remote"
ENVIRONMENT = "MOCHI_RULES_REMOTE"
OFF = "off"
READ, WRITE, BOTH = "read", "write", "both"
MODES = (READ, WRITE, BOTH, OFF)
UPLOADS = ("async", "wait")
ANSWERS = ("yes", "no")

# The settings, and their allowed values.
_CHOICES: dict[str, tuple[str, ...]] = {
    "url": (), "mode": MODES, "upload": UPLOADS, "require": ANSWERS, "namespace": (),
    "executor": (),
    "token_file": (), "headers_file": (), "credential_helper": (),
    "ca_file": (), "cert_file": (), "key_file": (), "signing_key": (),
}  # fmt: skip
_PATHS = ("token_file", "headers_file", "ca_file", "cert_file", "key_file", "signing_key")
TRUSTED, REVOKED, MAX_AGE = "trusted_writers", "revoked_writers", "max_age_days"
PROPERTIES = "platform"
_NAMES = (*_CHOICES, TRUSTED, REVOKED, MAX_AGE, PROPERTIES)
_VARIABLES = {"url": "remote", "mode": "remote_mode", "upload": "remote_upload",
              "require": "remote_require", "executor": "executor"}  # fmt: skip
PREFIX = "ed25519:"  # of a public key
KEY_SIZE = 32  # bytes of one
# Scheme → (gRPC, TLS, port).
_SCHEMES = {
    "grpc": (True, False, 80), "grpcs": (True, True, 443),
    "http": (False, False, 80), "https": (False, True, 443),
}  # fmt: skip
# Words in a path that the names of resources are read by.
_RESERVED = ("blobs", "uploads", "actions", "actionResults", "operations", "capabilities",
             "compressed-blobs")  # fmt: skip
# What the systems of continuous integration say of a run for what nobody has reviewed.
_PULL_REQUESTS = {
    "GITHUB_EVENT_NAME": ("pull_request", "pull_request_target"),
    "CI_PIPELINE_SOURCE": ("merge_request_event", "external_pull_request_event"),
    "BUILD_REASON": ("PullRequest",),
}
_ANY_PULL_REQUEST = ("CHANGE_ID", "CIRCLE_PULL_REQUEST", "BITBUCKET_PR_ID", "DRONE_PULL_REQUEST")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is; `path` is the instance of gRPC, or the folder of HTTP, without slashes."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def is_grpc(self) -> bool:
        """Whether the server speaks the Remote Execution API, not HTTP."""
        return _SCHEMES[self.scheme][0]

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted, and the server shows who it is."""
        return _SCHEMES[self.scheme][1]

    @property
    def is_private(self) -> bool:
        """Whether the connection is encrypted, or local."""
        return self.is_secure or self.host in ("localhost", "127.0.0.1", "[::1]")

    def __str__(self) -> str:
        """Return the address as it is written."""
        path = f"/{self.path}" if self.path else ""
        return f"{self.scheme}://{self.host}:{self.port}{path}"


@dataclass(frozen=True, slots=True)
class Trust:
    """The writers that a workspace trusts: public keys by the names of writers.

    Without `trusted`, every writer is trusted. An entry is trusted for `max_age` days; 0 is for
    ever.
    """

    trusted: Mapping[str, bytes] = field(default_factory=dict)
    revoked: Mapping[str, bytes] = field(default_factory=dict)
    max_age: int = 0

    @property
    def asks(self) -> bool:
        """Whether not everybody is believed."""
        return bool(self.trusted or self.revoked or self.max_age)


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """The settings of the remote cache; without an address there is none.

    `waits` lets a build end only when everything is uploaded. A build fails without the server
    where it `is_required`. `namespace` parts what is stored by those who trust each other.
    `token` is a secret. `trust` says whose entries are taken. `executors` has where each kind of
    step runs that does not run here alone. `properties` are what workers there are chosen by, for
    programs of each platform, and for all steps by the empty name.
    """

    address: Address | None = None
    mode: str = BOTH
    waits: bool = False
    is_required: bool = False
    namespace: str = ""
    trust: Trust = field(default_factory=Trust)
    token: str = ""
    helper: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)
    executors: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"": {}})

    @property
    def reads(self) -> bool:
        """Whether results are taken."""
        return self.address is not None and self.mode in (READ, BOTH)

    @property
    def writes(self) -> bool:
        """Whether results are stored."""
        return self.address is not None and self.mode in (WRITE, BOTH)


def remote_settings(
    arguments: Mapping[str, str],
    environment: Mapping[str, str],
    table: Mapping[str, object],
    folder: Path,
    locate: Callable[..., Span | None] = lambda *_: None,
) -> RemoteSettings:
    """Return the settings of the remote cache.

    `arguments` are the variables of the command line, and `table` is that of `mochi.toml` in
    `folder`, where relative paths begin. `locate` returns where a setting is there, or a key of
    one that is a table.

    Emits: K020.

    Raises:
        MochiError: A setting is wrong.
    """
    if unknown := [name for name in table if name not in _NAMES]:
        raise MochiError(*(_unknown(name, locate(name)) for name in unknown))
    given = _Given(arguments, environment, table, locate)
    values = {name: given.value(name) for name in _CHOICES}
    trust = _trust(given)
    is_reader = is_pull_request(environment) or (trust.trusted and not values["signing_key"])
    mode = values["mode"] or (READ if is_reader else BOTH)
    url = values["url"] if mode != OFF else ""
    with given.placed("url"):
        address = parse_address(url) if url not in ("", OFF) else None
    with given.placed("executor"):
        executors = _executors(values["executor"])
        if executors and not (values["url"] if address is None else address.is_grpc):
            raise _wrong("remote execution needs a server that speaks gRPC")
    return RemoteSettings(
        address=address,
        mode=mode,
        waits=values["upload"] == "wait",
        is_required=values["require"] == "yes",
        namespace=values["namespace"],
        trust=trust,
        token=environment.get(f"{ENVIRONMENT}_TOKEN", ""),
        helper=values["credential_helper"],
        files={name: folder / Path(values[name]).expanduser() for name in _PATHS if values[name]},
        executors=executors if address is not None else {},
        properties=_properties(given),
    )


def _unknown(name: str, span: Span | None) -> Diagnostic:
    return Diagnostic(
        "K020",
        f"`[{SECTION}]` of `mochi.toml` has no setting `{name}`",
        span,
        notes=(f"the settings are {listing(_NAMES)}",),
        help=did_you_mean(name, _NAMES) or "leave it out",
    )


def parse_address(text: str) -> Address:
    """Return the address that a URL stands for.

    Emits: K020.

    Raises:
        MochiError: It stands for none.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - takes 5 ms

    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme, parts.port
    except ValueError:
        raise _wrong(f"`{text}` is not a URL") from None
    if scheme not in _SCHEMES:
        raise _wrong(f"`{_without_secrets(parts)}` does not begin with {listing(_SCHEMES)}")
    if not parts.hostname or parts.query or parts.fragment:
        raise _wrong(f"`{_without_secrets(parts)}` is not the URL of a server")
    if parts.username is not None or parts.password is not None:
        raise fail(
            "K020",
            "the URL of the remote cache contains a password, which everybody can see",
            help="write it in a file: `token_file` or `headers_file` in `[remote]` of `mochi.toml`",
        )
    path = parts.path.strip("/")
    if _SCHEMES[scheme][0] and (taken := [word for word in path.split("/") if word in _RESERVED]):
        raise _wrong(f"the name of an instance cannot contain `{taken[0]}`")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(scheme, host, port or _SCHEMES[scheme][2], path)


def parse_public(text: str) -> bytes | None:
    """Return the public key that a string stands for; None where it stands for none."""
    import base64  # noqa: PLC0415 - of workspaces that trust few

    if not text.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        return None
    return key if len(key) == KEY_SIZE else None


def is_pull_request(environment: Mapping[str, str]) -> bool:
    """Return whether this is a CI run for code that has not been reviewed."""
    named = any(environment.get(name) in values for name, values in _PULL_REQUESTS.items())
    return named or any(environment.get(name) for name in _ANY_PULL_REQUEST)


@dataclass(frozen=True, slots=True)
class _Given:
    """The settings as they are given: on the command line, in the environment, in `mochi.toml`."""

    arguments: Mapping[str, str]
    environment: Mapping[str, str]
    table: Mapping[str, object]
    locate: Callable[..., Span | None]

    def value(self, name: str) -> str:
        """Return a setting from the first source that has it; an empty string is the default.

        Emits: K020 (not a string, or none of those allowed).
        """
        found = self.table.get(name, "")
        if name == "require" and isinstance(found, bool):
            found = ANSWERS[not found]
        said, choices = self._said(name), _CHOICES[name]
        with placed(partial(self.locate, name)):
            if not isinstance(found, str):
                message = f"`{name}` of `[{SECTION}]` in `mochi.toml` must be a string"
                raise fail("K020", message, help=f'write `{name} = "..."`')
        value = said or found
        if choices and value and value not in choices:
            shown = _VARIABLES.get(name, name) if said else name
            example = f"{shown}={choices[0]}" if said else f'{shown} = "{choices[0]}"'
            with self.placed(name):
                raise fail(
                    "K020",
                    f"`{shown}` cannot be `{value}`",
                    notes=(f"it must be one of {listing(choices)}",),
                    help=did_you_mean(value, choices) or f"write `{example}`",
                )
        return value

    def placed(self, name: str) -> AbstractContextManager[None]:
        """Give errors about a setting of `mochi.toml` its place there."""
        return nullcontext() if self._said(name) else placed(partial(self.locate, name))

    def _said(self, name: str) -> str:
        """Return what the command line or the environment has."""
        variable = ENVIRONMENT if name == "url" else f"{ENVIRONMENT}_{name.upper()}"
        return self.arguments.get(_VARIABLES.get(name, "")) or self.environment.get(variable, "")


def _trust(given: _Given) -> Trust:
    """Return whom a `[remote]` table trusts."""
    age = given.table.get(MAX_AGE, 0)
    with given.placed(MAX_AGE):
        if not isinstance(age, int) or age < 0:
            message = f"`{MAX_AGE}` must be a number of days"
            raise fail("K020", message, help=f"write `{MAX_AGE} = 30`")
    return Trust(_keys(given, TRUSTED), _keys(given, REVOKED), age)


def _executors(text: str) -> Mapping[str, str]:
    """Return where each kind of step runs that does not run here alone."""
    if not text:
        return {}
    from mochi_rules.remote.executors import parse_executors  # noqa: PLC0415 - where it is asked

    return parse_executors(text)


def _properties(given: _Given) -> dict[str, dict[str, str]]:
    """Return what workers are chosen by, for each platform that has a table of its own."""
    table = given.table.get(PROPERTIES, {})
    found: dict[str, dict[str, str]] = {"": {}}
    for name, value in table.items() if isinstance(table, dict) else [("", table)]:
        with placed(partial(given.locate, PROPERTIES, *filter(None, [name]))):
            if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
                found[find_platform(name).name] = value
            elif name and isinstance(value, str):
                found[""][name] = value
            else:
                raise fail(
                    "K020",
                    f"`[{SECTION}.{PROPERTIES}]` must hold strings, or tables of them by platform",
                    help='write `container-image = "docker://..."`',
                )
    return found


def _keys(given: _Given, name: str) -> dict[str, bytes]:
    """Return public keys by the names of their writers."""
    found = {}
    keys = given.table.get(name, {})
    for writer, text in keys.items() if isinstance(keys, dict) else [("", keys)]:
        key = parse_public(text) if isinstance(text, str) else None
        if key is None:
            with placed(partial(given.locate, name, *filter(None, [writer]))):
                raise fail(
                    "K020",
                    f"`{name}` of `[{SECTION}]` must hold public keys by the names of writers",
                    notes=(f"`{writer}` has none",) if writer else (),
                    help="`mochi-rules cache key show FILE` prints the line to write",
                )
        found[writer] = key
    return found


def _wrong(message: str) -> Exception:
    return fail("K020", message, help="write `remote=grpcs://HOST:PORT/INSTANCE`")


def _without_secrets(parts: SplitResult) -> str:
    """Return a URL as it may be shown."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
