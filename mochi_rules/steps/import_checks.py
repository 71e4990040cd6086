"""What a program may import: the functions of WASI preview 1.

Source: WebAssembly/WASI, `wasi_snapshot_preview1.witx`; the 46 functions that Wasmtime defines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.base.suggest import did_you_mean

if TYPE_CHECKING:
    from mochi_rules.wasm.reader.read_summary import ImportSummary, ModuleSummary

START = "_start"
MODULE = "wasi_snapshot_preview1"
_NAMES = """
    args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_advise
    fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights
    fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_dir_name
    fd_prestat_get fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write
    path_create_directory path_filestat_get path_filestat_set_times path_link path_open
    path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff
    proc_exit proc_raise random_get sched_yield sock_accept sock_recv sock_send sock_shutdown
"""
FUNCTIONS = frozenset(_NAMES.split())
_OLDER = ("wasi_unstable", "wasi")
_SHOWN = 20


def check_imports(name: str, summary: ModuleSummary) -> None:
    """Refuse a module that imports what no host here gives; `name` is what messages call it.

    Emits: B030, for each such import.

    Raises:
        MochiError: The program could never be started.
    """
    found = [_fault(name, item) for item in summary.imports if not _is_given(item)]
    if found:
        raise MochiError(*found[:_SHOWN])


def check_program(name: str, summary: ModuleSummary) -> None:
    """Refuse what no executable can be made of.

    Emits: B031.

    Raises:
        MochiError: It is a component, or has no function `_start`.
    """
    if any(item.name == START and item.kind == "func" for item in summary.exports):
        return
    help_ = "write `executable = False`"
    if summary.kind == "module":
        raise fail("B031", f"`{name}` is not a program: it has no function `{START}`", help=help_)
    raise fail(
        "B031",
        f"`{name}` cannot become an executable: it is a component",
        notes=("`mochi-rules run` runs components, and their objects link into any host of them",),
        help=help_,
    )


def _is_given(item: ImportSummary) -> bool:
    return item.module == MODULE and item.kind == "func" and item.name in FUNCTIONS


def _fault(name: str, item: ImportSummary) -> Diagnostic:
    if item.module == MODULE and item.kind == "func":
        help_ = did_you_mean(item.name, FUNCTIONS)
    elif item.module in _OLDER:
        help_ = f"compile the program for `{MODULE}`"
    else:
        help_ = "link what it imports into the module before, or leave it out"
    return Diagnostic(
        "B030",
        f"`{name}` imports `{item.module}.{item.name}` ({item.kind}), which no host provides",
        notes=(f"a program may import only functions of `{MODULE}`",),
        help=help_,
    )
