"""The attributes of rules: one table row each gives the check, the error and the help."""

from __future__ import annotations

import re
from collections import UserList
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.ui.help_text import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.base.span import Span


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value: what it is called, an example, its test, and the form that rules work with.

    `normal` is applied before the test, and changes only what has the form of another tool.
    """

    name: str
    example: str
    accepts: Callable[[object], bool]
    normal: Callable[[Any], Any] = lambda value: value


_MAX_SHARDS = 1000
_MAX_SECONDS = 1_000_000  # eleven days
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what no UTF-8 has, and what ends strings in C
_LISTS = (list, tuple, UserList)  # a builder of SCons returns a UserList


def _flat(value: object) -> object:
    """Return a list without the lists in it: those that builders of SCons return."""
    if not isinstance(value, _LISTS):
        return value
    items = map(_flat, value)
    return [item for part in items for item in (part if isinstance(part, list) else [part])]


def _single(value: object) -> object:
    """Return the only node that a builder of SCons returned; anything else as it is."""
    return value[0] if isinstance(value, UserList) and len(value) == 1 else value


def _is_file(value: object) -> bool:
    """A path, or a node of SCons that is in the file system."""
    if isinstance(value, str | UserList):  # a list of nodes has all attributes of nodes
        return _is_text(value) and bool(value)
    return hasattr(value, "get_internal_path")


def _is_list(value: object, accepts: Callable[[object], bool]) -> bool:
    return isinstance(value, _LISTS) and all(map(accepts, value))


def _is_text(value: object) -> bool:
    """A string that can be the name of a file or an argument of a program."""
    return isinstance(value, str) and not _NO_TEXT.search(value)


def _is_settings(value: object) -> bool:
    """Settings by name, or the name of a profile."""
    return (isinstance(value, dict) and all(map(_is_text, value))) or (
        _is_text(value) and value != ""
    )


def _is_seconds(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value <= _MAX_SECONDS  # type: ignore[operator]


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


TEXT = Kind(
    "a non-empty UTF-8 string without NUL", '"app"', lambda value: _is_text(value) and value != ""
)
LINE = Kind(
    "a string of one line",
    '"An app"',
    lambda value: isinstance(value, str) and _is_text(value) and value.splitlines() == [value],
)
TEXTS = Kind(
    "a list of UTF-8 strings without NUL", '["--fast"]', lambda value: _is_list(value, _is_text)
)
FILE = Kind("a file", '"app.wasm"', _is_file, _single)
ARTIFACT = Kind("a file", '"app.cwasm"', _is_file, _single)
FILES = Kind("a list of files", '["app.mochi"]', lambda value: _is_list(value, _is_file), _flat)
LABEL = Kind("a label", '":app"', lambda value: _is_text(value) and value != "")
LABELS = Kind("a list of labels", '["//lib:text"]', lambda value: _is_list(value, _is_text))
SETTINGS = Kind("settings of the engine", '{"opt_level": "speed"}', _is_settings)
YES_NO = Kind("`True` or `False`", "False", lambda value: isinstance(value, bool))
LEVEL = Kind("0, 1 or 2", "1", lambda value: type(value) is int and value in range(3))
COUNT = Kind(f"a number from 1 to {_MAX_SHARDS}", "4",
             lambda value: type(value) is int and 1 <= value <= _MAX_SHARDS)  # fmt: skip
SECONDS = Kind(f"a number of seconds up to {_MAX_SECONDS}", "60", _is_seconds)

ARCHIVES = ("tar.gz", "tar.zst", "zip", "wheel", "npm", "deb", "rpm", "oci")
FORMATS = Kind(
    f"a list of {listing(ARCHIVES)}",
    '["zip"]',
    lambda value: _is_list(value, ARCHIVES.__contains__),
)
DIGEST = Kind("64 lowercase hexadecimal digits", '"e3b0…"', _is_digest)

_REQUIRED = object()
POSITIONAL = "positional argument"  # begins what arguments without a name are called


@dataclass(frozen=True, slots=True)
class Attr:
    """An attribute of a rule; one without a default must be given."""

    name: str
    kind: Kind
    doc: str
    default: Any = _REQUIRED

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is _REQUIRED


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, what it does, its attributes, and the outputs that it declares."""

    name: str
    doc: str
    attrs: tuple[Attr, ...]
    outputs: tuple[str, ...]

    def check(
        self, given: Mapping[str, object], locate: Callable[[str], Span | None] = lambda _: None
    ) -> dict[str, Any]:
        """Return the values of all attributes; `locate` returns where an attribute was written.

        Emits: B005 (unknown), B006 (missing), B007 (of the wrong type).

        Raises:
            MochiError: With everything that is wrong with the call.
        """
        by_name = {attr.name: attr for attr in self.attrs}
        given = {
            name: by_name[name].kind.normal(value) if name in by_name else value
            for name, value in given.items()
        }
        found = [
            self._unknown(name, locate(name))
            if name not in by_name
            else self._wrong(by_name[name], value, locate(name))
            for name, value in given.items()
            if name not in by_name or not by_name[name].kind.accepts(value)
        ]
        found += [
            Diagnostic(
                "B006",
                f"`{self.name}` needs `{attr.name}`, {attr.kind.name}",
                locate(""),
                help=f"write `{attr.name} = {attr.kind.example}`",
            )
            for attr in self.attrs
            if attr.is_required and attr.name not in given
        ]
        if found:
            raise MochiError(*found)
        return {attr.name: given.get(attr.name, attr.default) for attr in self.attrs}

    def _unknown(self, name: str, span: Span | None) -> Diagnostic:
        names = [attr.name for attr in self.attrs]
        if name.startswith(POSITIONAL):
            message = f"`{self.name}` takes only its name as a positional argument"
            return Diagnostic("B005", message, span, help=f"write `{names[1]} = …`")
        return Diagnostic(
            "B005",
            f"`{self.name}` has no attribute `{name}`",
            span,
            notes=(f"its attributes are {listing(names)}",),
            help=did_you_mean(name, names)
            or f"`mochi-rules help {self.name}` shows what each does",
        )

    def _wrong(self, attr: Attr, value: object, span: Span | None) -> Diagnostic:
        return Diagnostic(
            "B007",
            f"`{attr.name}` of `{self.name}` must be {attr.kind.name}, got `{_shown(value):.60}`",
            span,
            help=f"write `{attr.name} = {attr.kind.example}`",
        )


