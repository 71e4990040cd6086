"""The cache between processes: at the same time, killed, and on file systems that refuse."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.cache.cache import Cache
from tests.needs import need

from .samples import OUTPUTS, make_action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

ACTION = make_action()
STRANGER = 4321  # a user id without rights


def test_processes_store_and_read_one_key(
    root: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """Processes that store and read the same key see it right or not at all."""
    code = """
action = make_action()
for round in range(150):
    cache = Cache(root)
    hit = cache.lookup(action)
    assert hit is None or hit.outputs == OUTPUTS
    cache.store(action, OUTPUTS, seconds=round + os.getpid())
    assert cache.lookup(action).outputs == OUTPUTS
    assert cache.warnings == (), cache.warnings
"""
    for process in [start(code) for _ in range(3)]:
        finish(process)
    check = Cache(root).verify()
    assert (check.damaged, check.dangling) == ((), ())


def test_processes_evict_while_others_use(
    root: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """Eviction, clearing, storing and reading at the same time give hits that are right."""
    code = """
hits = 0
for round in range(60):
    cache = Cache(root, limits=Limits(0))
    for index in range(4):
        action, outputs = make_action(str(index)), {path: b"%d" % index for path in OUTPUTS}
        hit = cache.lookup(action)
        hits += hit is not None
        assert hit is None or hit.outputs == outputs
        cache.store(action, outputs)
    cache.clear() if round % 10 == 9 else Cache(root, limits=Limits(0)).gc()
    assert cache.warnings == (), cache.warnings
print(hits)
"""
    hits = [int(finish(process)) for process in [start(code) for _ in range(3)]]
    assert sum(hits) > 0


# Dies before the file appears whose number is the second argument.
KILLED = """
steps, die = 0, int(sys.argv[2])
replace = os.replace

def counted(source, target):
    global steps
    steps += 1
    if steps == die:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(source, target)

os.replace = counted
cache = Cache(root)
with cache.single_flight(make_action().key):
    cache.store(make_action(), OUTPUTS)
