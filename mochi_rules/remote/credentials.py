"""Who we are: tokens, headers and certificates, from files, the environment and helpers.

What is secret goes to the server alone: it is in no message, no log and no error.

Source: Bazel's proposal "Credential Helpers": `HELPER get`, with `{"uri": …}` on stdin and
`{"headers": {NAME: [VALUE, …]}, "expires": …}` on stdout.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from threading import Lock
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.remote.settings import Address, RemoteSettings

_HELPER_SECONDS = 10.0
_SHORTEST_SECRET = 6  # characters: what is shorter may stand in any message by chance
_MAX_FILE = 1 << 16  # bytes
_HIDDEN = "[hidden]"


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM of the authorities that are believed (None is the system's), and of our own key."""

    ca: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    files: tuple[Path, Path] | None = None  # of the certificate and the key


class Credentials:
    """What this client shows to a server; read when it is first needed. Safe for threads.

    Emits: K021.
    """

    def __init__(self, settings: RemoteSettings, address: Address) -> None:
        self._settings = settings
        self._address = address
        self._lock = Lock()
        self._headers: list[tuple[str, str]] | None = None

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers of each call; names are in lower case.

        Raises:
            MochiError: They are not available, or would be sent in the open.
        """
        with self._lock:
            if self._headers is None:
                self._headers = self._collect()
            return self._headers

    def refresh(self) -> bool:
        """Read the headers again, and return whether they have changed."""
        before = self.headers()
        with self._lock:
            self._headers = self._collect()
            return self._headers != before

    def redacted(self, text: str) -> str:
        """Return a server's message without the secrets that it repeats."""
        with self._lock:
            values = [value for _, value in self._headers or ()]
        words = {word for value in values for word in (value, *value.split())}
        for word in sorted(words, key=len, reverse=True):
            if len(word) >= _SHORTEST_SECRET:
                text = text.replace(word, _HIDDEN)
        return text

    def tls(self) -> Tls:
        """Return the certificates of a connection.

        Raises:
            MochiError: A file cannot be read, or only one of key and certificate is given.
        """
        files = self._settings.files
        if ("cert_file" in files) != ("key_file" in files):
            raise environment_error(
                "K021", "`cert_file` and `key_file` of the remote cache belong together"
            )
        ca = _read(files["ca_file"]) if "ca_file" in files else None
        if "key_file" not in files:
            return Tls(ca)
        pair = files["cert_file"], files["key_file"]
        return Tls(ca, _read(pair[0]), _read(pair[1]), pair)

    def _collect(self) -> list[tuple[str, str]]:
        settings, found = self._settings, []
        if settings.token:
            found.append(("authorization", f"Bearer {settings.token}"))
        if path := settings.files.get("token_file"):
            found.append(("authorization", f"Bearer {_text(path).strip()}"))
        if path := settings.files.get("headers_file"):
            found += _parse_headers(_text(path), path)
        if settings.helper:
            found += _ask_helper(settings.helper, str(self._address))
        if found and not self._address.is_private:
            raise environment_error(
                "K021", f"`{self._address}` is not encrypted: no credentials are sent there",
                help="write `grpcs://` or `https://`",
            )  # fmt: skip
        return found


def _parse_headers(text: str, path: Path) -> list[tuple[str, str]]:
    """Return the headers of a file: lines `Name: value`."""
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip().replace("-", "").isalnum():
            raise environment_error("K021", f"`{path}` has a line that is not `Name: value`")
        found.append((name.strip().lower(), value.strip()))
    return found


def _ask_helper(helper: str, uri: str) -> list[tuple[str, str]]:
    try:
        done = subprocess.run(
            [*shlex.split(helper), "get"],
            input=json.dumps({"uri": uri}).encode(),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=True,
        )
        headers = json.loads(done.stdout)["headers"]
        return [(name.lower(), value) for name in headers for value in map(str, headers[name])]
    except OSError as error:
        problem = reason(error)
    except subprocess.TimeoutExpired:
        problem = f"it took longer than {_HELPER_SECONDS:.0f} s"
    except subprocess.CalledProcessError as error:
        problem = f"it exited with status {error.returncode}"
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "its answer is not that of a credential helper"
    raise environment_error("K021", f"the credential helper `{helper}` failed: {problem}")


def _text(path: Path) -> str:
    return _read(path).decode("utf-8", "replace")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise environment_error(
            "K021", f"cannot read `{path}` for the remote cache: {reason(error)}"
        ) from None