def _shown(value: object) -> str:
    # The `repr` of a node is its address.
    is_node = isinstance(value, UserList) or hasattr(value, "get_abspath")
    try:
        return str(value) if is_node else repr(value)
    except ValueError:  # Python refuses to write an integer of more than 4300 digits
        return "a number of thousands of digits"


_NAME = Attr("name", TEXT, "the name of the label and of the outputs")
_SRCS = Attr("srcs", FILES, "the Mochi files; they may import each other and those of `deps`")
_DEPS = Attr("deps", LABELS, "the libraries whose files may be imported", ())
_MAIN = Attr("main", TEXT, "the file in `srcs` to run; optional if there is only one, or one named "
             "after the target", "")  # fmt: skip
_ENGINE = Attr("engine", SETTINGS, "settings of the engine and limits of the run, such as "
               "`opt_level` or `fuel`, or the name of a profile of `mochi.toml`; they "
               "override those of the mode", {})  # fmt: skip
_OPTIMIZE = Attr("optimize", LEVEL, "how far the compiler optimizes; overrides the variable",
                 None)  # fmt: skip
_DIRS = Attr("dirs", TEXTS, "directories that the program may use, as `data`, `data=/tables` or "
             "`out:rw`: relative to where an executable is run, and for a test to this "
             "folder", ())  # fmt: skip
