"""Functions of the host: those of WASI preview 1, imported only where they are used."""

from __future__ import annotations

from mochi_rules.compiler.ir.function import Signature
from mochi_rules.compiler.ir.types import INT, VOID, WORD

WASI = "wasi_snapshot_preview1"

# By the name that the runtime library calls them: "wasi_" and the name of the specification.
IMPORTS: dict[str, Signature] = {
    "wasi_fd_write": Signature((WORD, WORD, WORD, WORD), WORD),
    "wasi_fd_fdstat_get": Signature((WORD, WORD), WORD),
    "wasi_fd_read": Signature((WORD, WORD, WORD, WORD), WORD),
    "wasi_clock_time_get": Signature((WORD, INT, WORD), WORD),
    "wasi_environ_sizes_get": Signature((WORD, WORD), WORD),
    "wasi_environ_get": Signature((WORD, WORD), WORD),
    "wasi_proc_exit": Signature((WORD,), VOID),
}
