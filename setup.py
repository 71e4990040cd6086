"""Makes distributions whose bytes follow from the commit, and that name it."""

import os
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from mochi_rules.release.archives.reader import read_archive  # noqa: E402
from mochi_rules.release.archives.tarball import compress_gzip, tar  # noqa: E402
from mochi_rules.release.archives.zipped import zipped  # noqa: E402
from mochi_rules.release.contents import FILE_MODE, PROGRAM_MODE, File  # noqa: E402

NAME = Path("mochi_rules", "commit.txt")


def commit() -> tuple[str, int]:
    """Return the commit of this checkout and its time, or those that a distribution names."""
    if (ROOT / NAME).is_file():
        name, time = (ROOT / NAME).read_text().split()
        return name, int(time)
    if not (ROOT / ".git").exists():
        return "unknown", 0
    command = ["git", "log", "-1", "--format=%H %ct"]
    name, time = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return name, int(time)


COMMIT, TIME = commit()
TIME = int(os.environ.get("SOURCE_DATE_EPOCH", TIME))


def name_commit(folder: str) -> None:
    """Write the commit into a tree that becomes a distribution."""
    (Path(folder) / NAME).write_text(f"{COMMIT} {TIME}\n")


def plain(file: File) -> File:
    """Return a file with one of two modes, whatever the umask of the checkout was."""
    return File(file.path, file.data, PROGRAM_MODE if file.mode & 0o100 else FILE_MODE)


class BuildPy(build_py):
    """Adds the commit to the package."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            name_commit(self.build_lib)


class Sdist(sdist):
    """Writes the archive without times and owners of this machine."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        name_commit(base_dir)

    def make_archive(
        self, base_name: str, *_args: object, base_dir: str, **_options: object
    ) -> str:
        paths = (path for path in Path(base_dir).rglob("*") if path.is_file())
        files = (File(path.as_posix(), path.read_bytes(), path.stat().st_mode) for path in paths)
        name = f"{base_name}.tar.gz"
        Path(name).write_bytes(compress_gzip(tar(map(plain, files), TIME)))
        return name


class Wheel(bdist_wheel):
    """Writes the archive again without times and modes of this machine."""

    def run(self) -> None:
        super().run()
        for _, _, name in self.distribution.dist_files:
            if name.endswith(".whl"):
                files = read_archive(name, Path(name).read_bytes()).values()
                Path(name).write_bytes(zipped(map(plain, files), TIME))


setup(cmdclass={"build_py": BuildPy, "sdist": Sdist, "bdist_wheel": Wheel})
