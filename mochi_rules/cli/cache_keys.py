"""`mochi-rules cache key`: who signs what goes to the remote cache, and who is believed."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.files import write_atomic
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.project.project_file import FILE, read_project
from mochi_rules.remote.settings import ENVIRONMENT, REVOKED, SECTION, TRUSTED
from mochi_rules.remote.trust import public_text
from mochi_rules.signing.keys import load_signing_key, write_key_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.cli.options import Parsed

_ACTIONS: dict[str, Callable[[str], str]]
_NAME = re.compile(r"[A-Za-z0-9_-]+")  # what TOML takes as it is


def look_after_keys(parsed: Parsed) -> int:
    """Make a key, show one, or no longer trust one.

    Emits: B053 (an operand is missing), B062 (no such action), K027, R007 to R009.
    """
    _, *rest = parsed.operands
    if not rest:
        raise fail("B053", f"`mochi-rules cache key` needs one of {listing(_ACTIONS)}")
    if rest[0] not in _ACTIONS:
        raise fail(
            "B062",
            f"`mochi-rules cache key` has no action `{rest[0]}`",
            notes=(f"the actions are {listing(_ACTIONS)}",),
            help=did_you_mean(rest[0], _ACTIONS),
        )
    if len(rest) == 1:
        raise fail("B053", f"`mochi-rules cache key {rest[0]}` needs a name")
    sys.stdout.write(_ACTIONS[rest[0]](rest[1]))
    return 0


def _new(name: str) -> str:
    """Write a key, and return what to do with it."""
    path = _path(name)
    writer = _checked(path.stem)
    public = public_text(write_key_pair(path).raw)
    return (
        f"# The private key is in {path}. Whoever writes needs it:\n"
        f"#     export {ENVIRONMENT}_SIGNING_KEY={path}\n"
        f"# Those who read need these lines in `{FILE}`:\n"
        f'[{SECTION}.{TRUSTED}]\n{writer} = "{public}"\n'
    )


def _show(name: str) -> str:
    """Return the public part of a key as `mochi.toml` has it."""
    path = _path(name)
    return f'{_checked(path.stem)} = "{public_text(load_signing_key(path).public.raw)}"\n'


def _revoke(name: str) -> str:
    """Write into `mochi.toml` that a writer is not trusted any more."""
    table = read_project(Path.cwd()).table(SECTION)
    writers = table.get(TRUSTED)
    key = writers.get(name) if isinstance(writers, dict) else None
    if not isinstance(key, str):
        known = list(writers) if isinstance(writers, dict) else []
        raise fail(
            "K027",
            f"`[{SECTION}.{TRUSTED}]` of `{FILE}` has no writer `{name}`",
            help=did_you_mean(name, known),
        )
    path = Path(FILE)
    text = path.read_text("utf-8")
    line = f'{_checked(name)} = "{key}"'
    header = re.compile(rf"^\[{SECTION}\.{REVOKED}\][^\n]*\n?", re.MULTILINE)
    if found := header.search(text):
        text = f"{text[: found.end()].rstrip()}\n{line}\n{text[found.end() :]}"
    else:
        text = f"{text.rstrip()}\n\n[{SECTION}.{REVOKED}]\n{line}\n"
    write_atomic(path, text.encode())
    return f"`{name}` is revoked: nothing that it signed is taken, here or from the server\n"


def _path(name: str) -> Path:
    """Return the file of a key: a path, or a name in the user's settings."""
    if "/" in name or name.endswith(".pem"):
        return Path(name)
    settings = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(settings).expanduser() / "mochi_rules" / "keys" / f"{_checked(name)}.pem"


def _checked(name: str) -> str:
    """Return a name that can stand in `mochi.toml`.

    Emits: K027.
    """
    if not _NAME.fullmatch(name):
        raise fail("K027", f"`{name}` is not the name of a writer",
                   help="use letters, digits, `-` and `_`")  # fmt: skip
    return name


_ACTIONS = {"new": _new, "show": _show, "revoke": _revoke}
