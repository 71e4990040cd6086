"""Builds the native programs that `pytest --all` tests: `python -m tests.native`, beforehand."""

from .building import build_aot_worker, build_clif_worker, build_launcher, launcher_target
from .test_cross import RUST_TARGET

build_aot_worker()
build_clif_worker()
build_launcher(launcher_target())
build_launcher(RUST_TARGET)