print(steps)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_killed_writer_leaves_a_correct_cache(
    root: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """Whichever file the writer was at, what it left is right, and the next one goes on."""
    steps = int(finish(start(KILLED, 0)))
    assert steps == 9  # tag, format, two outputs, action, command, two directories, result
    for step in range(1, steps + 1):
        shutil.rmtree(root)
        with start(KILLED, step) as process:
            process.communicate()
            assert process.returncode == -9
        cache = Cache(root)
        assert cache.lookup(ACTION) is None
        check = cache.verify()
        assert (check.damaged, check.dangling) == ((), ())
        with cache.single_flight(ACTION.key):
            cache.store(ACTION, OUTPUTS)
        assert cache.lookup(ACTION) is not None
        assert cache.warnings == ()


def test_processes_produce_once(
    root: Path, tmp_path: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """Of many processes that want one key, one runs the step."""
    code = """
cache = Cache(root)
with cache.single_flight(make_action().key):
    if cache.lookup(make_action()) is None:
        print("produced")
        time.sleep(0.3)
        cache.store(make_action(), OUTPUTS)
"""
    printed = [finish(process) for process in [start(code) for _ in range(4)]]
    assert sorted(printed) == ["", "", "", "produced\n"]


def test_killed_producer_lets_the_next_one_produce(root: Path, start: Callable[..., Any]) -> None:
    """A flight ends with its process: its lock is stale and in nobody's way."""
    code = """
with Cache(root).single_flight(make_action().key):
    print("inside", flush=True)
    time.sleep(60)
"""
    with start(code) as process:
        assert process.stdout.readline() == "inside\n"
        process.kill()
    cache = Cache(root)
    with cache.single_flight(ACTION.key):
        cache.store(ACTION, OUTPUTS)
    assert cache.lookup(ACTION) is not None


def test_totals_of_processes_add_up(
    root: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """Processes that flush at the same time lose no count."""
    Cache(root).store(ACTION, OUTPUTS)
    code = """
cache = Cache(root)
for _ in range(25):
    cache.lookup(make_action())
    cache.flush()
"""
    for process in [start(code) for _ in range(4)]:
        finish(process)
    assert Cache(root).report().statistics.hits == 100


# Tries everything, and prints the codes of the warnings and the counters that tell.
USE = """
def use():
    cache = Cache(root)
    found = cache.lookup(make_action()) is not None
    for name in ("hello", "b", "c"):
        with cache.single_flight(make_action(name).key):
            cache.store(make_action(name), dict.fromkeys(OUTPUTS, name[0].encode() * 99999))
    again = cache.lookup(make_action()) is not None
    cache.flush()
    counted = cache.statistics
    print(found, again, *[warning.code for warning in cache.warnings], counted.skipped)
"""


def test_write_that_is_cut_off_is_a_warning(
    root: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A file that cannot grow ends writing and leaves no part of itself."""
    resource = pytest.importorskip("resource")
    assert resource.RLIMIT_FSIZE >= 0
    code = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\nuse()"
    assert finish(start(USE + code)) == "False False K005 3\n"
    assert Cache(root).verify().damaged == ()
    assert [path for path in root.rglob("*") if path.stat().st_size > 4096] == []


@pytest.fixture
def namespace(root: Path) -> tuple[str, ...]:
    """Return the prefix of a command that mounts a small file system on the root for itself."""
    prefix = ("unshare", "--map-root-user", "--mount")
    need("unshare")
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs unshare with the right to mount")
    root.mkdir()
    mount = f"mount -t tmpfs -o size=200k tmpfs {root}"
    return (*prefix, "sh", "-c", f'{mount} && exec "$@"', "sh")


def test_full_disk_is_a_warning(
    namespace: tuple[str, ...], start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """What fits is stored and found; what does not is one warning, and the build goes on."""
    # Of three steps the first one fits, the second one does not, the third one is not tried.
    first, second = finish(start(USE + "use()\nuse()", prefix=namespace)).splitlines()
    assert first == "False True K005 2"
    assert second == "True True K005 2"


def test_file_system_that_turned_read_only_is_read(
    namespace: tuple[str, ...], start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A cache on a read-only file system is read, and what it does not store is counted."""
    code = """
Cache(root).store(make_action(), OUTPUTS)
assert os.system(f"mount -o remount,bind,ro {root}") == 0
use()
"""
    assert finish(start(USE + code, prefix=namespace)) == "True True 3\n"


def test_new_cache_on_a_read_only_file_system_is_off(
    namespace: tuple[str, ...], start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A cache that cannot be made is one warning."""
    code = 'assert os.system(f"mount -o remount,bind,ro {root}") == 0\nuse()'
    assert finish(start(USE + code, prefix=namespace)) == "False False K001 3\n"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Return a directory that every user can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


# As root no permission binds, so the process becomes somebody else.
AS_STRANGER = """
root = Path(sys.argv[2])
Cache(root).store(make_action(), OUTPUTS)
if os.geteuid() == 0:
    for path in (root, *root.rglob("*")):
        os.chown(path, int(sys.argv[3]), -1)
    os.setuid(int(sys.argv[3]))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_directory_without_write_permission_is_read(
    open_directory: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A cache without write permission is read, and what it does not store is counted."""
    root = open_directory / "cache"
    process = start(USE + AS_STRANGER + "root.chmod(0o555)\nuse()", root, STRANGER)
    assert finish(process) == "True True 3\n"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_part_without_write_permission_is_a_warning(
    open_directory: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A part that another user has spoiled ends writing with a warning."""
    root = open_directory / "cache"
    code = """
for path in (root / "v1").rglob("*"):
    if path.is_dir():
        path.chmod(0o555)
(root / "v1" / "cas").chmod(0o555)
use()
"""
    assert finish(start(USE + AS_STRANGER + code, root, STRANGER)) == "True True K005 3\n"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_directory_without_read_permission_is_off(
    open_directory: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A directory that must not even be looked into is as good as off."""
    root = open_directory / "cache"
    process = start(USE + AS_STRANGER + "root.chmod(0)\nuse()\nroot.chmod(0o755)", root, STRANGER)
    assert finish(process) == "False False K001 3\n"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_directory_in_a_directory_without_permission_is_off(
    open_directory: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """A cache that cannot be made for want of permission is one warning."""
    parent = open_directory / "parent"
    code = "root.chmod(0o555)\nroot = root / 'below'\nuse()"
    assert finish(start(USE + AS_STRANGER + code, parent, STRANGER)) == "False False K001 3\n"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs user ids")
def test_directory_of_another_user_is_not_trusted(
    open_directory: Path, start: Callable[..., Any], finish: Callable[..., str]
) -> None:
    """Entries that a stranger stored are not found, for they are native code."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root, to become two users")
    root = open_directory / "cache"
    Cache(root).store(ACTION, OUTPUTS)
    os.chown(root, STRANGER + 1, -1)
    code = "root = Path(sys.argv[2])\nos.setuid(int(sys.argv[3]))\nuse()"
    assert finish(start(USE + code, root, STRANGER)) == "False False K002 3\n"
