"""Generated repositories: libraries and programs in folders, and the same as plain SCons.

Of 20 modules in a folder 5 are libraries and 15 are programs, each of which imports a library of
its folder. Plain SCons has a chain of four `Command`s for each program, as many as the outputs that
we make of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LIBRARIES, _PROGRAMS = 5, 15  # in a folder
_OURS = """\
DefaultEnvironment(tools=[])
env = Environment(tools=["mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])
SConscript(Glob("*/SConscript"))
"""
_OUR_FOLDER = """\
for number in range({libraries}):
    mochi_library(name=f"text{{number}}", srcs=[f"text{{number}}.mochi"])
for number in range({programs}):
    library = f":text{{number % {libraries}}}"
    mochi_binary(name=f"app{{number}}", srcs=[f"app{{number}}.mochi"], deps=[library])
"""
_PLAIN = """\
DefaultEnvironment(tools=[])
env = Environment(tools=[])
Export("env")
SConscript(Glob("*/SConscript"))
Default("build")
"""
_PLAIN_FOLDER = """\
Import("env")
copy = "cp $SOURCE $TARGET"
for number in range({programs}):
    base = f"#build/{folder}/app{{number}}"
    env.Command(base + ".wasm", f"app{{number}}.mochi", copy)
    env.Command(base + ".cwasm", base + ".wasm", copy)
    env.Command(base + ".cwasm.json", base + ".cwasm", copy)
    env.Command(base + ".o", base + ".cwasm", copy)
"""
_LIBRARY = "export fun weight(n: int): int {{ return n + {number} }}\n"
_PROGRAM = """\
import "text{library}" as text
fun work(n: int): int {{
  var total = {number}
  for i in 0..n {{ total = total + text.weight(i) }}
  return total
}}
print(work(10))
"""


def write_repository(root: Path, modules: int, *, is_plain: bool = False) -> int:
    """Write a repository of so many modules, a multiple of 20; return how many are programs."""
    folders = modules // (_LIBRARIES + _PROGRAMS)
    root.mkdir()
    (root / "SConstruct").write_text(_PLAIN if is_plain else _OURS)
    script = _PLAIN_FOLDER if is_plain else _OUR_FOLDER
    for number in range(folders):
        folder = root / f"part{number}"
        folder.mkdir()
        text = script.format(libraries=_LIBRARIES, programs=_PROGRAMS, folder=folder.name)
        (folder / "SConscript").write_text(text)
        for name, source in _sources(number * _PROGRAMS).items():
            (folder / name).write_text(source)
    return folders * _PROGRAMS


def _sources(first: int) -> dict[str, str]:
    """Return the files of a folder by name; no two programs of a repository are equal."""
    libraries = {f"text{n}.mochi": _LIBRARY.format(number=n) for n in range(_LIBRARIES)}
    programs = {
        f"app{n}.mochi": _PROGRAM.format(number=first + n, library=n % _LIBRARIES)
        for n in range(_PROGRAMS)
    }
    return libraries | programs
