"""Label and features, defined in SQL."""
