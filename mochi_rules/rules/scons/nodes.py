"""Nodes of SCons as files: their paths, their contents, whether they are there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.files import is_stream_mode, read_input
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.project.folder import check_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.base.span import Span

_MAX_LISTED = 8


def node_path(node: Any) -> str:
    """Return a node's path from the workspace with `/`, or the name of what is not a file.

    `str` of a node means something else while build files are read: the path from theirs.
    """
    path: str = node.get_internal_path() if hasattr(node, "get_internal_path") else str(node)
    return path.replace(os.sep, "/")


def file_of(node: Any) -> Path:
    """Return the file of a node, in the workspace or in a repository."""
    return Path(node.rfile().get_abspath())


def is_stream(node: Any) -> bool:
    """Return whether a node's file is a pipe or a device: to read it may take forever."""
    found = node.rfile().stat()  # SCons keeps it
    return bool(found) and is_stream_mode(found.st_mode)


def source_node(fs: Any, path: str) -> Any:
    """Return the node of a source.

    Emits: B010 (a directory).
    """
    try:
        return fs.File(path)
    except TypeError:  # SCons has found a directory of that name
        name = node_path(fs.Entry(path).srcnode())
        raise MochiError(Diagnostic("B010", f"cannot read `{name}`: is a directory")) from None


def source_name(node: Any) -> str:
    """Return the name of a source: its path in the workspace.

    What is made in a `variant_dir` has the name that it would have beside the sources, which
    import it from there.

    Emits: B013 (not UTF-8), B025 (outside of the workspace).
    """
    name = node_path(node.srcnode())
    if Path(name).is_absolute() or ".." in name.split("/"):
        shown = os.path.relpath(node.srcnode().get_abspath(), node.fs.Top.get_abspath())
        raise MochiError(
            Diagnostic(
                "B025",
                f"`{shown}` is outside of the workspace",
                notes=("its path would differ from machine to machine",),
                help="copy it, or link to it, below the SConstruct",
            )
        )
    check_name(name)
    return name


def read_node(node: Any) -> bytes:
    """Return the content of a node's file.

    Emits: B010.
    """
    return read_input(file_of(node), node_path(node))


def check_exists(node: Any, locate: Callable[[], Span | None] = lambda: None) -> None:
    """Refuse a source that neither exists nor is made; `locate` returns where it is named.

    Emits: B010.
    """
    if node.has_builder():
        return
    path = file_of(node)
    if path.is_file() or (path.is_symlink() and not path.is_dir()):  # a loop is for who reads it
        return
    if path.is_dir():
        message = f"cannot read `{node_path(node)}`: is a directory"
        raise MochiError(Diagnostic("B010", message, locate()))
    names = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
    alike = [name for name in names if name.endswith(path.suffix)]
    help_ = did_you_mean(path.name, alike)
    notes = (f"the folder has {', '.join(alike[:_MAX_LISTED])}",) if alike and not help_ else ()
    message = f"cannot read `{node_path(node)}`: no such file or directory"
    raise MochiError(Diagnostic("B010", message, locate(), notes=notes, help=help_))
