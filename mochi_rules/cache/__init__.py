"""The content-addressed store, its action cache and their wire format."""
