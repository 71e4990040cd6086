"""What every layer speaks: sources, spans, diagnostics, digests, events, atomic files."""
