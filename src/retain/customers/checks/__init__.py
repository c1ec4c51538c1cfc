"""The audit: leakage checks and duplicates."""
