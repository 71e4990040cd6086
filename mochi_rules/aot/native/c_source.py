"""The source in C behind the header of a library: it turns what C passes into words and back.

`toolchains/clif/host/library.c` has what all functions have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.native.c_interface import SPANS, STRUCT, c_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.aot.native.c_interface import CFunction, Interface

# A parameter as a word, and a word as a result, for types whose words are not the values.
_WORDS = {
    "float": "mochi_of_float({0})",
    "string": "mochi_of_string({0}, {0}_size)",
    "list<int>": "mochi_of_list({0}, {0}_size, MOCHI_SLOT_INT)",
    "list<float>": "mochi_of_list({0}, {0}_size, MOCHI_SLOT_FLOAT)",
    "struct": "mochi_of_handle({0})",
}
_SPAN = "mochi_to_{}(words[0])"
_RESULTS = {
    "int": "(int64_t)words[0]",
    "bool": "words[0] != 0",
    "float": "mochi_to_float(words[0])",
    "struct": "mochi_to_handle(words[0])",
}


def print_source(interface: Interface, header: str) -> str:
    """Return the text of the source, which includes `all.c`; `header` is the name of the header."""
    return "\n".join(_lines(interface, header)) + "\n"


def _lines(interface: Interface, header: str) -> Iterator[str]:
    yield f'#define MOCHI_LIBRARY "{interface.name}"'
    for name, value in interface.layout.items():
        yield f"#define MOCHI_{name} {value}"
    yield from ('#include "all.c"', "")
    yield "#pragma GCC visibility push(default)"
    yield f'#include "{header}"'
    yield from ("#pragma GCC visibility pop", "")
    for function in interface.functions:
        yield from _function(interface, function)
    if interface.results:
        yield f"void {interface.name}_free(void *data) {{ free(data); }}"


def _function(interface: Interface, function: CFunction) -> Iterator[str]:
    names = c_names(function)
    kinds = [_kind(type_) for _, type_ in function.params]
    yield f"{interface.declaration(function)} {{"
    words = [
        _WORDS.get(kind, "(uint64_t){0}").format(name)
        for name, kind in zip(names, kinds, strict=True)
    ]
    copies = [f"words[{at}]" for at, kind in enumerate(kinds) if kind in SPANS]
    yield f"    uint64_t words[] = {{{', '.join(words) or '0'}}};"
    if copies:
        yield f"    const uint64_t copies[] = {{{', '.join(copies)}}};"
    yield f"    mochi_call({function.number}, words);"
    yield from (f"    mochi_release(copies[{at}]);" for at in range(len(copies)))
    yield from _result(interface, function.result)
    yield from ("}", "")


def _result(interface: Interface, type_: str) -> Iterator[str]:
    if type_ in SPANS:
        kind = "string" if type_ == "string" else "list"
        yield f"    const mochi_span span = {_SPAN.format(kind)};"
        yield f"    return ({interface.result(type_).strip()}){{span.data, span.size}};"
    elif type_ != "void":
        yield f"    return {_RESULTS[_kind(type_)]};"


def _kind(type_: str) -> str:
    return "struct" if type_.startswith(STRUCT) else type_
