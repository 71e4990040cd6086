"""Reports as aligned text for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from mochi_rules.base.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mochi_rules.elf.report import Compiled, Report, Setting, Wasm

MAX_FUNCTIONS = 20


def as_json(report: Report) -> str:
    """Return a report as a JSON object; what is not there is null, bytes are hexadecimal."""
    return json.dumps(dataclasses.asdict(report), default=bytes.hex, indent=2)


def render(report: Report, *, full: bool = False) -> str:
    """Return a report as text, ending in a newline.

    Unless it shall be `full`, settings at their defaults are only counted, and of the functions
    the MAX_FUNCTIONS largest are shown.
    """
    return "\n".join(_report_lines(report, full=full)) + "\n"


def _report_lines(report: Report, *, full: bool) -> Iterator[str]:
    facts = [("size", f"{report.size} bytes"), ("sha256", report.sha256)]
    if report.note:
        facts.append(("damage", report.note))
    if report.build_info is not None:
        facts += report.build_info.items() or [("stamp", "none")]
    if report.wasm:
        facts += _wasm_facts(report.wasm)
    if report.compiled:
        facts += _compiled_facts(report.compiled)
    yield report.kind
    yield from _table(facts)
    if report.compiled:
        yield from _compiled_tables(report.compiled, full=full)
    if report.inner:
        yield ""
        yield f"at byte {report.inner_offset}:"
        yield from _report_lines(report.inner, full=full)


def _wasm_facts(wasm: Wasm) -> list[tuple[str, str]]:
    return [
        ("functions", str(wasm.defined_functions)),
        ("imports", _listed(wasm.imports)),
        ("exports", _listed(wasm.exports)),
        ("features", _listed(wasm.features)),
    ]


def _compiled_facts(compiled: Compiled) -> list[tuple[str, str]]:
    changes = [f"with {name}" for name in compiled.features_added]
    changes += [f"without {name}" for name in compiled.features_missing]
    if compiled.failures:
        structure = "; ".join(str(failure) for failure in compiled.failures)
    else:
        structure = "sound"
    return [
        ("target", compiled.target),
        ("Wasmtime", compiled.wasmtime),
        ("CPU features", _listed(compiled.cpu_features)),
        ("features", ", ".join(["default", *changes])),
        ("structure", structure),
    ]


def _compiled_tables(compiled: Compiled, *, full: bool) -> Iterator[str]:
    changed = [setting for setting in compiled.settings if not setting.is_default]
    usual = [setting for setting in compiled.settings if setting.is_default]
    yield ""
    yield "settings" if compiled.settings else "settings: not known for this version"
    yield from _table(_setting_row(setting) for setting in (*changed, *(usual if full else ())))
    if usual and not full:
        yield f"  {len(usual)} at their defaults"
    yield ""
    yield "sections"
    yield from _table(
        [
            ("", "flags", "offset", "size", "alignment"),
            *(
                (row.name, row.flags, str(row.offset), str(row.size), str(row.alignment))
                for row in compiled.sections
            ),
        ],
        right=(2, 3, 4),
    )
    yield from _functions(compiled, full=full)


def _functions(compiled: Compiled, *, full: bool) -> Iterator[str]:
    code = sum(row.size for row in compiled.functions)
    yield ""
    yield f"functions: {len(compiled.functions)}, {code} bytes of code"
    by_size = sorted(compiled.functions, key=lambda row: -row.size)
    shown = compiled.functions if full else by_size[:MAX_FUNCTIONS]
    names = ((f"wasm[{row.module}]::function[{row.index}]", row.name, row) for row in shown)
    yield from _table(((place, name, str(row.size)) for place, name, row in names), right=(2,))
    if len(shown) < len(compiled.functions):
        yield f"  ... and {len(compiled.functions) - len(shown)} smaller ones"


def _setting_row(setting: Setting) -> tuple[str, str, str]:
    default = "" if setting.is_default else f"(default: {_value(setting.default)})"
    return setting.name, _value(setting.value), default


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return "none" if value is None else str(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _table(rows: Iterable[Sequence[str]], right: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield rows with their columns aligned, two spaces apart and indented by two."""
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()