_STAMP = Attr(
    "stamp",
    YES_NO,
    "whether `build_info` of the program has the version of the command line and the commit",
    False,
)
_SYMBOL = Attr("symbol", TEXT, "the prefix of the symbols of the object, `SYMBOL_start` and "
               "`SYMBOL_end`; by default the name", "")  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule(
        "mochi_binary",
        "A program: compiled to WebAssembly, ahead of time, checked, wrapped in an object, and "
        "attached to a launcher.",
        (_NAME, _SRCS, _DEPS, _MAIN, _STAMP, _SYMBOL, _DIRS, _OPTIMIZE, _ENGINE),
        ("{}.wasm", "{}.cwasm", "{}.cwasm.json", "{}.o", "{}"),
    ),
    Rule(
        "mochi_library",
        "Files that programs import. They are checked here, and compiled with each program that "
        "imports them.",
        (_NAME, _SRCS, _DEPS),
        ("{}.mochi.json",),
    ),
    Rule(
        "mochi_c_library",
        "A static library and a header: C, and what calls C, calls the exported functions of "
        "`srcs`. It returns the library, for a linker.",
        (_NAME, replace(_SRCS, doc="the Mochi files with `export fun`; they may import each other "
                        "and those of `deps`"), _DEPS, _OPTIMIZE),
        ("{}.clif", "{}.o", "{}.h", "{}.exports.c", "{}.exports.o", "lib{}.a"),
    ),
    Rule(
        "mochi_test",
        "A program that is a test: it passes when it exits with status 0, and prints what is in "
        "`expected`. `scons test` runs it; its result is cached.",
        (_NAME,
         Attr("program", LABEL, "a target of any rule to run as the test; or else `srcs`", ""),
         replace(_SRCS, default=()), _DEPS, _MAIN,
         Attr("args", TEXTS, "the arguments of the program", ()),
         Attr("stdin", FILE, "the standard input of the program; empty by default", None),
         Attr("expected", FILE, "the exact standard output of the program", None),
         Attr("timeout", SECONDS, "the number of seconds after which the test fails", 60),
         Attr("platform", TEXT, "the platform to run on, such as `aarch64-linux`: its executable "
              "runs under qemu, or on a server; by default this machine's", ""),
         Attr("shards", COUNT, "the number of programs that share the `test` blocks of `srcs`; "
              "each runs all other statements, and is cached by itself", 1),
         _OPTIMIZE, _ENGINE),
        ("{}.wasm", "{}.cwasm", "{}.cwasm.json"),
    ),
    Rule(
        "wasm_import",
        "WebAssembly from another language: checked, compiled ahead of time, checked again, and "
        "wrapped in an object. A module may import only WASI preview 1.",
        (_NAME, Attr("src", FILE, "a module or a component: `.wasm`, or the text format `.wat`"),
         Attr("executable", YES_NO, "whether to attach it to a launcher: it must be a "
              "module with a function `_start`", True),
         _SYMBOL, _DIRS, _ENGINE),
        ("{}.wasm", "{}.cwasm", "{}.cwasm.json", "{}.o", "{}"),
    ),
    Rule(
        "cwasm",
        "An artifact that was compiled elsewhere: refused unless it is for this platform, this "
        "version of Wasmtime and these settings; then wrapped in an object.",
        (_NAME, Attr("src", ARTIFACT, "the `.cwasm`"),
         Attr("sha256", DIGEST, "the SHA-256 of the file, which detects every change; the "
              "structural checks do not", ""),
         Attr("executable", YES_NO, "whether to attach it to a launcher", False),
         _SYMBOL, _DIRS, _ENGINE),
        ("{}.cwasm.json", "{}.o", "{}"),
    ),
    Rule(
        "mochi_release",
        "Programs as they are published: `scons release` writes an archive for each platform and "
        "format to `dist/`, with checksums, bills of materials and provenance.",
        (_NAME,
         Attr("targets", LABELS, "the programs"),
         Attr("files", FILES, "files that every archive holds too, such as a licence", ()),
         Attr("formats", FORMATS, "the formats of the archives: `tar.gz`, `tar.zst`, `zip`, "
              "`wheel`, `npm`; for Linux also `deb`, `rpm` and `oci`",
              ("tar.gz",)),
         Attr("lock", FILE, "the versions and hashes of all Python packages, as `pip-compile "
              "--generate-hashes` writes them: `mochi-rules rebuild` installs them", None),
         Attr("version", TEXT, "the version; by default that of the command line", ""),
         Attr("summary", LINE, "a summary in one line", ""),
         Attr("license", LINE, "its licence, as an SPDX expression", ""),
         Attr("maintainer", LINE, "the maintainer, as `NAME <ADDRESS>`", "")),
        (),
    ),
)  # fmt: skip

BY_NAME = {rule.name: rule for rule in RULES}


def describe(rule: Rule) -> str:
    """Return the reference of a rule as text, ending in a newline."""
    width = max(len(attr.name) for attr in rule.attrs)
    lines = [f"{rule.name}(name, ...)", "", *wrap(rule.doc), "", "attributes"]
    for attr in rule.attrs:
        need = "required" if attr.is_required else _default(attr.default)
        lines += [f"  {attr.name:<{width}}  {attr.kind.name}; {need}", *wrap(attr.doc, width + 4)]
    if rule.outputs:
        lines += ["", "outputs, below build/PLATFORM-MODE/FOLDER/"]
        lines += ["  " + output.format("NAME") for output in rule.outputs]
    shown = [attr for attr in rule.attrs if attr.is_required or attr.name == "program"]
    example = ", ".join(f"{attr.name} = {attr.kind.example}" for attr in shown)
    return "\n".join([*lines, "", "example", f"  {rule.name}({example})"]) + "\n"


def _default(value: object) -> str:
    if value is None or value == "" or isinstance(value, tuple | dict):
        return "optional"
    return f"{value} by default"
