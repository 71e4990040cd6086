"""What a program may ask of its world: files where they were granted, and the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .building import Programs, machine_folders, program
from .test_launcher import WORLDS, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("programs", ["launcher", "bundle_launcher"], indirect=True),
]

# Opens `file` below the first granted directory, for writing, and writes to it. The exit status
# is the first error number.
WRITE_FILE = """
  (local.set $i (call $path_open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 4)
    (i32.const 1) (i64.const 64) (i64.const 64) (i32.const 0) (i32.const 16)))
  (if (local.get $i) (then (call $exit (local.get $i))))
  (i32.store (i32.const 20) (i32.const 8))
  (i32.store (i32.const 24) (i32.const 4))
  (call $exit
    (call $fd_write (i32.load (i32.const 16)) (i32.const 20) (i32.const 1) (i32.const 28)))
"""
NAME = '(data (i32.const 8) "file")'
BADF = 8
NOT_ALLOWED = {2, 63, 69}  # EACCES, EPERM, EROFS


def test_launcher_names_no_folder_of_this_machine(programs: Programs) -> None:
    """The bytes are the same wherever it is built."""
    data = programs.launcher.read_bytes()
    assert [name for name in machine_folders(programs.launcher) if name.encode() in data] == []


def writer(programs: Programs, settings: str = "") -> Path:
    """Return a program that writes a file."""
    return programs.build(program(WRITE_FILE, "path_open", top=NAME), settings)


def test_nothing_is_granted_by_itself(programs: Programs, tmp_path: Path) -> None:
    """Without a grant there is no directory to open anything in."""
    done = run(writer(programs), cwd=tmp_path)
    assert done.returncode == BADF


@pytest.mark.parametrize("variable", ["{}", "{}=/data", ".", ":{}:"])
def test_directory_is_granted_by_the_environment(
    programs: Programs, tmp_path: Path, variable: str
) -> None:
    """`MOCHI_DIRS` names directories as PATH does, with `=` and the program's own name."""
    data = tmp_path / "data"
    data.mkdir()
    done = run(writer(programs), env={"MOCHI_DIRS": variable.format(data)}, cwd=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (data / "file").read_bytes() == b"file"


def test_directory_is_granted_by_the_settings(programs: Programs, tmp_path: Path) -> None:
    """A directory that was fixed when the program was attached is relative to where it is run."""
    (tmp_path / "data").mkdir()
    done = run(writer(programs, "dir\trw\tdata\t/data"), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "data" / "file").read_bytes() == b"file"


def test_directory_may_be_only_for_reading(programs: Programs, tmp_path: Path) -> None:
    """In a directory that is granted for reading nothing is written."""
    (tmp_path / "data").mkdir()
    done = run(writer(programs, "dir\tr\tdata\t/data"), cwd=tmp_path)
    assert done.returncode in NOT_ALLOWED
    assert list((tmp_path / "data").iterdir()) == []


def test_missing_directory_is_named(programs: Programs, tmp_path: Path) -> None:
    """A grant of what is not there ends before the program begins."""
    done = run(writer(programs), env={"MOCHI_DIRS": "nowhere"}, cwd=tmp_path)
    assert done.returncode == 126
    assert done.stderr.startswith(
        b"error: `app`: the program cannot start: cannot open the directory `nowhere`"
    )


def test_granted_directory_cannot_be_left(programs: Programs, tmp_path: Path) -> None:
    """No path and no symbolic link leads out of a granted directory."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "file").symlink_to(tmp_path / "outside")
    done = run(writer(programs, "dir\trw\tdata\t/data"), cwd=tmp_path)
    assert done.returncode != 0
    assert not (tmp_path / "outside").exists()


def test_prestat_names_the_granted_directory(programs: Programs, tmp_path: Path) -> None:
    """A program that asks for its directories is given the name it knows them by."""
    body = """
      (call $exit (i32.or (call $fd_prestat_get (i32.const 3) (i32.const 0))
        (i32.sub (i32.load (i32.const 4)) (i32.const 5))))"""
    path = programs.build(program(body, "fd_prestat_get"), "dir\trw\t.\t/data")
    assert run(path, cwd=tmp_path).returncode == 0


# Calls whose error numbers both worlds must agree on; each result becomes one byte of output.
CALLS = [
    f"(call $fd_fdstat_get (i32.const {fd}) (i32.const 64))" for fd in (0, 1, 2, 3, -1)
] + [
    f"(call $fd_seek (i32.const {fd}) (i64.const 0) (i32.const 0) (i32.const 64))" for fd in (1, 9)
] + [
    f"(call $fd_prestat_get (i32.const {fd}) (i32.const 64))" for fd in (0, 3, 9)
] + [
    f"(call $fd_prestat_dir_name (i32.const {fd}) (i32.const 64) (i32.const 9))" for fd in (0, 3)
] + [
    f"(call $clock_time_get (i32.const {clock}) (i64.const 0) (i32.const 64))"
    for clock in (0, 1, 2, 3)
] + [
    "(call $fd_read (i32.const 1) (i32.const 128) (i32.const 1) (i32.const 64))",
    "(call $fd_read (i32.const 3) (i32.const 128) (i32.const 1) (i32.const 64))",
    "(call $fd_write (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 64))",
    "(call $fd_write (i32.const 1) (i32.const 128) (i32.const 0) (i32.const 64))",
    "(call $fd_write (i32.const 7) (i32.const 128) (i32.const 1) (i32.const 64))",
    "(call $random_get (i32.const 64) (i32.const 32))",
    "(call $random_get (i32.const 64) (i32.const 0))",
    "(call $args_sizes_get (i32.const 64) (i32.const 68))",
    "(call $environ_sizes_get (i32.const 64) (i32.const 68))",
    "(call $fd_close (i32.const 2))",
    "(call $fd_close (i32.const 2))",
    "(call $fd_close (i32.const 5))",
    "(call $fd_fdstat_get (i32.const 2) (i32.const 64))",
    "(call $fd_write (i32.const 2) (i32.const 128) (i32.const 1) (i32.const 64))",
    "(call $fd_seek (i32.const 2) (i64.const 0) (i32.const 0) (i32.const 64))",
]  # fmt: skip


def test_both_worlds_answer_alike(programs: Programs) -> None:
    """Our small WASI returns the error numbers of Wasmtime's, and the same status of streams."""
    body = "".join(f"(i32.store8 (i32.const {1024 + i}) {call})" for i, call in enumerate(CALLS))
    body += """
      (drop (call $fd_fdstat_get (i32.const 0) (i32.const 2048)))
      (drop (call $fd_fdstat_get (i32.const 1) (i32.const 2072)))
      (call $print (i32.const 1024) (i32.const 1072))"""
    names = {call.split()[1].removeprefix("$") for call in CALLS}
    answers = []
    for world in WORLDS:
        done = run(programs.build(program(body, *names, world=world)), env={}, input=b"")
        assert (done.returncode, done.stderr) == (0, b"")
        answers.append(done.stdout)
    assert answers[0] == answers[1]
    assert {0, 8, 54, 70} <= set(answers[0])


def test_small_writes_are_written_in_order(programs: Programs) -> None:
    """Standard output and standard error to one file keep the program's order."""
    body = """
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
      (loop $next
        (i32.store8 (i32.const 16) (i32.add (i32.const 97) (local.get $i)))
        (drop (call $fd_write (i32.add (i32.const 1) (i32.and (local.get $i) (i32.const 1)))
          (i32.const 0) (i32.const 1) (i32.const 8)))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const 26))))"""
    for world in WORLDS:
        path = programs.build(program(body, world=world))
        done = run("sh", "-c", f"'{path}' 2>&1")
        assert done.stdout == b"abcdefghijklmnopqrstuvwxyz"


def test_many_buffers_are_written(programs: Programs) -> None:
    """A write of forty buffers, some of them empty, is continued where it stopped."""
    body = """
      (loop $fill
        (i32.store (i32.add (i32.const 1024) (i32.mul (local.get $i) (i32.const 8)))
          (i32.add (i32.const 8) (i32.rem_u (local.get $i) (i32.const 10))))
        (i32.store (i32.add (i32.const 1028) (i32.mul (local.get $i) (i32.const 8)))
          (i32.rem_u (local.get $i) (i32.const 2)))
        (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const 40))))
      (drop (call $fd_write (i32.const 1) (i32.const 1024) (i32.const 40) (i32.const 0)))
      (call $exit (i32.load (i32.const 0)))"""
    path = programs.build(program(body, top='(data (i32.const 8) "0123456789")'))
    done = run(path)
    assert 0 < done.returncode <= 20
    assert done.stdout == (b"13579" * 4)[: done.returncode]
