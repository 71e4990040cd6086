"""What every layer uses: sources, spans, diagnostics, digests, events, atomic files."""
