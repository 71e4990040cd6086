"""The client of the worker that compiles CLIF, `toolchains/clif`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError

if TYPE_CHECKING:
    from mochi_rules.platforms.architecture import CpuLevel
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.workers.process import Worker


@dataclass(frozen=True, slots=True)
class NativeConfig:
    """What decides an object's bytes besides the text; `opt_level` is `none` or `speed`."""

    platform: Platform
    cpu: CpuLevel
    opt_level: str
    debug_info: bool

    def fields(self, name: str) -> dict[str, object]:
        """Return the request of the worker; `name` is what the object calls the program."""
        return {
            "name": name,
            "target": self.platform.triple,
            "cpu": self.cpu.name,
            "flags": list(self.cpu.flags),
            "opt_level": self.opt_level,
            "debug_info": self.debug_info,
        }


def compile_clif(worker: Worker, config: NativeConfig, name: str, clif: bytes) -> bytes:
    """Return the object of a program.

    Emits: as WorkerProcess.request; X002 (Cranelift refuses the text: ours is wrong).

    Raises:
        MochiError: There is no object.
    """
    error, data = worker.request(config.fields(name), clif)
    if error is None:
        return data
    first, *rest = error.splitlines()
    notes = ("\n".join(rest),) if rest else ()
    raise MochiError(
        Diagnostic(
            "X002", f"internal error in the code of `{name}`: {first}", notes=notes,
            fault=Fault.INTERNAL,
        )
    )  # fmt: skip
