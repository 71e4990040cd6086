"""Programs that measure; each prints ratios of one run."""
