"""The header of a library for callers in C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.native.c_interface import SPANS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.aot.native.c_interface import Interface

_INTRODUCTION = """\
/* {name}: functions in Mochi, made by mochi-rules.
 *
 * The first call runs the top level of the library. Only one thread at a time may call it. An
 * error in Mochi ends the process, as it ends a program: with a message and status 1.
 *
 * Strings and lists are passed as a pointer and a size, which is in bytes for strings. They are
 * copied, so the caller keeps what it passes. Strings are UTF-8.
"""
_RESULTS = """\
 * The `data` of a result belongs to the caller, who gives it to `{name}_free`. That of a string
 * ends in a zero byte, which `size` does not count.
"""
_HANDLES = """\
 * A pointer to a struct is a handle, which is never null; who passes one keeps it. Each handle that
 * is a result belongs to the caller, who gives it to the `_release` of its struct, once.
"""


def print_header(interface: Interface) -> str:
    """Return the text of the header."""
    return "\n".join(_lines(interface)) + "\n"


def _lines(interface: Interface) -> Iterator[str]:
    name = interface.name
    comment = _INTRODUCTION
    if interface.results:
        comment += _RESULTS
    if interface.structs:
        comment += _HANDLES
    guard = f"{name.upper()}_H"
    yield comment.format(name=name) + " */"
    yield ""
    yield from (f"#ifndef {guard}", f"#define {guard}", "")
    yield from ("#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>", "")
    yield from ("#ifdef __cplusplus", 'extern "C" {', "#endif", "")
    for type_ in interface.results:
        element, word = SPANS[type_]
        yield f"typedef struct {{ {element} *data; size_t size; }} {name}_{word};"
    for struct in interface.structs:
        yield f"typedef struct {name}_{struct} {name}_{struct};"
    if interface.results or interface.structs:
        yield ""
    for function in interface.functions:
        yield f"{interface.declaration(function)};"
    if interface.results:
        yield f"void {name}_free(void *data);"
    yield from ("", "#ifdef __cplusplus", "}", "#endif", "", "#endif")
