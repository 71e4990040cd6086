"""Cache servers that others wrote, each started on a free port for a test.

`.ci/run` installs them. `buildbox-casd` is in the package BuildStream, nginx is one of the system.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mochi_rules.remote.trust import public_text
from mochi_rules.signing.keys import write_key_pair
from tests.needs import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START = 180.0  # seconds; on a loaded machine, BuildGrid takes one minute
_BUILDGRID = """\
server:
  - !channel
    address: 127.0.0.1:{port}
    insecure-mode: true
description: the cache of a test
instances:
  - name: 'team/a'
    storages:
      - !disk-storage &cas
        path: {folder}/data
    caches:
      - !lru-action-cache &ac
        storage: *cas
        max-cached-refs: 4096
        cache-failed-actions: false
        allow-updates: true
    services:
      - !action-cache
        cache: *ac
      - !cas
        storage: *cas
      - !bytestream
        storage: *cas
thread-pool-size: 100
"""
# Runs an action here, or, where its platform says so, on what is a machine of another kind.
_RUNNER = """\
#!/bin/sh
for word; do case $word in --action=*) action=${{word#*=}} ;; esac; done
if grep -q arm64 "$action"; then PATH={folder}/arm64:$PATH; fi
exec {runner} "$@"
"""
# A sandbox in a namespace where the kernel starts programs for aarch64 by qemu.
_SANDBOX = r"""#!/bin/sh
exec unshare --user --map-root-user --mount sh -ec '
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  printf %s ":arm64:M:18:\xb7\x00::{emulator}:F" >/proc/sys/fs/binfmt_misc/register
  exec {sandbox} "$@"' sandbox "$@"
"""
_NGINX = """\
daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; client_max_body_size 0;
  fastcgi_temp_path {folder}/f; proxy_temp_path {folder}/p;
  scgi_temp_path {folder}/s; uwsgi_temp_path {folder}/u;
  server {{
    listen 127.0.0.1:{port}; root {folder}/data;
    location / {{ dav_methods PUT; create_full_put_path on; }}
    location /reading/ {{ alias {folder}/data/; limit_except GET HEAD {{ deny all; }} }}
  }}
}}
"""


def new_key(path: Path) -> str:
    """Write a signing key to a file, and return its public part as `mochi.toml` has it."""
    return public_text(write_key_pair(path).raw)


@contextmanager
def casd(folder: Path, jobs: int = 0, runner: str = "buildbox-run") -> Iterator[str]:
    """Give the URL of a buildbox-casd; it also runs actions, `jobs` at a time, in sandboxes."""
    need("buildbox-casd")
    port = _free_port()
    execution = []
    if jobs:
        need("buildbox-run", "bwrap")
        execution = ["--buildbox-run", str(shutil.which(runner)), "--jobs", str(jobs)]
    command = ["buildbox-casd", "--bind", f"127.0.0.1:{port}", "--quota-high", "1G",
               "--reserved", "10M", *execution, str(folder / "data")]  # fmt: skip
    with _running(command, port, folder):
        yield f"grpc://127.0.0.1:{port}"


def emulating_runner(folder: Path) -> str:
    """Return a runner for `casd` that has a machine of aarch64, too: that of `arm64`."""
    programs = {"runner": "buildbox-run", "sandbox": "bwrap", "emulator": "qemu-aarch64-static"}
    need(*programs.values(), "unshare")
    found = {name: shutil.which(program) for name, program in programs.items()}
    for path, text in (("runner", _RUNNER), ("arm64/bwrap", _SANDBOX)):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text.format(folder=folder, **found))
        (folder / path).chmod(0o755)
    return f"{folder}/runner"


@contextmanager
def buildgrid(folder: Path) -> Iterator[str]:
    """Give the URL of an instance of a BuildGrid."""
    need("bgd")
    port = _free_port()
    settings = folder / "settings.yml"
    settings.write_text(_BUILDGRID.format(port=port, folder=folder))
    with _running(["bgd", "server", "start", str(settings)], port, folder):
        yield f"grpc://127.0.0.1:{port}/team/a"


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Give the URL of a folder on an nginx, which also serves it at `/reading`, for reading."""
    need("nginx")
    port = _free_port()
    (folder / "data").mkdir()
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(port=port, folder=folder))
    command = ["nginx", "-c", str(settings), "-e", str(folder / "log")]
    with _running(command, port, folder):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        until = time.monotonic() + _START
        while not _is_open(port):
            said = (folder / "output").read_text("utf-8", "replace")
            assert process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port
