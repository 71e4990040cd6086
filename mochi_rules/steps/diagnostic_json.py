"""Diagnostics as JSON, between a worker and its client, and in the cache beside a result.

A span is its source's name and two offsets: whoever reads it has the sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic, Fault, Label, Severity
from mochi_rules.base.span import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def dump_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return diagnostics as values of JSON."""
    return [
        {
            "code": item.code,
            "message": item.message,
            "span": _dump_span(item.span),
            "label": item.label,
            "labels": [[_dump_span(label.span), label.text] for label in item.labels],
            "notes": list(item.notes),
            "help": item.help,
            "severity": item.severity.value,
            "fault": item.fault.value,
        }
        for item in diagnostics
    ]


def load_diagnostics(values: Iterable[Any], texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of what `dump_diagnostics` returned; `texts` has the sources.

    A span of a source that is not there is left out.

    Raises:
        ValueError, KeyError, TypeError: The values are not those of diagnostics.
    """
    sources = {name: Source(name, text) for name, text in texts.items()}
    return tuple(_load(value, sources) for value in values)


def _load(value: Any, sources: Mapping[str, Source]) -> Diagnostic:
    labels = ((_load_span(span, sources), text) for span, text in value["labels"])
    return Diagnostic(
        code=str(value["code"]),
        message=str(value["message"]),
        span=_load_span(value["span"], sources),
        label=str(value["label"]),
        labels=tuple(Label(span, text) for span, text in labels if span is not None),
        notes=tuple(str(note) for note in value["notes"]),
        help=str(value["help"]),
        severity=Severity(value["severity"]),
        fault=Fault(value["fault"]),
    )


def _dump_span(span: Span | None) -> list[Any] | None:
    return None if span is None else [span.source.name, span.start, span.end]


def _load_span(value: Any, sources: Mapping[str, Source]) -> Span | None:
    if value is None or value[0] not in sources:
        return None
    return Span(sources[value[0]], int(value[1]), int(value[2]))
